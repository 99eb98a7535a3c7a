"""The real function in the sandbox, for files that go to the Data Manager API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.state import DataManagerLimits
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_bucket

ROOT = Path(__file__).parents[3]
PROFILE = {
    "destination": "data_manager",
    "customer_id": "1234567890",
    "expect": "any time",
    "action": "1001",
    "currency_code": "USD",
    "event_source": "PHONE",
}


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    env = {"LEASE_SECONDS": "60"}
    with Sandbox(source=ROOT, env=env) as running:
        yield running


@pytest.fixture
def google(_running: Sandbox) -> Iterator[Sandbox]:
    """A clean sandbox with the real function, whose root folder uses the Data Manager API."""
    _running.clear()
    _running.state.data_manager = DataManagerLimits()
    _running.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.5)
    _running.set_profiles({"default": PROFILE})
    yield _running
    check_bucket(_running.storage_client().bucket(OUTPUT_BUCKET))
