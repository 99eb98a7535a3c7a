"""The sandbox's APIs for the tests of the destinations. Each test file sets them back itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.apis import Apis, start_apis
from sandbox.faults import Faults
from sandbox.state import State


@pytest.fixture(scope="module")
def _apis(ca_directory: Path) -> Iterator[Apis]:
    running = start_apis(State(), Faults(), ca_directory)
    yield running
    running.close()
