"""Several instances, deliveries and sweeps at once: each file is processed once."""

from __future__ import annotations

from collections import Counter

from tests.every_call import EVERY_CALL
from tests.whole.recovery.conftest import running_function
from tests.whole.recovery.files import check, finish, log_lines, make_file

ROUNDS = 20 if EVERY_CALL else 3


def test_simultaneous_deliveries() -> None:
    """All deliveries to two processes are acknowledged, with one set of conversions and one results
    document."""
    copies = 4
    with running_function(instances=2) as google:
        google.delivery.set(duplicate=copies, concurrency=copies)
        # However the machine schedules the deliveries, those of the first file meet its lease.
        slow = {"kind": "latency_ms", "latency_ms": 1_000}
        google.faults.set([{"method": "UploadClickConversions", "nth": 1, **slow}])
        for number in range(ROUNDS):
            rows = 30 if number % 4 else 410
            file = make_file(f"round{number}.csv", rows, seed=number).drop(google)
            check(file, finish(google, file), google)
            events = Counter(line["event"] for line in log_lines(google, file))
            assert (events["attempt_started"], events["run_finished"]) == (1, 1)
            assert number or events["lease_held"]
            assert events["run_skipped"] == copies - 1
        records = google.delivery.records()
        assert [record.acknowledged for record in records] == [copies] * ROUNDS
