"""Reading Data Manager's errors: what a refused call says, and about which of its events.

One bad event refuses the whole request (fast-fail). The details name the events in
`BadRequest.field_violations`, as `events.events[1].user_data...` or `events[1]...`:
https://developers.google.com/data-manager/api/devguides/concepts/understand-errors
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import grpc
from google.rpc import error_details_pb2, status_pb2

from lib.catalogue.codes import lookup
from lib.destinations.messages import LIMIT, without_values
from lib.destinations.pacing import CallFailure
from lib.model.outcomes import Problem

_DETAILS_KEY = "grpc-status-details-bin"

_EVENT = re.compile(r"(?:^|\.)events\[(\d+)\]\.?")
_DESTINATION = re.compile(r"^(?:destinations\.)?destinations\[(\d+)\]")
_REQUEST_FIELD = re.compile(r"^(?:destinations|encoding|encryption_info|consent|validate_only)\b")

# The last part of Google's path that says something → the column of ours that it is about.
_FIELDS = {
    "event_timestamp": "conversion_date_time",
    "transaction_id": "order_id",
    "currency": "currency_code",
    "conversion_value": "conversion_value",
    "event_source": "event_source",
    "gclid": "gclid",
    "gbraid": "gbraid",
    "wbraid": "wbraid",
    "session_attributes": "session_attributes_encoded",
    "ip_address": "user_ip_address",
    "user_data": "email",
    "email_address": "email",
    "phone_number": "phone",
    "given_name": "first_name",
    "family_name": "last_name",
    "region_code": "country_code",
    "postal_code": "postal_code",
    "ad_user_data": "ad_user_data",
    "ad_personalization": "ad_personalization",
    "customer_type": "customer_type",
    "merchant_id": "merchant_id",
    "merchant_feed_label": "feed_country_code",
    "merchant_feed_language_code": "feed_language_code",
    "transaction_discount": "local_transaction_cost",
    "items": "items",
    "custom_variables": "custom_variable",
    "destination_references": "conversion_action",
}

# After some of these the request may have been carried out: sending it again is safe because of
# Google's own dedupe.
_TRANSIENT_STATUSES = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
}


class Violation(NamedTuple):
    """One field violation. `row` or `destination` is its place in the request, if it names one."""

    row: int | None
    destination: int | None
    path: str
    code: str
    message: str

    def problem(self, event: Any) -> Problem:
        """The violation as a problem of its row; the message without any value of `event`."""
        return Problem(self.code, field_of(self.path), without_values(self.message, event))


class Refused(NamedTuple):
    """A refused request: its reason as a whole, and the violations that it names."""

    status: grpc.StatusCode
    code: str
    message: str
    violations: tuple[Violation, ...] = ()

    def stop(self, destinations: int) -> Problem | None:
        """The reason if it is about the request, whatever its rows are; else None.

        `destinations` is how many the request has: when each of them is refused, so is everything.
        """
        if self.status is not grpc.StatusCode.INVALID_ARGUMENT and not self.unreadable:
            return Problem(self.code, "", self.message)
        for each in self.violations:
            if each.row is None and each.destination is None and _about_request(each):
                return Problem(each.code, "", each.message)
        named = {
            each.destination: each
            for each in self.violations
            if each.destination is not None and lookup(each.code).outcome != "deferred"
        }
        if named and len(named) >= destinations:
            first = next(iter(named.values()))
            return Problem(first.code, "", first.message)
        if not self.violations and lookup(self.code).scope in ("account", "file"):
            return Problem(self.code, "", self.message)
        return None

    @property
    def unreadable(self) -> bool:
        """Whether the details were too large to come through (gRPC's limit on trailers)."""
        return self.status is grpc.StatusCode.RESOURCE_EXHAUSTED


def _about_request(violation: Violation) -> bool:
    scope = lookup(violation.code).scope
    return scope in ("account", "file") or _REQUEST_FIELD.match(violation.path) is not None


def field_of(path: str) -> str:
    """`user_data.user_identifiers[2].email_address` → the column that it came from."""
    event = _EVENT.search(path)
    parts = re.split(r"[.\[\]]+", path[event.end() :] if event else path)
    for part in reversed(parts):
        if part in _FIELDS:
            return _FIELDS[part]
    return ""


def event_row(path: str) -> int | None:
    """The place of the event that a field path names."""
    event = _EVENT.search(path)
    return int(event[1]) if event else None


class _Details(NamedTuple):
    reason: str = ""
    quota_limit: str = ""
    retry_delay_seconds: float = 0.0
    violations: tuple[Violation, ...] = ()


def _details(error: grpc.Call) -> _Details:
    details = _Details()
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS_KEY:
            continue
        for packed in status_pb2.Status.FromString(value).details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            bad = error_details_pb2.BadRequest()
            if packed.Unpack(info):
                limit = info.metadata.get("quota_limit", "")
                details = details._replace(reason=info.reason, quota_limit=limit)
            elif packed.Unpack(retry):
                delay = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
                details = details._replace(retry_delay_seconds=delay)
            elif packed.Unpack(bad):
                violations = tuple(_violation(each) for each in bad.field_violations)
                details = details._replace(violations=details.violations + violations)
    return details


def _violation(raw: Any) -> Violation:
    row = event_row(raw.field)
    destination = None if row is not None else _DESTINATION.search(raw.field)
    return Violation(
        row,
        int(destination[1]) if destination else None,
        raw.field,
        raw.reason or "INVALID_ARGUMENT",
        raw.description,
    )


def read_refusal(error: grpc.Call) -> Refused:
    """Why a call was refused for good."""
    status = error.code()
    details = _details(error)
    code = details.reason or status.name
    if status is grpc.StatusCode.UNAUTHENTICATED or _credentials_refused(error):
        code = "CREDENTIALS_REFUSED"
    message = "" if details.violations else str(error.details() or "")[:LIMIT]
    if code == "CREDENTIALS_REFUSED":
        # The client's text may hold the token endpoint's answer.
        message = ""
    return Refused(status, code, message, details.violations)


def classify(error: Exception) -> CallFailure:
    """What to do about a failed call."""
    if not isinstance(error, grpc.Call):
        return CallFailure("permanent", type(error).__name__)
    status = error.code()
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        details = _details(error)
        # https://developers.google.com/data-manager/api/devguides/limits names the limits:
        # IngestionMutateRequestsPerDayPerProject, IngestionMutateRequestsPerMinutePerProject.
        if "PerDay" in details.quota_limit:
            return CallFailure("daily_quota", details.quota_limit)
        if "metadata size" in (error.details() or ""):
            # No quota: the answer's details were too large, so the request must become smaller.
            return CallFailure("permanent", "ANSWER_TOO_LARGE")
        return CallFailure("quota", details.reason or status.name, details.retry_delay_seconds)
    if status in _TRANSIENT_STATUSES and not _credentials_refused(error):
        return CallFailure("transient", status.name)
    return CallFailure("permanent", status.name)


def _credentials_refused(error: grpc.Call) -> bool:
    """gRPC reports a refresh token that was refused as UNAVAILABLE, which would be tried again."""
    text = error.details() or ""
    return "metadata from plugin failed" in text and "invalid_" in text
