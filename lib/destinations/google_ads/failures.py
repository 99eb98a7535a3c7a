"""Reads errors of the Google Ads API: why a request failed, and what to do about it.

The `trigger` of an error can contain the raw value, so it is never read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import grpc

from lib.catalogue.codes import lookup
from lib.destinations.channels import classify_by_status
from lib.destinations.google_ads.api import PACKAGE, module
from lib.destinations.google_ads.upload_request import UPLOAD_KINDS
from lib.destinations.pacing import RequestFailure
from lib.destinations.redaction import without_values
from lib.model.outcomes import Problem

_FAILURE_KEY = f"{PACKAGE}.errors.googleadsfailure-bin"

_ROWS = {kind.rows for kind in UPLOAD_KINDS.values()}
"""Elements of Google's field paths that name a row."""

_CODE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{2,79}").fullmatch


class AdsError(NamedTuple):
    """One GoogleAdsError: code, message, location, and how long to wait (quota errors)."""

    code: str
    message: str
    row: int | None  # position of the row in the request; None: the whole request
    field: str  # the last element of Google's field path
    retry_delay_seconds: float


def errors_of(failure: Any) -> Iterator[AdsError]:
    """Return the errors of a raw `GoogleAdsFailure`."""
    for error in failure.errors:
        row: int | None = None
        field = ""
        for element in error.location.field_path_elements:
            if element.field_name in _ROWS:
                # An index that is not set means no row, not row 0.
                row = element.index if element.HasField("index") else None
            else:
                field = element.field_name
        delay = error.details.quota_error_details.retry_delay
        yield AdsError(
            code=_code_of(error),
            message=error.message,
            row=row,
            field=field,
            retry_delay_seconds=delay.seconds + delay.nanos / 1e9,
        )


def _code_of(error: Any) -> str:
    """Return the name of an error's code: of `conversion_upload_error: 11`, EXPIRED_EVENT.

    Of a code that is newer than this version of the API, Google gives only the name. One that is
    newer than the client library keeps its number.
    """
    unpublished = error.details.unpublished_error_code
    if unpublished and _CODE_NAME(unpublished):
        return str(unpublished)
    code = error.error_code
    member = code.WhichOneof("error_code")
    if member is None:
        return "UNKNOWN"
    number = getattr(code, member)
    value = code.DESCRIPTOR.fields_by_name[member].enum_type.values_by_number.get(number)
    return value.name if value is not None else f"{member.upper()}_{number}"


@cache
def failure_class() -> Any:
    """Return the raw `GoogleAdsFailure`. Imported at the first error: it needs 170 modules."""
    return module("errors.types.errors").GoogleAdsFailure.pb()


def errors_of_exception(error: Exception) -> list[AdsError]:
    """Return Google's details of a failed request; empty if there are none."""
    metadata = error.trailing_metadata() if isinstance(error, grpc.Call) else None
    for key, value in metadata or ():
        if key == _FAILURE_KEY:
            return list(errors_of(failure_class().FromString(value)))
    return []


_ABOUT_THE_CUSTOMER = frozenset({"CLIENT_CUSTOMER_ID_INVALID", "CUSTOMER_NOT_FOUND"})
"""Authentication errors for which other credentials are no remedy."""


def classify(error: Exception) -> RequestFailure:
    """Decide what to do about a failed request."""
    if not isinstance(error, grpc.Call):
        return RequestFailure("permanent", type(error).__name__)
    errors = errors_of_exception(error)
    if not errors:
        return classify_by_status(error)
    for ads_error in errors:
        if ads_error.code == "RESOURCE_EXHAUSTED":
            return RequestFailure("daily_quota", ads_error.code)
        if ads_error.code == "RESOURCE_TEMPORARILY_EXHAUSTED":
            return RequestFailure("quota", ads_error.code, ads_error.retry_delay_seconds)
    codes = [ads_error.code for ads_error in errors]
    if all(lookup(code).scope == "transient" for code in codes):
        return RequestFailure("transient", codes[0])
    is_refused = error.code() is grpc.StatusCode.UNAUTHENTICATED
    if is_refused and _ABOUT_THE_CUSTOMER.isdisjoint(codes):
        return RequestFailure("permanent", codes[0], defect="UNAUTHENTICATED")
    return RequestFailure("permanent", codes[0])


def refusal(error: Exception, sent: Any) -> Problem:
    """Return why a request was refused permanently, as a problem of the file. `sent` is the
    request's message."""
    errors = errors_of_exception(error)
    if not errors:
        return Problem(classify(error).code)
    # An account-level reason is more specific than a general one next to it.
    reason = min(errors, key=lambda each: lookup(each.code).scope != "account")
    return Problem(reason.code, "", without_values(reason.message, sent))


def request_id_in(call: Any) -> str:
    """Return the ID of a request, for Google's support; empty if there is none. `call` is a gRPC
    call, or the error of a failed one."""
    if not isinstance(call, grpc.Call):
        return ""
    for metadata in (call.initial_metadata(), call.trailing_metadata()):
        if found := dict(metadata or ()).get("request-id"):
            return str(found)
    return ""
