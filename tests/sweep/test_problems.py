"""Open problems: when each kind begins and ends, and that nothing else is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest

from lib.catalogue.codes import lookup
from lib.catalogue.open_problems import ALL_PROFILES, NO_PROFILE, PROBLEM_KINDS, plain
from lib.destinations import registry
from lib.errors import PermanentError
from lib.model.money import Sum
from lib.model.outcomes import Outcome, Problem
from lib.model.sent_requests import RequestStatus
from lib.model.totals import CodeTotals, Totals
from lib.results.document import document_head
from lib.state.runs import RunEntry, UnreadableRun, content_key
from lib.state.store import StoredObject
from lib.sweep.problems import OpenProblem, View, open_problems, parsed_profiles
from tests.fakes import START, Dies, World, deliver, fails, logged, results, sweep, world
from tests.results.files import entry_on
from tests.results.test_sentences import CASES, said_of
from tests.rows import core_row, csv_bytes

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PROFILE = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "expect": "any time",
    "action": "1001",
    "value": 1,
    "columns": {"gclid": "a", "conversion_date_time": "b"},
}


def entry(
    name: str,
    age: timedelta,
    rows: Mapping[Outcome, int] | None = None,
    *,
    usd: Mapping[Outcome, int] | None = None,
    generation: int = 1,
    **changes: Any,
) -> RunEntry:
    """Return a file that came so long ago: its rows by outcome, and its whole dollars, too.

    It is published and done, and what its results say has not changed since it came.
    """
    arrived = NOW - age
    money = {each: {"USD": Sum(1, 1_000_000 * units)} for each, units in (usd or {}).items()}
    code = changes.pop("code", "")
    totals = Totals(
        {"uploaded": 10} if rows is None else dict(rows),
        money=money,
        codes={code: CodeTotals(rows.get("rejected", 1))} if code else {},
        reason=code,
        unknown=changes.pop("unknown", 0),
    )
    made = RunEntry(
        key=f"{name}#{generation}",
        due=None,
        tries=0,
        attempts=1,
        name=name,
        generation=generation,
        content=f"{name} {generation}",
        arrived=arrived,
        profile=name.partition("/")[0],
        destination="google_ads",
        validate_only=False,
        stop="",
        stop_detail="",
        stopped_at=None,
        superseded=False,
        blocked="",
        cause="",
        empty_columns=0,
        totals=totals,
        is_published=True,
        changed_at=arrived,
    )
    return msgspec.structs.replace(made, **changes)


def stopped(name: str, age: timedelta, code: str = "EMPTY_FILE", **changes: Any) -> RunEntry:
    """Return a file that was stopped when it came."""
    changes = {"rows": {"not_attempted": 5}, "stop": code, "stopped_at": NOW - age, **changes}
    return entry(name, age, **changes)


def view_of(
    *entries: RunEntry,
    deleted: Sequence[str] = (),
    profiles: Mapping[str, Any] = {"crm": PROFILE},
    **given: Any,
) -> View:
    """Return what a sweep sees of these files, whose newest generation is live."""
    files = {
        each.key: StoredObject("in", each.name, each.generation, 1, "", each.arrived)
        for each in entries
        if each.name not in deleted
        and each.generation == max(e.generation for e in entries if e.name == each.name)
    }
    return replace(View(NOW, entries, files=files, profiles=parsed_profiles(profiles)), **given)


def found(view: View) -> dict[str, list[OpenProblem]]:
    """Return the problems by their kind."""
    problems: dict[str, list[OpenProblem]] = {}
    for problem in open_problems(view):
        problems.setdefault(problem.kind.name, []).append(problem)
    return problems


def later(view: View, time: timedelta) -> View:
    """Return the same files at a later time."""
    return replace(view, now=view.now + time)


# ── no_file ──────────────────────────────────────────────────────────────────────────────────────

DAILY = {"crm": {**PROFILE, "expect": "every day by 12:00 UTC"}}


def misses(*entries: RunEntry, **given: Any) -> bool:
    return "no_file" in found(view_of(*entries, **{"profiles": DAILY, **given}))


def test_a_file_ends_it_whatever_became_of_it() -> None:
    """Yesterday's file alone does not, and a file that no event has started does."""
    yesterday, today = entry("crm/1.csv", DAY), StoredObject("in", "crm/2.csv", 7, 1, "", NOW)
    assert misses(yesterday)
    assert not misses(yesterday, entry("crm/2.csv", HOUR))
    assert not misses(yesterday, stopped("crm/2.csv", HOUR))
    assert not misses(yesterday, without_run=[today])


def test_what_fix_wrote_is_no_next_file() -> None:
    """It has rows of a file that came."""
    assert misses(entry("crm/1.csv", DAY), entry("crm/rows-to-fix-1.1.csv", HOUR))


