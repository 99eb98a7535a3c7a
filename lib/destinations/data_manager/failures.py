"""Reads errors of the Data Manager API: why a request was refused, and because of which events.

One invalid event makes the API refuse the whole request (fast-fail). The details name the events in
`BadRequest.field_violations`, as `events.events[1].user_data...` or `events[1]...`:
https://developers.google.com/data-manager/api/devguides/concepts/understand-errors
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

import grpc
from google.protobuf import any_pb2
from google.protobuf.json_format import ParseDict, ParseError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from lib.catalogue.codes import lookup
from lib.destinations import rest
from lib.destinations.channels import classify_by_status
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.pacing import RequestFailure
from lib.destinations.redaction import without_values
from lib.errors import RestRefused
from lib.model.fields import RecordKind
from lib.model.outcomes import Problem
from lib.model.personal_data import without_personal_data

_DETAILS_KEY = "grpc-status-details-bin"

_EVENT = re.compile(r"(?:^|\.)events\[(\d+)\]\.?")
_DESTINATION = re.compile(r"^(?:destinations\.)?destinations\[(\d+)\]")
_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")
_REQUEST_FIELD = re.compile(r"^(?:destinations|encoding|encryption_info|consent|validate_only)\b")

# Parts of Google's path that cover several columns, and the column to show for them.
_ACTION: Final = {"destination_references": "conversion_action"}
_WHOLES: Final[dict[RecordKind, dict[str, str]]] = {
    "conversion": {"user_data": "email", **_ACTION},
    "adjustment": {"user_data": "email", **_ACTION},
    "call": {"user_data": "caller_id", "call_info": "call_start_date_time", **_ACTION},
}


class Violation(NamedTuple):
    """One field violation. `row` or `destination` is a position in the request, if it names one."""

    row: int | None
    destination: int | None
    path: str
    code: str
    message: str

    @property
    def problem_of_request(self) -> Problem:
        """The violation as a problem of the whole request. The message names no person."""
        return Problem(self.code, "", without_personal_data(self.message))

    def problem(self, event: Any, kind: RecordKind) -> Problem:
        """Return the violation as a problem of its row. The message has no value of `event`."""
        column = field_of(self.path, kind)
        return Problem(self.code, column, without_values(self.message, event))


class Refusal(NamedTuple):
    """A refused request: the reason for the whole request, and the violations that it names.

    `status` is the name of the gRPC status, also by REST.
    """

    status: str
    code: str
    message: str
    violations: tuple[Violation, ...] = ()

    def stop(self, destinations: int) -> Problem | None:
        """Return the reason if it concerns the request regardless of its rows, else None.

        `destinations` is the number of destinations in the request. If Google refuses all of them,
        it refuses all rows.
        """
        # RESOURCE_EXHAUSTED: the details were too large to arrive (gRPC limits trailers).
        if self.status not in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"):
            return Problem(self.code, "", self.message)
        for violation in self.violations:
            names_a_part = violation.row is not None or violation.destination is not None
            if not names_a_part and _about_request(violation):
                return violation.problem_of_request
        refused = {
            violation.destination: violation
            for violation in self.violations
            if violation.destination is not None and not lookup(violation.code).is_temporary
        }
        if refused and len(refused) >= destinations:
            return next(iter(refused.values())).problem_of_request
        if not self.violations and lookup(self.code).scope in ("account", "file"):
            return Problem(self.code, "", self.message)
        return None


def _about_request(violation: Violation) -> bool:
    """Return whether a violation that names no event concerns all of them: the account, the file,
    or a field of the request itself."""
    scope = lookup(violation.code).scope
    return scope in ("account", "file") or _REQUEST_FIELD.match(violation.path) is not None


def field_of(path: str, kind: RecordKind) -> str:
    """Return the column of a path, or "".

    `events[1].user_data.user_identifiers[2].email_address` → `email`
    """
    event = _EVENT.search(path)
    parts = re.split(r"[.\[\]]+", path[event.end() :] if event else path)
    for part in reversed(parts):
        if column := _WHOLES[kind].get(part) or CAPABILITIES.column_of(part, kind):
            return column
    return ""


def event_row(path: str) -> int | None:
    """Return the position of the event that a field path names."""
    event = _EVENT.search(path)
    return int(event[1]) if event else None


M = TypeVar("M", ErrorInfo, RetryInfo, BadRequest)


def _details(error: grpc.Call | RestRefused, kind: type[M]) -> Iterator[M]:
    """Yield Google's details of the error that are messages of this kind."""
    for packed in _packed_details(error):
        message = kind()
        if packed.Unpack(message):
            yield message


def _packed_details(error: grpc.Call | RestRefused) -> Iterator[any_pb2.Any]:
    # With gRPC, they are in the trailers. By REST, they are the same messages as JSON.
    if isinstance(error, RestRefused):
        for detail in error.error.get("details", ()):
            with suppress(ParseError):  # a type that we do not know
                yield ParseDict(detail, any_pb2.Any(), ignore_unknown_fields=True)
        return
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            yield from Status.FromString(value).details


def _violation(raw: Any) -> Violation:
    """Return a raw `FieldViolation` as a `Violation`."""
    # By REST, names are written like `callInfo`.
    path = _CAPITAL.sub(lambda capital: f"_{capital[0].lower()}", raw.field)
    row = event_row(path)
    destination = None if row is not None else _DESTINATION.search(path)
    return Violation(
        row,
        int(destination[1]) if destination else None,
        path,
        raw.reason or "INVALID_ARGUMENT",
        raw.description,
    )


def read_refusal(error: grpc.Call | RestRefused) -> Refusal:
    """Return why a request was refused permanently, with gRPC or by REST."""
    if classify(error).defect == "UNAUTHENTICATED":
        # The client's message may contain the token endpoint's answer.
        return Refusal("UNAUTHENTICATED", "CREDENTIALS_REFUSED", "")
    if isinstance(error, RestRefused):
        status, message = error.error.get("status", error.code), error.error.get("message", "")
    else:
        status, message = error.code().name, error.details()
    reason = next(_details(error, ErrorInfo), ErrorInfo()).reason
    violations = [
        _violation(each) for bad in _details(error, BadRequest) for each in bad.field_violations
    ]
    message = "" if violations else without_personal_data(str(message or ""))
    return Refusal(status, reason or status, message, tuple(violations))


def classify(error: Exception) -> RequestFailure:
    """Decide what to do about a failed request, with gRPC or by REST."""
    if not isinstance(error, grpc.Call):
        return rest.classify(error)
    failure = classify_by_status(error)
    if failure.kind != "quota":
        return failure
    info = next(_details(error, ErrorInfo), ErrorInfo())
    limit = info.metadata.get("quota_limit", "")
    # https://developers.google.com/data-manager/api/devguides/limits names the limits:
    # IngestionMutateRequestsPerDayPerProject, IngestionMutateRequestsPerMinutePerProject.
    if "PerDay" in limit:
        return RequestFailure("daily_quota", limit)
    if "metadata size" in (error.details() or ""):
        # Not a quota error: the details were too large, so the request must become smaller.
        return RequestFailure("permanent", "ANSWER_TOO_LARGE")
    delay = next(_details(error, RetryInfo), RetryInfo()).retry_delay
    return RequestFailure("quota", info.reason or failure.code, delay.seconds + delay.nanos / 1e9)
