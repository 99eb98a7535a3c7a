"""The sandbox's APIs for the tests of the destinations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.accounts import default_accounts
from sandbox.apis import Apis, start_apis
from sandbox.faults import Faults
from sandbox.state import State


@pytest.fixture(scope="module")
def _apis(ca_directory: Path) -> Iterator[Apis]:
    running = start_apis(State(), Faults(), ca_directory)
    yield running
    running.close()


@pytest.fixture
def apis(_apis: Apis) -> Apis:
    """The APIs in their initial state. A test file may add to it, in a fixture of the same name."""
    _apis.state.clear()
    _apis.faults.clear()
    _apis.state.set_accounts(default_accounts())
    return _apis
