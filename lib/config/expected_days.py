"""The days on which files are expected, and the time that passes on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
_DAY: Final = timedelta(days=1)


def _date_or_day(text: str) -> str:
    try:
        # 2000 has a 29 February.
        date.fromisoformat(text if len(text) > 5 else f"2000-{text}")
    except ValueError:
        raise ValueError("not a date. Write dates such as 12-25 or 2027-03-29.") from None
    return text


DateOrDay = Annotated[str, AfterValidator(_date_or_day)]
"""`2027-03-29`, or `12-25` of every year."""


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
