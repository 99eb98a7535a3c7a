"""Google Ads API errors in Google's format: `GoogleAdsFailure`, in one of two envelopes.

- An error in the request as a whole ends the RPC; the failure is in the trailing metadata.
- Errors in rows are returned in `partial_failure_error`, a `google.rpc.Status` whose details hold
  one failure with many errors (ads API docs: best-practices/partial-failures).

Numbers and names come from Google's own enums, so the sandbox cannot accidentally send a code that
this version of the API does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import grpc
from google.rpc import status_pb2

from sandbox.faults import Fault
from sandbox.google_ads import PACKAGE, ads_module
from sandbox.rpc import Refusal, Rpc

_types = ads_module("errors.types.errors")
GoogleAdsFailure: Any = _types.GoogleAdsFailure.pb()
GoogleAdsError: Any = _types.GoogleAdsError.pb()
_ErrorCode: Any = _types.ErrorCode.pb()
_FAILURE_KEY = f"{PACKAGE}.errors.googleadsfailure-bin"

Path = tuple[tuple[str, int | None], ...]


class Problem(NamedTuple):
    """One error: a code such as `conversion_upload_error.UNPARSEABLE_GCLID`, a message, a path.

    `trigger` is the offending value, unchanged: Google returns it even if it is raw user data.
    """

    code: str
    message: str
    path: Path = ()
    trigger: str | None = None


def code_number(code: str) -> tuple[str, int]:
    """Convert `family.NAME` into (member of ErrorCode, number).

    NAME can be a number: `conversion_upload_error.999` is an error that this version of the API
    does not know. Raises `KeyError` for a name that Google does not have.
    """
    family, _, name = code.partition(".")
    if name.isdigit():
        return family, int(name)
    names = _ErrorCode.DESCRIPTOR.fields_by_name[family].enum_type.values_by_name
    return family, names[name].number


def failure(problems: Sequence[Problem], request_id: str) -> Any:
    """A raw `GoogleAdsFailure` with one error for each problem."""
    made = GoogleAdsFailure(request_id=request_id)
    for problem in problems:
        error = made.errors.add()
        if problem.code.startswith("unpublished."):
            # A code that is newer than the client's version of the API.
            error.details.unpublished_error_code = problem.code.partition(".")[2]
            error.error_code.request_error = 1  # UNKNOWN
        else:
            family, number = code_number(problem.code)
            setattr(error.error_code, family, number)
        error.message = problem.message
        if problem.trigger is not None:
            error.trigger.string_value = problem.trigger
        for name, index in problem.path:
            element = error.location.field_path_elements.add()
            element.field_name = name
            if index is not None:
                element.index = index
    return made


def partial_failure(problems: Sequence[Problem], request_id: str) -> status_pb2.Status:
    """The `partial_failure_error` of a response."""
    first = problems[0]
    place = ".".join(f"{n}[{i}]" if i is not None else n for n, i in first.path)
    message = f"{first.message}, at {place}" if place else first.message
    if len(problems) > 1:
        message = f"Multiple errors in 'details'. First error: {message}"
    status = status_pb2.Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0], message=message)
    status.details.add().Pack(failure(problems, request_id))
    return status


# The gRPC status of a request-level error depends on the error family.
_STATUS: dict[str, grpc.StatusCode] = {
    "authentication_error": grpc.StatusCode.UNAUTHENTICATED,
    "authorization_error": grpc.StatusCode.PERMISSION_DENIED,
    "not_allowlisted_error": grpc.StatusCode.PERMISSION_DENIED,
    "quota_error": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "internal_error": grpc.StatusCode.INTERNAL,
}
_MESSAGE: dict[grpc.StatusCode, str] = {
    grpc.StatusCode.UNAUTHENTICATED: "Request had invalid authentication credentials.",
    grpc.StatusCode.PERMISSION_DENIED: "The caller does not have permission",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "Resource has been exhausted (e.g. check quota).",
    grpc.StatusCode.INTERNAL: "Internal error encountered.",
    grpc.StatusCode.UNAVAILABLE: "The service is currently unavailable.",
    grpc.StatusCode.INVALID_ARGUMENT: "Request contains an invalid argument.",
}


def refuse(
    code: str, message: str, rpc: Rpc, path: Path = (), status: grpc.StatusCode | None = None
) -> Refusal:
    """A request-level error: an RPC error with the failure in the trailing metadata."""
    family, _, name = code.partition(".")
    status = status or _STATUS.get(family, grpc.StatusCode.INVALID_ARGUMENT)
    made = failure([Problem(code, message, path)], rpc.request_id)
    return Refusal(status, _MESSAGE[status], ((_FAILURE_KEY, made.SerializeToString()),), name)


def refuse_for_quota(rpc: Rpc, retry_delay_seconds: float | None) -> Refusal:
    """The quota error: requests come too fast (retry after the delay), or, if the delay is None,
    the day's operations are used up."""
    if retry_delay_seconds is None:
        name, text = "RESOURCE_EXHAUSTED", "Too many requests. Retry tomorrow."
    else:
        name = "RESOURCE_TEMPORARILY_EXHAUSTED"
        text = f"Too many requests. Retry in {max(1, round(retry_delay_seconds))} seconds."
    made = failure([Problem(f"quota_error.{name}", text)], rpc.request_id)
    details = made.errors[0].details.quota_error_details
    scope = _types.QuotaErrorDetails.QuotaRateScope
    if retry_delay_seconds is None:
        details.rate_scope, details.rate_name = int(scope.DEVELOPER), "Operations per day"
    else:
        details.rate_scope = int(scope.ACCOUNT)
        details.rate_name = "Number of conversion upload requests"
        details.retry_delay.FromMilliseconds(int(retry_delay_seconds * 1000))
    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    trailing = ((_FAILURE_KEY, made.SerializeToString()),)
    return Refusal(status, _MESSAGE[status], trailing, name)


def refuse_by_fault(fault: Fault, rpc: Rpc) -> Refusal | None:
    """The Google Ads API's own form of a fault; None: use the plain gRPC status."""
    match fault.kind:
        case "resource_exhausted":
            return refuse_for_quota(rpc, None)
        case "resource_temporarily_exhausted":
            return refuse_for_quota(rpc, float(fault.parameters.get("retry_delay_seconds", 1)))
        case "internal_before_commit" | "internal_after_commit":
            return refuse("internal_error.INTERNAL_ERROR", "An internal error has occurred.", rpc)
        case "unauthenticated":
            text = "The OAuth access token has expired."
            return refuse("authentication_error.OAUTH_TOKEN_EXPIRED", text, rpc)
        case "transient_error":
            unavailable = grpc.StatusCode.UNAVAILABLE
            text = "A transient error has occurred."
            return refuse("internal_error.TRANSIENT_ERROR", text, rpc, status=unavailable)
        case _:
            return None


def with_details(refusal: Refusal) -> Refusal:
    """The same refusal for REST, where the failure is in the details of the `google.rpc.Status`."""
    packed = dict(refusal.trailing).get(_FAILURE_KEY)
    status = status_pb2.Status(code=refusal.code.value[0], message=str(refusal))
    if isinstance(packed, bytes):
        status.details.add().Pack(GoogleAdsFailure.FromString(packed))
    trailing = (*refusal.trailing, ("grpc-status-details-bin", status.SerializeToString()))
    return Refusal(refusal.code, str(refusal), trailing, refusal.label)
