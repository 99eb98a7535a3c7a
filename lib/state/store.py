"""The port to object storage: what a run needs of it, and no more.

`lib.adapters.gcs.GoogleStore` is the real one; tests put a dictionary in its place.
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

    Every method raises `lib.errors.RetryableError` when storage can't be reached within its retries.
    """

    def open(self, source: StoredObject) -> Readable:
        """Stream exactly that generation. Raises `PermanentError("SOURCE_GONE")` if it no longer exists."""
        ...

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        """Content and generation of the live version, or None."""
        ...

    def write(self, bucket: str, name: str, data: bytes, *, if_generation_match: int) -> int | None:
        """Write if the live generation is that one (0: none exists); the new generation.

        None when the precondition failed. A write whose answer was lost and that was sent again
        reads as failed too: who cares must look whose content is there.
        """
        ...

    def write_stream(
        self, bucket: str, name: str, pieces: Iterable[bytes], *, if_generation_match: int
    ) -> int | None:
        """`write` for content that need not fit into memory."""
        ...

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """All live objects below the prefix, in the order of their names."""
        ...

    def delete(self, bucket: str, name: str) -> None:
        """Remove the live version; nothing happens if there is none."""
        ...
