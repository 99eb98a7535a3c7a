"""Google Cloud Storage as a `lib.state.store.Store`: the store, its errors, its client.

Every write has a generation precondition: the client library does not retry writes without one.
Errors name what is missing, so that a person can restore it. The client tells the time, and notices
when the network has forgotten a connection.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import requests
from google.api_core import exceptions as api
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import storage  # type: ignore[attr-defined]  # a namespace without types
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.adapters import HTTPAdapter

from lib.adapters.object_reader import (
    RETRY,
    TIMEOUT_SECONDS,
    Download,
    FirstRange,
    ObjectReader,
    read_first_range,
)
from lib.errors import RetryableError
from lib.state.store import INTERNAL, ListedObject, ObjectMetadata, OpenedObject, StoredObject

T = TypeVar("T")

# A results document up to this size is sent in one request, a longer one in pieces of this size.
UPLOAD_PIECE_BYTES = 1 << 20
_FIELDS = "name,generation,size,md5Hash,crc32c,timeCreated"


def connect() -> GoogleStore:
    """Return a store with the function's credentials (or the emulator, if one is configured)."""
    return GoogleStore(storage_client)


class GoogleStore:
    """The real store. One per instance; thread-safe, like its client."""

    def __init__(self, connect: Callable[[], storage.Client]) -> None:
        self._connect = connect
        self._client = connect()

    def _request(
        self, request: Callable[[storage.Client], T], needs: str, *, conditional: bool = False
    ) -> T:
        """Make a request. If storage refuses the credentials, make it again with a new client.

        `needs` and `conditional` are those of `_reachable`, which also says what is raised.
        """
        client = self._client
        try:
            return _reachable(lambda: request(client), needs, conditional=conditional)
        except _Unauthenticated:
            self._client = client = self._connect()
            return _reachable(lambda: request(client), needs, conditional=conditional)

    def _require_bucket(self, bucket: str) -> None:
        """Raise `RetryableError` if the bucket does not exist.

        Storage answers 404 for a missing object and for a missing bucket. Only a listing tells them
        apart.
        """
        try:
            self._request(
                lambda client: list(
                    client.list_blobs(bucket, max_results=1, timeout=TIMEOUT_SECONDS, retry=RETRY)
                ),
                _permission("list", bucket),
            )
        except api.NotFound:
            raise RetryableError("BUCKET_NOT_FOUND", bucket) from None

    def find(self, source: StoredObject) -> StoredObject | None:
        return self._find(source.bucket, source.name, source.generation)

    def find_live(self, bucket: str, name: str) -> StoredObject | None:
        return self._find(bucket, name)

    def _find(self, bucket: str, name: str, generation: int | None = None) -> StoredObject | None:
        blob = self._request(
            lambda client: client.bucket(bucket).get_blob(
                name, generation=generation, timeout=TIMEOUT_SECONDS, retry=RETRY
            ),
            _permission("get", bucket),
        )
        if blob is None:
            self._require_bucket(bucket)
            return None
        return _stored(bucket, blob)

    def open_live(self, source: StoredObject) -> OpenedObject | None:
        first: FirstRange | None = None
        try:
            first = self._request(
                RETRY(lambda client: read_first_range(source, client)),
                _permission("get", source.bucket),
            )
        except api.RequestRangeNotSatisfiable:
            first = FirstRange(source, b"", is_whole=False)  # an empty object has no range
        except api.NotFound:
            self._require_bucket(source.bucket)
        if first is None:
            return None
        if first.is_whole:  # its checksum came with it, so nothing else is asked
            return OpenedObject(first.source, self._reader(first.source, first.content))
        live = self.find_live(source.bucket, source.name)
        if live is None or live.generation != source.generation:
            return None
        return OpenedObject(live, self._reader(live, first.bytes_of(live)))

    def open(self, source: StoredObject) -> ObjectReader:
        return self._reader(source)

    def _reader(self, source: StoredObject, first: bytes = b"") -> ObjectReader:
        def download(request: Download) -> bytes:
            try:
                return self._request(request, _permission("get", source.bucket))
            except api.NotFound:
                self._require_bucket(source.bucket)
                raise

        return ObjectReader(source, download, first)

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:

        def download(client: storage.Client) -> tuple[bytes, int]:
            blob = client.bucket(bucket).blob(name)
            content = blob.download_as_bytes(
                raw_download=True, timeout=TIMEOUT_SECONDS, retry=RETRY
            )
            # The generation is in the headers of the download: no second request, and so no race.
            return content, int(blob.generation)

        try:
            return self._request(download, _permission("get", bucket))
        except api.NotFound:
            # A missing bucket has no documents either. The next request that needs it says so.
            return None

    def write(
        self,
        bucket: str,
        name: str,
        data: bytes,
        *,
        if_generation_match: int,
        metadata: ObjectMetadata = INTERNAL,
    ) -> int | None:

        def upload(client: storage.Client) -> int:
            blob = _with_metadata(client.bucket(bucket).blob(name), metadata)
            blob.upload_from_string(
                data,
                content_type=metadata.content_type,
                if_generation_match=if_generation_match,
                timeout=TIMEOUT_SECONDS,
                retry=RETRY,
            )
            return int(blob.generation)

        try:
            return self._request(upload, _permission("create", bucket), conditional=True)
        except api.PreconditionFailed:
            return None
        except api.NotFound:
            self._require_bucket(bucket)
            raise RetryableError("STORAGE_UNAVAILABLE", "the write was not found") from None

    def write_stream(
        self,
        bucket: str,
        name: str,
        pieces: Iterable[bytes],
        *,
        if_generation_match: int,
        metadata: ObjectMetadata = INTERNAL,
    ) -> int | None:
        # Collected until it is known whether all pieces fit into one request.
        buffer = bytearray()
        remaining = iter(pieces)
        for piece in remaining:
            buffer += piece
            if len(buffer) > UPLOAD_PIECE_BYTES:
                break
        else:
            content = bytes(buffer)
            return self.write(
                bucket, name, content, if_generation_match=if_generation_match, metadata=metadata
            )
        blob = _with_metadata(self._client.bucket(bucket).blob(name), metadata)

        def upload() -> None:
            with blob.open(
                "wb",
                chunk_size=UPLOAD_PIECE_BYTES,
                content_type=metadata.content_type,
                if_generation_match=if_generation_match,
                timeout=TIMEOUT_SECONDS,
                retry=RETRY,
            ) as writer:
                writer.write(bytes(buffer))
                buffer.clear()
                for piece in remaining:
                    writer.write(piece)

        try:
            # Not sent again with new credentials: the pieces can be read only once.
            _reachable(upload, _permission("create", bucket), conditional=True)
        except api.PreconditionFailed:
            return None
        except api.NotFound:
            self._require_bucket(bucket)
            raise RetryableError("STORAGE_UNAVAILABLE", "the upload was not found") from None
        # The library does not tell the generation of a resumable upload.
        written = self._find(bucket, name)
        return written.generation if written is not None else None

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        blobs = self._blobs(bucket, _FIELDS, prefix=prefix)
        return (_stored(bucket, blob) for blob in blobs)

    def list_with_metadata(self, bucket: str, prefix: str = "") -> Iterator[ListedObject]:
        for blob in self._blobs(bucket, "name,metadata,timeCreated", prefix=prefix):
            yield ListedObject(blob.name, blob.metadata or {}, blob.time_created)

    def _blobs(self, bucket: str, fields: str, **options: Any) -> Iterator[storage.Blob]:
        def first_and_following(
            client: storage.Client,
        ) -> tuple[storage.Blob | None, Iterator[storage.Blob]]:
            blobs = iter(
                client.list_blobs(
                    bucket,
                    fields=f"items({fields}),nextPageToken",
                    timeout=TIMEOUT_SECONDS,
                    retry=RETRY,
                    **options,
                )
            )
            return next(blobs, None), blobs

        # The first object is part of the first request: so a missing bucket is noticed, and refused
        # credentials are renewed. (Later pages follow within seconds.)
        needs = _permission("list", bucket)
        try:
            blob, following = self._request(first_and_following, needs)
        except api.NotFound:
            raise RetryableError("BUCKET_NOT_FOUND", bucket) from None
        while blob is not None:
            yield blob
            blob = _reachable(lambda: next(following, None), needs)


