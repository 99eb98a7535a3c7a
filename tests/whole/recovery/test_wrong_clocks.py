"""Two instances of which one has a wrong clock: leases hold, and end, as if both were right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.up import Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import check, finish, log_lines, make_file

LEASE_SECONDS = 3.0


@pytest.fixture(scope="module")
def two_instances() -> Iterator[Sandbox]:
    """Two processes of the function. The first of two deliveries goes to the first one."""
    settings = {
        **SETTINGS,
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "REQUEST_TIMEOUT_SECONDS": "10",
    }
    with Sandbox(source=FUNCTION, env=settings, instances=2) as running:
        running.delivery.set(backoff_seconds=0.2, max_backoff_seconds=0.3)
        yield running


def set_first_clock(google: Sandbox, off: int) -> None:
    """Make the clock of the first instance wrong by this many seconds."""
    assert google.function is not None
    port = google.function.instances[0].port
    (google.directory / f"run-{port}" / "clock_is_off").write_text(str(off), encoding="utf-8")


@pytest.mark.parametrize("off", [-3600, -90, 90, 3600])
def test_the_second_takes_over_when_the_lease_ends(two_instances: Sandbox, off: int) -> None:
    """Never while the first one works, and soon after it died; and every conversion counts once."""
    google = two_instances
    set_first_clock(google, off)
    google.delivery.set(duplicate=2, concurrency=2)
    slow = {"method": "UploadClickConversions", "kind": "latency_ms", "latency_ms": 900}

    google.faults.set([slow])
    works = make_file(f"works{off}.csv", 410, seed=1).drop(google)
    document = finish(google, works)
    check(works, document, google)
    assert document["attempts"] == 1

    google.faults.set([{"method": "UploadClickConversions", "nth": 2, "kind": "kill_after"}])
    dies = make_file(f"dies{off}.csv", 410, seed=2).drop(google)
    dropped = datetime.now(UTC)
    document = finish(google, dies)
    check(dies, document, google)
    # On a busy machine, the second can miss the short lease too.
    assert document["attempts"] in (2, 3)
    finished = datetime.fromisoformat(document["finished_at"])
    assert timedelta(0) < finished - dropped < timedelta(seconds=LEASE_SECONDS + 10)
    assert "lease_held" in {line["event"] for line in log_lines(google)}
