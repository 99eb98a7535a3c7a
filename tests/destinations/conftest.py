"""The sandbox's APIs for the tests of the destinations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apis import Apis, start_apis
from sandbox.faults import Faults
from sandbox.state import DataManagerLimits, State


@pytest.fixture(scope="module")
def _apis(ca_directory: Path) -> Iterator[Apis]:
    running = start_apis(State(), Faults(), ca_directory)
    yield running
    running.close()


@pytest.fixture
def apis(_apis: Apis) -> Apis:
    """The APIs in their initial state."""
    _apis.state.clear()
    _apis.faults.clear()
    _apis.state.data_manager = DataManagerLimits()
    _apis.state.refuse_tokens = False
    _apis.state.instance_has_account = True
    return _apis
