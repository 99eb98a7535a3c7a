"""Google Cloud Storage as a `lib.state.store.Store`.

Every write has a generation precondition: the client library does not retry writes without one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from google.api_core import exceptions as api
from google.cloud import storage  # type: ignore[attr-defined]  # a namespace without types

from lib.adapters.object_reader import (
    RETRY,
    TIMEOUT_SECONDS,
    Download,
    ObjectReader,
    read_first_range,
)
from lib.adapters.storage_client import labelled, storage_client
from lib.adapters.storage_errors import Unauthenticated, needs_permission, reachable
from lib.adapters.store_clock import StoreClock
from lib.errors import RetryableError
from lib.state.store import INTERNAL, Label, LabelledObject, StoredObject

T = TypeVar("T")

# A results document up to this size is sent in one request, a longer one in pieces of this size.
UPLOAD_PIECE_BYTES = 1 << 20
_FIELDS = "name,generation,size,md5Hash,crc32c,timeCreated,updated,timeDeleted"


def connect(clock: StoreClock | None = None) -> GoogleStore:
    """Return a store with the function's credentials (or the emulator, if one is configured)."""
    return GoogleStore(lambda: storage_client(clock))


class GoogleStore:
    """The real store. One per instance; thread-safe, like its client."""

    def __init__(self, connect: Callable[[], storage.Client]) -> None:
        self._connect = connect
        self._client = connect()

    def _call(
        self, call: Callable[[storage.Client], T], needs: str, *, conditional: bool = False
    ) -> T:
        """Make a call. If storage refuses the client's credentials, call again with a new client.

        Raises what `reachable` raises.
        """
        client = self._client
        try:
            return reachable(lambda: call(client), needs, conditional=conditional)
        except Unauthenticated:
            self._client = client = self._connect()
            return reachable(lambda: call(client), needs, conditional=conditional)

    def _require(self, bucket: str) -> None:
        """Raise `RetryableError` if the bucket does not exist.

        The answer about an object is 404 in both cases. Only a listing tells them apart.
        """
        try:
            self._call(
                lambda client: list(
                    client.list_blobs(bucket, max_results=1, timeout=TIMEOUT_SECONDS, retry=RETRY)
                ),
                needs_permission("list", bucket),
            )
        except api.NotFound:
            raise RetryableError("BUCKET_NOT_FOUND", bucket) from None

    def find(self, source: StoredObject) -> StoredObject | None:
        """See `Store.find`."""
        blob = self._call(
            lambda client: client.bucket(source.bucket).get_blob(
                source.name, generation=source.generation, timeout=TIMEOUT_SECONDS, retry=RETRY
            ),
            needs_permission("get", source.bucket),
        )
        if blob is None:
            self._require(source.bucket)
            return None
        return _stored(source.bucket, blob)

    def find_and_open(self, source: StoredObject) -> tuple[StoredObject, ObjectReader] | None:
        """See `Store.find_and_open`."""
        content = None
        try:
            content, stored = self._call(
                RETRY(lambda client: read_first_range(source, client)),
                needs_permission("get", source.bucket),
            )
        except api.NotFound:
            self._require(source.bucket)
            return None
        except api.RequestRangeNotSatisfiable:
            stored = None  # it is empty
        if stored is None:
            content, stored = None, self.find(source)
        return (stored, self._reader(stored, content)) if stored is not None else None

    def open(self, source: StoredObject) -> ObjectReader:
        """See `Store.open`."""
        return self._reader(source)

    def _reader(self, source: StoredObject, first: bytes | None = None) -> ObjectReader:
        def download(call: Download) -> bytes:
            try:
                return self._call(call, needs_permission("get", source.bucket))
            except api.NotFound:
                self._require(source.bucket)
                raise

        return ObjectReader(source, download, first)

    def read(self, bucket: str, name: str) -> tuple[bytes, int] | None:
        """See `Store.read`."""

        def download(client: storage.Client) -> tuple[bytes, int]:
            blob = client.bucket(bucket).blob(name)
            content = blob.download_as_bytes(
                raw_download=True, timeout=TIMEOUT_SECONDS, retry=RETRY
            )
            # The generation is in the headers of the download: no second call, and so no race.
            return content, int(blob.generation)

        try:
            return self._call(download, needs_permission("get", bucket))
        except api.NotFound:
            return None

    def write(
        self,
        bucket: str,
        name: str,
        data: bytes,
        *,
        if_generation_match: int,
        label: Label = INTERNAL,
    ) -> int | None:
        """See `Store.write`."""

        def upload(client: storage.Client) -> int:
            blob = labelled(client.bucket(bucket).blob(name), label)
            blob.upload_from_string(
                data,
                content_type=label.content_type,
                if_generation_match=if_generation_match,
                timeout=TIMEOUT_SECONDS,
                retry=RETRY,
            )
            return int(blob.generation)

        try:
            return self._call(upload, needs_permission("create", bucket), conditional=True)
        except api.PreconditionFailed:
            return None
        except api.NotFound:
            self._require(bucket)
            raise RetryableError("STORAGE_UNAVAILABLE", "the write was not found") from None

    def write_stream(
        self,
        bucket: str,
        name: str,
        pieces: Iterable[bytes],
        *,
        if_generation_match: int,
        label: Label = INTERNAL,
    ) -> int | None:
        """See `Store.write_stream`."""
        buffer = bytearray()
        remaining = iter(pieces)
        for piece in remaining:
            buffer += piece
            if len(buffer) > UPLOAD_PIECE_BYTES:
                break
        else:
            content = bytes(buffer)
            return self.write(
                bucket, name, content, if_generation_match=if_generation_match, label=label
            )
        blob = labelled(self._client.bucket(bucket).blob(name), label)

        def upload() -> None:
            with blob.open(
                "wb",
                chunk_size=UPLOAD_PIECE_BYTES,
                content_type=label.content_type,
                if_generation_match=if_generation_match,
                timeout=TIMEOUT_SECONDS,
                retry=RETRY,
            ) as writer:
                writer.write(bytes(buffer))
                buffer.clear()
                for piece in remaining:
                    writer.write(piece)

        try:
            reachable(upload, needs_permission("create", bucket), conditional=True)
        except api.PreconditionFailed:
            return None
        except api.NotFound:
            self._require(bucket)
            raise RetryableError("STORAGE_UNAVAILABLE", "the upload was not found") from None
        found = self._call(
            lambda client: client.bucket(bucket).get_blob(
                name, timeout=TIMEOUT_SECONDS, retry=RETRY
            ),
            needs_permission("get", bucket),
        )
        return int(found.generation) if found is not None else None

    def list(self, bucket: str, prefix: str, *, versions: bool = False) -> Iterator[StoredObject]:
        """See `Store.list`."""
        blobs = self._blobs(bucket, _FIELDS, prefix=prefix, versions=versions or None)
        return (_stored(bucket, blob) for blob in blobs)

    def list_labelled(self, bucket: str) -> Iterator[LabelledObject]:
        """See `Store.list_labelled`."""
        for blob in self._blobs(bucket, "name,generation,metadata"):
            yield LabelledObject(blob.name, int(blob.generation), blob.metadata or {})

    def _blobs(self, bucket: str, fields: str, **options: Any) -> Iterator[storage.Blob]:
        def first(client: storage.Client) -> tuple[storage.Blob | None, Iterator[storage.Blob]]:
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

        needs = needs_permission("list", bucket)
        try:
            blob, following = self._call(first, needs)
        except api.NotFound:
            raise RetryableError("BUCKET_NOT_FOUND", bucket) from None
        while blob is not None:
            yield blob
            blob = reachable(lambda: next(following, None), needs)

    def delete(self, bucket: str, name: str) -> None:
        """See `Store.delete`."""
        with contextlib.suppress(api.NotFound):
            self._call(
                lambda client: (
                    client.bucket(bucket).blob(name).delete(timeout=TIMEOUT_SECONDS, retry=RETRY)
                ),
                needs_permission("delete", bucket),
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
