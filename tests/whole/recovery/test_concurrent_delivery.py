"""Simultaneous deliveries of one event on two instances: one of them processes the file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.up import Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import check, finish, log_lines, make_file

ROUNDS = 20 if EVERY_CALL else 4


@pytest.fixture(scope="module")
def two_instances() -> Iterator[Sandbox]:
    """Two processes of the function, each with several simultaneous deliveries."""
    with Sandbox(source=FUNCTION, env=SETTINGS, instances=2) as running:
        running.delivery.set(backoff_seconds=0.02, max_backoff_seconds=0.1)
        yield running


@pytest.mark.parametrize("copies", [2, 8])
def test_simultaneous_deliveries(two_instances: Sandbox, copies: int) -> None:
    """All deliveries are acknowledged, with one set of conversions and one results document."""
    google = two_instances
    google.delivery.set(duplicate=copies, concurrency=copies)
    before = len(google.delivery.records())
    # However the machine schedules the deliveries, those of the first file meet its lease.
    slow = {"kind": "latency_ms", "latency_ms": 1_000}
    google.faults.set([{"method": "UploadClickConversions", "nth": 1, **slow}])
    for number in range(ROUNDS):
        name = f"round{copies}-{number}.csv"
        file = make_file(name, 30 if number % 4 else 410, seed=number).drop(google)
        check(file, finish(google, file), google)
        run = [line for line in log_lines(google) if line.get("run_id", "").find(name) > 0]
        assert len([line for line in run if line["event"] == "run_finished"]) == 1
    records = google.delivery.records()[before:]
    assert [record.acknowledged for record in records] == [copies] * ROUNDS
    events = [line["event"] for line in log_lines(google)]
    assert "lease_held" in events
    assert "run_skipped" in events
