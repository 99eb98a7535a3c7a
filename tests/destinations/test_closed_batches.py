"""A chunk that waits for its answer is in memory once: as the bytes that are sent."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from lib.destinations.base import Batch
from lib.destinations.data_manager.messages import EventBatch, EventDefaults
from lib.destinations.google_ads.messages import AdsBatch
from tests.destinations.google_ads.ads_records import conversion

ROWS = 2_000


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("new", [lambda: AdsBatch(7, False), lambda: EventBatch(EventDefaults())])
def test_a_closed_batch_has_only_its_bytes(new: Callable[[], Batch], traced: None) -> None:
    """The texts of its rows, of which the bytes are made, are released."""
    rows = [
        conversion(order_id=f"order-{number}", hashed_emails=("5f" * 32,)) for number in range(ROWS)
    ]
    batch = new()
    before, _ = tracemalloc.get_traced_memory()
    for row in rows:
        batch.add(row)
    size = batch.close()
    after, _ = tracemalloc.get_traced_memory()
    assert len(batch) == ROWS
    assert size < after - before < 1.5 * size
