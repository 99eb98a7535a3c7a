"""Conversion times: every format that exports hold -> `yyyy-mm-dd HH:mm:ss+HH:mm`.

The API's format: https://developers.google.com/google-ads/api/docs/conversions/upload-offline
Google's file formats: https://support.google.com/google-ads/answer/7014069
"""

import re
from copy import copy
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from lib.rules.values.errors import RuleError
from lib.rules.values.time_zones import load_zone

__all__ = ["ConversionClock", "Moment", "load_zone", "parse_conversion_time", "read_moment"]


class Moment(NamedTuple):
    """A point in time as the API wants it."""

    text: str  # yyyy-mm-dd HH:mm:ss+HH:mm
    instant: int  # Unix seconds
    warning: str | None = None  # codes, in one text: what was decided for the author of the file


OPEN_ORDER: Final = "open order"
"""Among the warnings of a date that the other order of day and month would read too: whether it
may be sent hangs on the other rows (`lib.run.chunks`)."""


def parse_conversion_time(value: str, zone: tzinfo | None, *, day_first: bool = False) -> str:
    """`11/24/2026 02:05:07 PM` in America/Chicago -> `2026-11-24 14:05:07-06:00`.

    `zone` is for a value without offset or zone name; `day_first` reads 24/11/2026.
    Raises INVALID_DATE, DATE_WITHOUT_ZONE, UNKNOWN_TIME_ZONE or DATE_ORDER_MISMATCH.
    """
    return read_moment(value, zone, day_first=day_first).text


class ConversionClock:
    """Reads the time column of one file: as `read_moment`, and neither future nor too old.

    `now` is the start of the file's first attempt, so that a resumed run judges as it did.
    """

    def __init__(
        self,
        now: datetime,
        zone: tzinfo | None,
        day_first: bool = False,
        max_age_days: int = 90,
    ) -> None:
        self._zone = zone
        self._day_first = day_first
        self._latest = int(now.timestamp())
        self._oldest = self._too_old = self._latest - max_age_days * 86400
        # Rows of one hour differ in minute and second only. What else there is to know about
        # the hour is found once per zone: text before, text after, instant of its start, and
        # where minute and second stand.
        self._hours_of_file: dict[str, _Hour] = {}
        self._hours: dict[tzinfo, dict[str, _Hour]] = {}

    def within(self, days: int) -> "ConversionClock":
        """The same clock, which warns of what is older than that: OLDER_THAN_LOOKBACK. Both
        remember hours together."""
        other = copy(self)
        other._oldest = max(self._too_old, self._latest - days * 86400)
        return other

    def read(self, value: str, zone: tzinfo | None = None) -> tuple[str, int, str | None]:
        """A `Moment`, or its bare fields, which are made in a fifth of the time.

        Raises FUTURE_DATE, TOO_OLD and the codes of `parse_conversion_time`. `zone` is the row's
        own, if it has one.
        """
        # "2026-11-24 14:" + "05:07" + "+01:00", whatever the format: the hour mostly ends here
        cut = 14
        hours = self._hours_of_file if zone is None else self._hours.get(zone, _NONE)
        hour = hours.get(value[:14] + value[19:])
        if hour is None or hour[3] != cut:
            cut = value.find(":") + 1
            before, after = value[:cut], value[cut + 5 :]
            if after[:1] == "." and "0" <= after[1:2] <= "9":
                after = after[1:].lstrip("0123456789")
            hour = hours.get(before + after)
        within = value[cut : cut + 5]
        seconds = _SECONDS.get(within)
        if hour is not None and hour[3] == cut and seconds is not None:
            head, tail, start, _, warning = hour
            instant = start + seconds
            if self._oldest <= instant <= self._latest:
                return head + within + tail, instant, warning
        moment = read_moment(value, zone or self._zone, day_first=self._day_first)
        if moment.instant > self._latest:
            raise RuleError("FUTURE_DATE")
        if moment.instant < self._too_old:
            raise RuleError("TOO_OLD")
        if hour is None and seconds is not None:
            self._remember_hour(before, after, zone, moment, seconds)
        if moment.instant < self._oldest:
            moment = moment._replace(warning=_joined(moment.warning, "OLDER_THAN_LOOKBACK"))
        return moment

    def _remember_hour(
        self, before: str, after: str, zone: tzinfo | None, moment: Moment, seconds: int
    ) -> None:
        """Keep the hour of `moment`, unless its offset changes within it (changes of these years
        fall on a quarter) or depends on which of two equal hours is meant."""
        start = moment.instant - seconds
        warning = moment.warning
        if warning is not None and warning != OPEN_ORDER:
            return
        if _OWN_OFFSET.search(after) is None:
            quarters = [
                read_moment(before + within + after, zone or self._zone, day_first=self._day_first)
                for within in _QUARTERS
            ]
            if any(
                (each.warning, each.text[19:]) != (warning, moment.text[19:]) for each in quarters
            ):
                return
        if len(self._hours_of_file) + sum(map(len, self._hours.values())) >= _MOST_HOURS:
            self._hours_of_file.clear()
            self._hours.clear()
        hours = self._hours_of_file if zone is None else self._hours.setdefault(zone, {})
        hours[before + after] = (moment.text[:14], moment.text[19:], start, len(before), warning)


