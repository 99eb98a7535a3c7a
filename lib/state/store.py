"""The port to object storage: only what a run needs.

`lib.adapters.gcs.GoogleStore` is the real store. Tests use a dictionary instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of an object, as an event or a listing names it."""

    bucket: str
    name: str
    generation: int
    size: int
    md5: str = ""
    created: datetime | None = None
    updated: datetime | None = None


class Readable(Protocol):
    """A forward-only stream of bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


class Store(Protocol):
    """Object storage with generation preconditions.

    Every method raises `RetryableError` if storage cannot be reached within its retries.
    """

    def find(self, source: StoredObject) -> StoredObject | None:
        """Return this generation, live or noncurrent, as storage describes it now, or None."""
        ...

    def open(self, source: StoredObject) -> Readable:
        """Stream this generation. Raises `PermanentError` (SOURCE_GONE) if it no longer exists."""
        ...

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        """Return content and generation of the live version, or None."""
        ...

    def write(self, bucket: str, name: str, data: bytes, *, if_generation_match: int) -> int | None:
        """Write if the live generation is this one (0: none exists). Return the new generation.

        Returns None if the precondition failed. This includes a successful write that was sent
        again because its answer was lost: if it matters, the caller must check whose content it is.
        """
        ...

    def write_stream(
        self, bucket: str, name: str, pieces: Iterable[bytes], *, if_generation_match: int
    ) -> int | None:
        """Do the same as `write`, for content that may not fit into memory."""
        ...

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Return all live objects below the prefix, in the order of their names."""
        ...

    def delete(self, bucket: str, name: str) -> None:
        """Delete the live version, if there is one."""
        ...
