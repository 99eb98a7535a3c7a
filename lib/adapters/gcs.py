"""Google Cloud Storage as a `lib.state.store.Store`.

Objects are read in ranges of one generation. Each range is retried separately, and the next one is
fetched while the current one is processed, so a broken connection costs one range, not the file.
Every write has a generation precondition: the client library does not retry writes without one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import requests.exceptions
from google.api_core import exceptions as api
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import storage  # type: ignore[attr-defined]  # a namespace without types
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from lib.adapters.storage_client import storage_client
from lib.errors import PermanentError, RetryableError
from lib.state.store import StoredObject

T = TypeVar("T")

RANGE_BYTES = 1 << 20
# A results document up to this size is sent in one request, a longer one in pieces of this size.
UPLOAD_PIECE_BYTES = 1 << 20
TIMEOUT_SECONDS = 30.0
_FIELDS = "name,generation,size,md5Hash,crc32c,timeCreated,updated,timeDeleted"
_RETRY = DEFAULT_RETRY.with_timeout(60.0)
_NO_PERMISSION = "check the bucket permissions of the function's service account"
_UNREACHABLE = (
    api.GoogleAPICallError,
    api.RetryError,
    requests.exceptions.RequestException,
    TransportError,
    ConnectionError,
    DataCorruption,
)

_Download = Callable[[storage.Client], bytes]


class _Unauthenticated(RetryableError):
    """Storage refuses the credentials of the client."""


def _reachable(call: Callable[[], T], *, conditional: bool = False) -> T:
    """Make a call. A storage error that outlasts its retries becomes a `RetryableError`.

    Its message contains no response body. A `conditional` call may also raise `PreconditionFailed`;
    for other calls that is a storage error too.
    """
    try:
        return call()
    except (api.NotFound, api.RequestRangeNotSatisfiable):
        raise
    except api.PreconditionFailed as error:
        if conditional:
            raise
        raise RetryableError("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except InvalidResponse as error:
        # A resumable upload raises this inner exception of the library.
        if error.response.status_code == 412:
            raise api.PreconditionFailed("") from None  # type: ignore[no-untyped-call]  # has no types
        if error.response.status_code == 403:
            raise RetryableError("STORAGE_FORBIDDEN", _NO_PERMISSION) from None
        raise RetryableError("STORAGE_UNAVAILABLE", str(error.response.status_code)) from None
    except api.Unauthorized as error:
        raise _Unauthenticated("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except api.Forbidden:
        raise RetryableError("STORAGE_FORBIDDEN", _NO_PERMISSION) from None
    except _UNREACHABLE as error:
        raise RetryableError("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except GoogleAuthError as error:
        raise _Unauthenticated("STORAGE_UNAVAILABLE", type(error).__name__) from None


def connect() -> GoogleStore:
    """Return a store with the function's credentials (or the emulator, if one is configured)."""
    return GoogleStore(storage_client)