@pytest.mark.parametrize("rows", [{"uploaded": 1}, {"skipped": 1}, {}])
def test_the_same_bytes_again_are_no_next_file(rows: dict[str, int]) -> None:
    """Unless they have no row: a day without sales looks like the one before."""
    again = [entry(f"crm/{n}.csv", n * DAY + HOUR, rows, content="same") for n in (1, 0)]
    assert misses(*again) == bool(rows)


def test_the_same_bytes_are_recognized_before_their_run_begins() -> None:
    """The overdue file is not there only because somebody uploaded the last one again."""
    again = StoredObject("in", "crm/1.csv", 7, 1, "", NOW)
    assert misses(entry("crm/1.csv", DAY, content=content_key(again)), without_run=[again])


@pytest.mark.parametrize(("hours", "is_missing"), [(1, False), (-1, True)])
def test_a_profile_that_is_deployed_at_noon_misses_nothing(hours: int, is_missing: bool) -> None:
    """Due times before its document was written do not count, if no file came yet."""
    assert misses(profiles_changed_at=NOW + hours * HOUR) == is_missing


def test_a_profile_that_cannot_be_read_is_told() -> None:
    """Nobody can say whether it misses a file."""
    broken = {"crm": {**PROFILE, "expect": "often"}, "shop": DAILY["crm"]}
    problems = found(view_of(profiles=broken))
    assert [each.profile for each in problems["no_file"]] == ["shop"]
    (problem,) = problems["profile_unreadable"]
    assert (problem.profile, problem.code) == ("crm", "INVALID_PROFILE")
    assert "expect" in problem.detail
    assert problem.action == lookup("INVALID_PROFILE").action


def test_a_stopped_file_tells_of_its_profile() -> None:
    """One mistake is one problem."""
    broken = {"crm": {**PROFILE, "expect": "often"}}
    (problem,) = found(view_of(profiles=broken))["profile_unreadable"]
    file = stopped("crm/1.csv", HOUR, "INVALID_PROFILE", stop_detail=problem.detail)
    assert found(view_of(file, profiles=broken)).keys() == {"file_stopped"}


# ── file_unfinished, file_not_started ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        pytest.param({"is_published": False}, True, id="no results"),
        pytest.param({"is_published": False, "superseded": True}, False, id="an equal one came"),
        pytest.param({"due": NOW - 2 * HOUR}, True, id="work is two hours late"),
        pytest.param({"due": NOW - HOUR}, False, id="work is due"),
        pytest.param(
            {"due": NOW + HOUR, "late_since": NOW - 2 * HOUR}, True, id="it is tried again"
        ),
        pytest.param({"due": NOW + DAY}, False, id="work is due tomorrow"),
        pytest.param({}, False, id="done"),
    ],
)
def test_a_file_is_unfinished(changes: dict[str, Any], is_told: bool) -> None:
    """Without results two hours after it came, or with work two hours after its due time."""
    file = entry("crm/1.csv", 2 * HOUR, **changes)
    assert ("file_unfinished" in found(view_of(file))) == is_told
    young = entry("crm/1.csv", HOUR, **changes)
    is_late_work = file.is_published and is_told
    assert ("file_unfinished" in found(view_of(young))) == is_late_work


@pytest.mark.parametrize("superseded", [True, False])
def test_a_file_is_as_old_as_the_equal_one_that_it_has_replaced(superseded: bool) -> None:
    """A file of its name that has its own results makes it no older."""
    before = entry("crm/1.csv", DAY, superseded=superseded)
    young = entry("crm/1.csv", HOUR, generation=2, is_published=False)
    assert ("file_unfinished" in found(view_of(before, young))) == superseded


@pytest.mark.parametrize("cause", ["API_UNAVAILABLE", "DAILY_QUOTA", "STORAGE_FORBIDDEN"])
def test_an_unfinished_file_names_the_cause_and_its_own_action(cause: str) -> None:
    """For an outage or a quota, that is no action. The attempts are those that were made."""
    file = entry("crm/1.csv", 26 * HOUR, is_published=False, cause=cause, attempts=9)
    (problem,) = open_problems(view_of(file))
    assert (problem.code, problem.action) == (cause, lookup(cause).action)
    assert problem.detail == "crm/1.csv (2026-11-23): 9 attempts"


@pytest.mark.parametrize(("cause", "is_told"), [("DIED", False), ("API_UNAVAILABLE", True)])
@pytest.mark.parametrize("is_well", [True, False])
def test_the_first_part_of_a_file_that_kills_its_attempts_ends_that(
    cause: str, is_told: bool, is_well: bool
) -> None:
    """It keeps the name. What Google or the storage delayed will be sent itself."""
    file = entry("crm/1.csv", 26 * HOUR, is_published=False, cause=cause)
    part = entry("crm/1.csv", HOUR, generation=2, is_published=is_well)
    told = found(view_of(file, part)).get("file_unfinished")
    assert bool(told) == (is_told or not is_well)


