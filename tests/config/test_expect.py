"""When a file is due, as a profile says it."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from lib.config.expect import parse_expect

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def missed(
    expect: str, newest: datetime | None, now: datetime = MONDAY, changed_at: datetime | None = None
) -> datetime | None:
    expectation = parse_expect(expect)
    assert expectation is not None
    return expectation.missed(newest, now, changed_at)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("every day by 06:30 UTC", "2026-11-23 06:30"),
        ("Every  weekday by 6:30 UTC", "2026-11-23 06:30"),
        ("every weekday by 06:30 America/New_York", "2026-11-20 11:30"),
        ("every mon, thu by 09:00 UTC", "2026-11-23 09:00"),
        ("every tue, Friday by 09:00 UTC", "2026-11-20 09:00"),
        ("every 3 hours", "2026-11-22 04:00"),
    ],
)
def test_the_due_time_that_is_missed(text: str, due: str) -> None:
    """The last one that is not after now."""
    newest = MONDAY - timedelta(days=1, hours=8) if "hours" in text else MONDAY - timedelta(days=9)
    found = missed(text, newest)
    assert found is not None
    assert f"{found.astimezone(UTC):%Y-%m-%d %H:%M}" == due


@pytest.mark.parametrize(
    ("newest", "now", "is_missed"),
    [
        pytest.param("20 04:00", "23 05:00", False, id="not due yet"),
        pytest.param("20 04:00", "23 06:00", True, id="Monday's is missing"),
        pytest.param("23 04:00", "23 06:00", False, id="Monday's came"),
        pytest.param("23 07:00", "23 08:00", False, id="Monday's came late"),
        pytest.param("20 04:00", "22 12:00", False, id="no file on a Sunday"),
        pytest.param("19 04:00", "20 10:00", True, id="Friday's is missing"),
        pytest.param("20 09:00", "23 06:00", True, id="Friday's late file is not Monday's"),
        pytest.param("21 20:00", "23 06:00", False, id="one on Saturday night is Monday's"),
    ],
)
def test_a_file_belongs_to_the_nearest_due_time(newest: str, now: str, is_missed: bool) -> None:
    """With "every weekday by 06:30 Europe/Berlin", days of November 2026, times in UTC."""
    newest_came, moment = (
        datetime.fromisoformat(f"2026-11-{each}+00:00") for each in (newest, now)
    )
    found = missed("every weekday by 06:30 Europe/Berlin", newest_came, moment)
    assert (found is not None) == is_missed


@pytest.mark.parametrize(
    ("expect", "hours_ago", "is_missed"),
    [
        ("every day by 06:30 UTC", None, True),
        ("every day by 06:30 UTC", 3, True),
        ("every day by 06:30 UTC", 2, False),
        ("every 3 hours", None, True),
        ("every 3 hours", 4, True),
        ("every 3 hours", 2, False),
    ],
)
def test_a_new_profile_misses_nothing_that_was_due_before(
    expect: str, hours_ago: int | None, is_missed: bool
) -> None:
    """At 09:00, its document was written so many hours ago, and no file has come yet."""
    changed_at = MONDAY - hours_ago * HOUR if hours_ago is not None else None
    assert (missed(expect, None, MONDAY, changed_at) is not None) == is_missed


# ── a year ───────────────────────────────────────────────────────────────────────────────────────

YEAR = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def due_times(weekdays: set[int]) -> list[datetime]:
    """Return the due times of a year, by 06:30 in Berlin."""
    days = (YEAR.date() + timedelta(days=n) for n in range(-8, 365))
    return [
        datetime.combine(day, time(6, 30), BERLIN).astimezone(UTC)
        for day in days
        if day.weekday() in weekdays
    ]


def moments() -> Iterator[datetime]:
    """Yield when sweeps look, each hour of the year: a minute after each due time, too."""
    for number in range(24 * 365):
        yield YEAR + (number + 31 / 60) * HOUR


def newest_of(arrivals: Sequence[datetime], now: datetime) -> datetime | None:
    number = bisect_right(arrivals, now)
    return arrivals[number - 1] if number else None


@pytest.mark.parametrize("latest_hours", [0, 3])
@pytest.mark.parametrize(
    ("expect", "weekdays"),
    [
        ("every day by 06:30 Europe/Berlin", {*range(7)}),
        ("every weekday by 06:30 Europe/Berlin", {*range(5)}),
        ("every mon, thu by 06:30 Europe/Berlin", {0, 3}),
    ],
)
def test_a_year_with_gaps(expect: str, weekdays: set[int], latest_hours: int) -> None:
    """Each file comes up to three hours early or late, and some do not come. Each that is late or
    missing is told from its due time until a file comes, and nothing else is."""
    drawn = random.Random(expect)
    due = due_times(weekdays)
    holidays = {n + more for n in drawn.sample(range(10, len(due)), 9) for more in range(3)}
    file_of = {
        day: day + timedelta(hours=drawn.uniform(-3, latest_hours))
        for number, day in enumerate(due)
        if number not in holidays
    }
    arrivals = sorted(file_of.values())
    expectation = parse_expect(expect)
    assert expectation is not None
    told = []
    for now in moments():
        day = due[bisect_right(due, now) - 1]
        newest = newest_of(arrivals, now)
        assert newest is not None
        is_late = day not in file_of or file_of[day] > now
        expected = day if is_late and newest < day else None
        assert expectation.missed(newest, now) == expected, now
        told.append(expected is not None)
    if not latest_hours:
        gaps = sum(n in holidays and n - 1 not in holidays for n in range(len(due)))
        assert sum(b and not a for a, b in pairwise(told)) == gaps


def test_a_year_of_files_every_three_hours() -> None:
    """A file comes one to three hours after the last one, or a gap is told once, until it ends."""
    drawn = random.Random(3)
    arrivals, gaps, now = [YEAR], 0, YEAR
    while now < YEAR + timedelta(days=366):
        is_gap = drawn.random() < 0.02
        gaps += is_gap
        now += timedelta(hours=drawn.uniform(4, 30) if is_gap else drawn.uniform(1, 2.99))
        arrivals.append(now)
    expectation = parse_expect("every 3 hours")
    assert expectation is not None
    told = [expectation.missed(newest_of(arrivals, each), each) is not None for each in moments()]
    begun = sum(b and not a for a, b in pairwise(told))
    assert gaps - 1 <= begun <= gaps  # the year may end in one


def test_any_time_is_never_due() -> None:
    """A profile whose files come at any time misses none."""
    assert parse_expect("Any time") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("never", "not understood. Write"),
        ("every weekday by 06:30", "not understood. Write"),
        ("every mon, fry by 06:30 UTC", "not understood. Write"),
        ("every weekday by 25:00 UTC", "25:00 is not a time. Write one such as 06:30."),
        ("every weekday by 06:30 Berlin", "Berlin is not an IANA time zone."),
        ("every 0 hours", 'not 1 to 168 hours. Write "every 3 hours"'),
    ],
)
def test_what_is_not_understood_is_told(text: str, message: str) -> None:
    """A text of another form says what to write."""
    with pytest.raises(ValueError, match="not") as caught:
        parse_expect(text)
    assert message in str(caught.value)
