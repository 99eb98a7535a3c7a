"""Reads the content of one generation of an object, and compares it with the object's checksum.

It is read in ranges. Each range is retried separately, and the next one is fetched while the
current one is processed, so a broken connection costs one range, not the file.

A wrong byte would be a wrong value at Google, and the client library compares no checksum of a
range. So the reader computes the CRC32C of all stored bytes. Cloud Storage knows it of every
object, also of composite and of gzip-encoded ones, so this needs no further request:

    up to 32 MiB   compared before the first byte is returned. The beginning is kept meanwhile; the
                   other ranges are fetched again, and compared with their first content
    larger         compared before the last range is returned

docs/recovery.md ("Wrong bytes") says what follows from a checksum error.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, NamedTuple

import google_crc32c
from google.api_core import exceptions as api
from google.cloud import storage  # type: ignore[attr-defined]  # a namespace without types
from google.cloud.storage.retry import DEFAULT_RETRY

from lib.errors import PermanentError, RetryableError
from lib.model import retries
from lib.state.store import StoredObject

RANGE_BYTES = 1 << 20
CHECKED_FIRST_BYTES = 32 << 20
"""An object up to this size is compared with its checksum before any of it is used."""
KEPT_BYTES = 4 << 20
"""This much of it is kept meanwhile. Fetching the rest again costs less than keeping it."""
TIMEOUT_SECONDS = retries.STORAGE_TIMEOUT_SECONDS
RETRY = DEFAULT_RETRY.with_timeout(retries.STORAGE_SECONDS)
_RANGES_AT_A_TIME = 4

Download = Callable[[storage.Client], bytes]


class FirstRange(NamedTuple):
    """The beginning of an object, and the object as the headers of the answer describe it.

    `described` is None if a header is missing.
    """

    content: bytes
    described: StoredObject | None


class _AnsweredBlob(storage.Blob):  # type: ignore[misc]  # the library has no types
    """An object that keeps the headers of its download: the library passes on only some of them."""

    headers: Mapping[str, str] = {}

    def _extract_headers_from_download(self, response: Any) -> None:
        super()._extract_headers_from_download(response)
        self.headers = response.headers


def read_first_range(bucket: str, name: str, client: storage.Client) -> FirstRange:
    """Read the beginning of the live generation of an object, and what the headers say about it.

    The headers are standard ones and those that the client library reads too
    (https://cloud.google.com/storage/docs/xml-api/reference-headers).
    """
    blob = _AnsweredBlob(name, client.bucket(bucket))
    content = _download(blob, 0, RANGE_BYTES - 1)
    described = _described(bucket, blob)
    if described is not None and len(content) != min(described.size, RANGE_BYTES):
        raise ConnectionError("short read")
    return FirstRange(content, described)


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


def _described(bucket: str, blob: _AnsweredBlob) -> StoredObject | None:
    ends = re.fullmatch(r"bytes 0-\d+/(\d+)", blob.headers.get("Content-Range", ""))
    try:
        updated = parsedate_to_datetime(blob.headers.get("Last-Modified", "")).replace(tzinfo=UTC)
    except ValueError:
        return None
    if ends is None or not blob.generation or not blob.crc32c:
        return None
    return StoredObject(
        bucket=bucket,
        name=blob.name,
        generation=int(blob.generation),
        size=int(ends[1]),
        md5=blob.md5_hash or "",
        created=updated,
        updated=updated,
        crc32c=blob.crc32c,
    )


class ObjectReader:
    """A forward-only stream of the bytes of a generation, as they are stored.

    `request` runs a request with a client (`GoogleStore`). An empty object needs none. Raises
    `PermanentError` (SOURCE_GONE, CHECKSUM_MISMATCH), and `RetryableError`.
    """

    def __init__(
        self, source: StoredObject, request: Callable[[Download], bytes], first: bytes | None = None
    ) -> None:
        """`first`: the content of the first range, if it was read already."""
        self._source = source
        self._request = request
        self._first = first
        self._starts = deque(range(0, source.size, RANGE_BYTES))
        self._kept: deque[bytes] = deque()
        self._sums: list[int] = []
        """The checksum of each range that was read, in their order."""
        self._crc = 0
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
        is_compared_first = (
            bool(self._source.crc32c) and 0 < self._source.size <= CHECKED_FIRST_BYTES
        )
        if is_compared_first and not self._sums:
            self._compare_first()
        if self._kept:
            return self._kept.popleft()
        if not self._starts:
            if self._pool is not None:
                self._pool.shutdown(wait=False)
            return b""
        start = self._starts.popleft()
        current = self._ahead.result() if self._ahead is not None else self._fetch(start)
        self._fetch_ahead()
        if is_compared_first:
            return self._as_compared(start, current)
        if not self._source.crc32c:
            return current
        self._sums.append(google_crc32c.value(current))
        self._crc = google_crc32c.extend(self._crc, current)
        if not self._starts and self._crc != self._expected:
            return self._last_range_again()
        return current

    def _fetch_ahead(self) -> None:
        """Begin to fetch the next range, if there is one."""
        if self._starts:
            self._pool = self._pool or ThreadPoolExecutor(1, "download")
            self._ahead = self._pool.submit(self._fetch, self._starts[0])

    @property
    def _expected(self) -> int:
        return int.from_bytes(base64.b64decode(self._source.crc32c), "big")

    def _compare_first(self) -> None:
        """Compare a small object with its checksum, and keep its beginning."""
        for _ in range(2):
            kept: deque[bytes] = deque()
            sums: list[int] = []
            crc = 0
            for content in self._all_ranges():
                crc = google_crc32c.extend(crc, content)
                sums.append(google_crc32c.value(content))
                if len(sums) * RANGE_BYTES <= KEPT_BYTES:
                    kept.append(content)
            if crc == self._expected:
                self._kept, self._sums = kept, sums
                for _ in kept:
                    self._starts.popleft()
                self._fetch_ahead()
                return
        raise PermanentError("CHECKSUM_MISMATCH", "read twice")

    def _all_ranges(self) -> Iterator[bytes]:
        """Return all ranges, in order. Several are fetched at a time."""
        starts = iter(self._starts)
        if len(self._starts) == 1:
            yield self._fetch(next(starts))
            return
        with ThreadPoolExecutor(_RANGES_AT_A_TIME, "download") as pool:
            ahead = deque(
                pool.submit(self._fetch, each) for each in islice(starts, _RANGES_AT_A_TIME)
            )
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(pool.submit(self._fetch, each) for each in islice(starts, 1))

    def _as_compared(self, start: int, content: bytes) -> bytes:
        """Return a range that was compared before. If it differs now, it is read again."""
        known = self._sums[start // RANGE_BYTES]
        if google_crc32c.value(content) != known:
            content = self._fetch(start)
            if google_crc32c.value(content) != known:
                raise RetryableError("STORAGE_UNAVAILABLE", "what was read differs from before")
        return content

    def _last_range_again(self) -> bytes:
        """Read a large object again. Return its last range, if only this one was wrong."""
        crc = 0
        wrong = []
        last = b""
        for number, known in enumerate(self._sums):
            last = self._fetch(number * RANGE_BYTES)
            crc = google_crc32c.extend(crc, last)
            if google_crc32c.value(last) != known:
                wrong.append(number)
        if crc != self._expected:
            raise PermanentError("CHECKSUM_MISMATCH", "read twice")
        if wrong != [len(self._sums) - 1]:
            first, end = wrong[0] * RANGE_BYTES, (wrong[-1] + 1) * RANGE_BYTES
            raise PermanentError("CHECKSUM_MISMATCH", f"between the bytes {first} and {end}")
        return last

    def _fetch(self, start: int) -> bytes:
        if start == 0 and self._first is not None:
            first, self._first = self._first, None
            return first
        end = min(start + RANGE_BYTES, self._source.size) - 1
        source = self._source

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
