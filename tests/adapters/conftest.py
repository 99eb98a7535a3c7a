"""The sandbox's storage, without a function."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.faults import Faults
from sandbox.processes import Processes
from sandbox.storage import Storage
from sandbox.storage_proxy import Hooks
from sandbox.storage_requests import StorageRequest

BUCKET = "some-bucket"


@pytest.fixture(scope="session")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="session")
def calls() -> list[StorageRequest]:
    """The calls that storage has answered."""
    return []


@pytest.fixture(scope="session")
def storage(
    tmp_path_factory: pytest.TempPathFactory, faults: Faults, calls: list[StorageRequest]
) -> Iterator[Storage]:
    """The sandbox's storage, with one bucket."""
    hooks = Hooks(decide=faults.decide, log=calls.append)
    processes = Processes()
    storage = Storage(processes, hooks, tmp_path_factory.mktemp("storage") / "log")
    storage.create_bucket(BUCKET)
    yield storage
    storage.close()
    processes.close()
