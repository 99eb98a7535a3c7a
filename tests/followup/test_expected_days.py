"""The time that passes on days on which files are expected."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lib.followup.rhythm import Calendar, expected_time

BERLIN = ZoneInfo("Europe/Berlin")
HOLIDAYS = frozenset({"12-25", "12-26", "2027-03-26", "2027-03-29"})
WORKDAYS = Calendar(BERLIN, frozenset(range(5)), HOLIDAYS)

# From, to (in Berlin), the expected hours in between.
CASES = [
    ("2027-01-05 02:00", "2027-01-06 02:00", 24),  # Tuesday to Wednesday
    ("2027-01-08 02:00", "2027-01-11 02:00", 24),  # Friday to Monday
    ("2027-01-09 10:00", "2027-01-10 22:00", 0),  # a weekend
    ("2027-01-08 23:00", "2027-01-11 01:00", 2),
    ("2026-12-24 02:00", "2026-12-28 02:00", 24),  # Christmas, and a weekend
    ("2027-03-25 02:00", "2027-03-30 02:00", 24),  # Easter, and the clocks go forward
    ("2027-10-29 02:00", "2027-11-01 02:00", 24),  # the clocks go back on a Sunday
    ("2027-01-05 02:00", "2027-02-02 02:00", 480),  # four weeks
]


@pytest.mark.parametrize("since, until, hours", CASES, ids=[case[0] for case in CASES])
def test_only_expected_days_count(since: str, until: str, hours: float) -> None:
    """Weekends and holidays count nothing, in the time zone of the exports."""
    start, end = (datetime.fromisoformat(each).replace(tzinfo=BERLIN) for each in (since, until))
    assert expected_time(start, end, WORKDAYS) == timedelta(hours=hours)


@pytest.mark.parametrize("clock", ["local", "UTC"])
@pytest.mark.parametrize("change", ["2027-03-28", "2027-10-31"])
def test_a_night_of_changing_clocks_has_24_hours(clock: str, change: str) -> None:
    """Whether the export follows local time or UTC, the night does not seem too long."""
    day = datetime.fromisoformat(change)
    zone = BERLIN if clock == "local" else ZoneInfo("UTC")
    before, after = ((day + timedelta(days=n, hours=4)).replace(tzinfo=zone) for n in (-1, 0))
    found = expected_time(before, after, Calendar(BERLIN, frozenset(range(7)), frozenset()))
    assert timedelta(hours=23) <= found <= timedelta(hours=24)
