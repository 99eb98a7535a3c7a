"""The platform ends an instance that processes a file: SIGTERM, 10 seconds later SIGKILL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.model import deadline
from sandbox.up import Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS, retry_soon
from tests.whole.recovery.files import File, check, finish, log_lines, make_file, until

UPLOAD = "google_ads.UploadClickConversions"


@pytest.fixture(scope="module")
def google() -> Iterator[Sandbox]:
    """A function whose lease outlasts the test: only a lease that is given back can be taken."""
    settings = {**SETTINGS, "LEASE_SECONDS": "600", "REQUEST_TIMEOUT_SECONDS": "600", "WINDOW": "1"}
    with Sandbox(source=FUNCTION, env=settings) as running:
        retry_soon(running)
        # An instance also creates its clients during its first delivery.
        finish(running, make_file("first.csv", 10, seed=1).drop(running))
        yield running


def uploads(google: Sandbox) -> list[Any]:
    return [each for each in google.state.requests if each.method == UPLOAD]


def taken(google: Sandbox, file: File) -> int:
    """Return how many attempts have begun."""
    return sum(line["event"] == "claim_taken" for line in events(google, file))


def events(google: Sandbox, file: File) -> list[dict[str, Any]]:
    return [line for line in log_lines(google) if file.name in line.get("run_id", "")]


def test_the_limits_of_the_platform_are_kept() -> None:
    """The lease is given back within 8 seconds, and answers that come before that are saved."""
    assert deadline.SHUTDOWN_ANSWER_SECONDS < deadline.SHUTDOWN_RELEASE_SECONDS < 7.5


def test_the_redelivery_continues_at_once(google: Sandbox) -> None:
    """No chunk starts after SIGTERM, the one in flight gets its marker, nothing is sent twice."""
    google.faults.set([{"method": UPLOAD, "kind": "latency_ms", "latency_ms": 2_000, "nth": 3}])
    file = make_file("ended.csv", 1_010, seed=6)
    before = len(uploads(google))
    file.drop(google)
    until(lambda: google.faults.fired()[0]["fired"])
    google.terminate_working()
    document = finish(google, file)
    check(file, document, google)
    assert document["attempts"] == 2
    assert len(uploads(google)) == before + 6, "each chunk is sent once"
    ended = [line for line in events(google, file) if line["event"] == "run_redelivered"]
    assert [line["code"] for line in ended] == ["SHUTDOWN"]


def test_a_request_that_hangs_does_not_keep_the_lease(google: Sandbox) -> None:
    """The lease is given back whatever the run waits for, and another instance continues."""
    google.delivery.set(duplicate=2, concurrency=2)
    google.faults.set([{"method": UPLOAD, "kind": "hang", "seconds": 600, "nth": 1}])
    file = make_file("hanging.csv", 410, seed=6).drop(google)
    until(lambda: google.faults.fired()[0]["fired"])
    google.terminate_working()
    until(lambda: taken(google, file) == 2)
    # The first delivery itself ends only with SIGKILL.
    document = google.results(file.name, file.generation)
    check(file, document, google)
    assert document["attempts"] == 2
