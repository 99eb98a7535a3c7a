"""The chunks in flight: how many are sent at a time, and how many are in memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from lib.model.chunk_outcomes import ChunkOutcomes

MAX_BYTES: Final = 6 << 20
"""Seven times the request of 2,000 ordinary rows. In memory, a request of custom variables or cart
items needs four to six times its size (docs/performance.md)."""

_WINDOWS_AHEAD: Final = 4
"""While a chunk awaits its answer, later ones are sent, but only until this many times the window
are in flight: outcomes are collected in file order."""


class Window:
    """Sends chunks in separate threads, at most `size` at a time, and collects their outcomes in
    file order.

    The first chunk goes alone until its answer is understood: what is wrong with all rows is found
    with the first ones. On exit, the answers to all requests in flight are awaited.
    """

    def __init__(self, size: int, collect: Callable[[ChunkOutcomes], None]) -> None:
        self._size = size
        self._collect = collect
        self._in_flight: deque[Future[ChunkOutcomes]] = deque()
        self._has_started = False
        # A chunk stays in memory until it is answered: one more than can be in flight, so that the
        # next one is ready. Outcomes that wait for the marker or for a slow chunk have no rows.
        self._memory = MemoryBudget(size + 1)
        self._pool = ThreadPoolExecutor(size, "send")

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.collect_all()
        finally:
            self._pool.shutdown()

    def reserve_chunk(self) -> None:
        """Wait until another chunk may be in memory, and count it.

        Meanwhile, collect the outcomes of the chunks that are answered, as far as all before them
        are. If too many chunks are ahead of a slow one, wait for that one.
        """
        self._memory.reserve_chunk()
        while self._in_flight:
            is_answered = self._in_flight[0].done()
            if not is_answered and len(self._in_flight) < _WINDOWS_AHEAD * self._size:
                return
            self._collect_first()

    def start(self, send: Callable[[], ChunkOutcomes], request_bytes: int) -> None:
        """Send a chunk in a separate thread. `request_bytes` is the size of its requests.

        The chunk must have been reserved (`reserve_chunk`); when it is answered, its place is free.
        """
        self._memory.add_requests(request_bytes)
        self._in_flight.append(self._pool.submit(self._send, send, request_bytes))
        if not self._has_started:
            self._has_started = True
            self.collect_all()

    def collect_all(self) -> None:
        """Wait for the answers to all chunks in flight."""
        while self._in_flight:
            self._collect_first()

    def _collect_first(self) -> None:
        self._collect(self._in_flight.popleft().result())

    def _send(self, send: Callable[[], ChunkOutcomes], request_bytes: int) -> ChunkOutcomes:
        try:
            return send()
        finally:
            self._memory.forget_chunk(request_bytes)


class MemoryBudget:
    """Counts the chunks that are prepared or in flight, and the bytes of their requests.

    One chunk may exceed the bytes, because they are known only after it was prepared.
    """

    def __init__(self, chunks: int) -> None:
        self._most_chunks = chunks
        self._chunks = 0
        self._bytes = 0
        self._changed = threading.Condition()

    def reserve_chunk(self) -> None:
        """Wait until another chunk may be prepared, and count it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._chunks < self._most_chunks and self._bytes < MAX_BYTES
            )
            self._chunks += 1

    def add_requests(self, request_bytes: int) -> None:
        """Count the requests of a prepared chunk."""
        with self._changed:
            self._bytes += request_bytes

    def forget_chunk(self, request_bytes: int) -> None:
        """Forget a chunk whose sending has ended."""
        with self._changed:
            self._chunks -= 1
            self._bytes -= request_bytes
            self._changed.notify()