@pytest.mark.parametrize(("cause", "is_told"), [("API_UNAVAILABLE", True), ("DAILY_QUOTA", False)])
def test_a_quota_of_the_day_is_told_on_the_second_day(cause: str, is_told: bool) -> None:
    """Nobody can do anything before midnight in California, when it comes back."""
    since = NOW - 25 * HOUR
    file = entry("crm/1.csv", 25 * HOUR, is_published=False, cause=cause)
    late = entry("crm/1.csv", 9 * DAY, cause=cause, due=NOW + HOUR, late_since=since)
    for each in (file, late):
        assert bool(open_problems(view_of(each))) == is_told


def test_a_file_that_ended_without_results_is_told_for_a_week() -> None:
    """From when it was stopped. It is not stopped besides: one mistake is one problem."""
    ended = {"stop": "NO_PROGRESS", "is_published": False}
    view = view_of(entry("crm/1.csv", 3 * DAY, stopped_at=NOW - DAY, **ended))
    (problem,) = open_problems(view)
    assert (problem.kind.name, problem.code) == ("file_unfinished", "NO_PROGRESS")
    assert open_problems(later(view, 6 * DAY))
    assert not open_problems(later(view, 6 * DAY + HOUR))


@pytest.mark.parametrize("code", ["NEWER_VERSION", "STATE_UNREADABLE"])
def test_a_run_that_cannot_be_read_is_told(
    code: Literal["NEWER_VERSION", "STATE_UNREADABLE"],
) -> None:
    """After a rollback, or if somebody has changed it: nobody knows what became of its rows."""
    file = StoredObject("in", "crm/1.csv", 7, 1, "", NOW - DAY)
    run = UnreadableRun("key", code, "state/runs/key.json", NOW - 2 * HOUR)
    view = view_of(unreadable=[run], files={"key": file})
    (problem,) = open_problems(view)
    assert (problem.kind.name, problem.profile, problem.code) == ("file_unfinished", "crm", code)
    assert problem.detail == "crm/1.csv (2026-11-23)"
    assert problem.action == lookup(code).action
    assert not open_problems(later(view, -HOUR))
    assert bool(open_problems(later(view, 8 * DAY))) == (code == "STATE_UNREADABLE")
    # Which file it was, nobody can read, once another one has its name.
    (problem,) = open_problems(replace(view, files={}))
    assert (problem.profile, problem.detail) == (ALL_PROFILES, "state/runs/key.json (2026-11-24)")


@pytest.mark.parametrize(
    ("minutes", "is_told"), [(29, False), (30, True), (7 * 1440, True), (7 * 1440 + 1, False)]
)
def test_no_event_has_started_a_file(minutes: int, is_told: bool) -> None:
    """From half an hour after it came, for a week."""
    file = StoredObject("in", "crm/1.csv", 7, 1, "", NOW - timedelta(minutes=minutes))
    problems = found(view_of(without_run=[file]))
    assert ("file_not_started" in problems) == is_told


def test_files_in_unknown_folders_are_one_problem() -> None:
    """Each folder would be an incident of its own: 400 mails for one wrong upload."""
    waiting = [StoredObject("in", f"new{n}/1.csv", 7, 1, "", NOW - HOUR) for n in range(400)]
    (problem,) = open_problems(view_of(without_run=waiting))
    assert (problem.kind.name, problem.profile) == ("file_not_started", NO_PROFILE)
    assert len(problem.lines) == 400
    files = [
        stopped(f"new{n}/1.csv", HOUR, "UNKNOWN_PROFILE", destination="", stop_detail=f"new{n}")
        for n in range(400)
    ]
    (problem,) = open_problems(view_of(*files))
    assert (problem.kind.name, problem.profile) == ("file_stopped", NO_PROFILE)
    assert (problem.code, len(problem.lines)) == ("UNKNOWN_PROFILE", 400)


# ── file_stopped ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("newer", "is_told"),
    [
        pytest.param([], True, id="no newer file"),
        pytest.param([entry("crm/2.csv", HOUR)], True, id="another name"),
        pytest.param([entry("crm/1.csv", HOUR, generation=2)], False, id="a newer one is well"),
        pytest.param([stopped("crm/1.csv", HOUR, generation=2)], True, id="it is stopped, too"),
        pytest.param(
            [entry("crm/1.csv", HOUR, generation=2, is_published=False)],
            True,
            id="it has no results",
        ),
        pytest.param(
            [entry("crm/1.csv", HOUR, {"ok": 5}, generation=2, validate_only=True)],
            True,
            id="it was only checked",
        ),
    ],
)
def test_what_ends_a_stopped_file(newer: list[RunEntry], is_told: bool) -> None:
    """A newer file of its name that is sent and not stopped."""
    view = view_of(stopped("crm/1.csv", 2 * HOUR), *newer)
    assert ("file_stopped" in found(view)) == is_told


