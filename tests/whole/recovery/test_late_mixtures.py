"""An API that counts later, under random faults at the upload and at every sweep after it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.state import RecordIndices
from sandbox.up import Sandbox
from tests.results_schema import check_results
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import LEASE_SECONDS, empty
from tests.whole.recovery.files import clicks_grow_old, make_file
from tests.whole.recovery.late_files import ask_later, check_late, is_settled, late_mixture

MODES: tuple[RecordIndices, ...] = ("all", "none", "some")


@pytest.fixture
def google(google: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, emptied, because the clock is moved for all pending runs."""
    empty(google)
    google.set_profiles({"default": DEFAULT_PROFILES["data_manager"]})
    yield google
    google.clear()
    google.state.data_manager.repeats_adjust = False
    google.state.data_manager.record_indices = "all"


# `make soak ROUTE=data_manager` tries many more.
@pytest.mark.parametrize("seed", range(3 if EVERY_CALL else 1))
def test_random_mixtures(google: Sandbox, new_name: Iterator[str], seed: int) -> None:
    """Whichever rows Google names, every row has one outcome, and every conversion counts once."""
    rng = random.Random(seed)
    mode = MODES[seed % 3]
    google.state.data_manager.record_indices = mode
    google.state.data_manager.repeats_adjust = rng.random() < 0.5
    google.faults.set(late_mixture(rng))
    file = make_file(next(new_name), rng.randint(20, 450), seed).drop(google)
    assert google.delivery.wait_until_idle()
    for hours in (0.6, 6.0):
        google.faults.set(late_mixture(rng))
        ask_later(google, hours)
    google.faults.clear()
    clicks_grow_old(google, file)
    for _ in range(20):
        if is_settled(document := google.results(file.name, file.generation)):
            break
        google.clock.advance(LEASE_SECONDS / 3600)
        ask_later(google, 2)
    check_late(file, check_results(document), google.state.accepted, mode)
