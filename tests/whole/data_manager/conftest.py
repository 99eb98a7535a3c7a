"""The real function in the sandbox, for files that go to the Data Manager API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.state import DataManagerLimits
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_bucket

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    # What an earlier test has looked up would change how a file is checked (test_lookup.py).
    env = {"LEASE_SECONDS": "60", "LOOK_UP_ACCOUNTS": "false"}
    with Sandbox(source=ROOT, env=env) as running:
        yield running


@pytest.fixture
def google(_running: Sandbox) -> Iterator[Sandbox]:
    """A clean sandbox with the real function, whose root folder uses the Data Manager API."""
    _running.clear()
    _running.state.data_manager = DataManagerLimits()
    _running.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.5)
    _running.set_profiles(
        {
            "default": {
                "destination": "data_manager",
                "customer_id": "1234567890",
                "conversion_action": "1001",
                "currency_code": "USD",
                "event_source": "PHONE",
            }
        }
    )
    yield _running
    check_bucket(_running.storage_client().bucket(OUTPUT_BUCKET))
