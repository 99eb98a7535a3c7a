"""When files of a profile come, as its `expect` says it. Pure.

any time                                        no file is ever missed
every day by 06:30 Europe/Berlin                one that comes about then, and not later
every weekday by 06:30 America/New_York         Monday to Friday
every mon, thu by 06:30 Europe/Berlin           or with the full names: every monday, thursday
every 3 hours                                   never more than three hours without a new one
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Final = {name: number for number, day in enumerate(_WEEKDAYS) for name in (day, day[:3])}
_DAYS: Final = {"day": frozenset(range(7)), "weekday": frozenset(range(5))}
_DAY: Final = timedelta(days=1)
_MAX_HOURS: Final = 24 * 7

_ANY_TIME: Final = "any time"
_BY_DAY: Final = re.compile(
    r"every (?P<days>[a-z, ]+) by (?P<time>\d{1,2}:\d\d) (?P<zone>\S+)", re.I
)
_BY_HOURS: Final = re.compile(r"every (\d{1,3}) hours?", re.IGNORECASE)

FORMS: Final = (
    '"any time", "every weekday by 06:30 America/New_York", "every monday, thu by 06:30 '
    'Europe/Berlin" or "every 3 hours"'
)
"""What a profile may say, for messages."""


@dataclass(frozen=True, slots=True)
class ByDay:
    """A file comes on each of these weekdays (0: Monday) by a time in a time zone."""

    weekdays: frozenset[int]
    by: time
    zone: ZoneInfo

    def missed(
        self, newest: datetime | None, now: datetime, changed_at: datetime | None = None
    ) -> datetime | None:
        """Return the last due time, if no file belongs to it and none has come since.

        A file belongs to the due time that is nearest to its coming. With "every weekday by 06:30",
        one that comes on Friday at 09:00 is Friday's, and one on Sunday at 22:00 is Monday's.

        `newest` is when the newest file came. If no file has come yet, due times before the profile
        was written (`changed_at`, if that is known) do not count.
        """
        before, due = self._last_two_due_times(now)
        if newest is None:
            return due if changed_at is None or due > changed_at else None
        # In UTC: with times of one zone, Python would ignore that the clocks change between them.
        middle = before.astimezone(UTC) + (due.astimezone(UTC) - before.astimezone(UTC)) / 2
        return due if newest <= middle else None

    def _last_two_due_times(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the last two due times that are not after `now`, the older one first."""
        times: list[datetime] = []
        day = now.astimezone(self.zone).date()
        while len(times) < 2:
            due = datetime.combine(day, self.by, self.zone)
            if day.weekday() in self.weekdays and due <= now:
                times.append(due)
            day -= _DAY
        return times[1], times[0]


@dataclass(frozen=True, slots=True)
class ByHours:
    """Hours without a file after which the next one is due."""

    hours: int

    def missed(
        self, newest: datetime | None, now: datetime, changed_at: datetime | None = None
    ) -> datetime | None:
        """Return when a file was due, if the newest came more than `hours` ago.

        The hours of a profile without a file begin when it was written (`changed_at`). If that is
        not known, a file is due at once.
        """
        since = newest or changed_at
        if since is None:
            return now
        due = since + timedelta(hours=self.hours)
        return due if due < now else None


Expectation = ByDay | ByHours


def parse_expect(text: str) -> Expectation | None:
    """Read `every weekday by 06:30 Europe/Berlin`. Return None if no file is ever due.

    Raises `ValueError` with what to write.
    """
    plain = " ".join(text.split())
    if plain.lower() == _ANY_TIME:
        return None
    if hours := _BY_HOURS.fullmatch(plain):
        if not 1 <= int(hours[1]) <= _MAX_HOURS:
            raise ValueError(f'not 1 to {_MAX_HOURS} hours. Write "every 3 hours", for example.')
        return ByHours(int(hours[1]))
    form = _BY_DAY.fullmatch(plain)
    weekdays = _weekdays(form["days"].lower()) if form else None
    if form is None or weekdays is None:
        raise ValueError(f"not understood. Write {FORMS}.")
    try:
        by = time.fromisoformat(form["time"].zfill(5))
    except ValueError:
        raise ValueError(f"{form['time']} is not a time. Write one such as 06:30.") from None
    try:
        zone = ZoneInfo(form["zone"])
    except (ValueError, OSError, LookupError):
        message = f"{form['zone']} is not an IANA time zone. Write one such as Europe/Berlin."
        raise ValueError(message) from None
    return ByDay(weekdays, by, zone)


def _weekdays(text: str) -> frozenset[int] | None:
    """`mon, thursday` → the numbers 0 and 3; None if a name is not that of a day."""
    if text in _DAYS:
        return _DAYS[text]
    names = [name.strip() for name in text.split(",")]
    if not all(name in _NUMBERS for name in names):
        return None
    return frozenset(map(_NUMBERS.__getitem__, names))
