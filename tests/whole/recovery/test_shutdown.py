"""The platform ends an instance that processes a file: SIGTERM, 10 seconds later SIGKILL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.model import deadline
from sandbox.up import Sandbox
from tests.whole.recovery.conftest import running_function
from tests.whole.recovery.files import UPLOADS, File, check, finish, log_lines, make_file, until

UPLOAD = UPLOADS["google_ads"]


@pytest.fixture(scope="module")
def google() -> Iterator[Sandbox]:
    """A function whose lease outlasts the test, so that only a saved end can be continued."""
    with running_function({"TIME_LIMIT_SECONDS": "900", "WINDOW": "1"}) as running:
        # An instance also creates its clients during its first delivery.
        finish(running, make_file("first.csv", 10, seed=1).drop(running))
        yield running


def ends(google: Sandbox, file: File) -> list[str]:
    """Return why the attempts ended that did not finish the file."""
    lines = log_lines(google, file)
    return [line["code"] for line in lines if line["event"] == "run_redelivered"]


def test_the_limits_of_the_platform_are_kept() -> None:
    """There is time to save answers that come after SIGTERM, and the end of the attempt."""
    assert deadline.SHUTDOWN_ANSWER_SECONDS < 7.5


def test_the_redelivery_continues_at_once(google: Sandbox) -> None:
    """No chunk starts after SIGTERM, the one in flight gets its marker, nothing is sent twice."""
    google.faults.set([{"method": UPLOAD, "kind": "latency_ms", "latency_ms": 2_000, "nth": 3}])
    file = make_file("ended.csv", 1_010, seed=6).drop(google)
    until(lambda: google.faults.fired()[0]["fired"])
    google.terminate_working()
    document = finish(google, file)
    check(file, document, google)
    assert document["attempts"] == 2
    sent = [each for each in google.state.requests if each.job_id == document["job_id"]]
    assert len(sent) == 6, "each chunk is sent once"
    assert ends(google, file) == ["SHUTDOWN"]
