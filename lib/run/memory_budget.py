"""How many chunks are in memory at a time: limited by their number, and by the size of requests."""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

MOST_BYTES: Final = 6 << 20
"""Seven times the request of 2,000 ordinary rows. In memory, a request of custom variables or cart
items needs four to six times its size (docs/performance.md)."""


class ChunkMemory(NamedTuple):
    """What a chunk has in memory: the bytes of its requests, and the characters of its rows.

    Rows that were refused are in no request, but their outcomes need memory too.
    """

    request_bytes: int
    characters: int


class MemoryBudget:
    """Counts the chunks that are prepared or in flight, and what they have in memory.

    There are at most `chunks`, and `more` of them if all are light. One chunk may exceed the bytes,
    because its load is known only after it was prepared.
    """

    def __init__(self, chunks: int, more: int = 0, most_bytes: int = MOST_BYTES) -> None:
        self._most_chunks = chunks
        self._more = more
        self._most_bytes = most_bytes
        self._chunks = 0
        self._bytes = 0
        self._weight = 0
        self._changed = threading.Condition()

    def wait(self) -> None:
        """Wait until another chunk may be prepared, and count it."""
        with self._changed:
            self._changed.wait_for(self._is_free)
            self._chunks += 1

    def _is_free(self) -> bool:
        is_light = self._weight < self._most_bytes
        most = self._most_chunks + (self._more if is_light else 0)
        return self._chunks < most and self._bytes < self._most_bytes

    def fill(self, load: ChunkMemory) -> None:
        """Count the load of a prepared chunk."""
        with self._changed:
            self._bytes += load.request_bytes
            self._weight += max(load)

    def leave(self, load: ChunkMemory) -> None:
        """Forget a chunk that was answered."""
        with self._changed:
            self._chunks -= 1
            self._bytes -= load.request_bytes
            self._weight -= max(load)
            self._changed.notify()