def test_a_stopped_file_is_told_at_once_for_a_week() -> None:
    """From when it was stopped, which may be days after it came, or until it is deleted."""
    old = stopped("crm/1.csv", 5 * DAY, stopped_at=NOW)
    assert found(view_of(old)).keys() == {"file_stopped"}
    assert open_problems(later(view_of(old), 7 * DAY))
    assert not open_problems(later(view_of(old), 7 * DAY + HOUR))
    assert not open_problems(view_of(old, deleted=["crm/1.csv"]))


def test_a_stopped_file_has_lost_its_rows_only_once() -> None:
    """Also those that were refused before it was stopped: one mistake, one problem, all money."""
    file = stopped(
        "crm/1.csv",
        HOUR,
        "CUSTOMER_NOT_ENABLED",
        rows={"failed": 1, "not_attempted": 9},
        usd={"failed": 100, "not_attempted": 900},
    )
    (problem,) = open_problems(view_of(file))
    assert problem.title == "A file was stopped. The account is not enabled, or was closed"
    assert problem.detail == "crm/1.csv (2026-11-24), 1,000 USD"
    assert problem.action == lookup("CUSTOMER_NOT_ENABLED").advice_with_upload()


def test_the_dearest_problem_comes_first() -> None:
    """A stopped file of millions stands above a few lost dollars, and so within a problem."""
    lost = entry("crm/1.csv", HOUR, {"rejected": 1}, usd={"rejected": 60}, code="INVALID_DATE")
    files = [
        stopped(f"crm/{n}.csv", HOUR, usd={"not_attempted": units})
        for n, units in ((2, 20), (3, 9_999_900))
    ]
    problems = open_problems(view_of(lost, *files))
    assert [each.kind.name for each in problems] == ["file_stopped", "rows_lost"]
    assert [line.split()[0] for line in problems[0].lines] == ["crm/3.csv", "crm/2.csv"]
    assert problems[0].money == {"USD": 9_999_920_000_000}


# ── rows_lost ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rows", "usd", "is_told"),
    [
        pytest.param({"rejected": 4}, {}, True, id="four rows are all"),
        pytest.param({"failed": 1}, {}, True, id="one row is all"),
        pytest.param({"rejected": 2, "uploaded": 8}, {}, False, id="a fifth is ordinary"),
        pytest.param({"failed": 1, "uploaded": 9}, {}, False, id="one of ten"),
        pytest.param({"failed": 3, "uploaded": 9}, {}, True, id="more than a fifth"),
        pytest.param(
            {"failed": 1, "uploaded": 9}, {"failed": 30, "uploaded": 70}, True, id="its money"
        ),
        pytest.param({"skipped": 9, "uploaded": 1}, {}, False, id="skipped rows are not lost"),
    ],
)
def test_what_is_too_much(rows: dict[str, int], usd: dict[str, int], is_told: bool) -> None:
    """More than a fifth of the rows, or of the money, that were meant to be sent."""
    file = entry("crm/1.csv", HOUR, rows, usd=usd, code="SOURCE_GONE")
    assert ("rows_lost" in found(view_of(file))) == is_told


@pytest.mark.parametrize(
    "case",
    [
        "most to correct",
        "cannot be corrected",
        "the job counts failed rows",
        "consent is refused, without names",
        "some have a reason without names",
    ],
)
def test_a_loss_is_told_as_in_the_report(case: str) -> None:
    """The same number of rows, for the same main reason."""
    summary = CASES[case].summary
    headline, _ = said_of(summary)
    (problem,) = found(view_of(entry_on(summary)))["rows_lost"]
    (line,) = problem.lines
    lost = headline.numbers[1].rows.partition(" ")[0]
    assert f": {lost} of {summary.totals.meant} " in line
    assert problem.code == summary.findings.main_reason(document_head(summary).unnamed)


def losing(age: timedelta = HOUR, **changes: Any) -> RunEntry:
    return entry("crm/1.csv", age, {"rejected": 8, "uploaded": 2}, code="INVALID_DATE", **changes)


def test_a_check_loses_nothing() -> None:
    """It sends nothing. A column without a cell is told all the same."""
    check = losing(validate_only=True)
    assert not open_problems(view_of(check))
    empty = msgspec.structs.replace(check, empty_columns=1)
    assert found(view_of(empty)).keys() == {"column_empty"}


@pytest.mark.parametrize("age", [HOUR, 25 * HOUR])
def test_newer_files_end_no_loss(age: timedelta) -> None:
    """Neither one of the same name, which daily exports have, nor other files that are well."""
    newer = [entry("crm/1.csv", HOUR, generation=2), entry("crm/2.csv", HOUR, {"uploaded": 999})]
    (problem,) = found(view_of(losing(age), *newer))["rows_lost"]
    assert problem.code == "INVALID_DATE"
    assert problem.lines == [f"crm/1.csv ({NOW - age:%Y-%m-%d}): 8 of 10 rows"]