_Hour = tuple[str, str, int, int, str | None]
_NONE: Final[dict[str, _Hour]] = {}
# "05:07" -> 307
_SECONDS: Final = {f"{m:02}:{s:02}": m * 60 + s for m in range(60) for s in range(60)}
_QUARTERS: Final = ("00:00", "15:00", "30:00", "45:00", "59:59")
_OWN_OFFSET: Final = re.compile(r"[+-]\d\d:?\d\d", re.ASCII)
# Bounds the memory that a file of unsorted hours, or a hostile one, can take.
_MOST_HOURS: Final = 4096

_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
)
_ZONE = r"(?P<zone>[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Za-z][\w+/:-]*)"
_REST = rf"(?:(?:[Tt]|,? ){_TIME}(?: ?{_ZONE})?)?"
# Year first; figures in the order of a country; a month by name.
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
# Before, there are offsets with seconds, which the format has no room for.
_EARLIEST_YEAR: Final = 1973


def read_moment(value: str, zone: tzinfo | None, *, day_first: bool = False) -> Moment:
    """`parse_conversion_time` with the instant and warnings: AMBIGUOUS_LOCAL_TIME,
    NONEXISTENT_LOCAL_TIME (both as the zone's rules before the change say), DATE_WITHOUT_TIME
    (midnight), `OPEN_ORDER`."""
    if len(value) > _LONGEST:
        raise RuleError("INVALID_DATE")
    # Exports put no-break spaces before PM, and typographic minus signs before offsets.
    text = " ".join(value.split()).replace("\u2212", "-")
    unix = _UNIX.fullmatch(text)
    if unix is not None:
        return _format(datetime.fromtimestamp(int(unix.group(1)), UTC), None)
    for pattern in _FORMATS:
        match = pattern.fullmatch(text)
        if match is not None:
            parts = match.groupdict()
            moment = _localize(_naive(parts, day_first), parts, zone)
            if _has_open_order(parts):
                moment = moment._replace(warning=_joined(moment.warning, OPEN_ORDER))
            return moment
    raise RuleError("INVALID_DATE")


def _naive(parts: dict[str, str | None], day_first: bool) -> datetime:
    """Date and time without a zone."""
    if "name" in parts:
        name = (parts["name"] or "").lower()
        month, day = _MONTHS.get(name) or _SHORT_MONTHS.get(name, 0), int(parts["day"] or 0)
    elif "first" in parts:
        month, day = int(parts["first"] or 0), int(parts["other"] or 0)
        if day_first:
            month, day = day, month
        # With dots the day comes first everywhere; and a month over 12 tells by itself.
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


def _has_open_order(parts: dict[str, str | None]) -> bool:
    """Whether the figures of the date make another one in the other order."""
    if "first" not in parts or parts["mark"] == ".":
        return False
    first, other = int(parts["first"] or 0), int(parts["other"] or 0)
    return first != other and first <= 12 and other <= 12


def _joined(warning: str | None, another: str) -> str:
    return another if warning is None else f"{warning},{another}"


def _localize(naive: datetime, parts: dict[str, str | None], zone: tzinfo | None) -> Moment:
    own = parts["zone"]
    if own is not None:
        zone = load_zone(own)
    if zone is None:
        raise RuleError("DATE_WITHOUT_ZONE")
    local = naive.replace(tzinfo=zone)
    warning = None
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        # In the hour that is skipped the offset before the change is the smaller one.
        skipped = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive
        warning = "NONEXISTENT_LOCAL_TIME" if skipped else "AMBIGUOUS_LOCAL_TIME"
    elif parts["hour"] is None:
        warning = "DATE_WITHOUT_TIME"
    return _format(local, warning)


def _format(local: datetime, warning: str | None) -> Moment:
    offset = (local.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    sign, size = ("-", -offset) if offset < 0 else ("+", offset)
    text = f"{local:%Y-%m-%d %H:%M:%S}{sign}{size // 60:02}:{size % 60:02}"
    return Moment(text, int(local.timestamp()), warning)
