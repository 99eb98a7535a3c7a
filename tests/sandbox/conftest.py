"""A running sandbox for the tests: one per process, reset before every test."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud import storage

from sandbox.storage import storage_client
from sandbox.up import Sandbox

STAND_IN = Path(__file__).parent / "stand_in"


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with Sandbox(source=STAND_IN) as running:
        yield running


@pytest.fixture(autouse=True)
def _results_are_checked() -> None:
    """Checks nothing here: the stand-in function's documents contain only a count."""


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    """A sandbox with a stand-in function, reset before the test."""
    _running.clear()
    _running.delivery.set(backoff_seconds=0.02, max_backoff_seconds=0.2)
    return _running


@pytest.fixture
def faulty_client(sandbox: Sandbox) -> Iterator[storage.Client]:
    """A real storage client on the function's port: faults and the log apply to it."""
    client = storage_client(sandbox.storage.url)
    yield client
    client.close()
    # The client does not read the response of a download that it retries; its socket stays open.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del client
        gc.collect()
