"""Conversion times: every format in exports -> `yyyy-mm-dd HH:mm:ss+HH:mm`.

The API's format: https://developers.google.com/google-ads/api/docs/conversions/upload-offline
Google's file formats: https://support.google.com/google-ads/answer/7014069
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from lib.rules.values.errors import RuleError
from lib.rules.values.time_zones import load_zone

__all__ = ["ConversionClock", "Moment", "load_zone", "parse_conversion_time", "read_moment"]


MAX_AGE_DAYS: Final = 90
"""Google's longest click look-back window. Older conversions can't be attributed."""

AMBIGUOUS_ORDER: Final = "AMBIGUOUS_ORDER"
"""The doubt about a date that is also valid with day and month swapped. The other rows decide
whether the row is sent (`lib.rules.times`). This code is never shown."""

Doubts = tuple[str, ...]
"""Codes of the assumptions that were made to read a time."""


class Moment(NamedTuple):
    """A point in time in the format of the APIs."""

    text: str  # yyyy-mm-dd HH:mm:ss+HH:mm
    instant: int  # Unix seconds
    doubts: Doubts = ()


def parse_conversion_time(value: str, zone: tzinfo | None, *, day_first: bool = False) -> str:
    """`11/24/2026 02:05:07 PM` in America/Chicago -> `2026-11-24 14:05:07-06:00`.

    `zone` applies to a value without an offset or zone name. `day_first` reads 24/11/2026.
    Raises INVALID_DATE, DATE_WITHOUT_ZONE, UNKNOWN_TIME_ZONE or DATE_ORDER_MISMATCH.
    """
    return read_moment(value, zone, day_first=day_first).text


class _Hour(NamedTuple):
    """Data shared by the rows of one hour. Only minute and second differ, at `cut` in the cell."""

    cut: int
    head: str
    tail: str
    start: int
    doubts: Doubts


class ConversionClock:
    """Reads the time column of one file like `read_moment`, and checks that each time is allowed.

    A time must be neither in the future nor too old. `now` is the start of the file's first
    attempt, so that a resumed run makes the same decisions.
    """

    def __init__(self, now: datetime, zone: tzinfo | None, day_first: bool = False) -> None:
        self.day_first = day_first
        self._zone = zone
        self._now = int(now.timestamp())
        self._too_old = self._now - MAX_AGE_DAYS * _DAY
        # The rows of one hour differ only in minute and second. Everything else about an hour is
        # read once. The keys are the time zone of the row, and the cell without minute and second.
        self._hours: dict[tzinfo | None, dict[str, _Hour]] = {}
        self._remembered = 0

    def read(
        self, value: str, zone: tzinfo | None = None, lookback_days: int = MAX_AGE_DAYS
    ) -> Moment | tuple[str, int, Doubts]:
        """Read a `Moment`. `zone` is the time zone of the row, if the row gives one.

        A time before the look-back window of the action gets the doubt OLDER_THAN_LOOKBACK. Raises
        FUTURE_DATE, TOO_OLD and the codes of `parse_conversion_time`.
        """
        hours = self._hours.get(zone, _NO_HOURS)
        # Try ISO first, "2026-11-24 14:" + "05:07" + "+01:00": most files have one format.
        hour = hours.get(value[:_ISO_CUT] + value[_ISO_CUT + 5 :])
        if hour is None or hour[0] != _ISO_CUT:
            hour = hours.get(_without_minutes(value))
        if hour is not None:
            cut, head, tail, start, doubts = hour
            minutes = value[cut : cut + 5]
            seconds = _SECONDS.get(minutes)
            if seconds is not None:
                instant = start + seconds
                if self._now - lookback_days * _DAY <= instant <= self._now:
                    # A plain tuple: creating it takes a fifth of the time of a `Moment`.
                    return head + minutes + tail, instant, doubts
        moment = read_moment(value, zone or self._zone, day_first=self.day_first)
        if hour is None:
            self._remember_hour(value, zone, moment)
        if moment.instant > self._now:
            raise RuleError("FUTURE_DATE")
        if moment.instant < self._now - lookback_days * _DAY:
            if moment.instant < self._too_old:
                raise RuleError("TOO_OLD")
            return moment._replace(doubts=(*moment.doubts, "OLDER_THAN_LOOKBACK"))
        return moment

    def _remember_hour(self, value: str, zone: tzinfo | None, moment: Moment) -> None:
        """Remember the hour of `moment` if all its minutes have the same offset.

        The offset may change within the hour (in these years, only at a quarter hour), or depend on
        which of two equal hours is meant. These hours are not remembered.
        """
        cut = value.find(":") + 1
        seconds = _SECONDS.get(value[cut : cut + 5])
        if not cut or seconds is None or moment.doubts not in ((), (AMBIGUOUS_ORDER,)):
            return
        before, after = value[:cut], value[cut + 5 :]
        if _OWN_OFFSET.search(after) is None:
            quarters = [
                read_moment(before + within + after, zone or self._zone, day_first=self.day_first)
                for within in _QUARTERS
            ]
            shared = moment.text[19:], moment.doubts
            if any((each.text[19:], each.doubts) != shared for each in quarters):
                return
        if self._remembered >= _MOST_HOURS:
            self._hours.clear()
            self._remembered = 0
        self._remembered += 1
        self._hours.setdefault(zone, {})[_without_minutes(value)] = _Hour(
            cut, moment.text[:14], moment.text[19:], moment.instant - seconds, moment.doubts
        )


def _without_minutes(value: str) -> str:
    """Return the cell without minute, second and fraction of a second."""
    cut = value.find(":") + 1
    after = value[cut + 5 :]
    if after[:1] == "." and "0" <= after[1:2] <= "9":
        after = after[1:].lstrip("0123456789")
    return value[:cut] + after


_NO_HOURS: Final[dict[str, _Hour]] = {}
_DAY: Final = 86_400
_ISO_CUT: Final = 14
# "05:07" -> 307
_SECONDS: Final = {f"{m:02}:{s:02}": m * 60 + s for m in range(60) for s in range(60)}
_QUARTERS: Final = ("00:00", "15:00", "30:00", "45:00", "59:59")
_OWN_OFFSET: Final = re.compile(r"[+-]\d\d:?\d\d", re.ASCII)
# Limits the memory for a file with unsorted hours, or a malicious one.
_MOST_HOURS: Final = 4096

_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
)
_ZONE = r"(?P<zone>[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Za-z][\w+/:-]*)"
_REST = rf"(?:(?:[Tt]|,? ){_TIME}(?: ?{_ZONE})?)?"
# Year first; day and month in either order; month by name.
_FORMATS: Final = tuple(
    re.compile(date + _REST, re.ASCII)
    for date in (
        r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)(?P<year>\d{4})",
        r"(?P<name>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
        r"(?P<day>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})\.?,?[ -](?P<year>\d{4})",
    )
)
_UNIX: Final = re.compile(r"(\d{10})(?:\.\d+|\d{3})?", re.ASCII)
_MONTHS: Final = {
    "january": 1,
    "february": 2,
    "march": 3,
    "april": 4,
    "may": 5,
    "june": 6,
    "july": 7,
    "august": 8,
    "september": 9,
    "sept": 9,
    "october": 10,
    "november": 11,
    "december": 12,
}
_SHORT_MONTHS: Final = {name[:3]: number for name, number in _MONTHS.items()}
_LONGEST: Final = 80
# Before this year, some offsets have seconds, which the format does not support.
_EARLIEST_YEAR: Final = 1973


def read_moment(value: str, zone: tzinfo | None, *, day_first: bool = False) -> Moment:
    """Read a time like `parse_conversion_time`, and return it with its instant and doubts.

    The doubts are AMBIGUOUS_LOCAL_TIME and NONEXISTENT_LOCAL_TIME (both read with the offset before
    the clock change), DATE_WITHOUT_TIME (read as midnight), and `AMBIGUOUS_ORDER`.
    """
    if len(value) > _LONGEST:
        raise RuleError("INVALID_DATE")
    # Exports contain no-break spaces before PM and typographic minus signs before offsets.
    text = " ".join(value.split()).replace("\u2212", "-")
    unix = _UNIX.fullmatch(text)
    if unix is not None:
        return _format(datetime.fromtimestamp(int(unix.group(1)), UTC), ())
    for pattern in _FORMATS:
        match = pattern.fullmatch(text)
        if match is not None:
            parts = match.groupdict()
            moment = _localize(_naive(parts, day_first), parts, zone)
            if _is_ambiguous(parts):
                moment = moment._replace(doubts=(*moment.doubts, AMBIGUOUS_ORDER))
            return moment
    raise RuleError("INVALID_DATE")


def _naive(parts: dict[str, str | None], day_first: bool) -> datetime:
    """Return date and time without a zone."""
    if "name" in parts:
        name = (parts["name"] or "").lower()
        month, day = _MONTHS.get(name) or _SHORT_MONTHS.get(name, 0), int(parts["day"] or 0)
    elif "first" in parts:
        month, day = int(parts["first"] or 0), int(parts["other"] or 0)
        if day_first:
            month, day = day, month
        # A date with dots always has the day first. A month over 12 proves that the order is wrong.
        if month > 12 >= day or (parts["mark"] == "." and not day_first):
            raise RuleError("DATE_ORDER_MISMATCH")
    else:
        month, day = int(parts["month"] or 0), int(parts["day"] or 0)
    year = int(parts["year"] or 0)
    hour, minute = int(parts["hour"] or 0), int(parts["minute"] or 0)
    if parts["half"]:
        if not 1 <= hour <= 12:
            raise RuleError("INVALID_DATE")
        hour = hour % 12 + (12 if parts["half"] in "Pp" else 0)
    try:
        naive = datetime(year, month, day, hour, minute, int(parts["second"] or 0))
    except ValueError:
        naive = None
    if naive is None or not _EARLIEST_YEAR <= year < 9999:
        raise RuleError("INVALID_DATE")
    return naive


def _is_ambiguous(parts: dict[str, str | None]) -> bool:
    """Return whether the date is also another valid date with day and month swapped."""
    if "first" not in parts or parts["mark"] == ".":
        return False
    first, other = int(parts["first"] or 0), int(parts["other"] or 0)
    return first != other and first <= 12 and other <= 12


def _localize(naive: datetime, parts: dict[str, str | None], zone: tzinfo | None) -> Moment:
    own = parts["zone"]
    if own is not None:
        zone = load_zone(own)
    if zone is None:
        raise RuleError("DATE_WITHOUT_ZONE")
    local = naive.replace(tzinfo=zone)
    doubts: Doubts = ()
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        # In the skipped hour, the offset before the change is the smaller one.
        skipped = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive
        doubts = ("NONEXISTENT_LOCAL_TIME" if skipped else "AMBIGUOUS_LOCAL_TIME",)
    elif parts["hour"] is None:
        doubts = ("DATE_WITHOUT_TIME",)
    return _format(local, doubts)


def _format(local: datetime, doubts: Doubts) -> Moment:
    offset = (local.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    sign, size = ("-", -offset) if offset < 0 else ("+", offset)
    text = f"{local:%Y-%m-%d %H:%M:%S}{sign}{size // 60:02}:{size % 60:02}"
    return Moment(text, int(local.timestamp()), doubts)
