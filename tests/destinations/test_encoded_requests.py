"""A chunk that waits for its answer is in memory once: as the bytes that are sent."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from lib.destinations.base import EncodedRequest
from lib.destinations.data_manager import messages as event_messages
from lib.destinations.google_ads import messages as ads_messages
from lib.model.records import Conversion
from tests.destinations.google_ads.ads_records import conversion
from tests.destinations.sending import CUSTOMER

ROWS = 2_000

Encode = Callable[[Sequence[Conversion]], Sequence[EncodedRequest]]


def ads(rows: Sequence[Conversion]) -> Sequence[EncodedRequest]:
    return ads_messages.encode("conversion", rows, CUSTOMER, 7, validate_only=False)


def events(rows: Sequence[Conversion]) -> Sequence[EncodedRequest]:
    return event_messages.encode("conversion", rows, CUSTOMER, event_messages.EventDefaults())


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("encode", [ads, events])
def test_a_request_has_only_its_bytes(encode: Encode, traced: None) -> None:
    """The texts of its rows, of which the bytes are made, are released."""
    rows = [
        conversion(order_id=f"order-{number}", hashed_emails=("5f" * 32,)) for number in range(ROWS)
    ]
    before, _ = tracemalloc.get_traced_memory()
    requests: Any = encode(rows)
    after, _ = tracemalloc.get_traced_memory()
    size = sum(len(request.content) for request in requests)
    assert sum(request.size for request in requests) == ROWS
    assert size < after - before < 1.5 * size


@pytest.mark.parametrize("encode", [ads, events])
def test_no_record_makes_no_request(encode: Encode) -> None:
    """The rules may have refused every row of a chunk."""
    assert list(encode([])) == []
