"""The names of time zones in files and profiles."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from lib.rules.values.errors import RuleError

_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?", re.ASCII)
_UTC: Final = frozenset({"Z", "UTC", "GMT", "UT"})
# The largest offset in use: Pacific/Kiritimati.
_WIDEST: Final = timedelta(hours=14)


def load_zone(name: str) -> tzinfo:
    """Return the time zone for `America/Chicago`, `-0500`, `-05:00`, `UTC`, `Z` or `GMT+2`.

    `GMT+2` means two hours east of Greenwich, as in common use and in Google's template (in the
    IANA database, `Etc/GMT+2` is west). Raises UNKNOWN_TIME_ZONE.
    """
    zone = _find_zone(name.strip())
    if zone is None:
        raise RuleError("UNKNOWN_TIME_ZONE")
    return zone


class UnknownZone(tzinfo):
    """Placeholder for a time zone that can't be read.

    Only a time without an offset or zone name uses it, and then it raises UNKNOWN_TIME_ZONE for the
    column `field`.
    """

    def __init__(self, field: str = "") -> None:
        self._field = field

    def utcoffset(self, moment: datetime | None, /) -> timedelta:
        """Raise UNKNOWN_TIME_ZONE."""
        raise RuleError("UNKNOWN_TIME_ZONE", self._field)

    def dst(self, moment: datetime | None, /) -> None:
        """Return None: unknown."""

    def tzname(self, moment: datetime | None, /) -> None:
        """Return None: unknown."""


@lru_cache(maxsize=256)  # a file can contain any number of invented names
def _find_zone(name: str) -> tzinfo | None:
    if name.upper() in _UTC:
        return UTC
    match = _OFFSET.fullmatch(name.upper())
    if match is not None:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(-offset if sign == "-" else offset) if offset <= _WIDEST else None
    if name.casefold() == "localtime":  # on many systems, the time zone of the machine
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a valid name, or a folder of zones
        known = _zones_by_folded_name().get(name.casefold().replace(" ", "_"))
    return None if known is None else ZoneInfo(known)


@cache
def _zones_by_folded_name() -> dict[str, str]:
    return {zone.casefold(): zone for zone in available_timezones() - {"localtime"}}
