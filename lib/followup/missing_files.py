"""Notices that an expected file has not arrived.

The sweep has just listed the input bucket, so it knows when the newest file came. A metric could
not know it: Cloud Monitoring waits at most a day for something that is missing, and a nightly file
is sometimes a few minutes later than the day before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, get_args
from zoneinfo import ZoneInfo

from lib.config.settings import Weekday
from lib.run.context import RunContext
from lib.state.store import StoredObject

_ACTION: Final = (
    "Check that the export ran, and that it may write to the input bucket. If no file is expected "
    "on some days, set NO_FILE_WEEKDAYS or NO_FILE_HOLIDAYS."
)
_OUTSIDE: Final = "default"
"""The name for files outside of any folder, as in the profiles."""
_WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class NewestFiles:
    """When the newest file of each first folder arrived."""

    by_folder: dict[str, datetime] = field(default_factory=dict)

    def add(self, file: StoredObject) -> None:
        """Take a file from a listing. A replaced or deleted version has arrived, too."""
        arrived = file.created or file.updated
        folder = file.name.partition("/")[0] if "/" in file.name else _OUTSIDE
        if arrived is not None:
            self.by_folder[folder] = max(arrived, self.by_folder.get(folder, arrived))


def alert_if_no_file(newest: NewestFiles, context: RunContext) -> None:
    """Log an alert for each watched folder without a new file for too long.

    A folder that never had a file is new, so nothing is expected in it yet.
    """
    settings = context.settings
    if settings.no_file_hours is None:
        return
    arrived: dict[str, datetime] = {
        folder: newest.by_folder[folder]
        for folder in settings.no_file_folders
        if folder in newest.by_folder
    }
    if not settings.no_file_folders and newest.by_folder:
        arrived = {"": max(newest.by_folder.values())}
    now = context.utc_now()
    most = timedelta(hours=settings.no_file_hours, minutes=settings.no_file_grace_minutes)
    for folder, since in arrived.items():
        passed = expected_time(
            since,
            now,
            zone=settings.no_file_time_zone,
            weekdays=settings.no_file_weekdays,
            holidays=settings.no_file_holidays,
        )
        if passed > most:
            where = f"no file in {folder}" if folder else "no file"
            detail = f"{where} since {since:%Y-%m-%d %H:%M} UTC"
            context.log.alert("no_file", detail=detail, action=_ACTION, folder=folder)


def expected_time(
    since: datetime,
    until: datetime,
    *,
    zone: str,
    weekdays: tuple[Weekday, ...],
    holidays: tuple[str, ...],
) -> timedelta:
    """Return how much time has passed between two moments, without the days without files.

    A night in which clocks change counts as 24 hours, whichever time an export follows.
    """
    local = ZoneInfo(zone)
    start, end = (each.astimezone(local).replace(tzinfo=None) for each in (since, until))
    off = sum(
        (
            min(end, day + _DAY) - max(start, day)
            for day in _days(start, end)
            if not _is_expected(day, weekdays, holidays)
        ),
        timedelta(),
    )
    return min(end - start, until - since) - off


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        yield day
        day += _DAY


def _is_expected(day: datetime, weekdays: tuple[Weekday, ...], holidays: tuple[str, ...]) -> bool:
    if _WEEKDAYS[day.weekday()] not in weekdays:
        return False
    return f"{day:%m-%d}" not in holidays and f"{day:%Y-%m-%d}" not in holidays
