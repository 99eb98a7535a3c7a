"""The real function in the sandbox; tests that need other settings start their own sandbox.

The sandbox is not emptied between tests: names, orders and clicks are new for every file.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.up import Sandbox

EVERY_CALL = bool(os.environ.get("EVERY_CALL"))
"""`make soak` and `.ci/run` kill the function at every call, `make test` at a sample of them."""

FUNCTION = Path(__file__).parent / "function"
SETTINGS = {
    "LEASE_SECONDS": "0.5",
    "REQUEST_TIMEOUT_SECONDS": "1",
    "SWEEP_GRACE_MINUTES": "0",
    "READ_DIAGNOSTICS": "false",  # they change no outcome of a row
    # Some mixtures of faults kill more attempts in a row than this normally allows.
    "MAX_ATTEMPTS_WITHOUT_PROGRESS": "50",
}
_numbers = itertools.count()


@contextmanager
def _running(settings: Mapping[str, str]) -> Iterator[Sandbox]:
    with Sandbox(source=FUNCTION, env=settings) as running:
        # The tests of a process together would exceed the 300 requests per minute of one project.
        running.state.data_manager.requests_per_minute = 1_000_000
        yield running


@pytest.fixture(scope="session")
def _shared() -> Iterator[Sandbox]:
    with _running(SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def patient() -> Iterator[Sandbox]:
    """A function that waits for every answer, for tests that count what is sent or read again.

    On a busy machine, an answer can take longer than a second.
    """
    with _running({**SETTINGS, "REQUEST_TIMEOUT_SECONDS": "30"}) as running:
        yield running


@contextmanager
def without_faults(running: Sandbox) -> Iterator[Sandbox]:
    """No faults and no pending deliveries. Fails if the function has shown a bug meanwhile."""
    running.faults.clear()
    running.delivery.reset()
    running.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.2)
    faults_of_ours = running.function_output().count('"unexpected_error"')
    yield running
    running.faults.clear()
    running.clock.reset()
    running.delivery.wait_until_idle()
    assert running.function_output().count('"unexpected_error"') == faults_of_ours


@pytest.fixture
def google(_shared: Sandbox) -> Iterator[Sandbox]:
    """A sandbox with the real function, shared by all tests of a process."""
    with without_faults(_shared):
        yield _shared


@pytest.fixture
def new_name() -> Iterator[str]:
    """Names that no other file of this process has."""
    return (f"file{number}.csv" for number in _numbers)
