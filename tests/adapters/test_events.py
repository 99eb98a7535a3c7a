"""What is read from a request: an object, or the reason why it reports none.

The valid requests follow Google's and CNCF's documents:
https://cloud.google.com/eventarc/docs/cloudevents (HTTP headers),
https://github.com/googleapis/google-cloudevents (StorageObjectData),
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.adapters.events import NotAnObjectEvent, read_event
from lib.state.store import StoredObject

ATTRIBUTES = {
    "specversion": "1.0",
    "type": "google.cloud.storage.object.v1.finalized",
    "source": "//storage.googleapis.com/projects/_/buckets/in-bucket",
    "id": "2070443601311540",
    "time": "2026-11-24T12:00:01.647Z",
    "subject": "objects/crm/export.csv",
    "bucket": "in-bucket",
}
DATA = {
    "kind": "storage#object",
    "id": "in-bucket/crm/export.csv/1587627537231057",
    "bucket": "in-bucket",
    "name": "crm/export.csv",
    "generation": "1587627537231057",
    "metageneration": "1",
    "contentType": "text/csv",
    "timeCreated": "2026-11-24T12:00:00.000Z",
    "updated": "2026-11-24T12:00:00.500Z",
    "size": "352",
    "md5Hash": "kF8MuJ5+CTJxvyhHS1xzRg==",
}
SOURCE = StoredObject(
    "in-bucket",
    "crm/export.csv",
    1587627537231057,
    352,
    "kF8MuJ5+CTJxvyhHS1xzRg==",
    datetime(2026, 11, 24, 12, tzinfo=UTC),
)


def binary(
    data: object = DATA, content_type: str = "application/json", **attributes: str | None
) -> tuple[dict[str, str], bytes]:
    """Attributes in headers, data in the body: as Eventarc posts an event."""
    merged = {**ATTRIBUTES, **attributes}
    headers = {f"Ce-{key.title()}": value for key, value in merged.items() if value is not None}
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return {"Content-Type": content_type, **headers}, body


def structured(document: object) -> tuple[dict[str, str], bytes]:
    """Attributes and data in the body."""
    headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
    return headers, json.dumps(document).encode()


ENCODED = base64.b64encode(json.dumps(DATA).encode()).decode()
VALID = {
    "binary": binary(),
    "binary with a charset": binary(content_type="application/json; charset=utf-8"),
    "structured": structured({**ATTRIBUTES, "data": DATA}),
    "structured with base64": structured({**ATTRIBUTES, "data_base64": ENCODED}),
}


@pytest.mark.parametrize("request_", VALID.values(), ids=VALID)
def test_an_object_event_is_read(request_: tuple[dict[str, str], bytes]) -> None:
    """Both content modes of CloudEvents name the same object."""
    assert read_event(*request_) == SOURCE


def without(*keys: str, **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**DATA, **changes}.items() if key not in keys}


def test_only_bucket_name_and_generation_are_needed() -> None:
    """An event may omit the rest: JSON made from proto omits zeros, and storage knows better."""
    data = {"bucket": "b", "name": "n", "generation": "7"}
    assert read_event(*binary(data, time="soon")) == StoredObject("b", "n", 7, 0)


@pytest.mark.parametrize(
    "data, expected",
    [
        (without(size="many", md5Hash=5, timeCreated=None), (0, "", None)),
        (without("md5Hash", "timeCreated", size=352), (352, "", None)),
        (without("md5Hash", timeCreated="2026-11-24T12:00:00"), (352, "", None)),
    ],
)  # fmt: skip
def test_unreadable_details_are_left_out(data: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """A detail that cannot be read does not cost the file."""
    source = read_event(*binary(data))
    assert isinstance(source, StoredObject)
    assert (source.size, source.md5, source.created) == expected


PUBSUB = {"subscription": "s", "message": {"attributes": {"eventType": "OBJECT_FINALIZE"}}}
NOT_CLOUD_EVENT = "not a CloudEvent ("
OTHER_TYPE = "not the type google.cloud.storage.object.v1.finalized"
NOT_JSON_OBJECT = "its data is not a JSON object"
NO_OBJECT = "its data has no valid bucket, name and generation"
INVALID: dict[str, tuple[tuple[dict[str, str], bytes], str]] = {
    "empty request": (({}, b""), NOT_CLOUD_EVENT),
    "no JSON": (({"Content-Type": "application/json"}, b"hello"), NOT_CLOUD_EVENT),
    "bytes that are no text": (({}, b"\xff\xfe\x00"), NOT_CLOUD_EVENT),
    "no attributes": (({}, json.dumps(DATA).encode()), NOT_CLOUD_EVENT),
    "batch": (structured([{**ATTRIBUTES, "data": DATA}]), NOT_CLOUD_EVENT),
    "unknown version": (binary(specversion="9.9"), NOT_CLOUD_EVENT),
    "version is an object": (structured({**ATTRIBUTES, "specversion": {}}), NOT_CLOUD_EVENT),
    "invalid base64": (structured({**ATTRIBUTES, "data_base64": "a"}), NOT_CLOUD_EVENT),
    "no id": (binary(id=None), NOT_CLOUD_EVENT),
    "deep JSON": (({}, b"[" * 200_000), NOT_CLOUD_EVENT),
    "deleted": (binary(type="google.cloud.storage.object.v1.deleted"), OTHER_TYPE),
    "audit log": (binary(type="google.cloud.audit.log.v1.written"), OTHER_TYPE),
    "Pub/Sub": (binary(PUBSUB, type="google.cloud.pubsub.topic.v1.messagePublished"), OTHER_TYPE),
    "type is a number": (structured({**ATTRIBUTES, "type": 5, "data": DATA}), OTHER_TYPE),
    "empty body": (binary(b""), NOT_JSON_OBJECT),
    "bad JSON": (binary(b'{"bucket": "in-bucket", "name"'), NOT_JSON_OBJECT),
    "body is a list": (binary([DATA]), NOT_JSON_OBJECT),
    "protobuf": (binary(b"\x0a\x01\xff", "application/protobuf"), NOT_JSON_OBJECT),
    "structured without data": (structured(ATTRIBUTES), NOT_JSON_OBJECT),
    "no bucket": (binary(without("bucket")), NO_OBJECT),
    "no name": (binary(without("name")), NO_OBJECT),
    "empty name": (binary(without(name="")), NO_OBJECT),
    "name is a number": (binary(without(name=5)), NO_OBJECT),
    "no generation": (binary(without("generation")), NO_OBJECT),
    "generation is text": (binary(without(generation="latest")), NO_OBJECT),
    "generation is negative": (binary(without(generation="-1")), NO_OBJECT),
    "Pub/Sub in the data": (binary(PUBSUB), NO_OBJECT),
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID)
def test_any_other_request_has_a_reason(case: str) -> None:
    """A request that reports no object is a value with a reason, never an exception."""
    (headers, body), reason = INVALID[case]
    event = read_event(headers, body)
    assert isinstance(event, NotAnObjectEvent)
    assert event.reason.startswith(reason)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(DATA)), JSON), st.booleans())
def test_no_data_raises(data: dict[str, Any], is_binary: bool) -> None:
    """Whatever the values of an event are, they are read or refused."""
    request_ = binary(data) if is_binary else structured({**ATTRIBUTES, "data": data})
    assert isinstance(read_event(*request_), StoredObject | NotAnObjectEvent)


@given(st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), JSON), st.binary(max_size=20))
def test_no_attribute_and_no_body_raises(attributes: dict[str, Any], body: bytes) -> None:
    """Whatever a request contains, it is read or refused."""
    document = {**ATTRIBUTES, **attributes, "data": DATA}
    assert isinstance(read_event(*structured(document)), StoredObject | NotAnObjectEvent)
    assert isinstance(read_event({}, body), NotAnObjectEvent)
