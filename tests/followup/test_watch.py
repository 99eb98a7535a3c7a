"""Every silence is heard within a day: what `watch` tells over days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from lib.followup.concerns import MOST_LINES
from tests.followup.days import DAY, HOUR, START, Days, ToldLine, settings

NIGHT = START.replace(hour=2) + DAY


def nightly(days: Days, write: Callable[[int], object], nights: int) -> None:
    """Write a file each night, and sweep every 15 minutes."""
    for night in range(nights):
        days.pass_until(NIGHT + night * DAY)
        write(night)
    days.pass_until(days.now + HOUR)


def told(days: Days) -> list[str]:
    return [f"{each.told} {each.kind}" for each in days.lines]


def healthy(days: Days, **counts: int) -> None:
    """Let twenty nights go by in which everything is well."""
    for night in range(20, 0, -1):
        days.results(f"old-{night}.csv", NIGHT - night * DAY, **counts)
    days.sweep()
    assert days.lines == []


# ── rows that do not count ───────────────────────────────────────────────────────────────────

ROWS = {
    "a nightly file of 4 rows, all rejected": {"rejected": 4},
    "a single row, rejected": {"rejected": 1},
    "two rows, failed at Google": {"failed": 2},
    "50 of 60 rows not attempted": {"not_attempted": 50, "uploaded": 10},
    "all rows accepted, and not counted": {"uploaded": 4, "uncounted": 4},
    "a tenth of a large file more than usual": {"rejected": 210, "uploaded": 790},
}


@pytest.mark.parametrize("counts", ROWS.values(), ids=ROWS)
def test_rows_that_do_not_count_are_told_within_a_day(counts: dict[str, int]) -> None:
    """Once as new, and daily; thirty nights make one concern."""
    days = Days()
    nightly(days, lambda night: days.results(f"{night}.csv", **counts), 30)
    first = days.first("rows_lost")
    assert (first.told, first.severity) == ("new", "ERROR")
    assert first.at - NIGHT < DAY
    assert told(days).count("new rows_lost") == 1
    assert 28 <= told(days).count("still rows_lost") <= 31


@pytest.mark.parametrize("rows, nights", [(4, 1), (3, 1), (2, 1), (1, 3)])
def test_a_profile_that_was_well_needs_few_rows(rows: int, nights: int) -> None:
    """Its usual share of lost rows is known, so few rows in a row say enough."""
    days = Days()
    healthy(days, uploaded=rows)
    nightly(days, lambda night: days.results(f"{night}.csv", rejected=rows), 6)
    assert days.first("rows_lost").at - NIGHT <= (nights - 1) * DAY + HOUR


def test_a_file_for_each_lead_is_told_the_same_day() -> None:
    """Eight files a day, each with a row that is rejected; the tenth that is usual was not told."""
    days = Days()
    for lead in range(160):
        days.results(
            f"old-{lead}.csv", START - 20 * DAY + lead * 3 * HOUR, **good_or_bad(lead % 10 == 0)
        )
    assert days.sweep() == []
    for lead in range(8):
        days.pass_until(NIGHT + lead * HOUR)
        days.results(f"{lead}.csv", rejected=1)
    days.pass_until(NIGHT + DAY)
    (line,) = days.lines
    assert line.detail == "None of the last 5 rows of default counts, in 5 files"


def good_or_bad(is_bad: bool) -> dict[str, int]:
    return {"rejected": 1} if is_bad else {"uploaded": 1}


def test_what_google_counts_none_of_is_told_after_the_follow_up() -> None:
    """Four rows a night are accepted; an hour later Google says that it counts none."""
    days = Days()
    healthy(days, uploaded=4)

    def write(night: int) -> None:
        results = days.results(f"{night}.csv", uploaded=4, awaiting=4)
        days.pass_until(days.now + HOUR)
        days.follow_up(results, uploaded=4, uncounted=4)

    nightly(days, write, 3)
    assert days.first("rows_lost").at - NIGHT <= 2 * HOUR


def test_rows_that_fail_at_the_follow_up_are_told() -> None:
    """Fifty of five hundred rows wait, and after 48 hours all of them fail."""
    days = Days()
    days.now = NIGHT
    results = days.results("a.csv", status="waiting", uploaded=450, deferred=50)
    assert days.pass_until(NIGHT + 2 * DAY) == []
    days.follow_up(results, uploaded=450, failed=50, waited=50, failed_later=50)
    (line,) = days.pass_until(days.now + HOUR)
    assert line.detail == "50 of 50 rows of a.csv that waited to be sent again have failed"


def test_refunds_whose_order_is_unknown_are_told() -> None:
    """Sixty of six hundred rows a night, which fail two days later."""
    days = Days()
    waiting: list[str] = []

    def write(night: int) -> None:
        if night > 1:
            days.follow_up(waiting[-2], uploaded=540, failed=60, waited=60, failed_later=60)
        waiting.append(days.results(f"{night}.csv", status="waiting", uploaded=540, deferred=60))

    nightly(days, write, 14)
    assert days.first("rows_lost").at - (NIGHT + 2 * DAY) <= HOUR
    assert told(days).count("new rows_lost") == 1


def test_a_corrected_file_of_the_same_name_ends_it() -> None:
    """Told when over; a file of another name leaves it for three days."""
    days = Days()
    days.results("a.csv", rejected=40)
    days.pass_until(START + HOUR)
    days.results("a.csv", uploaded=40)
    days.pass_until(START + 2 * HOUR)
    assert told(days) == ["new rows_lost", "over rows_lost"]
    days = Days()
    days.results("a.csv", rejected=40)
    days.pass_until(START + HOUR)
    days.results("b.csv", uploaded=4000)
    days.pass_until(START + 4 * DAY)
    assert told(days) == ["new rows_lost", *["still rows_lost"] * 3, "over rows_lost"]


@pytest.mark.parametrize(
    ("name", "rows", "is_over"),
    [
        ("rows-to-fix-sales-27.csv", 19, True),
        ("rows-to-fix-sales-27.xlsx", 20, True),
        ("rows-to-fix-sales-27.csv", 18, False),
        ("rows-to-fix-sales-2.csv", 19, False),
        ("sales-28.csv", 19, False),
    ],
)
def test_the_file_that_fix_has_written_ends_it(name: str, rows: int, is_over: bool) -> None:
    """Its name says whose rows it has; with fewer rows, some are still lost."""
    days = Days()
    days.results("sales-27.csv", uploaded=21, rejected=19)
    days.pass_until(START + HOUR)
    days.results(name, uploaded=rows - 1, rejected=1)
    days.pass_until(START + 2 * HOUR)
    assert told(days) == ["new rows_lost", *["over rows_lost"] * is_over]


def test_rows_that_nobody_can_correct_are_told_only_if_they_are_all() -> None:
    """Denied consent is no mistake, unless no row has any other."""
    days = Days()
    healthy(days, uploaded=30)
    results = days.results("a.csv", uploaded=10, failed=20)
    days.files[results] = days.files[results]._replace(to_correct=0)
    assert days.sweep() == []
    results = days.results("b.csv", failed=30)
    days.files[results] = days.files[results]._replace(to_correct=0)
    assert [each.kind for each in days.sweep()] == ["rows_lost"]


def test_other_generations_and_test_mode_lose_no_rows() -> None:
    """Rows that another generation has are not lost; a test is read by who tests."""
    days = Days()
    days.results("a.csv", status="superseded", not_attempted=40)
    days.results("a.csv", status="same_as", not_attempted=40)
    days.results("b.csv", test=True, rejected=40)
    assert days.sweep() == []


# ── files ────────────────────────────────────────────────────────────────────────────────────


def test_a_stopped_file_is_told_again_until_it_is_replaced() -> None:
    """The run has told it at once. A day later the sweep does, with what to do."""
    days = Days()
    for _ in range(2):
        days.results("a.csv", status="stopped", code="CUSTOMER_NOT_FOUND", not_attempted=9)
    days.pass_until(START + 2 * DAY)
    days.results("a.csv", uploaded=9)
    days.pass_until(START + 2 * DAY + HOUR)
    assert told(days) == ["still file_stopped", "still file_stopped", "over file_stopped"]
    assert days.lines[0].detail.startswith("a.csv: CUSTOMER_NOT_FOUND: ")
    assert days.lines[0].action.endswith("Then upload the file again: nothing counts twice.")


@pytest.mark.parametrize("later", [{"name": "b.csv"}, {"name": "a.csv", "test": True}])
def test_a_stopped_file_that_never_was_sent_gives_no_all_clear(later: dict[str, Any]) -> None:
    """Neither another file nor a test sends its rows: a week of reminders, then the truth."""
    days = Days()
    days.results("a.csv", status="stopped", code="INVALID_PROFILE")
    days.pass_until(START + HOUR)
    days.results(**later, uploaded=9)
    days.pass_until(START + 8 * DAY)
    assert told(days) == [*["still file_stopped"] * 7, "over file_stopped"]
    assert days.lines[0].action == (
        "Correct the profile. Then upload the file again: nothing counts twice."
    )
    assert days.lines[-1].action.startswith(
        "Nobody is reminded any more. If a file has rows that later files lack, upload it again"
    )


def test_a_file_without_rows_lacks_nothing() -> None:
    """A night without deals: the run has told it."""
    days = Days()
    days.results("a.csv", status="stopped", code="NO_ROWS")
    assert days.pass_until(START + 3 * DAY) == []


def test_a_volume_that_falls_is_told() -> None:
    """From 800 rows to 2; the refunds beside the sales have their own size."""
    days = Days()
    for night in range(9, 0, -1):
        days.results(f"sales-{night}.csv", NIGHT - night * DAY, uploaded=800)
        days.results(f"refunds-{night}.csv", NIGHT - night * DAY + HOUR, uploaded=2)
    assert days.sweep() == []
    days.results("sales-10.csv", uploaded=2)
    (line,) = days.sweep()
    assert (line.kind, line.severity) == ("volume_fell", "WARNING")
    assert line.detail == "sales-10.csv has 2 rows; usual are 800"
    days.results("sales-11.csv", uploaded=700)
    assert [each.told for each in days.sweep()] == ["over"]


def test_an_export_that_is_stuck_is_told() -> None:
    """The same rows ten nights: told at the third. A profile that often repeats needs more."""
    days = Days()
    healthy(days, uploaded=30)
    nightly(days, lambda night: days.results(f"{night}.csv", duplicate=30), 10)
    assert days.first("nothing_new").at - NIGHT <= 2 * DAY + HOUR
    days = Days()
    for night in range(28, 0, -1):  # all of the month each night, nothing new on weekends
        new = 0 if night % 7 in (3, 4, 5) else 2
        days.results(f"old-{night}.csv", NIGHT - night * DAY, uploaded=new, duplicate=30)
    assert days.sweep() == []
    nightly(days, lambda night: days.results(f"{night}.csv", duplicate=30), 10)
    assert days.first("nothing_new").at > NIGHT + 2 * DAY


def test_a_forgotten_test_mode_is_told() -> None:
    """After a week, if files arrive."""
    days = Days()
    nightly(days, lambda night: days.results(f"{night}.csv", test=True, ok=30), 30)
    first = days.first("test_mode").at - NIGHT
    assert 7 * DAY <= first <= 7 * DAY + HOUR
    days.results("real.csv", uploaded=30)
    assert [each.told for each in days.sweep()] == ["over"]


def test_a_filter_that_does_not_fit_is_told() -> None:
    """A value that no row has; all rows of small files, when they are many."""
    days = Days()
    days.results("a.csv", alerts="FILTER_VALUE_NOT_FOUND", uploaded=1, skipped=30)
    assert [each.key for each in days.sweep()] == ["filter_mismatch:default:FILTER_VALUE_NOT_FOUND"]
    days.results("b.csv", uploaded=1, skipped=30)
    assert [each.told for each in days.sweep()] == ["over"]
    for number in range(5):
        assert days.sweep() == []
        days.results(f"c{number}.csv", alerts="FILTER_KEEPS_NO_ROW", skipped=4)
    assert [each.key for each in days.sweep()] == ["filter_mismatch:default:FILTER_KEEPS_NO_ROW"]


# ── files that do not come ───────────────────────────────────────────────────────────────────


def test_a_rhythm_is_learned_and_outlives_the_results() -> None:
    """A nightly file that stops is told, daily, also when all of its results are deleted."""
    days = Days(kept=timedelta(days=40))
    nightly(days, lambda night: days.results(f"{night}.csv", uploaded=9), 30)
    assert days.lines == []
    last = days.now - HOUR
    days.pass_until(last + 3 * DAY)
    days.pass_until(last + 90 * DAY, 6 * HOUR)
    first = days.first("no_file_as_usual")
    assert timedelta(hours=60) < first.at - last <= timedelta(hours=62)
    assert first.severity == "WARNING"
    assert len(days.lines) > 80
    days.results("again.csv", uploaded=9)
    assert [f"{each.told} {each.kind}" for each in days.sweep()] == ["over no_file_as_usual"]


EXPECTED = {
    "every weekday by 06:30": ("2026-11-25 06:30", "2026-11-27 05:00", "2026-11-30 06:30"),
    "every mon and thu by 9:00": ("2026-11-26 09:00", "2026-11-26 08:00", "2026-11-30 09:00"),
    "the last working day of the month by 18:00": (
        *("2026-11-30 18:00", "2026-11-30 17:00", "2026-12-31 18:00"),
    ),
    "the 15th of the month": ("2026-12-16 00:00", "2026-12-15 12:00", "2027-01-16 00:00"),
    "every day by 06:30 Europe/Berlin": (
        *("2026-11-25 05:30", "2026-11-25 05:45", "2026-11-26 05:30"),
    ),
}


@pytest.mark.parametrize("expect", EXPECTED)
def test_an_expectation_is_told_within_its_grace(expect: str) -> None:
    """The first file that never came, and the next one after a file. Half an hour is granted."""
    never, arrives, next_due = (
        datetime.fromisoformat(f"{each}+00:00") for each in EXPECTED[expect]
    )
    days = Days(profiles={"crm": {"expect": expect}})
    days.sweep()
    days.pass_until(never - HOUR, 6 * HOUR)
    days.pass_until(never + 2 * HOUR)
    first = days.first("no_file")
    assert HOUR / 2 < first.at - never <= HOUR
    assert (first.severity, "none ever came" in first.detail) == ("ERROR", True)

    days = Days(profiles={"crm": {"expect": expect}})
    days.sweep()
    days.pass_until(arrives, 6 * HOUR)
    days.results("crm/a.csv", uploaded=9)
    days.sweep()
    days.lines.clear()
    days.pass_until(next_due - HOUR, 6 * HOUR)
    days.pass_until(next_due + 2 * HOUR)
    assert HOUR / 2 < days.first("no_file").at - next_due <= HOUR


def test_holidays_and_never_expect_nothing() -> None:
    """A holiday of the settings is none of the weekdays; an export that has ended is said."""
    given = settings(no_file_holidays=("11-25", "2026-11-26"))
    days = Days(given, {"crm": {"expect": "every weekday by 06:30"}})
    days.sweep()
    days.pass_until(START + 3 * DAY)
    assert days.first("no_file").at > START + 2.5 * DAY
    days = Days(profiles={"default": {"expect": "never"}})
    nightly(days, lambda night: days.results(f"{night}.csv", uploaded=9), 20)
    assert days.pass_until(days.now + 60 * DAY, 6 * HOUR) == []


def test_a_mistake_in_an_expectation_is_told_and_stops_nothing() -> None:
    """A wrong zone counts as UTC, a wrong holiday as none, an expectation as not said."""
    given = settings(
        no_file_hours=24.0,
        no_file_time_zone="Berlin",
        no_file_holidays=("25.12.",),
        no_file_weekdays=("mon", "wednesday"),
    )
    days = Days(given, {"crm": {"expect": "each night"}})
    found = {each.key: each.detail for each in days.sweep()}
    assert found.keys() == {
        *("watch_unclear:NO_FILE_TIME_ZONE", "watch_unclear:NO_FILE_HOLIDAYS"),
        *("watch_unclear:NO_FILE_WEEKDAYS", "watch_unclear:crm"),
    }
    assert (
        "so UTC counts. Write a name such as Europe/Berlin."
        in found["watch_unclear:NO_FILE_TIME_ZONE"]
    )
    assert '"each night" is not understood. Write such as' in found["watch_unclear:crm"]


def test_profiles_that_cannot_be_read_end_no_concern() -> None:
    """What holds stays as it is until they can be read."""
    days = Days(profiles={"crm": {"expect": "every day by 06:30"}})
    days.sweep()
    days.pass_until(START + DAY)
    assert told(days) == ["new no_file"]
    profiles, days.profiles = days.profiles, None
    assert days.sweep() == []
    days.profiles = profiles
    assert days.sweep() == []


# ── telling ──────────────────────────────────────────────────────────────────────────────────


def test_many_concerns_share_a_line() -> None:
    """Ten lines of a severity a day, then one for all others; at most 20 notifications."""
    names = [f"p{number:02}" for number in range(40)]
    days = Days(profiles={name: {} for name in names})
    for name in names:
        days.results(f"{name}/a.csv", rejected=4)
    lines = days.sweep()
    assert len(lines) == MOST_LINES + 1
    assert (lines[-1].key, lines[-1].detail) == ("more", "Rows do not count: 30")
    assert days.pass_until(START + 11 * HOUR) == []
    for number in range(40):
        days.results(f"p{number:02}/b.csv", status="stopped", code="EMPTY_FILE")
    days.pass_until(START + 4 * DAY)
    by_day: dict[str, list[ToldLine]] = {}
    for each in days.lines:
        by_day.setdefault(f"{each.at:%Y-%m-%d}", []).append(each)
    assert max(len(each) for each in by_day.values()) <= 18


def test_the_drill_is_told_as_long_as_it_is_asked_for() -> None:
    """New, and over."""
    days = Days()
    days.seen.drill = True
    assert [each.kind for each in days.sweep()] == ["drill"]
    days.seen.drill = False
    assert [each.told for each in days.sweep()] == ["over"]
