"""The real function in the sandbox: one per process, emptied before every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.accounts import default_accounts
from sandbox.state import DataManagerLimits
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_bucket

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with Sandbox(source=ROOT) as running:
        yield running


@pytest.fixture
def google(_running: Sandbox) -> Iterator[Sandbox]:
    """A clean sandbox with the real function."""
    _running.clear()
    _running.state.data_manager = DataManagerLimits()
    _running.state.set_accounts(default_accounts())
    _running.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.5)
    yield _running
    check_bucket(_running.storage_client().bucket(OUTPUT_BUCKET))
