"""Data Manager API errors in Google's format: `google.rpc.Status` with details.

`ErrorInfo` holds the reason and the request ID, `BadRequest` a field violation for each problem.
The client's exceptions show them as `reason`, `metadata` and `details`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import grpc
from google.ads import datamanager_v1 as dm
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from sandbox.faults import Fault
from sandbox.rpc import Refusal, Rpc

_REASONS = dict(dm.ErrorReason.__members__)
_MAX_VIOLATIONS = 10_000
_DOMAIN = "datamanager.googleapis.com"
_BadRequest: Any = error_details_pb2.BadRequest
_ErrorInfo: Any = error_details_pb2.ErrorInfo
_RetryInfo: Any = error_details_pb2.RetryInfo
Window = Literal["Minute", "Day"]


class Finding(NamedTuple):
    """A violation or a warning: the field's path, the reason, and a description."""

    path: str
    reason: str
    description: str


def missing(path: str) -> Finding:
    return Finding(path, "REQUIRED_FIELD_MISSING", "The required field is missing.")


def refusal(
    code: grpc.StatusCode,
    message: str,
    reason: str,
    rpc: Rpc,
    details: Sequence[Message] = (),
    **metadata: str,
) -> Refusal:
    """An RPC error with `ErrorInfo` and further details, which the client's exceptions show."""
    metadata["requestId"] = rpc.request_id
    info = _ErrorInfo(reason=reason, domain=_DOMAIN, metadata=metadata)
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in (info, *details):
        status.details.add().Pack(detail)
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    return Refusal(code, message, trailing, reason)


def invalid(findings: Sequence[Finding], rpc: Rpc) -> Refusal:
    """INVALID_ARGUMENT. The `path` of each finding must be the full field path."""
    bad = _BadRequest()
    for finding in findings[:_MAX_VIOLATIONS]:
        # Only names of Google's enum: the sandbox cannot send one that the API lacks.
        reason = _REASONS[finding.reason].name
        bad.field_violations.add(field=finding.path, description=finding.description, reason=reason)
    code, text = grpc.StatusCode.INVALID_ARGUMENT, "There was a problem with the request."
    return refusal(code, text, "INVALID_ARGUMENT", rpc, [bad] if findings else [])


def unauthenticated(reason: str, rpc: Rpc) -> Refusal:
    """The access token is refused."""
    text = "Request had invalid authentication credentials."
    return refusal(grpc.StatusCode.UNAUTHENTICATED, text, reason, rpc)


def over_quota(rpc: Rpc, window: Window, retry_delay_seconds: float | None = None) -> Refusal:
    """RESOURCE_EXHAUSTED. `ErrorInfo.metadata.quota_limit` names the limit that was reached.

    https://developers.google.com/data-manager/api/devguides/limits (quota names)
    """
    code, text = grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many requests."
    operation = "Read" if rpc.request.method.endswith("RetrieveRequestStatus") else "Mutate"
    limit = f"Ingestion{operation}RequestsPer{window}PerProject"
    details: list[Message] = []
    if retry_delay_seconds is not None:
        retry = _RetryInfo()
        retry.retry_delay.FromMilliseconds(int(retry_delay_seconds * 1000))
        details.append(retry)
    return refusal(code, text, "RESOURCE_EXHAUSTED", rpc, details, quota_limit=limit)


def refuse_by_fault(fault: Fault, rpc: Rpc) -> Refusal | None:
    match fault.kind:
        case "unauthenticated":
            return unauthenticated("ACCESS_TOKEN_EXPIRED", rpc)
        case "invalid_argument_unnamed":
            return invalid([], rpc)
        case "resource_exhausted":
            return over_quota(rpc, "Day")
        case "resource_temporarily_exhausted":
            return over_quota(rpc, "Minute", fault.parameters.get("retry_delay_seconds"))
        case "internal_before_commit" | "internal_after_commit":
            text = "An internal error has occurred."
            return refusal(grpc.StatusCode.INTERNAL, text, "INTERNAL_ERROR", rpc)
        case _:
            return None