def _stored(bucket: str, blob: storage.Blob) -> StoredObject:
    return StoredObject(
        bucket=bucket,
        name=blob.name,
        generation=int(blob.generation),
        size=int(blob.size or 0),
        md5=blob.md5_hash or "",
        created=blob.time_created,
        crc32c=blob.crc32c or "",
    )


_UNREACHABLE = (
    api.GoogleAPICallError,
    api.RetryError,
    requests.exceptions.RequestException,
    TransportError,
    ConnectionError,
    DataCorruption,
)


class _Unauthenticated(RetryableError):
    """Storage refuses the credentials of the client."""


def _reachable(request: Callable[[], T], needs: str, *, conditional: bool = False) -> T:
    """Make a request. A storage error that outlasts its retries becomes a `RetryableError`.

    Its message contains no response body. `needs` is the permission of the request, and its bucket.
    `NotFound` and `RequestRangeNotSatisfiable` are left to the caller, and so is
    `PreconditionFailed` if the request is `conditional`; for others, that is a storage error too.
    """
    lacking = f"the function's service account lacks {needs}"
    try:
        return request()
    except (api.NotFound, api.RequestRangeNotSatisfiable):
        raise
    except api.PreconditionFailed as error:
        if conditional:
            raise
        raise RetryableError("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except InvalidResponse as error:
        # A resumable upload raises this inner exception of the library.
        raise _refused(error, error.response.status_code, lacking) from None
    except api.Unauthorized as error:
        raise _Unauthenticated("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except (api.Forbidden, api.BadRequest) as error:
        raise _refused(error, int(error.code), lacking) from None
    except _UNREACHABLE as error:
        raise RetryableError("STORAGE_UNAVAILABLE", type(error).__name__) from None
    except GoogleAuthError as error:
        raise _Unauthenticated("STORAGE_UNAVAILABLE", type(error).__name__) from None


_OBSTACLES = {
    "Cloud KMS": "the key in Cloud KMS is disabled, or Cloud Storage's service agent may not use "
    "it; enable it, or grant it again",
    "cloudKms": "the key in Cloud KMS is disabled or gone; enable or restore it",
    "retentionPolicyNotMet": "the bucket has a retention policy, so no object can be replaced; "
    "remove the policy",
    "objectUnderActiveHold": "the object is under a hold, so it cannot be replaced; release it",
}
"""What no permission helps against, by Google's reason or message → what is wrong, what to do.
https://cloud.google.com/storage/docs/json_api/v1/status-codes"""


def _refused(error: Any, status: int, lacking: str) -> Exception:
    """Return what a refused request means, by its status and by what it says."""
    if status == 412:
        return api.PreconditionFailed("")  # type: ignore[no-untyped-call]  # has no types
    if status == 404:
        return api.NotFound("")  # type: ignore[no-untyped-call]
    said = error.response.text if isinstance(error, InvalidResponse) else str(error.errors)
    obstacles = [advice for sign, advice in _OBSTACLES.items() if sign in said]
    if obstacles or status == 403:
        return RetryableError("STORAGE_FORBIDDEN", (obstacles or [lacking])[0])
    return RetryableError("STORAGE_UNAVAILABLE", str(status))


def _permission(operation: str, bucket: str) -> str:
    """Return the permission of an operation, and its bucket, for people."""
    return f"storage.objects.{operation} on the bucket {bucket}"


IDLE_SECONDS = 30
"""Without traffic for this long, the system checks whether the other end still answers."""

SILENT_SECONDS = 15
"""A connection on which nothing is acknowledged for this long is closed."""


def _socket_options() -> list[tuple[int, int, int]]:
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    # Cloud Run is Linux; other systems lack some of these.
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_SECONDS),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", SILENT_SECONDS * 1000),
    ):
        if (option := getattr(socket, name, None)) is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options


class WatchedConnections(HTTPAdapter):
    """Keeps connections alive. After a request without an answer, it uses none of them again."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the pools (called by `HTTPAdapter`)."""
        super().init_poolmanager(*arguments, **options, socket_options=_socket_options())

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        """Send a request, as `requests.Session` asks for it."""
        try:
            return super().send(*arguments, **options)
        except requests.Timeout:
            self.poolmanager.clear()
            raise


def storage_client() -> storage.Client:
    """Return a client with the function's credentials (or of the emulator, if configured)."""
    # Otherwise the client reads the metadata of every bucket, for unused traces: one more
    # request per bucket, and one more permission for the function (storage.buckets.get).
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    # Objects need no project, and credentials of a person often have none.
    client = storage.Client(project=None)
    for scheme in ("https://", "http://"):
        client._http.mount(scheme, WatchedConnections())
    return client


def _with_metadata(blob: storage.Blob, metadata: ObjectMetadata) -> storage.Blob:
    """Return an object that is about to be written, with its metadata."""
    blob.metadata = dict(metadata.custom) or None
    blob.cache_control = metadata.cache_control or None
    return blob
