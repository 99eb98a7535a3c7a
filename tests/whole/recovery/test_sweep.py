"""The sweep finishes automatically what deliveries left unfinished."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.up import INPUT_BUCKET, NoResults, Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import (
    FUNCTION,
    LEASE_SECONDS,
    SETTINGS,
    empty,
)
from tests.whole.recovery.files import File, check, clicks_grow_old, finish, log_lines, make_file

DUE_SECONDS = 36.0
STEP = 1 if EVERY_CALL else 22


@pytest.fixture(scope="module")
def _sweeping() -> Iterator[Sandbox]:
    env = {**SETTINGS, "DEFER_HOURS": str(DUE_SECONDS / 3600)}
    with Sandbox(source=FUNCTION, env=env) as running:
        yield running


@pytest.fixture
def google(_sweeping: Sandbox) -> Sandbox:
    """A function whose deferred rows are due after a moment, without objects of other tests."""
    empty(_sweeping)
    return _sweeping


def sweep(google: Sandbox) -> dict[str, Any]:
    status, body = google.run_sweep()
    assert status == 200, body
    report: dict[str, Any] = json.loads(body)
    return report


def pass_time(google: Sandbox, seconds: float) -> None:
    """Let this time pass for Google and the function, without waiting."""
    google.clock.advance(seconds / 3600)


def results_now(google: Sandbox, file: File) -> dict[str, Any]:
    return google.results(file.name, file.generation, timeout_seconds=0)


def test_an_event_that_was_never_delivered(google: Sandbox, new_name: Iterator[str]) -> None:
    """The sweep finds and processes the object, and the next sweep finds nothing to do."""
    google.delivery.set(drop=True)
    file = make_file(next(new_name), 410, seed=1).drop(google)
    with pytest.raises(NoResults):
        results_now(google, file)
    report = sweep(google)
    assert (report["unfinished"], report["finished"]) == (1, 1)
    check(file, results_now(google, file), google)
    sent = len(google.state.accepted)
    assert sweep(google)["unfinished"] == 0
    assert len(google.state.accepted) == sent


def test_a_lease_left_by_a_crashed_run(google: Sandbox, new_name: Iterator[str]) -> None:
    """The sweep ignores a run while its lease is valid, then takes it over and finishes it."""
    google.delivery.set(time_limit_seconds=0)
    google.faults.set([{"method": "UploadClickConversions", "nth": 2, "kind": "kill_after"}])
    file = make_file(next(new_name), 410, seed=2).drop(google)
    assert google.delivery.wait_until_idle()
    (record,) = google.delivery.records()
    assert record.given_up == 1
    assert sweep(google)["unfinished"] == 0
    pass_time(google, LEASE_SECONDS)
    report = sweep(google)
    assert (report["unfinished"], report["finished"]) == (1, 1)
    document = results_now(google, file)
    check(file, document, google)
    assert document["attempts"] == 2


@pytest.mark.parametrize("rows", [30, 410])
def test_deferred_rows_are_sent_when_due(
    google: Sandbox, new_name: Iterator[str], rows: int
) -> None:
    """Deferred rows are sent when they are due, not before, and the document is updated."""
    file = make_file(next(new_name), rows, seed=3).drop(google)
    document = finish(google, file)
    check(file, document, google)
    assert document["status"] == "waiting"
    assert document["counts"]["deferred"]
    pass_time(google, DUE_SECONDS)
    # Still too recent: the rows are due again later, and nothing has changed.
    sweep(google)
    check(file, results_now(google, file), google)
    clicks_grow_old(google, file)
    sweep(google)
    pass_time(google, DUE_SECONDS)
    sweep(google)
    document = results_now(google, file)
    check(file, document, google)
    assert document["status"] == "completed"
    assert document["attempts"] >= 2
    # Neither a late event nor another sweep starts the file again.
    (record,) = google.delivery.records()
    google.delivery.again(record.event_id)
    assert google.delivery.wait_until_idle()
    sweep(google)
    assert results_now(google, file) == document


def test_a_row_with_three_transient_errors_is_deferred(
    google: Sandbox, new_name: Iterator[str]
) -> None:
    """A row with three transient errors is deferred, not failed, and the sweep sends it."""
    error = {"kind": "row_error", "error": "internal_error.TRANSIENT_ERROR", "rows": [0]}
    google.faults.set([{"method": "UploadClickConversions", "nth": [1, 2, 3], **error}])
    kinds = ("click", "identifiers")
    file = make_file(next(new_name), 20, seed=5, kinds=kinds).drop(google)
    document = finish(google, file)
    assert (document["status"], document["counts"]["deferred"]) == ("waiting", 1)
    pass_time(google, DUE_SECONDS)
    sweep(google)
    check(file, results_now(google, file), google)


@pytest.mark.parametrize("kind, rows, first", [("kill_before", 30, 1), ("kill_after", 210, 3)])
def test_a_sweep_killed_at_every_call(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    rows: int,
    first: int,
    record_property: Callable[[str, object], None],
) -> None:
    """After a kill before or after any call of a sweep, the next one sends the rest once."""
    points, nth = 0, 1 if EVERY_CALL else first
    while True:
        file = make_file(next(new_name), rows, seed=4).drop(google)
        finish(google, file)
        clicks_grow_old(google, file)
        pass_time(google, DUE_SECONDS)
        google.faults.set([{"method": "*", "nth": nth, "kind": kind}])
        google.run_sweep()
        killed = google.faults.fired()[0]["fired"]
        google.faults.clear()
        for _ in range(20):
            if results_now(google, file)["status"] != "waiting":
                break
            pass_time(google, LEASE_SECONDS)
            google.run_sweep()
        else:
            pytest.fail(f"killed at call {nth}")
        check(file, results_now(google, file), google)
        # Without the earlier objects, the next round counts only its own calls.
        google.storage.empty(INPUT_BUCKET)
        if not killed:
            break
        nth += STEP
        points += 1
    assert nth > 10
    record_property("crash points", points)


def test_a_sweep_during_deliveries(google: Sandbox, new_name: Iterator[str]) -> None:
    """A sweep ignores runs that are active and runs that are finished."""
    google.faults.set(
        [{"method": "UploadClickConversions", "kind": "latency_ms", "latency_ms": 150}]
    )
    files = [make_file(next(new_name), 610, seed=seed).drop(google) for seed in range(3)]
    while not google.delivery.idle:
        sweep(google)
    for file in files:
        check(file, finish(google, file), google)
    for record in google.delivery.records():
        assert record.acknowledged == 1


def test_several_sweeps_at_once(google: Sandbox, new_name: Iterator[str]) -> None:
    """Of several simultaneous sweeps, one processes each file."""
    google.delivery.set(drop=True)
    files = [make_file(next(new_name), 30, seed=seed).drop(google) for seed in range(10)]
    reports: list[dict[str, Any]] = []
    sweeps = [threading.Thread(target=lambda: reports.append(sweep(google))) for _ in range(4)]
    for each in sweeps:
        each.start()
    for each in sweeps:
        each.join()
    assert len(reports) == 4
    sweep(google)
    for file in files:
        check(file, results_now(google, file), google)


def test_a_file_that_stays_unfinished_ends_as_stale(tmp_path: Any) -> None:
    """If the API is down until the event is too old, there is a document, an alert and a 2xx."""
    env = {**SETTINGS, "MAX_EVENT_AGE_HOURS": str(1.5 / 3600)}
    with Sandbox(source=FUNCTION, env=env, directory=tmp_path) as google:
        google.delivery.set(backoff_seconds=0.2, max_backoff_seconds=0.5)
        google.faults.set([{"method": "google_ads.*", "kind": "unavailable"}])
        file = make_file("old.csv", 410, seed=1).drop(google)
        document = finish(google, file)
        assert document["status"] == "stopped"
        assert document["file_error"]["code"] == "STALE"
        assert document["counts"]["not_attempted"] == 410
        (record,) = google.delivery.records()
        assert record.acknowledged == 1
        (alert,) = [line for line in log_lines(google) if line["event"] == "run_stale"]
        assert alert["severity"] == "ERROR"
