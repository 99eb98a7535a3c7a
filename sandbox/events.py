"""The CloudEvent for a finalized object, in binary mode, as Eventarc sends it.

https://cloud.google.com/eventarc/docs/cloudevents-json#binary-content-mode and, for the body,
https://github.com/googleapis/google-cloudevents (StorageObjectData; 64-bit numbers are strings).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

FINALIZED = "google.cloud.storage.object.v1.finalized"
# CloudEvents does not encode these in a header: printable ASCII except space, quote and percent.
_PLAIN = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. All of its deliveries have the same `event_id`."""

    event_id: str
    bucket: str
    name: str
    generation: str
    headers: dict[str, str]
    body: bytes


def finalized_event(resource: Mapping[str, Any]) -> Event:
    """The event for an object, made from the object resource of the JSON API."""
    event_id = uuid.uuid4().hex
    bucket, name = str(resource["bucket"]), str(resource["name"])
    data = {key: value for key, value in resource.items() if isinstance(value, str)}
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-type": FINALIZED,
        "ce-id": event_id,
        "ce-time": str(resource.get("timeCreated", "")),
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "ce-subject": quote(f"objects/{name}", _PLAIN),
        "ce-bucket": bucket,
    }
    return Event(
        event_id, bucket, name, str(resource["generation"]), headers, json.dumps(data).encode()
    )
