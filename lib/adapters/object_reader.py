"""Reads the content of one generation of an object.

It is read in ranges. Each range is retried separately, and the next one is fetched while the
current one is processed, so a broken connection costs one range, not the file.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from google.api_core import exceptions as api
from google.cloud import storage  # type: ignore[attr-defined]  # a namespace without types
from google.cloud.storage.retry import DEFAULT_RETRY

from lib.errors import PermanentError
from lib.state.store import StoredObject

RANGE_BYTES = 1 << 20
TIMEOUT_SECONDS = 30.0
RETRY = DEFAULT_RETRY.with_timeout(60.0)

Download = Callable[[storage.Client], bytes]


class ObjectReader:
    """Reads one generation of an object from start to end, and fetches one range ahead.

    `call` makes a call with a client (`GoogleStore`). An empty object needs no request.
    """

    def __init__(self, source: StoredObject, call: Callable[[Download], bytes]) -> None:
        self._source = source
        self._call = call
        self._size = source.size
        self._fetched = 0
        self._buffer = b""
        self._position = 0
        self._ahead: Future[bytes] | None = None
        self._pool: ThreadPoolExecutor | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes (-1: all that are left), or b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(RANGE_BYTES), b""))
        if self._position >= len(self._buffer):
            self._buffer = self._next_range()
            self._position = 0
        piece = self._buffer[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def _next_range(self) -> bytes:
        if self._ahead is None and self._fetched < self._size:
            current = self._fetch(self._fetched)
        elif self._ahead is not None:
            current = self._ahead.result()
            self._ahead = None
        else:
            if self._pool is not None:
                self._pool.shutdown(wait=False)
            return b""
        self._fetched += len(current)
        if self._fetched < self._size:
            self._pool = self._pool or ThreadPoolExecutor(1, "download")
            self._ahead = self._pool.submit(self._fetch, self._fetched)
        return current

    def _fetch(self, start: int) -> bytes:
        end = min(start + RANGE_BYTES, self._size) - 1
        source = self._source

        def whole_range(client: storage.Client) -> bytes:
            blob = client.bucket(source.bucket).blob(source.name, generation=source.generation)
            # raw: an object with `Content-Encoding: gzip` must arrive as it is stored, or it would
            # not match its size and our ranges. A short response means a broken connection.
            content: bytes = blob.download_as_bytes(
                start=start,
                end=end,
                raw_download=True,
                checksum=None,
                timeout=TIMEOUT_SECONDS,
                retry=None,
            )
            if len(content) != end - start + 1:
                raise ConnectionError("short read")
            return content

        try:
            return self._call(RETRY(whole_range))
        except (api.NotFound, api.RequestRangeNotSatisfiable):
            raise PermanentError("SOURCE_GONE", f"generation {source.generation}") from None
