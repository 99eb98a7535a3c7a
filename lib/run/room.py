"""How many chunks are in memory at a time: limited by their number, and by the size of requests."""

from __future__ import annotations

import threading
from typing import Final

MOST_BYTES: Final = 6 << 20
"""Seven times the request of 2,000 ordinary rows. In memory, a request of custom variables or cart
items needs four to six times its size (docs/performance.md)."""


class Room:
    """Counts the chunks that are prepared or in flight, and the bytes of their requests.

    One chunk may exceed the bytes, because its size is known only after it was prepared.
    """

    def __init__(self, chunks: int, most_bytes: int = MOST_BYTES) -> None:
        self._most_chunks = chunks
        self._most_bytes = most_bytes
        self._chunks = 0
        self._bytes = 0
        self._changed = threading.Condition()

    def wait(self) -> None:
        """Wait until another chunk may be prepared, and count it."""
        with self._changed:
            self._changed.wait_for(self._is_free)
            self._chunks += 1

    def _is_free(self) -> bool:
        return self._chunks < self._most_chunks and self._bytes < self._most_bytes

    def fill(self, size: int) -> None:
        """Count the bytes of a prepared chunk."""
        with self._changed:
            self._bytes += size

    def leave(self, size: int) -> None:
        """Forget a chunk that was answered."""
        with self._changed:
            self._chunks -= 1
            self._bytes -= size
            self._changed.notify()
