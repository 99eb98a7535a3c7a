"""Reads the times of one file, each hour only once, and checks that each time is allowed."""

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from lib.errors import RuleError
from lib.rules.values.dates import LONGEST, DateOrder, Doubts, Moment, read_moment

MAX_AGE_DAYS: Final = 90
"""Google's longest click look-back window. Older conversions can't be attributed."""

CLOCK_TOLERANCE: Final = 600
"""Seconds by which the clock of the system that wrote a file may be ahead of ours. Such a row is
sent, and Google decides: a rejected sale would be lost for good."""


class _Hour(NamedTuple):
    """Data shared by the rows of one hour. Only minute and second differ, at `cut` in the cell.

    `head` and `tail` are the time in the format of the APIs, before and after minute and second:
    `2026-11-24 14:` and `+01:00`. A cell of `as_written` characters is already in this format. 0:
    none is. `start` is the hour in Unix seconds. `seconds` has the minutes and seconds that are
    read alike: `05:07` → 307."""

    cut: int
    head: str
    tail: str
    start: int
    as_written: int
    seconds: Mapping[str, int]


class TimeReader:
    """Reads the time column of one file like `read_moment`, and checks that each time is allowed.

    A time must be neither in the future (by more than the clocks may differ) nor too old. `now` is
    the start of the file's first attempt, so that a resumed run makes the same decisions.
    """

    def __init__(
        self, now: datetime, zone: tzinfo | None, date_order: DateOrder | None = None
    ) -> None:
        self.date_order = date_order
        self._zone = zone
        self._now = int(now.timestamp())
        self._latest = self._now + CLOCK_TOLERANCE
        self._too_old = self._now - MAX_AGE_DAYS * _DAY
        # The rows of one hour differ only in minute and second. Everything else about an hour is
        # read once. The keys are the time zone of the row, and the cell without minute and second.
        self._of_file: dict[str, _Hour] = {}
        self._hours: dict[tzinfo | None, dict[str, _Hour]] = {None: self._of_file}
        self._remembered = 0
        self._days: dict[tuple[tzinfo | None, str], Moment] = {}
        """Cells without a time of day: they are the same for all rows of a day."""

    def read(
        self, value: str, zone: tzinfo | None = None, lookback_days: int = MAX_AGE_DAYS
    ) -> Moment | tuple[str, int, Doubts]:
        """Read a `Moment`. `zone` is the time zone of the row, if the row gives one.

        A time before the look-back window of the action gets the doubt OLDER_THAN_LOOKBACK. Raises
        FUTURE_DATE, TOO_OLD and the codes of `read_moment`.
        """
        hours = self._of_file if zone is None else self._hours.get(zone, _NO_HOURS)
        # Try ISO first, "2026-11-24 14:" + "05:07" + "+01:00": most files have one format.
        hour = hours.get(value[:_ISO_CUT] + value[_ISO_CUT + 5 :])
        if hour is None or hour[0] != _ISO_CUT:
            hour = hours.get(_without_minutes(value))
        if hour is not None:
            cut, head, tail, start, as_written, table = hour
            minutes = value[cut : cut + 5]
            seconds = table.get(minutes)
            if seconds is not None:
                instant = start + seconds
                if self._now - lookback_days * _DAY <= instant <= self._latest:
                    # A plain tuple: creating it takes a fifth of the time of a `Moment`.
                    text = value if len(value) == as_written else head + minutes + tail
                    return text, instant, _NO_DOUBTS
        moment = self._days.get((zone, value)) or self._read_moment(value, zone)
        if hour is None:
            self._remember_hour(value, zone, moment)
        if moment.instant > self._latest:
            raise RuleError("FUTURE_DATE")
        if moment.instant < self._now - lookback_days * _DAY:
            if moment.instant < self._too_old:
                raise RuleError("TOO_OLD")
            return moment._replace(doubts=(*moment.doubts, "OLDER_THAN_LOOKBACK"))
        return moment

    def _read_moment(self, value: str, zone: tzinfo | None) -> Moment:
        """Do what `read_moment` does. A date without a time of day is read once for all of its
        rows."""
        moment = read_moment(value, zone or self._zone, self.date_order)
        if moment.doubts == _NO_TIME_OF_DAY:
            if len(self._days) >= _MAX_HOURS:
                self._days.clear()
            self._days[zone, value] = moment
        return moment

    def _remember_hour(self, value: str, zone: tzinfo | None, moment: Moment) -> None:
        """Remember the hour of `moment` if all its minutes are read alike, with the same offset.

        The offset may change within the hour (in these years, only at a quarter hour), or depend on
        which of two equal hours is meant. These hours are not remembered. Midnight itself may be
        read as a date without a time.
        """
        cut = value.find(":") + 1
        seconds = _SECONDS.get(value[cut : cut + 5])
        if not cut or seconds is None or moment.doubts:
            return
        before, after = value[:cut], value[cut + 5 :]
        head, tail = moment.text[:14], moment.text[19:]
        table = _SECONDS
        try:
            for within in _QUARTERS if _OWN_OFFSET.search(after) is None else _QUARTERS[-1:]:
                other = before + within + after
                read = read_moment(other, zone or self._zone, self.date_order)
                if within == "00:00" and read.doubts == _NO_TIME_OF_DAY:
                    table = _SECONDS_AFTER_MIDNIGHT
                elif read.doubts:
                    return
                if read.text != head + within + tail:
                    return
        except RuleError:  # what is behind the first colon are not the minutes
            return
        if self._remembered >= _MAX_HOURS:
            self._of_file.clear()
            self._hours = {None: self._of_file}
            self._remembered = 0
        self._remembered += 1
        key = _without_minutes(value)
        # The cells of the hour that have a fraction of a second are longer.
        as_written = len(moment.text) if key == head + tail else 0
        self._hours.setdefault(zone, {})[key] = _Hour(
            cut, head, tail, moment.instant - seconds, as_written, table
        )


def _without_minutes(value: str) -> str:
    """Return the cell without minute, second and fraction of a second."""
    cut = value.find(":") + 1
    after = value[cut + 5 :]
    if after[:1] in _FRACTION_MARKS and "0" <= after[1:2] <= "9" and len(value) <= LONGEST:
        after = after[1:].lstrip("0123456789")
    return value[:cut] + after


_NO_HOURS: Final[dict[str, _Hour]] = {}
_NO_DOUBTS: Final[Doubts] = ()
_DAY: Final = 86_400
_FRACTION_MARKS: Final = frozenset(".*")
_ISO_CUT: Final = 14
# "05:07" -> 307
_SECONDS: Final = {f"{m:02}:{s:02}": m * 60 + s for m in range(60) for s in range(60)}
_SECONDS_AFTER_MIDNIGHT: Final = {text: n for text, n in _SECONDS.items() if n}
_NO_TIME_OF_DAY: Final = ("DATE_WITHOUT_TIME",)
_QUARTERS: Final = ("00:00", "15:00", "30:00", "45:00", "59:59")
_OWN_OFFSET: Final = re.compile(r"[+-]\d\d:?\d\d", re.ASCII)
# Limits the memory for a file with unsorted hours, or a malicious one.
_MAX_HOURS: Final = 4096