@pytest.mark.parametrize(
    ("fixed", "hours", "is_told"),
    [
        pytest.param({"uploaded": 8}, 25, False, id="all"),
        pytest.param({"uploaded": 6}, 25, False, id="all but a fifth"),
        pytest.param({"uploaded": 5, "rejected": 3}, 25, True, id="not enough"),
        pytest.param({"uploaded": 8}, 23, True, id="too soon"),
    ],
)
def test_the_rows_that_fix_wrote_end_a_loss(
    fixed: dict[str, int], hours: int, is_told: bool
) -> None:
    """When Google took what was lost, but not before a day has passed. They are told once."""
    rows = entry("crm/rows-to-fix-1.1.csv", HOUR, fixed)
    problems = found(view_of(losing(hours * HOUR), rows)).get("rows_lost", [])
    assert len(problems) == is_told
    assert all(len(problem.lines) == 1 for problem in problems)
    other = entry("crm/rows-to-fix-1.2.csv", HOUR, fixed)
    assert "rows_lost" in found(view_of(losing(hours * HOUR), other)), "of another generation"


@pytest.mark.parametrize(
    ("first", "again", "is_told"),
    [
        pytest.param({"uploaded": 5}, {"duplicate": 5, "rejected": 3}, True, id="no row more"),
        pytest.param({"uploaded": 5}, {"duplicate": 5, "uploaded": 3}, False, id="all rows"),
        pytest.param({"uploaded": 8}, {"ok": 8}, False, id="a check"),
        pytest.param({"uploaded": 5}, {"uploaded": 3}, False, id="two parts"),
        pytest.param({"duplicate": 5}, {"uploaded": 3}, False, id="Google had the first part"),
        pytest.param({"uploaded": 3}, {"uploaded": 2, "rejected": 3}, True, id="parts: not all"),
        pytest.param({"uploaded": 4}, {"duplicate": 4}, True, id="half of them again"),
        pytest.param({"uploaded": 4}, {"uploaded": 4}, True, id="again to Data Manager"),
        pytest.param(
            {"uploaded": 5, "rejected": 3},
            {"uploaded": 5, "rejected": 3},
            True,
            id="all again to Data Manager",
        ),
        pytest.param({"uploaded": 5}, {"uploaded": 2, "duplicate": 1}, True, id="some again"),
    ],
)
def test_rows_of_fix_that_come_again(
    first: dict[str, int], again: dict[str, int], is_told: bool
) -> None:
    """In parts, each of which counts. If the newest file has rows of those before, only it does:
    those that Google has are not counted twice."""
    name, is_check = "crm/rows-to-fix-1.1.csv", "ok" in again
    rows = [
        entry(name, 2 * HOUR, first),
        entry(name, HOUR, again, generation=2, validate_only=is_check),
    ]
    assert ("rows_lost" in found(view_of(losing(25 * HOUR), *rows))) == is_told


def test_a_loss_ends_although_the_corrected_value_is_lower() -> None:
    """Google has all rows, so the rest of the old sum is not lost."""
    rows = entry("crm/rows-to-fix-1.1.csv", HOUR, {"uploaded": 8}, usd={"uploaded": 10})
    assert "rows_lost" not in found(view_of(losing(25 * HOUR, usd={"rejected": 800}), rows))


@pytest.mark.parametrize(("hours", "is_told"), [(23, True), (25, False)])
def test_a_deleted_file_ends_a_loss_only_after_a_day(hours: int, is_told: bool) -> None:
    """Its rows may have been lost because it was deleted (SOURCE_GONE)."""
    view = view_of(losing(hours * HOUR), deleted=["crm/1.csv"])
    assert ("rows_lost" in found(view)) == is_told


def test_a_loss_is_told_for_a_week_since_it_became_known() -> None:
    """Google may refuse a row three days after the file came."""
    view = view_of(losing(9 * DAY, changed_at=NOW))
    assert "rows_lost" in found(later(view, 7 * DAY))
    assert "rows_lost" not in found(later(view, 7 * DAY + HOUR))


def test_each_cause_has_its_own_action() -> None:
    """For all rows, it is one setting; for single rows, their cells."""
    few = entry("crm/2.csv", HOUR, {"rejected": 3, "uploaded": 9}, code="DATE_ORDER_MISMATCH")
    most = entry("crm/1.csv", HOUR, {"rejected": 9}, code="DATE_ORDER_MISMATCH")
    actions = {each.action for each in found(view_of(few, most))["rows_lost"]}
    code = lookup("DATE_ORDER_MISMATCH")
    again = " Then upload the file again: no sale counts twice."
    assert actions == {code.action + again, code.if_most + again}


# ── nothing_sent, column_empty ───────────────────────────────────────────────────────────────────

SKIPPED = {"skipped": 10}


