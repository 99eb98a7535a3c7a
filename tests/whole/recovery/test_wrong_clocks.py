"""Two instances of which one has a wrong clock: leases hold, and end, as if both were right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.up import Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import File, check, finish, log_lines, make_file, until

UPLOAD = "UploadClickConversions"
LEASE_SECONDS = 600.0
"""However slow the machine is, a run that works renews it in time. It ends by the moved clock."""


@pytest.fixture(scope="module")
def two_instances() -> Iterator[Sandbox]:
    """Two processes of the function. The first of two deliveries goes to the first one."""
    settings = {
        **SETTINGS,
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "REQUEST_TIMEOUT_SECONDS": "10",
    }
    with Sandbox(source=FUNCTION, env=settings, instances=2) as running:
        running.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.1)
        yield running


def set_first_clock(google: Sandbox, off: int) -> None:
    """Make the clock of the first instance wrong by this many seconds."""
    assert google.function is not None
    port = google.function.instances[0].port
    (google.directory / f"run-{port}" / "clock_is_off").write_text(str(off), encoding="utf-8")


def is_refused_again(google: Sandbox, file: File) -> None:
    """Wait until a delivery of the file, sent from now on, has found the lease valid."""

    def refused() -> int:
        events = [line for line in log_lines(google) if file.name in line.get("run_id", "")]
        return sum(line["event"] == "lease_held" for line in events)

    # The first one may have asked for the time before.
    before = refused()
    until(lambda: refused() > before + 1)


@pytest.mark.parametrize("off", [-3600, -90, 90, 3600] if EVERY_CALL else [-90, 3600])
def test_the_second_takes_over_when_the_lease_ends(two_instances: Sandbox, off: int) -> None:
    """Never while the first one works, and soon after it died; and every conversion counts once."""
    google = two_instances
    set_first_clock(google, off)
    google.delivery.set(duplicate=2, concurrency=2)

    google.faults.set([{"method": UPLOAD, "kind": "latency_ms", "latency_ms": 500}])
    works = make_file(f"works{off}.csv", 410, seed=1).drop(google)
    document = finish(google, works)
    check(works, document, google)
    assert document["attempts"] == 1

    google.faults.set([{"method": UPLOAD, "nth": 2, "kind": "kill_after"}])
    dies = make_file(f"dies{off}.csv", 410, seed=2).drop(google)
    until(lambda: google.faults.fired()[0]["fired"])
    for seconds in (0.0, LEASE_SECONDS - 200):
        google.clock.advance(seconds / 3600)
        is_refused_again(google, dies)
    google.clock.advance(201 / 3600)
    document = finish(google, dies)
    check(dies, document, google)
    assert document["attempts"] == 2
