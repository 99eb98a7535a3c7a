"""When the next file of a profile is due: as a person says it, or as files came until now. Pure.

NO_FILE_HOURS                 so many hours after the last file, without the days off
expect, in a profile          "every weekday by 06:30", "the last working day of the month"
neither                       one and a half times the longest gap of eight weeks, and a day
                                  (twice, from five days on)
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from lib.config.expect import ByDay, parse_expect
from lib.config.settings import Settings

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORKDAYS: Final = frozenset(range(5))
_DAY: Final = timedelta(days=1)
_FARTHEST: Final = 500
"""Days within which a day that is expected comes."""

LEARNED_FROM: Final = timedelta(weeks=8)
_LEARNED_FILES: Final = 5
_LEARNED_TIME: Final = timedelta(days=14)
"""A rhythm is known from so many files, over so long a time: with fewer, no weekend is in it."""
_LEAST: Final = timedelta(hours=36)
_WEEKLY: Final = timedelta(days=5)
"""A weekly file that leaves out a holiday comes after two weeks."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days in a time zone. Files are expected on `weekdays` (0: Monday) that are no holidays."""

    zone: ZoneInfo
    weekdays: frozenset[int]
    holidays: frozenset[str]

    def expects(self, day: date) -> bool:
        """Return whether files are expected on this day."""
        return day.weekday() in self.weekdays and not self.is_holiday(day)

    def is_holiday(self, day: date) -> bool:
        """Return whether it is one of the holidays, of this year or of each."""
        return f"{day:%m-%d}" in self.holidays or f"{day:%Y-%m-%d}" in self.holidays

    def is_working_day(self, day: date) -> bool:
        """Return whether people work: Monday to Friday, and no holiday."""
        return day.weekday() in _WORKDAYS and not self.is_holiday(day)


def calendar_of(settings: Settings) -> tuple[Calendar, list[str]]:
    """Return the calendar of the NO_FILE_... settings, and what is wrong with them.

    What is wrong counts as unset: a mistake in them must stop no file.
    """
    problems = []
    zone = _zone(settings.no_file_time_zone)
    if zone is None:
        problems.append(
            f'NO_FILE_TIME_ZONE: "{settings.no_file_time_zone}" is not a time zone, so UTC counts. '
            "Write a name such as Europe/Berlin."
        )
    for name in settings.no_file_weekdays:
        if name not in WEEKDAYS:
            problems.append(
                f'NO_FILE_WEEKDAYS: "{name}" is not a day, so it does not count. '
                f"Write {', '.join(WEEKDAYS)}."
            )
    for text in settings.no_file_holidays:
        if not _is_day(text):
            problems.append(
                f'NO_FILE_HOLIDAYS: "{text}" is not a date, so it is no holiday. '
                "Write dates such as 12-25 or 2027-03-29."
            )
    weekdays = {WEEKDAYS.index(name) for name in settings.no_file_weekdays if name in WEEKDAYS}
    return Calendar(
        zone or ZoneInfo("UTC"),
        frozenset(weekdays or range(7)),
        frozenset(filter(_is_day, settings.no_file_holidays)),
    ), problems


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def _is_day(text: str) -> bool:
    try:
        # 2000 has a 29 February.
        date.fromisoformat(text if len(text) > 5 else f"2000-{text}")
    except ValueError:
        return False
    return True


# ── hours since the last file ────────────────────────────────────────────────────────────────


def expected_time(since: datetime, until: datetime, calendar: Calendar) -> timedelta:
    """Return how much time has passed between two moments, without the days without files.

    A night in which clocks change counts as 24 hours, whichever time an export follows.
    """
    start, end = (each.astimezone(calendar.zone).replace(tzinfo=None) for each in (since, until))
    off = sum(
        (
            min(end, day + _DAY) - max(start, day)
            for day in _days(start, end)
            if not calendar.expects(day)
        ),
        timedelta(),
    )
    return min(end - start, until - since) - off


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        yield day
        day += _DAY


# ── as a person says it ──────────────────────────────────────────────────────────────────────


class ExpectedDays(NamedTuple):
    """The days on which a file must come, and by when: `by` is None at the end of the day.

    `number` is the day of a month; of its working days, 1 is the first and -1 the last.
    """

    on: Literal["weekdays", "working day", "day"]
    weekdays: frozenset[int] = frozenset()
    number: int = 0
    by: time | None = None
    zone: ZoneInfo | None = None

    def includes(self, day: date, calendar: Calendar) -> bool:
        """Return whether a file must come on this day."""
        if self.on == "weekdays":
            return day.weekday() in self.weekdays and not calendar.is_holiday(day)
        if self.on == "day":
            return day.day == min(self.number, _days_of_month(day))
        if not calendar.is_working_day(day):
            return False
        is_first = self.number == 1
        others = range(1, day.day) if is_first else range(day.day + 1, _days_of_month(day) + 1)
        return not any(calendar.is_working_day(day.replace(day=each)) for each in others)

    def next_due(self, after: datetime, calendar: Calendar) -> datetime | None:
        """Return the first moment after this one by which a file must have come."""
        zone = self.zone or calendar.zone
        day = after.astimezone(zone).date() - _DAY
        for _ in range(_FARTHEST):
            if self.includes(day, calendar):
                end = (
                    datetime.combine(day, self.by)
                    if self.by
                    else datetime.combine(day + _DAY, time())
                )
                due = end.replace(tzinfo=zone)
                if due > after:
                    return due
            day += _DAY
        return None


def _days_of_month(day: date) -> int:
    return ((day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY).day


def parse_expectation(text: str) -> ExpectedDays | None:
    """Return when a file is expected; None if the text says that none is.

    Raises `ValueError` that says what is not understood, and what to write.
    """
    expected = parse_expect(text)
    if not isinstance(expected, ByDay):
        return None
    return ExpectedDays("weekdays", expected.weekdays, by=expected.by, zone=expected.zone)


# ── as files came until now ──────────────────────────────────────────────────────────────────


def longest_gap(arrivals: Sequence[datetime], first: datetime) -> timedelta | None:
    """Return the longest time between two files of the last eight weeks; None: it isn't known.

    The arrivals are in order. `first` is when the first file of all arrived.
    """
    if not arrivals or arrivals[-1] - first < _LEARNED_TIME:
        return None
    recent = arrivals[bisect_left(arrivals, arrivals[-1] - LEARNED_FROM) :]
    if len(recent) < _LEARNED_FILES:
        return None
    return max(b - a for a, b in itertools.pairwise(recent))


def usual_limit(gap: timedelta) -> timedelta:
    """Return how long no file may come, for a profile with this longest gap."""
    return max(_LEAST, gap * (2 if gap >= _WEEKLY else 1.5) + _DAY)
