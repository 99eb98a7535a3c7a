"""Open problems: what somebody hears of within a day, and that nothing else is told."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from lib.errors import PermanentError, RetryableError
from lib.model.money import Sum
from lib.model.outcomes import Problem
from lib.model.sent_requests import RequestStatus
from lib.model.totals import Totals
from lib.state.runs import RunEntry
from lib.state.store import StoredObject
from lib.sweep.problems import KINDS, View, open_problems
from tests.fakes import START, World, deliver, sweep, world
from tests.rows import core_row, csv_bytes

NIGHT = 24 * 3600
EXPIRED = "PROCESSING_ERROR_REASON_EXPIRED_CLICK"


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the details of the open problems that were logged since the last call, by kind."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    problems = [line for line in lines if line["event"] == "open_problem"]
    return {line["kind"]: line["detail"] for line in problems}


def night(
    google: World, number: int, good: int = 0, bad: int = 0, *, value: str = "10", **cells: str
) -> None:
    """Deliver the file of a night, with bad rows that our rules reject, and sweep."""
    google.clock.seconds = number * NIGHT + 3600
    sold = (google.clock.utc() - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    rows = [
        core_row(
            n,
            order_id=f"{number}-{n}",
            conversion_date_time=sold,
            **{"conversion_value": value, **cells},
        )
        for n in range(good)
    ]
    rows += [
        core_row(
            n, order_id=f"{number}-{n}", conversion_date_time="yesterday", conversion_value=value
        )
        for n in range(good, good + bad)
    ]
    deliver(google, f"{number:03}.csv", csv_bytes(rows))
    sweep(google)


@pytest.fixture
def google() -> World:
    return world()


def test_four_rejected_rows_a_night(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A small business hears of four rows, and of nothing once they are right."""
    night(google, 1, bad=4)
    assert "4 of 4 rows" in told(capsys)["rows_lost"]
    for number in range(2, 10):
        told(capsys)
        night(google, number, good=4)
    assert "rows_lost" not in told(capsys)


