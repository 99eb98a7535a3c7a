"""What the sweep notices because it does not come: files, events, results.

Each of these is decided from what the sweep has listed anyway:

    no_file           a watched folder has got no file for NO_FILE_HOURS
    file_ignored      a file has stayed for an hour, although its name says that it is incomplete
    events_missing    no event has started a file for 10 minutes, and no other file was finished
                      since; or for 30 minutes, and no instance works on any file as old
    file_unfinished   a file has had no results for an hour, whatever the reason is
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, get_args
from zoneinfo import ZoneInfo

from lib.config.settings import Weekday
from lib.errors import NewerVersion, RetryableError
from lib.run.alerts import LATE_AFTER
from lib.run.context import RunContext
from lib.source.names import HIDDEN, INCOMPLETE
from lib.state.output import report_path
from lib.state.run import Run, run_id
from lib.state.store import StoredObject

LEFT_AFTER: Final = timedelta(hours=1)
LEFT_UNTIL: Final = timedelta(days=1)
"""Older files have had their alert."""
FOUND_BY_SWEEP_AFTER: Final = timedelta(minutes=30)
UNFINISHED_AFTER: Final = timedelta(hours=1)

_MOST_FILES: Final = 20
"""An alert looks at no more files than these."""

_ACTIONS: Final = {
    "no_file": "Check that the export ran, and that it may write to the input bucket. If no file "
    "is expected on some days, set NO_FILE_WEEKDAYS or NO_FILE_HOLIDAYS.",
    "file_ignored": "If the file is complete, rename it, without the mark of an incomplete file. "
    "If its upload was interrupted, upload it again. Delete this one.",
    "events_missing": "Ask the engineer who deployed the function to restore its trigger and the "
    "permissions of the trigger (pubsub.publisher for the storage agent, eventarc.eventReceiver, "
    "run.invoker), for example with terraform apply. Meanwhile the sweep processes the files.",
    "file_unfinished": "Look at the log lines of the file. If there are none, check that the "
    "function runs: its dashboard, and its revisions in Cloud Run. A large file may need this "
    "long.",
}

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

    A folder that never had a file is new, so nothing is expected in it yet. No metric could replace
    this: Cloud Monitoring notices that something is missing for a day at most, and a nightly file
    is sometimes a few minutes later than the day before.
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
            context.log.alert("no_file", detail=detail, action=_ACTIONS["no_file"], folder=folder)


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


@dataclass(slots=True)
class LeftFiles:
    """The ignored objects of a listing that look like files of data.

    A gateway renames a file when it is complete. If it dies, or the name was a mistake, the file
    stays, and its rows are never sent.
    """

    found: list[tuple[StoredObject, str]] = field(default_factory=list)

    def add(
        self, file: StoredObject, reason: str, age: timedelta, suffixes: tuple[str, ...]
    ) -> None:
        """Take an ignored object from a listing, with the reason and the age."""
        if not file.is_live or not file.size or not LEFT_AFTER <= age < LEFT_UNTIL:
            return
        if reason == INCOMPLETE or (reason == HIDDEN and _is_named_like_data(file.name, suffixes)):
            self.found.append((file, reason))


def _is_named_like_data(name: str, suffixes: tuple[str, ...]) -> bool:
    last = name.rsplit("/", 1)[-1].lower()
    # `~$` is the lock file of an open workbook, `._` what macOS adds to a file.
    return not last.startswith(("~$", "._")) and any(suffix in last for suffix in suffixes)


def alert_if_left(left: LeftFiles, context: RunContext) -> None:
    """Log an alert for each of these files."""
    for file, reason in left.found[:_MOST_FILES]:
        arrived: datetime | None = file.created or file.updated
        since = f"{arrived:%Y-%m-%d %H:%M} UTC" if arrived is not None else "an unknown time"
        log = context.log.bind(run_id=run_id(file))
        log.alert(
            "file_ignored", detail=f"{reason}, since {since}", action=_ACTIONS["file_ignored"]
        )


def alert_if_unstarted(
    files: Sequence[StoredObject], newest_results: datetime | None, context: RunContext
) -> None:
    """Log an alert if no event has started one of these `files` without results.

    The trigger needs several permissions outside of this function. If one of them is lost, no event
    arrives, and nothing fails. Files that wait in a burst look the same, but then others are
    finished meanwhile: `newest_results` is when the newest results document was written.
    """
    now = context.utc_now()
    if newest_results is not None and now - newest_results < LATE_AFTER:
        return
    late = [each for each in files if now - (each.updated or now) >= LATE_AFTER]
    _alert_missing_events([f for f in late[-_MOST_FILES:] if not _is_started(f, context)], context)


def _is_started(file: StoredObject, context: RunContext) -> bool:
    try:
        return context.claims.of(file) is not None
    except (ValueError, NewerVersion):
        return True  # by a claim that cannot be read: the sweep says so when it comes to the file


def alert_if_found_by_sweep(
    claims: Sequence[tuple[StoredObject, Run | None]], context: RunContext
) -> None:
    """Log an alert if the sweep has found one of these files before an event started it.

    This notices a single lost event, while other files are finished. The files come oldest first,
    with their claims. If one of the claims is alive, an instance works on a file as old, and the
    others may wait for it.
    """
    now = context.utc_now()
    if any(run.status == "running" and run.expires > now for _, run in claims if run is not None):
        return
    old = [file for file, run in claims if run is None]
    _alert_missing_events(
        [f for f in old if now - (f.updated or now) >= FOUND_BY_SWEEP_AFTER], context
    )


def _alert_missing_events(unstarted: Sequence[StoredObject], context: RunContext) -> None:
    if unstarted:
        oldest = unstarted[0]
        log = context.log.bind(run_id=run_id(oldest))
        detail = f"uploaded {oldest.updated:%Y-%m-%d %H:%M} UTC, and no event has started it"
        log.alert(
            "events_missing", detail=detail, action=_ACTIONS["events_missing"], files=len(unstarted)
        )


def alert_if_unfinished(files: Sequence[StoredObject], context: RunContext) -> None:
    """Log an alert about the oldest of these files that is unfinished. They come oldest first.

    Known reasons have alerts of their own (`lib.run.alerts`). This one needs no reason: an
    instance that dies each time leaves no word, and a sweep that runs out of time does not come to
    all files. Files that wait for the daily quota have had their alert, and nobody needs to act.
    """
    now = context.utc_now()
    old = [each for each in files if now - (each.updated or now) >= UNFINISHED_AFTER]
    for each in old[:_MOST_FILES]:
        try:
            run = _claim(each, context)
            has_results = context.output.has_results(each)
        except RetryableError:
            return  # the sweep has logged it
        if has_results or (run is not None and run.cause == "DAILY_QUOTA"):
            continue
        log = context.log.bind(run_id=run_id(each), report=report_path(each))
        code = run.cause if run is not None else ""
        detail = f"no results since {each.updated:%Y-%m-%d %H:%M} UTC"
        log.alert(
            "file_unfinished",
            code=code,
            detail=detail,
            action=_ACTIONS["file_unfinished"],
            files=len(old),
        )
        return


def _claim(file: StoredObject, context: RunContext) -> Run | None:
    try:
        return context.claims.of(file)
    except (ValueError, NewerVersion):
        return None  # the sweep has logged it
