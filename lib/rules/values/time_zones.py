"""The names of time zones in files and profiles."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from lib.errors import RuleError

# Not +120, which may be minutes. All offsets in use are whole, half or three-quarter hours.
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d\d|\d(?!\d))(?::?(00|30|45))?", re.ASCII)
_UTC: Final = frozenset({"Z", "UTC", "GMT", "UT"})
# With the same offset wherever they are used. A test compares them with the IANA database, where
# EST, HST, MST and CET are names of time zones too.
_HOURS: Final = """
NDT=-2.5 EDT=-4 MDT=-6 PDT=-7 AKST=-9 AKDT=-8 HDT=-9 WEST=1 CEST=2 EEST=3 MSK=3 WAT=1 CAT=2 SAST=2
EAT=3 PKT=5 WIB=7 WITA=8 HKT=8 JST=9 KST=9 AWST=8 ACST=9.5 ACDT=10.5 AEST=10 AEDT=11 NZST=12 NZDT=13
"""
ABBREVIATIONS: Final = {
    name: timezone(timedelta(hours=float(hours)))
    for name, _, hours in (pair.partition("=") for pair in _HOURS.split())
}
_IN_GERMAN: Final = {"MEZ": "CET", "MESZ": "CEST"}
USUALLY_MEANT: Final = {
    "EST": "America/New_York if the clocks change there, or else America/Panama"
}
"""Names of time zones without summer time that people write for a place that has it. MST and HST
are none of them: Arizona and Hawaii have no summer time."""
# Those of Baker Island and of Kiritimati.
_LEAST, _GREATEST = timedelta(hours=-12), timedelta(hours=14)


def load_zone(name: str) -> tzinfo:
    """Return the time zone for `America/Chicago`, `-0500`, `-05:00`, `UTC`, `Z` or `GMT+2`.

    `GMT+2` means two hours east of Greenwich, as in common use and in Google's template (in the
    IANA database, `Etc/GMT+2` is west). Raises UNKNOWN_TIME_ZONE.
    """
    name = name.strip()
    zone = _find_zone(_IN_GERMAN.get(name.upper(), name))
    if zone is None:
        raise RuleError("UNKNOWN_TIME_ZONE")
    return zone


def zone_in_time(name: str, time: datetime, zone: tzinfo | None) -> tzinfo:
    """Return the time zone that a time ends with: as `load_zone`, or an abbreviation such as EDT.

    An abbreviation is the offset of a season, so it is no time zone for a whole file. One that is
    used in several time zones (CST, PST) is read if `zone` has it at this time: the zone in which a
    time without one of its own is read, which is the row's, else the file's, else the profile's.
    Raises UNKNOWN_TIME_ZONE.
    """
    name = _IN_GERMAN.get(name.upper(), name)
    if found := ABBREVIATIONS.get(name.upper()) or _find_zone(name):
        return found
    # In the hour that the end of summer time repeats, the zone has both of its names.
    for local in (time.replace(tzinfo=zone), time.replace(tzinfo=zone, fold=1)):
        if local.tzname() == name.upper() and (offset := local.utcoffset()) is not None:
            return timezone(offset)
    raise RuleError("UNKNOWN_TIME_ZONE")


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
    """Return the time zone of an offset or an IANA name, in any case; None: there is none."""
    if name.upper() in _UTC:
        return UTC
    match = _OFFSET.fullmatch(name.upper())
    if match is not None:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if sign == "-":
            offset = -offset
        return timezone(offset) if _LEAST <= offset <= _GREATEST else None
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
