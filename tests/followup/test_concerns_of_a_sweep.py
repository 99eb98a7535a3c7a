"""What the real sweep sees, saves and tells: once, daily, and when it is over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from lib.errors import PermanentError, RetryableError
from lib.followup.sweep import LEFT_AFTER, LEFT_UNTIL, UNFINISHED_AFTER
from lib.model.sent_requests import RequestStatus
from lib.run.deliver import process_arrival
from tests import fakes
from tests.fakes import World, world
from tests.rows import core_row, csv_bytes

TIME = "2026-11-22 10:00:00+00:00"
CONTENT = csv_bytes([core_row(1, conversion_date_time=TIME)])
WRONG = csv_bytes([core_row(number, conversion_date_time="") for number in range(1, 5)])
CONCERNS = "_state/concerns.json"

Output = pytest.CaptureFixture[str]


def swept(google: World, capsys: Output) -> list[dict[str, Any]]:
    """Sweep, and return the lines about concerns."""
    capsys.readouterr()
    fakes.sweep(google)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == "concern"]


def told(google: World, capsys: Output) -> list[str]:
    return [f"{line['told']} {line['kind']}" for line in swept(google, capsys)]


def hours(google: World, number: float) -> None:
    google.clock.sleep(number * 3600)


def drop(google: World, name: str, content: bytes = CONTENT) -> None:
    google.profiles.setdefault(name.partition("/")[0], google.profiles["default"])
    fakes.deliver(google, name, content)


# ── rows that do not count ───────────────────────────────────────────────────────────────────


def test_four_rejected_rows_are_told(capsys: Output) -> None:
    """At once, with the report; daily; and when a corrected file is there."""
    google = world()
    drop(google, "a.csv", WRONG)
    (line,) = swept(google, capsys)
    assert (line["severity"], line["told"], line["kind"]) == ("ERROR", "new", "rows_lost")
    assert line["detail"] == "None of the 4 rows of a.csv counts; most often TIME_MISSING"
    name = line["link"].removeprefix("https://storage.cloud.google.com/out-bucket/")
    assert name in google.store.names("out-bucket")
    assert swept(google, capsys) == []
    hours(google, 24)
    assert told(google, capsys) == ["still rows_lost"]
    drop(google, "a.csv")
    assert told(google, capsys) == ["over rows_lost"]
    assert swept(google, capsys) == []


def test_rows_that_fail_at_the_follow_up_are_told(capsys: Output) -> None:
    """Fifty of sixty rows wait for 48 hours, and then they fail."""
    google = world()
    orders = [f"order-{number}" for number in range(1, 51)]
    google.api.too_recent = set(orders)
    rows = [core_row(number, conversion_date_time=TIME) for number in range(1, 61)]
    drop(google, "a.csv", csv_bytes(rows))
    for _ in range(8):
        assert swept(google, capsys) == []
        hours(google, 6)
    hours(google, 6)
    (line,) = swept(google, capsys)
    assert line["detail"] == "50 of 50 rows of a.csv that waited to be sent again have failed"


def test_a_small_part_that_waited_and_failed_is_told(capsys: Output) -> None:
    """Five of a hundred rows are few, but they are all that waited."""
    google = world()
    google.api.too_recent = {f"order-{number}" for number in range(1, 6)}
    rows = [core_row(number, conversion_date_time=TIME) for number in range(1, 101)]
    drop(google, "a.csv", csv_bytes(rows))
    for _ in range(9):
        assert swept(google, capsys) == []
        hours(google, 6)
    (line,) = swept(google, capsys)
    assert line["detail"] == "5 of 5 rows of a.csv that waited to be sent again have failed"


@pytest.mark.parametrize("named", [True, False])
def test_rows_that_google_does_not_count_are_told(named: bool, capsys: Output) -> None:
    """Four rows are accepted, and later Google counts none of them, with or without their names."""
    google = world()
    reason = "PROCESSING_ERROR_REASON_INVALID_GCLID"
    records = {reason: (0, 1, 2, 3)} if named else {}

    def statuses(ids: Sequence[str]) -> list[RequestStatus]:
        return [
            RequestStatus(each, "FAILED", "1001", 4, {reason: 4}, error_records=records)
            for each in ids
        ]

    google.use_destination("data_manager")
    google.api.statuses = statuses
    rows = [core_row(number, conversion_date_time=TIME) for number in range(1, 5)]
    drop(google, "a.csv", csv_bytes(rows))
    assert swept(google, capsys) == []
    hours(google, 2)
    (line,) = swept(google, capsys)
    cause = f"; most often {reason}" if named else ""
    assert line["detail"] == f"None of the 4 rows of a.csv counts{cause}"


def test_a_filter_that_does_not_fit_is_told(capsys: Output) -> None:
    """The note that has alerted in the run is in the label of the results."""
    google = world()
    google.profiles["default"]["include"] = {"currency_code": ["USD", "EURO"]}
    rows = [core_row(number, conversion_date_time=TIME) for number in range(1, 3)]
    rows[1]["currency_code"] = "euro."
    drop(google, "a.csv", csv_bytes([*rows, *[core_row(3, conversion_date_time=TIME)] * 20]))
    found = told(google, capsys)
    assert found in (["new filter_mismatch"], [])


# ── files that do not come ───────────────────────────────────────────────────────────────────


def test_a_missing_file_is_told(capsys: Output) -> None:
    """Once, and daily; the next file ends it."""
    google = world(no_file_hours=24.0)
    drop(google, "a.csv")
    hours(google, 24.5)
    assert swept(google, capsys) == []
    hours(google, 0.25)
    (line,) = swept(google, capsys)
    assert (line["kind"], line["detail"]) == ("no_file", "No file since 2026-11-24 12:00 UTC")
    assert swept(google, capsys) == []
    drop(google, "b.csv")
    assert told(google, capsys) == ["over no_file"]


def test_each_watched_folder_counts_for_itself(capsys: Output) -> None:
    """A file in another folder does not hide that one is missing; a new folder is quiet."""
    google = world(no_file_hours=24.0, no_file_folders=("crm", "default", "shop"))
    drop(google, "crm/a.csv")
    drop(google, "a.csv")
    assert swept(google, capsys) == []
    hours(google, 25)
    drop(google, "crm/b.csv")
    drop(google, "test/b.csv")
    assert [line["key"] for line in swept(google, capsys)] == ["no_file:default"]


def test_a_file_that_was_purged_with_its_results_has_arrived(capsys: Output) -> None:
    """What is known of arrivals outlives the objects."""
    google = world(no_file_hours=24.0)
    drop(google, "a.csv")
    assert swept(google, capsys) == []
    for key in [*google.store.objects]:
        if "a.csv" in key[1]:
            del google.store.objects[key]
    hours(google, 40 * 24)
    assert told(google, capsys) == ["new no_file"]


def test_a_first_file_that_never_came_is_told(capsys: Output) -> None:
    """The profile says when it is expected."""
    google = world()
    google.profiles["crm"] = {**google.profiles["default"], "expect": "every weekday by 06:30"}
    assert swept(google, capsys) == []
    hours(google, 18)
    assert swept(google, capsys) == []
    hours(google, 1.25)
    (line,) = swept(google, capsys)
    assert "No file of crm by 2026-11-25 06:30 UTC" in line["detail"]


@pytest.mark.parametrize("name", ["a.csv.part", "crm/.a.csv", ".a.csv.gz.x7f", "crm/A.CSV.TMP"])
def test_an_incomplete_file_that_stays_is_told(name: str, capsys: Output) -> None:
    """From an hour on, because before that it may be complete soon; for a week."""
    google = world()
    google.store.put("in-bucket", name, CONTENT)
    google.clock.sleep(LEFT_AFTER.total_seconds() - 1)
    assert swept(google, capsys) == []
    google.clock.sleep(1)
    (line,) = swept(google, capsys)
    assert (line["kind"], name in line["detail"]) == ("file_ignored", True)
    google.clock.sleep((LEFT_UNTIL - LEFT_AFTER).total_seconds())
    assert told(google, capsys) == ["over file_ignored"]


@pytest.mark.parametrize(
    "name",
    [".DS_Store", "~$a.xlsx", "._a.csv", "a.csv.ok", "gcloud/tmp/parallel_composite_uploads/a"],
)
def test_other_ignored_objects_are_not_told(name: str, capsys: Output) -> None:
    """What no export writes, and what belongs to another file."""
    google = world()
    google.store.put("in-bucket", name, CONTENT)
    hours(google, 2)
    assert swept(google, capsys) == []


# ── events, results and follow-ups that do not come ──────────────────────────────────────────


def test_a_single_lost_event_is_told(capsys: Output) -> None:
    """Other files have their events at the same time; the sweep finds the one file."""
    google = world(sweep_grace_minutes=30)
    google.store.put("in-bucket", "lost.csv", CONTENT)
    google.clock.sleep(29 * 60)
    drop(google, "a.csv")
    assert swept(google, capsys) == []
    google.clock.sleep(60)
    (line,) = swept(google, capsys)
    assert (line["kind"], "lost.csv" in line["detail"]) == ("events_missing", True)
    assert told(google, capsys) == ["over events_missing"]


def test_a_burst_is_no_lost_event(capsys: Output) -> None:
    """Files wait as long for an instance, but then one works on a file as old."""
    google = world(sweep_grace_minutes=30, lease_seconds=600.0)
    large, waiting = (google.store.put("in-bucket", name, CONTENT) for name in ("a.csv", "b.csv"))
    google.clock.sleep(30 * 60)
    drop(google, "c.csv")
    found: list[list[dict[str, Any]]] = []
    google.api.before = lambda number: found.append(swept(google, capsys)) if number == 2 else None
    process_arrival(large, google.clock.utc(), google.context)
    assert found == [[]]
    assert google.context.claims.of(waiting) is not None


def test_the_oldest_file_without_results_is_told(capsys: Output) -> None:
    """After an hour, with the reason of the last attempt; its results end it."""
    google = world(sweep_grace_minutes=30)
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    for name in ("b.csv", "a.csv"):
        with pytest.raises(RetryableError):
            drop(google, name)
        google.clock.sleep(60)
    google.clock.sleep(UNFINISHED_AFTER.total_seconds() - 180)
    assert swept(google, capsys) == []
    google.clock.sleep(120)
    (line,) = swept(google, capsys)
    expected = "in-bucket/b.csv has no results since 2026-11-24 12:00 UTC (API_UNAVAILABLE); and 1 "
    assert (line["kind"], line["detail"]) == ("file_unfinished", expected + "more")
    google.api.preflight = None
    assert told(google, capsys) == ["over file_unfinished"]


def test_attempts_that_die_without_a_word_are_told(capsys: Output) -> None:
    """Nothing is logged, and the lease of the last one may still be alive."""
    google = world(sweep_grace_minutes=30, lease_seconds=600.0)
    source = google.store.put("in-bucket", "a.csv", CONTENT)
    google.clock.sleep(UNFINISHED_AFTER.total_seconds())
    google.api.before = lambda number: (_ for _ in ()).throw(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        process_arrival(source, google.clock.utc(), google.context)
    assert told(google, capsys) == ["new file_unfinished"]


def test_files_that_wait_for_the_quota_are_not_told_again(capsys: Output) -> None:
    """The run says that nobody needs to act."""
    google = world(sweep_grace_minutes=30)
    google.api.preflight = RetryableError("DAILY_QUOTA")
    with pytest.raises(RetryableError):
        drop(google, "a.csv")
    google.clock.sleep(timedelta(hours=3).total_seconds())
    assert swept(google, capsys) == []


@pytest.mark.parametrize("what", ["resend", "poll"])
def test_a_blocked_follow_up_is_told_until_it_goes_on(what: str, capsys: Output) -> None:
    """Also between the attempts, which come hours apart."""
    google = world()
    if what == "poll":
        google.use_destination("data_manager")
    google.api.too_recent = {"order-1"} if what == "resend" else set()
    drop(google, "a.csv")
    refusal = PermanentError("CREDENTIALS_REFUSED")

    def refuse(ids: Sequence[str]) -> Sequence[RequestStatus]:
        raise refusal

    google.api.preflight = refusal if what == "resend" else None
    before, google.api.statuses = google.api.statuses, refuse
    hours(google, 6)
    (line,) = swept(google, capsys)
    assert (line["severity"], line["key"]) == (
        "CRITICAL",
        "follow_up_blocked:CREDENTIALS_REFUSED",
    )
    google.clock.sleep(900)
    assert swept(google, capsys) == []
    google.api.preflight, google.api.statuses = None, before
    hours(google, 7)
    assert told(google, capsys) == ["over follow_up_blocked"]


def test_a_stopped_file_is_told_a_day_later(capsys: Output) -> None:
    """The run has told it at once, so the sweep only reminds."""
    google = world()
    google.api.preflight = PermanentError("CUSTOMER_NOT_FOUND")
    drop(google, "a.csv")
    assert swept(google, capsys) == []
    hours(google, 23)
    assert told(google, capsys) == ["still file_stopped"]


# ── two sweeps, two versions ─────────────────────────────────────────────────────────────────


def test_of_two_sweeps_at_once_one_tells(capsys: Output) -> None:
    """Both have read the same state; only the one that has replaced it tells."""
    google = world()
    drop(google, "a.csv", WRONG)
    capsys.readouterr()

    def other_sweep(operation: str, name: str) -> None:
        if (operation, name) == ("write", CONCERNS):
            google.store.before = fakes.passes
            fakes.sweep(google)

    google.store.before = other_sweep
    fakes.sweep(google)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["told"] for line in lines if line["event"] == "concern"] == ["new"]


def test_a_newer_state_is_left_alone(capsys: Output) -> None:
    """An older version tells nothing and changes nothing; the newer one does."""
    google = world()
    drop(google, "a.csv", WRONG)
    newer = b'{"format": 2, "concerns": []}'
    google.store.put("out-bucket", CONCERNS, newer)
    assert swept(google, capsys) == []
    assert google.store.objects["out-bucket", CONCERNS][0] == newer


def test_a_damaged_state_is_named_and_stops_no_sweep(capsys: Output) -> None:
    """It is told at each sweep, and nothing is cleared that cannot be read."""
    google = world()
    google.store.put("out-bucket", CONCERNS, b'{"format": 1, "concerns": 7}')
    fakes.sweep(google)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told, *_, last = lines
    assert (told["severity"], told["code"]) == ("ERROR", "STATE_DAMAGED")
    assert CONCERNS in told["detail"]
    assert last["event"] == "sweep_finished"
    assert google.store.objects["out-bucket", CONCERNS][0] == b'{"format": 1, "concerns": 7}'


def test_the_label_of_results_has_what_the_sweep_needs() -> None:
    """When the file arrived, its profile, why it was stopped; all other keys are as they were."""
    google = world()
    google.profiles["crm"] = {**google.profiles["default"], "validate_only": True}
    google.api.preflight = PermanentError("CUSTOMER_NOT_FOUND", "1234567890")
    google.clock.sleep(60)
    fakes.deliver(google, "crm/a.csv", CONTENT)
    (name,) = (n for n in google.store.names("out-bucket") if n.endswith(".results.json"))
    label = dict(google.store.labels["out-bucket", name].metadata)
    assert label == {
        "status": "stopped",
        "finished_at": "2026-11-24T12:01:00+00:00",
        "arrived_at": "2026-11-24T12:01:00+00:00",
        "profile": "crm",
        "counts": '{"rows":1,"not_attempted":1}',
        "to_correct": label["to_correct"],
        "code": "CUSTOMER_NOT_FOUND",
        "cause": "1234567890",
        "validate_only": "true",
    }
    google.clock.sleep(86_400)
    fakes.sweep(google)
    concerns = json.loads(google.store.objects["out-bucket", CONCERNS][0])["concerns"]
    assert concerns["file_stopped:crm:CUSTOMER_NOT_FOUND"]["what"].endswith(" (1234567890)")


def test_the_drill_is_told_until_its_object_is_deleted(capsys: Output) -> None:
    """Whatever the object contains."""
    google = world()
    google.store.put("out-bucket", "_state/drill", b"")
    assert told(google, capsys) == ["new drill"]
    google.store.delete("out-bucket", "_state/drill")
    assert told(google, capsys) == ["over drill"]


def test_a_sweep_lists_as_little_as_before(capsys: Output) -> None:
    """Two reads are new, no listing and no write."""
    google = world()
    drop(google, "a.csv")
    fakes.sweep(google)
    google.store.calls.clear()
    assert swept(google, capsys) == []
    assert google.store.calls == [
        *(("list", "_state/waiting/"), ("list", ""), ("list", ""), ("list", "")),
        *(("read", CONCERNS), ("read", "_state/drill")),
    ]


def test_nothing_told_contains_a_cell(capsys: Output) -> None:
    """Names, counts, codes and times only."""
    google = world()
    rows = [core_row(n, conversion_date_time="", email="ada@example.com") for n in range(1, 5)]
    drop(google, "a.csv", csv_bytes(rows))
    lines = swept(google, capsys)
    assert lines
    assert "ada@example.com" not in json.dumps(lines)
    assert b"ada@example.com" not in google.store.objects["out-bucket", CONCERNS][0]
