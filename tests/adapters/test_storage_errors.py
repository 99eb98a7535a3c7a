"""Errors of Cloud Storage: what is missing is named, so that a person can restore it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from google.api_core.exceptions import from_http_status
from google.cloud.storage.exceptions import InvalidResponse

from lib.adapters import object_reader, storage
from lib.adapters.storage import UPLOAD_PIECE_BYTES, GoogleStore
from lib.errors import RetryableError
from lib.state.store import StoredObject
from sandbox.faults import Faults
from sandbox.storage import Storage, storage_client
from tests.adapters.conftest import BUCKET

CALLS: dict[str, tuple[str, Callable[[GoogleStore, str], object]]] = {
    "find": ("get", lambda store, bucket: store.find(StoredObject(bucket, "a", 7, 5))),
    "find_live": ("get", lambda store, bucket: store.find_live(bucket, "a")),
    "open_live": (
        "get",
        lambda store, bucket: store.open_live(StoredObject(bucket, "a", 7, 5, crc32c="AAAAAA==")),
    ),
    "open": ("get", lambda store, bucket: store.open(StoredObject(bucket, "a", 7, 5)).read(5)),
    "write": ("create", lambda store, bucket: store.write(bucket, "a", b"", if_generation_match=0)),
    "write_stream": (
        "create",
        lambda store, bucket: store.write_stream(
            bucket, "a", [b"x" * UPLOAD_PIECE_BYTES] * 2, if_generation_match=0
        ),
    ),
    "list": ("list", lambda store, bucket: list(store.list(bucket, ""))),
}


def write_long_document(status: int) -> int | None:
    """Write a document that is too long for one request, which storage answers with `status`."""
    client = MagicMock()
    answer = SimpleNamespace(status_code=status, text="")
    client.bucket().blob().open.side_effect = InvalidResponse(answer)
    pieces = [b"x" * UPLOAD_PIECE_BYTES] * 2
    store = GoogleStore(lambda: client)
    return store.write_stream("out", "a.results.json", pieces, if_generation_match=0)


@pytest.mark.parametrize("status, code", [(403, "STORAGE_FORBIDDEN"), (503, "STORAGE_UNAVAILABLE")])
def test_a_long_document_that_storage_refuses(status: int, code: str) -> None:
    """A lost permission has its own code, and so its alert, as for a short document."""
    with pytest.raises(RetryableError) as refused:
        write_long_document(status)
    assert refused.value.code == code


@pytest.mark.parametrize("call", ["find_live", "list"])
def test_a_precondition_of_nobody_is_an_error_of_storage(call: str) -> None:
    """A 412 answers a write with a precondition only. Elsewhere, the delivery is retried."""
    client = MagicMock()
    refusal = from_http_status(412, "conditionNotMet")
    client.bucket().get_blob.side_effect = client.list_blobs.side_effect = refusal
    _, make = CALLS[call]
    with pytest.raises(RetryableError, match="PreconditionFailed"):
        make(GoogleStore(lambda: client), BUCKET)


OBSTACLES = [
    (403, "forbidden", "Permission denied on Cloud KMS key. Please ensure ...", "may not use it"),
    (400, "cloudKmsDisabledKey", "The key is disabled.", "enable or restore it"),
    (403, "retentionPolicyNotMet", "Object 'a' is subject to ...", "remove the policy"),
    (403, "objectUnderActiveHold", "Object 'a' is under active ...", "release it"),
]


@pytest.mark.parametrize("status, reason, message, advice", OBSTACLES)
def test_what_no_permission_helps_against_is_named(
    status: int, reason: str, message: str, advice: str
) -> None:
    """A key, a retention policy or a hold: the advice is not to grant a permission again."""
    answer = {
        "code": status,
        "message": message,
        "errors": [{"reason": reason, "message": message}],
    }
    client = MagicMock()
    client.bucket().blob().upload_from_string.side_effect = from_http_status(
        status, message, errors=answer["errors"]
    )
    with pytest.raises(RetryableError) as refused:
        GoogleStore(lambda: client).write("out", "a", b"", if_generation_match=0)
    assert refused.value.code == "STORAGE_FORBIDDEN"
    assert advice in refused.value.detail
    client.bucket().blob().open.side_effect = InvalidResponse(
        SimpleNamespace(status_code=403, text=json.dumps({"error": answer}))
    )
    with pytest.raises(RetryableError) as refused:
        GoogleStore(lambda: client).write_stream(
            "out", "a", [b"x" * UPLOAD_PIECE_BYTES] * 2, if_generation_match=0
        )
    assert advice in refused.value.detail


def test_a_long_document_that_exists() -> None:
    """A precondition that does not hold is no error."""
    assert write_long_document(412) is None


@pytest.mark.parametrize("call", CALLS)
def test_a_bucket_that_does_not_exist_is_named(storage: Storage, call: str) -> None:
    """It is not taken for a missing object, whose file would end as SOURCE_GONE."""
    store = GoogleStore(lambda: storage_client(storage.url))
    with pytest.raises(RetryableError) as refused:
        CALLS[call][1](store, "no-such-bucket")
    assert (refused.value.code, refused.value.detail) == ("BUCKET_NOT_FOUND", "no-such-bucket")


@pytest.mark.parametrize("call", CALLS)
def test_a_lost_permission_is_named(storage: Storage, faults: Faults, call: str) -> None:
    """The message names the permission and the bucket."""
    store = GoogleStore(lambda: storage_client(storage.url))
    faults.set([{"method": "*", "kind": "status_403"}])
    with pytest.raises(RetryableError) as refused:
        CALLS[call][1](store, BUCKET)
    faults.clear()
    assert refused.value.code == "STORAGE_FORBIDDEN"
    assert f"storage.objects.{CALLS[call][0]} on the bucket {BUCKET}" in refused.value.detail


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("call", [*CALLS, "short write_stream"])
def test_storage_that_never_answers_ends_the_call(
    silent_url: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call stops after its retries, and the attempt ends with STORAGE_UNAVAILABLE.

    With the waits of the client library it would take a minute.
    """
    for module in (storage, object_reader):
        monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)
        monkeypatch.setattr(module, "RETRY", module.RETRY.with_timeout(0.3).with_delay(0.01))
    store = GoogleStore(lambda: storage_client(silent_url))

    def short(store: GoogleStore, bucket: str) -> object:
        return store.write_stream(bucket, "a", [b"x"], if_generation_match=0)

    _, make = CALLS.get(call, ("", short))
    began = time.monotonic()
    with pytest.raises(RetryableError) as raised:
        make(store, BUCKET)
    assert raised.value.code == "STORAGE_UNAVAILABLE"
    assert time.monotonic() - began < 50
