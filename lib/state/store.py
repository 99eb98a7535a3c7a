"""The port to object storage: only what a run needs.

`lib.adapters.storage.GoogleStore` is the real store. Tests use a dictionary instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from lib.model.outcomes import SavedTime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of an object, as storage or an event describes it.

    `created` is when this version came. A change of its metadata does not move it. A checksum that
    is not known is empty: composite objects have no MD5
    (https://cloud.google.com/storage/docs/composite-objects).
    """

    bucket: str
    name: str
    generation: int
    size: int
    md5: str = ""
    created: SavedTime | None = None
    crc32c: str = ""

    def has_bytes_of(self, other: StoredObject) -> bool:
        """Return whether the bytes are the same, according to every checksum that both have."""
        pairs = (self.md5, other.md5), (self.crc32c, other.crc32c)
        checksums = [pair for pair in pairs if all(pair)]
        return self.size == other.size and bool(checksums) and all(a == b for a, b in checksums)


class ObjectMetadata(NamedTuple):
    """What is stored beside the bytes of an object that we write. Browsers read its type and its
    cache control, and listings show what is `custom`."""

    content_type: str = "application/json"
    cache_control: str = ""
    custom: Mapping[str, str] = {}


INTERNAL = ObjectMetadata()
"""The metadata of an object that only the function reads."""


class ListedObject(NamedTuple):
    """An object in a listing, with its custom metadata, and when this version was written. Only for
    objects that we have written."""

    name: str
    custom: Mapping[str, str]
    created: datetime


class Readable(Protocol):
    """A forward-only stream of bytes."""

    def read(self, size: int, /) -> bytes: ...


class OpenedObject(NamedTuple):
    """A version of an object, and its bytes. What it says of them is storage's word."""

    source: StoredObject
    stream: Readable


class Store(Protocol):
    """Object storage with generation preconditions.

    Every method raises `RetryableError` if storage cannot be reached within its retries.
    """

    def find(self, source: StoredObject) -> StoredObject | None:
        """Return this generation, live or noncurrent, as storage describes it, or None."""
        ...

    def find_live(self, bucket: str, name: str) -> StoredObject | None:
        """Return the live generation of an object, or None."""
        ...

    def open_live(self, source: StoredObject) -> OpenedObject | None:
        """Stream this generation if it is the live one; None: it is not.

        A small object costs one call: size and checksum come with its bytes. Nothing that `source`
        says of the content is used, because an event can be forged.
        """
        ...

    def open(self, source: StoredObject) -> Readable:
        """Stream this generation, as `find` or `find_live` has described it. Raises
        `PermanentError` (SOURCE_GONE) if it no longer exists."""
        ...

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        """Return content and generation of the live version. None: there is none, or no bucket."""
        ...

    def write(
        self,
        bucket: str,
        name: str,
        data: bytes,
        *,
        if_generation_match: int,
        metadata: ObjectMetadata = INTERNAL,
    ) -> int | None:
        """Write if the live generation is this one (0: none exists). Return the new generation.

        Returns None if the precondition failed. This includes a successful write that was sent
        again because its answer was lost: if it matters, the caller must check whose content it is.
        """
        ...

    def write_stream(
        self,
        bucket: str,
        name: str,
        pieces: Iterable[bytes],
        *,
        if_generation_match: int,
        metadata: ObjectMetadata = INTERNAL,
    ) -> int | None:
        """Do the same as `write`, for content that may not fit into memory."""
        ...

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Return all live objects below the prefix, in the order of their names."""
        ...

    def list_with_metadata(self, bucket: str, prefix: str = "") -> Iterator[ListedObject]:
        """Return all live objects below the prefix with their metadata, in their order."""
        ...
