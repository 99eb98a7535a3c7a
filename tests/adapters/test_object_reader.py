"""The bytes of an object reach the function as they are stored, or not at all."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

import lib.adapters.object_reader as module
from lib.adapters.storage import GoogleStore
from lib.errors import PermanentError
from lib.state.store import Readable, StoredObject
from sandbox.faults import Faults
from sandbox.storage import Storage, storage_client
from sandbox.storage_requests import StorageRequest
from tests.adapters.conftest import BUCKET

RANGE = 1 << 12
CONTENT = bytes(range(256)) * 64  # four ranges
DIFFERS = "its bytes are not those in Cloud Storage"
_numbers = itertools.count()


def everything(stream: Readable) -> bytes:
    return b"".join(iter(partial(stream.read, 1000), b""))


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch, faults: Faults) -> Iterator[None]:
    monkeypatch.setattr(module, "RANGE_BYTES", RANGE)
    yield
    faults.clear()


@pytest.fixture
def store(storage: Storage) -> GoogleStore:
    return GoogleStore(lambda: storage_client(storage.url))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the content count as a large object."""
    monkeypatch.setattr(module, "CHECKED_FIRST_BYTES", len(CONTENT) - 1)


def put(storage: Storage, store: GoogleStore, content: bytes, encoding: str = "") -> StoredObject:
    """Upload an object, and return it as storage describes it."""
    blob = storage.client().bucket(BUCKET).blob(f"object{next(_numbers)}")
    blob.content_encoding = encoding or None
    blob.upload_from_string(content, content_type="text/csv")
    found = store.find(StoredObject(BUCKET, blob.name, int(blob.generation), 0))
    assert found is not None
    assert found.crc32c
    return found


def flip(faults: Faults, at: int, **when: object) -> None:
    faults.set([{"method": "get", "kind": "flip_bit_at_byte", "flip_bit_at_byte": at, **when}])


def read_until_refused(store: GoogleStore, source: StoredObject) -> tuple[bytes, str]:
    """Return the bytes that the reader has handed out, and why it stopped."""
    reader = store.open(source)
    pieces: list[bytes] = []
    with pytest.raises(PermanentError, match="CHECKSUM_MISMATCH") as refused:
        pieces.extend(iter(lambda: reader.read(1000), b""))
    return b"".join(pieces), refused.value.detail


def test_a_wrong_bit_in_a_small_object_lets_nothing_through(
    storage: Storage, store: GoogleStore, faults: Faults
) -> None:
    """Not a single byte is handed out, although only one bit of the second half is wrong."""
    source = put(storage, store, CONTENT)
    flip(faults, 3 * RANGE + 5)
    assert read_until_refused(store, source) == (b"", DIFFERS)


def test_a_wrong_bit_in_a_large_object_keeps_the_last_range_back(
    storage: Storage, store: GoogleStore, faults: Faults, large: None
) -> None:
    """The last chunk is never complete."""
    source = put(storage, store, CONTENT)
    flip(faults, RANGE + 5)
    content, detail = read_until_refused(store, source)
    assert len(content) == len(CONTENT) - RANGE
    assert detail == DIFFERS


def test_a_reader_that_is_dropped_fetches_no_more(
    storage: Storage, store: GoogleStore, calls: list[StorageRequest], large: None
) -> None:
    """A few ranges are fetched ahead, and the others only when they are needed."""
    source = put(storage, store, CONTENT)
    calls.clear()
    reader = store.open(source)
    assert reader.read(RANGE) == CONTENT[:RANGE]
    del reader
    assert len(calls) <= 3


@pytest.mark.parametrize("limit", [1, 1 << 20])
def test_the_comparison_needs_no_further_call(
    storage: Storage,
    store: GoogleStore,
    calls: list[StorageRequest],
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
) -> None:
    """Each range is read once."""
    monkeypatch.setattr(module, "CHECKED_FIRST_BYTES", limit)
    source = put(storage, store, CONTENT)
    assert everything(store.open(source)) == CONTENT
    # A call is logged after its answer, so those of other tests and of `put` may still come.
    reads = [each for each in calls if each.name == source.name and each.response_bytes >= RANGE]
    assert len(reads) == len(CONTENT) / RANGE


def test_an_object_with_content_encoding_gzip_arrives_as_it_is_stored(
    storage: Storage, store: GoogleStore
) -> None:
    """Storage would unpack it on the way; then neither size nor checksum would match."""
    packed = gzip.compress(CONTENT)
    source = put(storage, store, packed, encoding="gzip")
    assert everything(store.open(source)) == packed


@pytest.mark.parametrize("size", [0, 1, RANGE - 1, RANGE, RANGE + 1, len(CONTENT)])
def test_an_object_of_any_size_is_read(storage: Storage, store: GoogleStore, size: int) -> None:
    """Storage cannot answer with a range of an empty one."""
    source = put(storage, store, CONTENT[:size])
    assert everything(store.open(source)) == CONTENT[:size]


def test_an_object_without_a_known_checksum_is_read(storage: Storage, store: GoogleStore) -> None:
    """An event need not name the checksum: then there is nothing to compare."""
    source = put(storage, store, CONTENT)
    unknown = StoredObject(source.bucket, source.name, source.generation, source.size)
    assert everything(store.open(unknown)) == CONTENT


@pytest.mark.parametrize(("size", "number"), [(1, 1), (RANGE - 1, 1), (RANGE, 2), (0, 2)])
def test_the_live_object_is_read_in_one_call(
    storage: Storage, store: GoogleStore, calls: list[StorageRequest], size: int, number: int
) -> None:
    """Its first bytes come with its generation and checksum. Only of a large or an empty object,
    another call asks for the size."""
    source = put(storage, store, CONTENT[:size])
    calls.clear()
    opened = store.open_live(replace(source, size=0, md5="", crc32c=""))
    assert opened is not None
    assert everything(opened.stream) == CONTENT[:size]
    assert opened.source.has_bytes_of(source)
    assert len(calls) == number


def test_what_an_event_says_of_the_content_is_not_believed(
    storage: Storage, store: GoogleStore
) -> None:
    """Anybody who may call the function can write another size and checksum into an event."""
    source = put(storage, store, CONTENT)
    forged = replace(source, size=7, md5="1B2M2Y8AsgTpgAmY7PhCfg==", crc32c="AAAAAA==")
    opened = store.open_live(forged)
    assert opened is not None
    assert everything(opened.stream) == CONTENT
    assert opened.source == source


def test_an_object_that_is_not_the_live_one_is_not_opened(
    storage: Storage, store: GoogleStore
) -> None:
    """A newer generation has replaced it, or it is gone."""
    source = put(storage, store, CONTENT)
    blob = storage.client().bucket(BUCKET).blob(source.name)
    blob.upload_from_string(b"other", content_type="text/csv")
    assert store.open_live(source) is None
    blob.delete()
    assert store.open_live(source) is None
