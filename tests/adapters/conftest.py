"""The sandbox's storage, without a function."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sandbox.faults import Faults
from sandbox.processes import Processes
from sandbox.storage import Storage
from sandbox.storage_calls import StorageCall
from sandbox.storage_proxy import Hooks

BUCKET = "some-bucket"


@pytest.fixture(scope="session")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="session")
def calls() -> list[StorageCall]:
    """The calls that storage has answered."""
    return []


@pytest.fixture(scope="session")
def storage(
    tmp_path_factory: pytest.TempPathFactory, faults: Faults, calls: list[StorageCall]
) -> Iterator[Storage]:
    """The sandbox's storage, with one bucket."""
    hooks = Hooks(
        faults.decide, calls.append, lambda created: None, lambda: None, lambda: datetime.now(UTC)
    )
    processes = Processes()
    storage = Storage(processes, hooks, tmp_path_factory.mktemp("storage") / "log")
    storage.create_bucket(BUCKET)
    yield storage
    storage.close()
    processes.close()
