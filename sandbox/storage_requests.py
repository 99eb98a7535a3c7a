"""A request to storage: which method of Google's JSON API, on which object; and in the log.

Methods: https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.state import Request

_OBJECT = re.compile(r"^(?:/download)?/storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<rest>.+))?$")
_BUCKET = re.compile(r"^/storage/v1/b(?:/(?P<bucket>[^/]+))?$")
_UPLOAD = re.compile(r"^/(?:upload|resumable/upload)/storage/v1/b/(?P<bucket>[^/]+)/o$")
_REWRITE = re.compile(r"^[^/]+/rewriteTo/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)$")
_VERBS = {"GET": "get", "HEAD": "get", "DELETE": "delete", "PATCH": "patch", "PUT": "update"}
# What the log shows of requests to the APIs only.
_OF_APIS = {"request_id", "customer_id", "login_customer_id", "conversions", "job_id"}
WRITES = frozenset(
    f"storage.objects.{verb}" for verb in ("insert", "delete", "patch", "update", "rewrite")
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request does. `name` is the decoded name of the object that it reads or writes."""

    method: str
    bucket: str
    name: str
    query: dict[str, str]

    @property
    def path(self) -> str:
        return f"{self.bucket}/{self.name}"

    @property
    def writes(self) -> bool:
        return self.method in WRITES

    @property
    def begins_resumable(self) -> bool:
        return self.query.get("uploadType") == "resumable" and "upload_id" not in self.query

    @property
    def reads_media(self) -> bool:
        return self.method == "storage.objects.get" and self.query.get("alt") == "media"


@dataclass(slots=True)
class StorageRequest(Request):
    """A request to storage in the log. `status` is the HTTP status; "0": connection cut."""

    bucket: str = ""
    name: str = ""
    response_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        shown = Request.as_json(self)
        return {name: value for name, value in shown.items() if name not in _OF_APIS}


def understand(verb: str, target: str, body: bytes, content_type: str) -> Operation:
    """What `verb target` does. An unknown request has the method `storage.other`."""
    parts = urlsplit(target)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if match := _UPLOAD.match(parts.path):
        name = query.get("name") or _name_in(body, content_type)
        return Operation("storage.objects.insert", unquote(match["bucket"]), name, query)
    if match := _OBJECT.match(parts.path):
        return _object_operation(verb, unquote(match["bucket"]), match["rest"], query)
    if match := _BUCKET.match(parts.path):
        bucket = unquote(match["bucket"] or "")
        verbs = _VERBS if bucket else {"GET": "list", "POST": "insert"}
        return Operation(f"storage.buckets.{verbs.get(verb, 'other')}", bucket, "", query)
    return Operation("storage.other", "", "", query)


def _object_operation(verb: str, bucket: str, rest: str | None, query: dict[str, str]) -> Operation:
    if rest is None:
        return Operation("storage.objects.list", bucket, "", query)
    if match := _REWRITE.match(rest):
        target = unquote(match["bucket"]), unquote(match["name"])
        return Operation("storage.objects.rewrite", *target, query)
    return Operation(f"storage.objects.{_VERBS.get(verb, 'other')}", bucket, unquote(rest), query)


def _name_in(body: bytes, content_type: str) -> str:
    """The object's name, from the metadata of a multipart upload or a new resumable upload."""
    document = body
    if content_type.startswith("multipart/"):
        _, _, document = body[:65536].partition(b"\r\n\r\n")
    try:
        metadata, _ = json.JSONDecoder().raw_decode(document[:65536].decode(errors="replace"))
    except ValueError:
        return ""
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def finalized_object(operation: Operation, body: bytes) -> dict[str, Any] | None:
    """The metadata of the object that was created, according to this response, or None."""
    creates = {"storage.objects.insert", "storage.objects.rewrite"}
    if operation.method not in creates or operation.begins_resumable:
        return None
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    resource = answer.get("resource", answer)
    return resource if isinstance(resource, dict) and "generation" in resource else None
