"""The real function in the sandbox; tests that need other settings start their own sandbox.

The sandbox is not emptied between tests: names, orders and clicks are new for every file.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.accounts import default_accounts
from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.whole.recovery.files import FOLDERS

FUNCTION = Path(__file__).parent / "function"
LEASE_SECONDS = 60.0
SETTINGS = {
    # An attempt takes a second. No machine is too slow to end one in time, or to wait for answers.
    "TIME_LIMIT_SECONDS": str(LEASE_SECONDS),
    "DEADLINE_MARGIN_SECONDS": "5",
    "REQUEST_TIMEOUT_SECONDS": "30",
    "SWEEP_GRACE_MINUTES": "0",
    "READ_DIAGNOSTICS": "false",  # they change no outcome of a row
}
UNSEEN = "7777777777"
"""An account that nobody may read, so that Google itself refuses rows of unknown actions."""
PROFILES = {
    **DEFAULT_PROFILES,
    "data_manager": {**DEFAULT_PROFILES["data_manager"], "customer_id": UNSEEN},
}
_numbers = itertools.count()


@contextmanager
def running_function(settings: dict[str, str] | None = None, **options: Any) -> Iterator[Sandbox]:
    """A sandbox with the function of this folder. The lease of a killed attempt ends at once."""
    with Sandbox(source=FUNCTION, env=SETTINGS | (settings or {}), **options) as running:
        # The tests of a process together would exceed the 300 requests per minute of one project.
        running.state.data_manager.requests_per_minute = 1_000_000
        first, *others = default_accounts()
        unseen = replace(first, customer_id=UNSEEN, readable=False)
        running.state.set_accounts([first, *others, unseen])
        running.set_profiles(PROFILES)
        running.faults.on_kill = lambda: (running.kill_working(), leases_end(running))
        retry_soon(running)
        yield running


def leases_end(google: Sandbox) -> None:
    """Let so much time pass that no attempt has a lease any more."""
    google.clock.advance((LEASE_SECONDS + 1) / 3600)


def retry_soon(google: Sandbox) -> None:
    """Let a failed delivery come again within moments."""
    google.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.2)


@pytest.fixture(scope="session")
def _shared() -> Iterator[Sandbox]:
    with running_function() as running:
        yield running


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
def new_name() -> Callable[..., str]:
    """Return names that no other file of this process has, in the folder of an API."""

    def name(route: str = "google_ads") -> str:
        return f"{FOLDERS[route]}file{next(_numbers)}.csv"

    return name