@pytest.mark.parametrize(
    ("ages", "is_told"),
    [
        ((3, 2, 1), True),
        ((3, 2), False),
        ((2.9, 2, 1), False),
        ((14, 7, 0), True),
        ((9, 8, 8), False),
    ],
)
@pytest.mark.parametrize("rows", [SKIPPED, {"duplicate": 9, "skipped": 1}, {"uploaded": 10}])
def test_nothing_new_is_sent(ages: Sequence[float], is_told: bool, rows: dict[str, int]) -> None:
    """In three files over three days: all is skipped, Google has it, or it is the same bytes."""
    content = {"content": "same"} if "uploaded" in rows else {}
    files = [entry("crm/0.csv", 30 * DAY, **content)]
    files += [
        entry("crm/0.csv", age * DAY, rows, generation=n, **content)
        for n, age in enumerate(ages, 2)
    ]
    assert ("nothing_sent" in found(view_of(*files))) == is_told
    new = entry("crm/0.csv", timedelta(0), {"uploaded": 1, "skipped": 9}, generation=9)
    assert "nothing_sent" not in found(view_of(*files, new))


@pytest.mark.parametrize("rows", [{"rejected": 10}, {"failed": 10}, {"ok": 10}])
def test_the_same_bytes_are_new_if_they_were_not_taken(rows: dict[str, int]) -> None:
    """Three files were rejected, or only checked. The profile is corrected, and they come again."""
    before, again = (
        [
            entry(f"crm/{n}.csv", age - n * HOUR, outcomes, generation=generation, content=f"{n}")
            for n in range(3)
        ]
        for outcomes, age, generation in ((rows, 5 * DAY, 1), ({"uploaded": 10}, 4 * DAY, 2))
    )
    assert "nothing_sent" not in found(view_of(*before, *again))
    more = [msgspec.structs.replace(each, arrived=NOW - DAY, generation=3) for each in again]
    assert "nothing_sent" not in found(view_of(*before, *again, *more))
    assert "nothing_sent" in found(later(view_of(*before, *again, *more), 2 * DAY))


def test_a_stuck_export_is_one_problem() -> None:
    """If the profile says when files come, the one that is missing is told."""
    files = [entry(f"crm/{n}.csv", n * DAY + HOUR, content="same") for n in (4, 3, 2, 1, 0)]
    assert found(view_of(*files, profiles=DAILY)).keys() == {"no_file"}
    assert found(view_of(*files)).keys() == {"nothing_sent"}


@pytest.mark.parametrize(
    ("newest", "is_told"),
    [
        pytest.param({"empty_columns": 1}, True, id="empty"),
        pytest.param({}, False, id="full"),
        pytest.param({"rows": SKIPPED}, True, id="no row is selected"),
        pytest.param({"rows": {"rejected": 9}, "empty_columns": 1}, False, id="its rows are lost"),
        pytest.param({"name": "crm/rows-to-fix-0.1.csv"}, True, id="rows of fix"),
    ],
)
def test_a_column_is_empty(newest: dict[str, Any], is_told: bool) -> None:
    """In the newest file with selected rows, of which `fix` has only a few."""
    before = entry("crm/0.csv", DAY, empty_columns=2)
    file = entry(newest.pop("name", "crm/1.csv"), HOUR, **newest)
    assert ("column_empty" in found(view_of(before, file))) == is_told


def test_a_deleted_file_has_no_empty_column() -> None:
    """Nobody can correct it, and the next file may be right."""
    file = entry("crm/1.csv", HOUR, empty_columns=1)
    assert found(view_of(file)).keys() == {"column_empty"}
    assert not open_problems(view_of(file, deleted=["crm/1.csv"]))


def test_a_file_whose_name_is_cut_is_not_deleted() -> None:
    """An entry that would be too long has only the beginning of the name, but the whole key."""
    file = stopped("crm/long.csv", HOUR)
    view = view_of(file)
    cut = replace(view, entries=[msgspec.structs.replace(file, name="crm/lo")])
    assert found(cut).keys() == {"file_stopped"}


# ── google_silent, deployment ────────────────────────────────────────────────────────────────────


def test_google_is_silent() -> None:
    """It refuses to answer, with that code, or has not answered in time, for a week."""
    blocked = entry("crm/1.csv", 3 * DAY, blocked="USER_PERMISSION_DENIED", due=NOW - DAY)
    unknown = entry("crm/2.csv", 8 * DAY, unknown=3, changed_at=NOW - DAY)
    view = view_of(blocked, unknown)
    assert found(view).keys() == {"google_silent"}, "and not unfinished, too"
    problems = {each.code: each for each in open_problems(view)}
    assert problems.keys() == {"USER_PERMISSION_DENIED", "STATUS_UNKNOWN"}
    assert all(each.action == lookup(code).action for code, each in problems.items())
    assert problems["STATUS_UNKNOWN"].detail == "crm/2.csv (2026-11-16): 3 rows"
    assert [each.code for each in open_problems(later(view, 7 * DAY))] == ["USER_PERMISSION_DENIED"]
    assert not open_problems(view_of(blocked, unknown, deleted=["crm/1.csv", "crm/2.csv"]))


