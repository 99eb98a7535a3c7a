"""Storage calls in the request log, which also holds the calls of the other APIs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.state import Request
from sandbox.storage_calls import StorageCall


@dataclass(slots=True)
class StorageRequest(Request):
    """A storage call in the request log. `status` is the HTTP status; "0": connection cut."""

    bucket: str = ""
    name: str = ""
    response_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "started_at": self.started_at.isoformat(),
            "size": self.size,
            "bucket": self.bucket,
            "name": self.name,
            "response_bytes": self.response_bytes,
            "status": self.status,
            "fault": self.fault,
            "seconds": round(self.seconds, 6),
        }


def logged(call: StorageCall) -> StorageRequest:
    """The request log's record of a storage call."""
    return StorageRequest(
        method=call.method,
        request_id="",
        started_at=datetime.fromtimestamp(call.started, UTC),
        size=call.request_bytes,
        body=None,
        status=str(call.status),
        fault=call.fault,
        seconds=call.milliseconds / 1000,
        bucket=call.bucket,
        name=call.name,
        response_bytes=call.response_bytes,
    )
