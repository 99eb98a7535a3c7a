"""The real function in the sandbox; tests that need other settings start their own sandbox.

The sandbox is not emptied between tests: names, orders and clicks are new for every file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.up import Sandbox

FUNCTION = Path(__file__).parent / "function"
LEASE_SECONDS = 30.0
SETTINGS = {
    # No machine is too slow to renew this lease in time, or to wait for an answer.
    "LEASE_SECONDS": str(LEASE_SECONDS),
    "REQUEST_TIMEOUT_SECONDS": "30",
    "SWEEP_GRACE_MINUTES": "0",
    "READ_DIAGNOSTICS": "false",  # they change no outcome of a row
    # Some mixtures of faults kill more attempts in a row than this normally allows.
    "MAX_ATTEMPTS_WITHOUT_PROGRESS": "50",
}
_numbers = itertools.count()


@contextmanager
def running_function(**settings: str) -> Iterator[Sandbox]:
    """A sandbox with the function of this folder. The lease of a killed attempt ends at once."""
    with Sandbox(source=FUNCTION, env=SETTINGS | settings) as running:
        # The tests of a process together would exceed the 300 requests per minute of one project.
        running.state.data_manager.requests_per_minute = 1_000_000

        def kill() -> None:
            running.kill_working()
            running.clock.advance(LEASE_SECONDS / 3600)

        running.faults.on_kill = kill
        yield running


@pytest.fixture(scope="session")
def _shared() -> Iterator[Sandbox]:
    with running_function() as running:
        yield running


def retry_soon(google: Sandbox) -> None:
    """Let a failed delivery come again within moments."""
    google.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.2)


def empty(google: Sandbox) -> None:
    """Reset all that earlier tests have left, also the clock."""
    google.clear()
    retry_soon(google)


@contextmanager
def without_faults(running: Sandbox) -> Iterator[Sandbox]:
    """No faults and no pending deliveries. Fails if the function has shown a bug meanwhile."""
    running.faults.clear()
    running.delivery.reset()
    retry_soon(running)
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