class GoogleStore:
    """The real store. One per instance; thread-safe, like its client."""

    def __init__(self, connect: Callable[[], storage.Client]) -> None:
        self._connect = connect
        self._client = connect()

    def _call(self, call: Callable[[storage.Client], T], *, conditional: bool = False) -> T:
        """Make a call. If storage refuses the client's credentials, call again with a new client.

        Raises what `_reachable` raises.
        """
        client = self._client
        try:
            return _reachable(lambda: call(client), conditional=conditional)
        except _Unauthenticated:
            self._client = client = self._connect()
            return _reachable(lambda: call(client), conditional=conditional)

    def find(self, source: StoredObject) -> StoredObject | None:
        """See `Store.find`."""
        blob = self._call(
            lambda client: client.bucket(source.bucket).get_blob(
                source.name, generation=source.generation, timeout=TIMEOUT_SECONDS, retry=_RETRY
            )
        )
        return _stored(source.bucket, blob) if blob is not None else None

    def open(self, source: StoredObject) -> RangeReader:
        """See `Store.open`."""
        return RangeReader(source, self._call)

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        """See `Store.read`."""

        def download(client: storage.Client) -> tuple[bytes, int]:
            blob = client.bucket(bucket).blob(name)
            content = blob.download_as_bytes(
                raw_download=True, timeout=TIMEOUT_SECONDS, retry=_RETRY
            )
            # The generation is in the headers of the download: no second call, and so no race.
            return content, int(blob.generation)

        try:
            return self._call(download)
        except api.NotFound:
            return None

    def write(self, bucket: str, name: str, data: bytes, *, if_generation_match: int) -> int | None:
        """See `Store.write`."""

        def upload(client: storage.Client) -> int:
            blob = client.bucket(bucket).blob(name)
            blob.upload_from_string(
                data,
                content_type="application/json",
                if_generation_match=if_generation_match,
                timeout=TIMEOUT_SECONDS,
                retry=_RETRY,
            )
            return int(blob.generation)

        try:
            return self._call(upload, conditional=True)
        except api.PreconditionFailed:
            return None

    def write_stream(
        self, bucket: str, name: str, pieces: Iterable[bytes], *, if_generation_match: int
    ) -> int | None:
        """See `Store.write_stream`."""
        buffer = bytearray()
        remaining = iter(pieces)
        for piece in remaining:
            buffer += piece
            if len(buffer) > UPLOAD_PIECE_BYTES:
                break
        else:
            return self.write(bucket, name, bytes(buffer), if_generation_match=if_generation_match)
        blob = self._client.bucket(bucket).blob(name)

        def upload() -> None:
            with blob.open(
                "wb",
                chunk_size=UPLOAD_PIECE_BYTES,
                content_type="application/json",
                if_generation_match=if_generation_match,
                timeout=TIMEOUT_SECONDS,
                retry=_RETRY,
            ) as writer:
                writer.write(bytes(buffer))
                buffer.clear()
                for piece in remaining:
                    writer.write(piece)

        try:
            _reachable(upload, conditional=True)
        except api.PreconditionFailed:
            return None
        found = self._call(lambda client: client.bucket(bucket).get_blob(name))
        return int(found.generation) if found is not None else None

    def list(self, bucket: str, prefix: str, *, versions: bool = False) -> Iterator[StoredObject]:
        """See `Store.list`."""

        def first(client: storage.Client) -> tuple[storage.Blob | None, Iterator[storage.Blob]]:
            blobs = iter(
                client.list_blobs(
                    bucket,
                    prefix=prefix,
                    versions=versions or None,
                    fields=f"items({_FIELDS}),nextPageToken",
                    timeout=TIMEOUT_SECONDS,
                    retry=_RETRY,
                )
            )
            return next(blobs, None), blobs

        blob, following = self._call(first)
        while blob is not None:
            yield _stored(bucket, blob)
            blob = _reachable(lambda: next(following, None))

    def delete(self, bucket: str, name: str) -> None:
        """See `Store.delete`."""
        with contextlib.suppress(api.NotFound):
            self._call(
                lambda client: (
                    client.bucket(bucket).blob(name).delete(timeout=TIMEOUT_SECONDS, retry=_RETRY)
                )
            )


def _stored(bucket: str, blob: storage.Blob) -> StoredObject:
    return StoredObject(
        bucket=bucket,
        name=blob.name,
        generation=int(blob.generation),
        size=int(blob.size or 0),
        md5=blob.md5_hash or "",
        created=blob.time_created,
        updated=blob.updated,
        crc32c=blob.crc32c or "",
        is_live=blob.time_deleted is None,  # set when a generation becomes noncurrent
    )


class RangeReader:
    """Reads one generation of an object from start to end, and fetches one range ahead.

    `call` makes a call with a client (`GoogleStore`). An empty object needs no request.
    """

    def __init__(self, source: StoredObject, call: Callable[[_Download], bytes]) -> None:
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
            return self._call(_RETRY(whole_range))
        except (api.NotFound, api.RequestRangeNotSatisfiable):
            raise PermanentError("SOURCE_GONE", f"generation {source.generation}") from None