@pytest.mark.parametrize(("days", "is_told"), [(60, False), (59, True), (19, True)])
def test_a_version_ends_soon(days: int, is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API version or the runtime, whether or not a file comes: 60 days ahead."""
    ends_on = NOW.date() + timedelta(days=days)
    monkeypatch.setattr("lib.sweep.problems.RUNTIME_END", ends_on)
    assert bool(open_problems(view_of())) == is_told
    monkeypatch.setattr("lib.sweep.problems.RUNTIME_END", date.max)
    api = replace(registry.capabilities_of("google_ads"), sunset=ends_on)
    monkeypatch.setattr(registry, "capabilities_of", lambda name: api)
    problems = open_problems(view_of())
    assert bool(problems) == is_told
    for problem in problems:
        assert (problem.kind.name, problem.profile) == ("deployment", ALL_PROFILES)
        assert str(ends_on) in problem.detail
        assert problem.action == lookup("SUPPORT_ENDS_SOON").action


@pytest.mark.parametrize(
    ("days", "is_ended", "is_told"), [(6, False, False), (7, False, True), (7, True, False)]
)
def test_files_are_only_checked(days: int, is_ended: bool, is_told: bool) -> None:
    """For a week, until a file is sent."""
    files = [entry(f"crm/{n}.csv", n * DAY, {"ok": 9}, validate_only=True) for n in range(days + 1)]
    files += [entry("crm/x.csv", timedelta(0))] * is_ended
    problems = found(view_of(*files)).get("deployment", [])
    assert [each.code for each in problems] == ["ONLY_CHECKED"] * is_told


def test_the_action_names_the_profile_and_its_account() -> None:
    """The reader of a mail has neither at hand. A profile that is gone has no names."""
    renamed = stopped("crm/1.csv", HOUR, "COLUMN_MISSING")
    (problem,) = open_problems(view_of(renamed, profiles={"crm": PROFILE}))
    assert "offline-conversions init FILE --profile crm" in problem.action
    lost = entry("crm/2.csv", HOUR, {"rejected": 9}, code="EVENT_NOT_FOUND")
    (problem,) = open_problems(view_of(lost, profiles={"crm": PROFILE}))
    assert "ads of account 123-456-7890?" in problem.action
    (problem,) = open_problems(view_of(lost, profiles={}))
    assert "ads of the account in the profile?" in problem.action


# ── what is said ─────────────────────────────────────────────────────────────────────────────────


def test_every_kind_has_a_name_a_title_and_an_action() -> None:
    """They are what a notification shows, if no code names the cause."""
    assert len({kind.name for kind in PROBLEM_KINDS}) == len(PROBLEM_KINDS)
    assert all(kind.title and kind.action.endswith(".") for kind in PROBLEM_KINDS)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("crm/deals_2026_11 (1).csv", "crm/deals_2026_11 (1).csv"),
        ("[Pay](http://example.com)", "［Pay］(http：//example.com)"),
        ("<a href=x>*_b_* `c` ~~d~~", "＜a href=x＞＊＿b＿＊ ｀c｀ ～～d～～"),
        ("www.example.com/x a@example.com", "www．example.com/x a＠example.com"),
        ("a\n# b\u2028c\\[d", "a?# b?c＼［d"),
    ],
)
def test_the_name_of_a_file_is_no_markup(name: str, shown: str) -> None:
    """Whoever may upload a file cannot write a link into a notification."""
    assert plain(name) == shown


# ── through the function ─────────────────────────────────────────────────────────────────────────


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """Return the open problems that were logged since the last call, by kind."""
    return {line["kind"]: line for line in logged(capsys, "open_problem")}


def sale(order: str, sold_days_before: int = 2, **cells: str) -> dict[str, str]:
    sold_at = f"{START - sold_days_before * DAY:%Y-%m-%d %H:%M:%S}+00:00"
    return core_row(1, order_id=order, conversion_date_time=sold_at, **cells)


@pytest.fixture
def google() -> World:
    return world()


def test_a_stopped_file_is_told_in_the_same_words_at_once_and_by_sweeps(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise Cloud Monitoring would open two incidents for it."""
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    rows = csv_bytes([sale("a", conversion_value="100")])
    files = {
        "daily.csv": rows,
        "renamed.csv": rows.replace(b"conversion_date_time", b"When"),  # its action has names
        "unknown/daily.csv": rows,
    }
    for name, content in files.items():
        at_once, by_sweep = told_of_stopped(google, name, content, capsys)
        assert at_once == by_sweep
    assert at_once["profile"] == NO_PROFILE
    google.no_profiles = PermanentError("INVALID_PROFILE", "the document is broken")
    at_once, by_sweep = told_of_stopped(google, "shop/daily.csv", rows, capsys)
    assert at_once == by_sweep


def told_of_stopped(
    google: World, name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """Return what is told of a stopped file at once, and by a sweep."""
    deliver(google, name, content)
    at_once = told(capsys)["file_stopped"]
    sweep(google)
    by_sweep = told(capsys)["file_stopped"]
    google.store.delete("in-bucket", name)
    labels = ("severity", "kind", "profile", "code", "title", "action", "detail", "at_stake")
    return [{label: line[label] for label in labels} for line in (at_once, by_sweep)]


def test_rows_that_waited_for_a_deleted_file_are_lost(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """They fail with SOURCE_GONE, which is known only after the file was deleted."""
    google.api.too_recent = {"a", "b", "c"}
    deliver(google, "daily.csv", csv_bytes([sale(order) for order in "abcdefgh"]))
    google.store.delete("in-bucket", "daily.csv")
    google.clock.seconds += 7 * 3600
    sweep(google)
    told(capsys)
    sweep(google)
    problem = told(capsys)["rows_lost"]
    assert ("3 of 8 sales" in problem["detail"], problem["code"]) == (True, "SOURCE_GONE")
    assert results(google)["file_error"] is None


FIRST = "request-1"


@pytest.mark.parametrize(("refused", "is_told"), [({}, False), ({"INVALID_GCLID": 3}, True)])
def test_a_loss_is_told_again_only_if_more_is_lost(
    google: World, capsys: pytest.CaptureFixture[str], refused: dict[str, int], is_told: bool
) -> None:
    """Google's last word on the other rows comes after `fix` has mended the loss: it counts them,
    or it does not."""

    def statuses(request_ids: Sequence[str]) -> list[RequestStatus]:
        answers = {each: RequestStatus(each, "SUCCESS", "1001", 5) for each in request_ids}
        if FIRST in answers:
            answers[FIRST] = RequestStatus(FIRST, "PROCESSING")
            if google.clock.seconds > 40 * 3600:
                answers[FIRST] = RequestStatus(FIRST, "PARTIAL_SUCCESS", "1001", 5, refused)
        return [*answers.values()]

    google.use_destination("data_manager")
    google.api.statuses = statuses
    rows = [sale(order) for order in "abcde"]
    wrong = [sale(order, sold_days_before=-9) for order in "fghij"]
    deliver(google, "daily.csv", csv_bytes(rows + wrong))
    assert results(google)["counts"]["rejected"] == 5
    generation = google.store.stored("in-bucket", "daily.csv").generation
    fixed = csv_bytes([sale(order) for order in "fghij"])
    deliver(google, f"rows-to-fix-daily.{generation}.csv", fixed)
    losses = []
    for _ in range(60):
        google.clock.seconds += 3600
        told(capsys)
        sweep(google)
        losses.append("rows_lost" in told(capsys))
    assert losses[:30] == [True] * 23 + [False] * 7
    assert any(losses[30:]) == is_told


@pytest.mark.parametrize("is_overwritten", [False, True])
def test_a_rollback_is_told(
    google: World, capsys: pytest.CaptureFixture[str], is_overwritten: bool
) -> None:
    """A newer version has saved the run in its own format, perhaps before the next night's file."""
    deliver(google, "daily.csv", csv_bytes([sale("a")]))
    for (bucket, name), metadata in google.store.metadata.items():
        if name.startswith("_state/runs/"):
            custom = {**metadata.custom, "format": "2", "run": '{"new": 1}'}
            google.store.metadata[bucket, name] = metadata._replace(custom=custom)
    if is_overwritten:
        deliver(google, "daily.csv", csv_bytes([sale("b")]))
    google.clock.seconds += 2 * 3600
    told(capsys)
    assert sweep(google)["unreadable"] == 1
    problem = told(capsys)["file_unfinished"]
    assert problem["code"] == "NEWER_VERSION"
    assert ("/runs/" if is_overwritten else "daily.csv") in problem["detail"]
    overview = google.store.objects["out-bucket", "index.html"][0].decode()
    assert "Nobody needs to do anything" not in overview


def test_optional_diagnostics_are_no_problem(capsys: pytest.CaptureFixture[str]) -> None:
    """Credentials that may upload but not query need nobody."""
    google = world(read_diagnostics=True)
    google.api.diagnostics = fails(PermanentError("USER_PERMISSION_DENIED"))
    deliver(google, "daily.csv", csv_bytes([sale("a")]))
    for _ in range(8):
        google.clock.seconds += 3600
        sweep(google)
    assert not told(capsys)


def test_nothing_is_asked_of_a_run_that_was_stopped_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its file is gone before its first pass was complete, so some rows may have been sent."""
    google = world(read_diagnostics=True)
    google.api.diagnostics = lambda customer: pytest.fail("asked")
    google.api.after = fails(Dies())
    with pytest.raises(Dies):
        deliver(google, "daily.csv", csv_bytes([sale("a")]))
    google.store.delete("in-bucket", "daily.csv")
    for _ in range(8):
        google.clock.seconds += 3600
        sweep(google)
    assert "google_silent" not in told(capsys)
    assert results(google)["file_error"]["code"] == "SOURCE_GONE"
    assert "MAYBE_SENT" in [note["code"] for note in results(google)["notes"]]
