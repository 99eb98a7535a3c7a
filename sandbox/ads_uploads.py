"""What the three upload methods of the Google Ads API have in common."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from sandbox.accounts import Account
from sandbox.ads_errors import Path, Problem, partial_failure, refuse
from sandbox.ads_fields import ADJUSTMENT, UPLOAD
from sandbox.rpc import Call, Refusal

MAX_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class UploadKind:
    """A method: the field that holds its rows, its errors, and if it has a job ID."""

    rows: str
    family: str
    too_many: str
    has_job_id: bool = True


CLICK_CONVERSIONS = UploadKind("conversions", UPLOAD, "TOO_MANY_CONVERSIONS_IN_REQUEST")
CALL_CONVERSIONS = UploadKind("conversions", UPLOAD, "TOO_MANY_CONVERSIONS_IN_REQUEST", False)
ADJUSTMENTS = UploadKind("conversion_adjustments", ADJUSTMENT, "TOO_MANY_ADJUSTMENTS_IN_REQUEST")


def parse(kind: Any, body: bytes) -> Any:
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise Refusal(grpc.StatusCode.INTERNAL, "can't read the request message") from error


def decoder(kind: Any) -> Callable[[bytes], dict[str, Any]]:
    """A function that reads a serialized message as proto JSON with the proto's field names."""

    def decode(message: bytes) -> dict[str, Any]:
        decoded: dict[str, Any] = MessageToDict(
            kind.FromString(message), preserving_proto_field_name=True
        )
        return decoded

    return decode


def check_request(request: Any, kind: UploadKind, account: Account, call: Call) -> int:
    """Check everything outside the rows; returns the response's job ID. Raises `Refusal`."""
    if not account.allowlisted_for_upload and kind is CLICK_CONVERSIONS:
        # Closed to new adopters since 2026-06-15 (docs: conversions/upload-offline).
        raise refuse_new_adopter(call)
    if not account.allowlisted_for_adjustments and kind is ADJUSTMENTS:
        raise refuse_new_adopter(call)
    if not request.partial_failure:
        code = "partial_failure_error.PARTIAL_FAILURE_MODE_REQUIRED"
        raise refuse(code, "The partial failure field must be true.", call)
    rows, place = getattr(request, kind.rows), ((kind.rows, None),)
    if not rows:
        raise refuse("field_error.REQUIRED", "The required field was not set.", call, place)
    if len(rows) > MAX_ROWS:
        text = "Upload fewer than 2001 events in a single request."
        raise refuse(kind.family + kind.too_many, text, call, place)
    if not kind.has_job_id:
        return 0
    if not request.HasField("job_id"):
        return secrets.randbelow(2**63 - 2**31) + 2**31
    if request.job_id < 1:
        # The proto comment says "non-negative", the error text [1, 2^31), which is stricter.
        text = "A job ID must be a positive integer in the range [1, 2^31)."
        raise refuse(kind.family + "INVALID_JOB_ID", text, call, (("job_id", None),))
    return int(request.job_id)


def refuse_new_adopter(call: Call) -> Refusal:
    code = "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
    return refuse(code, "The customer is not allowlisted for accessing this feature.", call)


# Faults


def error_without_index(call: Call) -> list[Problem]:
    """The error of a fault by which nothing is accepted: it belongs to the whole request."""
    if call.fault is None or call.fault.kind != "error_without_index":
        return []
    return [_unnamed_error(call)]


def stray_error(call: Call) -> list[Problem]:
    """An error of a fault that names no row, although rows are accepted."""
    return [_unnamed_error(call)] if _is_stray(call) else []


def _is_stray(call: Call) -> bool:
    return call.fault is not None and call.fault.kind == "stray_error"


def _unnamed_error(call: Call) -> Problem:
    assert call.fault is not None
    code = str(call.fault.parameters.get("error", "internal_error.TRANSIENT_ERROR"))
    return Problem(code, "An error that names no row (by a fault rule).")


def chosen_errors(call: Call, kind: UploadKind) -> list[Problem]:
    """The errors of a `row_error` fault. A path looks like `user_identifiers[1].hashed_email`."""
    if call.fault is None or call.fault.kind != "row_error":
        return []
    parameters = call.fault.parameters
    given = parameters.get("error", "conversion_upload_error.EVENT_NOT_FOUND")
    inner: Path = tuple(
        (name, int(index) if index else None)
        for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", str(parameters.get("path", "")))
    )
    return [
        Problem(
            str(code),
            str(parameters.get("message", "An error on a chosen row (by a fault rule).")),
            ((kind.rows, int(row)), *inner),
        )
        for row in parameters.get("rows", [0])
        for code in (given if isinstance(given, list) else [given])
    ]


# Responses


def bad_rows(problems: Sequence[Problem]) -> dict[int | None, str]:
    """The code of the first problem of every row that has one."""
    return {problem.path[0][1]: problem.code for problem in reversed(problems) if problem.path}


def fill_response(
    response: Any,
    rows: Sequence[Any],
    problems: list[Problem],
    call: Call,
    fill: Callable[[Any, Any], None] | None,
) -> bytes:
    """Add the partial failure and a result for each row, empty for a row that failed.

    `fill` copies a row into its result; None: there are no results (`validate_only`).
    """
    whole = False
    if problems:
        response.partial_failure_error.CopyFrom(partial_failure(problems, call.request_id))
        whole = any(problem.path == () for problem in problems) and not _is_stray(call)
    bad = bad_rows(problems)
    for index, row in enumerate(rows if fill is not None else ()):
        result = response.results.add()
        if fill is not None and not whole and index not in bad:
            fill(row, result)
    serialized: bytes = response.SerializeToString()
    return serialized
