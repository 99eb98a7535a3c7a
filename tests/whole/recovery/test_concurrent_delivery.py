"""Several instances, deliveries and sweeps at once: each file is processed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from sandbox.up import Sandbox
from tests.every_call import EVERY_CALL
from tests.whole.recovery.conftest import running_function
from tests.whole.recovery.files import check, finish, log_lines, make_file

ROUNDS = 20 if EVERY_CALL else 3
FILES = 200 if EVERY_CALL else 30


@pytest.fixture(scope="module")
def two_instances() -> Iterator[Sandbox]:
    """Two processes of the function, each with several simultaneous deliveries."""
    with running_function(instances=2) as running:
        yield running


def test_simultaneous_deliveries(two_instances: Sandbox) -> None:
    """All deliveries are acknowledged, with one set of conversions and one results document."""
    google, copies = two_instances, 4
    google.delivery.set(duplicate=copies, concurrency=copies)
    # However the machine schedules the deliveries, those of the first file meet its lease.
    slow = {"kind": "latency_ms", "latency_ms": 1_000}
    google.faults.set([{"method": "UploadClickConversions", "nth": 1, **slow}])
    for number in range(ROUNDS):
        file = make_file(f"round{number}.csv", 30 if number % 4 else 410, seed=number).drop(google)
        check(file, finish(google, file), google)
        events = Counter(line["event"] for line in log_lines(google, file))
        assert (events["attempt_started"], events["run_finished"]) == (1, 1)
        assert number or events["lease_held"]
        assert events["run_skipped"] == copies - 1
    records = google.delivery.records()
    assert [record.acknowledged for record in records] == [copies] * ROUNDS
    google.delivery.set(duplicate=1)


def test_a_burst_under_a_quota(two_instances: Sandbox) -> None:
    """All files are finished, and of the later requests, fewer than half are refused."""
    google = two_instances
    google.delivery.set(concurrency=8)
    # After a pause of the machine, all deliveries may send at once.
    google.state.change_account("1234567890", requests_per_second=25.0, burst=8.0)
    before = len(google.state.requests)
    files = [
        make_file(f"f{n}.csv", 8, n, ("click", "identifiers", "rejected", "failed")).drop(google)
        for n in range(FILES)
    ]
    for file in files:
        check(file, finish(google, file), google)
    log = [r for r in list(google.state.requests)[before:] if r.method.endswith("ClickConversions")]
    later = log[len(log) // 2 :]
    refused = [r for r in later if r.status == "RESOURCE_TEMPORARILY_EXHAUSTED"]
    assert len(refused) < len(later) / 2
