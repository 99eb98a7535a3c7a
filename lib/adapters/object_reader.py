"""Reads the content of one generation of an object, and compares it with the object's checksum.

It is read in ranges. Each range is retried separately, and the next ones are fetched while the
current one is processed, so a broken connection costs one range, not the file.

A wrong byte would be a wrong value at Google, and the client library compares no checksum of a
range. So the reader computes the CRC32C of all stored bytes. Cloud Storage knows it of every
object, also of composite and of gzip-encoded ones, so this needs no further request:

    up to 8 MiB   compared before the first byte is returned
    larger        compared before the last range is returned

docs/recovery.md ("Wrong bytes") says what follows from a checksum error.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from fastcrc import crc32
from google.api_core import exceptions as api
from google.cloud import storage  # type: ignore[attr-defined]  # a namespace without types
from google.cloud.storage.retry import DEFAULT_RETRY

from lib.errors import CHECKSUM_MISMATCH, PermanentError
from lib.model import retries
from lib.state.store import StoredObject

RANGE_BYTES = 1 << 20
CHECKED_FIRST_BYTES = 8 << 20
"""An object up to this size is compared with its checksum before any of it is used. It is kept in
memory meanwhile."""
TIMEOUT_SECONDS = retries.STORAGE_TIMEOUT_SECONDS
RETRY = DEFAULT_RETRY.with_timeout(retries.STORAGE_SECONDS)
_RANGES_AHEAD = 2

Download = Callable[[storage.Client], bytes]


class FirstRange(NamedTuple):
    """The first range of an object. If it `is_whole`, it is all of the object, according to the
    checksum that came with it, and `source` has its size and checksums."""

    source: StoredObject
    content: bytes
    is_whole: bool

    def bytes_of(self, described: StoredObject) -> bytes:
        """Return the content if it is the first range of an object of this size. A connection that
        broke has brought less: then return b"", and the range is read again."""
        return self.content if len(self.content) == min(described.size, RANGE_BYTES) else b""


def read_first_range(source: StoredObject, client: storage.Client) -> FirstRange | None:
    """Return the first range of the live generation; None if it is not that of `source`.

    The answer names its generation, so no second request asks which one is live.
    """
    blob = client.bucket(source.bucket).blob(source.name)
    content = _download(blob, 0, RANGE_BYTES - 1)
    if int(blob.generation or 0) != source.generation:
        return None
    crc32c = blob.crc32c or ""
    if len(content) == RANGE_BYTES or not _has_checksum(crc32.iscsi(content), crc32c):
        return FirstRange(source, content, is_whole=False)
    described = replace(source, size=len(content), md5=blob.md5_hash or "", crc32c=crc32c)
    return FirstRange(described, content, is_whole=True)


def _has_checksum(crc: int, crc32c: str) -> bool:
    """Return whether a computed CRC32C is the one that storage gives, in Base64, its highest byte
    first. An unknown one ("") is no match."""
    return bool(crc32c) and crc == int.from_bytes(base64.b64decode(crc32c), "big")


def _download(blob: storage.Blob, start: int, end: int) -> bytes:
    """Read a range as it is stored: an object with `Content-Encoding: gzip` would otherwise not
    match its size and our ranges."""
    content: bytes = blob.download_as_bytes(
        start=start,
        end=end,
        raw_download=True,
        checksum=None,
        timeout=TIMEOUT_SECONDS,
        retry=None,
        single_shot_download=True,
    )
    return content


class ObjectReader:
    """A forward-only stream of the bytes of a generation, as they are stored.

    `request` runs a request with a client (`GoogleStore`). An empty object needs none. Raises
    `PermanentError` (SOURCE_GONE, CHECKSUM_MISMATCH), and `RetryableError`.
    """

    def __init__(
        self, source: StoredObject, request: Callable[[Download], bytes], first: bytes = b""
    ) -> None:
        """`first`: the first range, if it was read already."""
        self._source = source
        self._request = request
        self._first = first
        self._ranges = self._compared()
        self._buffer = b""
        self._position = 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, or b"" at the end."""
        if self._position >= len(self._buffer):
            self._buffer = next(self._ranges, b"")
            self._position = 0
        piece = self._buffer[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def _compared(self) -> Iterator[bytes]:
        """Yield the ranges. All of a small object are held until they are compared with its
        checksum, and only the last one of a large object. Nothing is compared of an empty one."""
        known = self._source.crc32c  # "": nothing is compared
        is_held = self._source.size <= CHECKED_FIRST_BYTES
        held: deque[bytes] = deque()
        crc, left = 0, self._source.size
        for content in self._fetched():
            crc = crc32.iscsi(content, crc)
            left -= len(content)
            held.append(content)
            if left <= 0 and known and not _has_checksum(crc, known):
                raise PermanentError(CHECKSUM_MISMATCH, "its bytes are not those in Cloud Storage")
            while held and (left <= 0 or not is_held):
                yield held.popleft()

    def _fetched(self) -> Iterator[bytes]:
        """Yield the ranges as they are read. The next ones are fetched meanwhile."""
        starts = range(0, self._source.size, RANGE_BYTES)
        if len(starts) <= 1:
            yield from map(self._fetch, starts)
            return
        pool = ThreadPoolExecutor(_RANGES_AHEAD, "download")
        try:
            ahead = deque(pool.submit(self._fetch, start) for start in starts[:_RANGES_AHEAD])
            for start in starts[_RANGES_AHEAD:]:
                content = ahead.popleft().result()
                ahead.append(pool.submit(self._fetch, start))
                yield content
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, start: int) -> bytes:
        """Return the range that begins at this byte."""
        if start == 0 and self._first:
            first, self._first = self._first, b""
            return first
        source = self._source
        # The last byte, which is part of the range.
        end = min(start + RANGE_BYTES, source.size) - 1

        def whole_range(client: storage.Client) -> bytes:
            blob = client.bucket(source.bucket).blob(source.name, generation=source.generation)
            content = _download(blob, start, end)
            if len(content) != end - start + 1:  # a broken connection
                raise ConnectionError("short read")
            return content

        try:
            return self._request(RETRY(whole_range))
        except (api.NotFound, api.RequestRangeNotSatisfiable):
            raise PermanentError("SOURCE_GONE", f"generation {source.generation}") from None