def test_a_file_for_each_lead(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """One row is enough, if it was all there was."""
    night(google, 1, bad=1)
    assert "1 of 1 row" in told(capsys)["rows_lost"]


def test_a_few_bad_rows_are_ordinary(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Up to a fifth of the rows is in the results, and nobody is told."""
    night(google, 1, good=17, bad=3)
    assert not told(capsys)


def test_few_rows_with_most_of_the_money(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """3 % of the rows with 60 % of the money are told by their money."""
    google.api.too_old = {"big-0", "big-1", "big-2"}
    sold = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    rows = [
        core_row(n, order_id=f"small-{n}", conversion_date_time=sold, conversion_value="1")
        for n in range(97)
    ]
    rows += [
        core_row(n, order_id=f"big-{n}", conversion_date_time=sold, conversion_value="50")
        for n in range(3)
    ]
    deliver(google, "deals.csv", csv_bytes(rows))
    google.clock.seconds += 3600
    sweep(google)
    assert "3 of 100 rows, mostly EXPIRED_EVENT" in told(capsys)["rows_lost"]


@pytest.mark.parametrize("named", [6, 0])
def test_google_counts_none_later(
    google: World, capsys: pytest.CaptureFixture[str], named: int
) -> None:
    """Rows that were accepted, and fail in their final status, whether it names them or not."""
    google.use_destination("data_manager")
    records = {EXPIRED: tuple(range(named))}
    google.api.statuses = lambda ids: [
        RequestStatus(each, "FAILED", "1001", 6, {EXPIRED: 6}, error_records=records)
        for each in ids
    ]
    night(google, 1, good=6)
    google.clock.seconds += 7200
    sweep(google)
    sweep(google)
    assert f"6 of 6 rows, mostly {EXPIRED}" in told(capsys)["rows_lost"]


def test_rows_that_nobody_can_correct(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """People who have denied their consent are no loss that needs somebody."""
    google.use_destination("data_manager")
    denied = {"PROCESSING_ERROR_REASON_DENIED_CONSENT": 6}
    google.api.statuses = lambda ids: [
        RequestStatus(each, "FAILED", "1001", 6, denied) for each in ids
    ]
    night(google, 1, good=6)
    google.clock.seconds += 7200
    sweep(google)
    sweep(google)
    assert "rows_lost" not in told(capsys)


def test_a_line_names_at_most_twenty_files(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says how many more there are."""
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    for number in range(22):
        deliver(google, f"{number:02}.csv", csv_bytes(_good(google, 1)))
    told(capsys)
    sweep(google)
    detail = told(capsys)["file_stopped"]
    assert detail.count("CUSTOMER_NOT_ENABLED") == 20
    assert detail.endswith("; and 2 more")


def test_deferred_rows_that_fail(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """50 rows that wait for three days, and then fail, are told although newer files are well."""
    google.api.too_recent = {f"1-{n}" for n in range(50)}
    night(google, 1, good=50)
    for number in (2, 3, 4):
        night(google, number, good=100)
    google.clock.seconds += 7 * 3600
    sweep(google)
    google.clock.seconds += 600
    sweep(google)
    assert "50 of 50 rows, mostly TOO_RECENT_EVENT" in told(capsys)["rows_lost"]


def test_a_corrected_file_closes_the_problem(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rows that `fix` has written, and a file of the same name, replace the bad one."""
    night(google, 1, bad=10)
    assert "rows_lost" in told(capsys)
    google.clock.seconds += 60
    deliver(google, "rows-to-fix-001.csv", csv_bytes(_good(google, 10)))
    sweep(google)
    assert "rows_lost" not in told(capsys)


def _good(google: World, rows: int) -> list[dict[str, str]]:
    sold = (google.clock.utc() - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    return [core_row(n, order_id=f"good-{n}", conversion_date_time=sold) for n in range(rows)]


def test_the_same_file_for_ten_nights(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """An export that is stuck is told after three days, whatever Google says of its rows."""
    content = csv_bytes([*_good(google, 5), core_row(9, conversion_date_time="never")])
    for number in range(10):
        google.clock.seconds = number * NIGHT
        deliver(google, f"{number}.csv", content)
        sweep(google)
        kinds = told(capsys)
        assert ("nothing_sent" in kinds) == (number >= 3), number


def test_nothing_is_meant_to_be_sent(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of which the profile skips every row."""
    google.profiles["default"]["skip"] = {"Stage": ["Lost"]}
    rows = [row | {"Stage": "lost"} for row in _good(google, 3)]
    deliver(google, "deals.csv", csv_bytes(rows, [*rows[0]]))
    sweep(google)
    assert told(capsys)["nothing_sent"] == "deals.csv: all 3 rows are skipped"


def test_validate_only_for_thirty_nights(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A check that nobody ended is told after a week."""
    google.profiles["default"]["validate_only"] = True
    for number in range(30):
        night(google, number, good=3)
        assert ("only_checked" in told(capsys)) == (number >= 7), number


def test_a_second_stopped_file_an_hour_later(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each stopped file is named, at once and by each sweep, until it is replaced or deleted."""
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    deliver(google, "one.csv", csv_bytes(_good(google, 1)))
    assert "CUSTOMER_NOT_ENABLED" in told(capsys)["file_stopped"]
    google.clock.seconds += 3600
    deliver(google, "two.csv", csv_bytes(_good(google, 1)))
    sweep(google)
    assert told(capsys)["file_stopped"].count("CUSTOMER_NOT_ENABLED") == 2
    google.api.stop = None
    deliver(google, "one.csv", csv_bytes(_good(google, 1)))
    google.store.delete("in-bucket", "two.csv")
    sweep(google)
    assert "file_stopped" not in told(capsys)


def test_a_stopped_file_is_told_for_seven_days(
    google: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A later file with another name does not end it."""
    google.api.stop = Problem("CUSTOMER_NOT_ENABLED")
    night(google, 0, good=1)
    google.api.stop = None
    told(capsys)
    for number in range(1, 10):
        night(google, number, good=1)
        assert ("file_stopped" in told(capsys)) == (number <= 7), number


def test_a_file_that_is_not_finished(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """After two hours, with the reason and the number of tries, also if it kills the sweep."""

    def fail(number: int) -> None:
        raise RetryableError("API_UNAVAILABLE")

    google.api.before = fail
    with pytest.raises(RetryableError):
        deliver(google, "deals.csv", csv_bytes(_good(google, 1)))
    google.clock.seconds += 3600
    sweep(google)
    assert "file_unfinished" not in told(capsys)
    google.clock.seconds += 3700

    def kill(number: int) -> None:
        raise KeyboardInterrupt

    google.api.before = kill
    with pytest.raises(KeyboardInterrupt):
        sweep(google)
    assert "deals.csv (API_UNAVAILABLE" in told(capsys)["file_unfinished"]


def test_no_event_has_started_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Half an hour after it came, a file without a run is told, and started."""
    google = world(sweep_grace_minutes=30)
    google.store.put("in-bucket", "deals.csv", csv_bytes(_good(google, 1)))
    google.clock.seconds += 1860
    sweep(google)
    assert told(capsys)["file_not_started"] == "deals.csv"
    sweep(google)
    assert "file_not_started" not in told(capsys)


def test_an_empty_column_of_consent(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that the profile names has no cell in the newest file."""
    named = ["gclid", "conversion_date_time", "conversion_value", "order_id", "ad_user_data"]
    google.profiles["default"] |= {"columns": {name: name for name in named}, "action": "1001"}
    deliver(google, "deals.csv", csv_bytes(row | {"ad_user_data": ""} for row in _good(google, 2)))
    sweep(google)
    assert told(capsys)["column_empty"] == "deals.csv: 1 column"


def test_a_few_corrected_rows_have_no_empty_column() -> None:
    """What `fix` has written has only these rows. The file that it is from is the newest one."""
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    file = entry_of("crm/deals.csv", now - timedelta(hours=2))
    rows = entry_of("crm/rows-to-fix-deals.csv", now)
    rows = msgspec.structs.replace(rows, empty_columns=1)
    view = View(now, [file, rows], set(), {}, [], {})
    assert "column_empty" not in kinds(view)
    file = msgspec.structs.replace(file, empty_columns=1)
    assert "column_empty" in kinds(replace(view, entries=[file, rows]))


def test_a_blocked_follow_up(google: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Google's later word cannot be read, so a person must correct a permission."""
    google.use_destination("data_manager")

    def refuse(ids: Sequence[str]) -> Any:
        raise PermanentError("USER_PERMISSION_DENIED")

    google.api.statuses = refuse
    night(google, 1, good=1)
    google.clock.seconds += 3600
    sweep(google)
    sweep(google)
    assert told(capsys)["google_silent"] == "001.csv (USER_PERMISSION_DENIED)"


def test_every_kind_has_a_name_a_title_and_an_action() -> None:
    """They are what a notification shows."""
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.title and kind.action.endswith(".") for kind in KINDS)


# ── files that are expected ──────────────────────────────────────────────────────────────────────

BERLIN = "every weekday by 06:30 Europe/Berlin"


def view_of(arrivals: Sequence[datetime], now: datetime, expect: str) -> View:
    """Return what a sweep sees of a profile `crm` whose files came at these times."""
    profile = {"destination": "google_ads", "customer_id": "1234567890", "expect": expect}
    profile |= {
        "action": "1001",
        "value": 1,
        "columns": {"gclid": "a", "conversion_date_time": "b"},
    }
    entries = [entry_of(f"crm/{n}.csv", at) for n, at in enumerate(arrivals) if at <= now]
    files = {
        entry.key: StoredObject("in", entry.name, 1, 1, "", entry.arrived, entry.arrived)
        for entry in entries
    }
    return View(now, entries, set(), files, [], {"crm": profile})


def entry_of(name: str, arrived: datetime) -> RunEntry:
    return RunEntry(
        key=name,
        state="done",
        due=None,
        tries=0,
        attempts=1,
        name=name,
        generation=1,
        content=name,
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
        totals=Totals({"uploaded": 10}),
        published_at=arrived,
        changed_at=None,
    )


def kinds(view: View) -> set[str]:
    return {problem.kind.name for problem in open_problems(view)}


@pytest.mark.parametrize("spread_minutes", [45, 180])
def test_an_ordinary_year(spread_minutes: int) -> None:
    """A file each weekday, up to three hours early or late, and `expect` names the latest time."""
    drawn = random.Random(spread_minutes)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    latest = datetime(2026, 1, 1, 5, 30, tzinfo=UTC)
    days = [n for n in range(365) if (start + timedelta(days=n)).weekday() < 5]
    middle = latest - timedelta(minutes=spread_minutes + 90)  # summer time is an hour earlier
    arrivals = [
        middle + timedelta(days=n, minutes=drawn.uniform(-spread_minutes, spread_minutes))
        for n in days
    ]
    for hour in range(24 * 14, 365 * 24, 3):
        now = start + timedelta(hours=hour)
        recent = [at for at in arrivals if now - timedelta(days=30) < at]
        assert not kinds(view_of(recent, now, BERLIN)), now


def week(*days: int, hour: int = 4) -> list[datetime]:
    """Return arrivals at this hour, UTC, of days of November 2026."""
    return [datetime(2026, 11, day, hour, tzinfo=UTC) for day in days]


@pytest.mark.parametrize(
    ("arrivals", "now", "is_told"),
    [
        pytest.param(week(17, 18, 19, 20), "2026-11-23T05:00", False, id="not due yet"),
        pytest.param(week(17, 18, 19, 20), "2026-11-23T06:00", True, id="Monday's is missing"),
        pytest.param(week(18, 19, 20, 23), "2026-11-23T06:00", False, id="Monday's came"),
        pytest.param(week(19, 20), "2026-11-22T12:00", False, id="no file on a Sunday"),
        pytest.param([], "2026-11-23T06:00", True, id="none has ever come"),
        pytest.param(
            [*week(18, 19), *week(20, hour=9)], "2026-11-20T10:00", False, id="Friday's came late"
        ),
        pytest.param(
            [*week(18, 19), *week(20, hour=9)],
            "2026-11-23T06:00",
            True,
            id="Friday's late file is not Monday's",
        ),
    ],
)
def test_an_expected_file(arrivals: list[datetime], now: str, is_told: bool) -> None:
    """A profile says when a file must have come."""
    view = view_of(arrivals, datetime.fromisoformat(f"{now}:00+00:00"), BERLIN)
    assert ("no_file" in kinds(view)) == is_told


@pytest.mark.parametrize(("hours_ago", "is_told"), [(2, False), (4, True)])
def test_a_file_every_three_hours(hours_ago: int, is_told: bool) -> None:
    """Each span of so many hours must have one."""
    view = view_of([START - timedelta(hours=hours_ago)], START, "every 3 hours")
    assert ("no_file" in kinds(view)) == is_told


def test_files_at_any_time_are_never_missed() -> None:
    """`any time` says that nobody knows."""
    assert not kinds(view_of([], START, "any time"))


def test_the_dearest_problem_comes_first() -> None:
    """What is at stake decides about the order, whatever the kind."""
    entries = [
        msgspec.structs.replace(
            entry_of(f"{profile}/1.csv", START),
            totals=Totals({"rejected": 1}, money={"rejected": {"USD": Sum(1, units * 1_000_000)}}),
        )
        for profile, units in (("a", 10), ("b", 1000))
    ]
    view = View(START, entries, set(), {}, [], {})
    assert [(p.profile, p.at_stake) for p in open_problems(view)] == [
        ("b", "1,000 USD"),
        ("a", "10 USD"),
    ]
