"""Reading Google's errors: RPC failures, and partial failures back to their rows.

`trigger` may hold the raw value and is never read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import grpc
from google.ads.googleads.errors import GoogleAdsException

from lib.destinations.messages import without_values
from lib.destinations.pacing import Trouble
from lib.destinations.port import Verdict
from lib.rules.codes import lookup
from lib.rules.conversion import Outcome, Problem

_FAILURE_KEY = "google.ads.googleads.v26.errors.googleadsfailure-bin"

# The column of ours that a path element of Google's is about.
_FIELDS = {
    "hashed_email": "email",
    "hashed_phone_number": "phone",
    "consent": "ad_user_data",
    "user_identifiers": "email",
}

# Failures without Google Ads details, by gRPC status. After some of them the request may have been
# carried out: sending it again is safe because of Google's own dedupe.
_TRANSIENT_STATUSES = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
}


class AdsError(NamedTuple):
    """One GoogleAdsError: its code, what it says, where, and how long to wait (quota errors)."""

    code: str
    message: str
    row: int | None  # place of the conversion in the request; None: the whole request
    field: str
    retry_delay_seconds: float


def errors_of(failure: Any) -> Iterator[AdsError]:
    """The errors of a raw `GoogleAdsFailure`."""
    for error in failure.errors:
        row: int | None = None
        field = ""
        for element in error.location.field_path_elements:
            if element.field_name == "conversions":
                # Unset is no row, and not row 0.
                row = element.index if element.HasField("index") else None
            else:
                field = element.field_name
        delay = error.details.quota_error_details.retry_delay
        yield AdsError(
            code=_code_name(error.error_code),
            message=error.message,
            row=row,
            field=_FIELDS.get(field, field),
            retry_delay_seconds=delay.seconds + delay.nanos / 1e9,
        )


def _code_name(error_code: Any) -> str:
    """`conversion_upload_error: 11` → its enum's name; a newer number than the client's as such."""
    member = error_code.WhichOneof("error_code")
    if member is None:
        return "UNKNOWN"
    number = getattr(error_code, member)
    value = error_code.DESCRIPTOR.fields_by_name[member].enum_type.values_by_number.get(number)
    return value.name if value is not None else f"{member.upper()}_{number}"


@cache
def failure_class() -> Any:
    """The raw `GoogleAdsFailure`. Imported when the first error comes: it takes 170 modules."""
    from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure

    return GoogleAdsFailure.pb()


def errors_of_exception(error: Exception) -> list[AdsError]:
    """Google's details of a failed call; empty if there are none.

    The client library turns a failure into `GoogleAdsException` except for INTERNAL and
    RESOURCE_EXHAUSTED, so quota details must be read from the trailing metadata here.
    """
    if isinstance(error, GoogleAdsException):
        # The library wraps it in proto-plus here, whatever `use_proto_plus` says.
        return list(errors_of(getattr(error.failure, "_pb", error.failure)))
    metadata = error.trailing_metadata() if isinstance(error, grpc.Call) else None
    for key, value in metadata or ():
        if key == _FAILURE_KEY:
            return list(errors_of(failure_class().FromString(value)))
    return []


def classify(error: Exception) -> Trouble:
    """What to do about a failed call."""
    found = errors_of_exception(error)
    for each in found:
        if each.code == "RESOURCE_EXHAUSTED":
            return Trouble("daily_quota", each.code)
        if each.code == "RESOURCE_TEMPORARILY_EXHAUSTED":
            return Trouble("quota", each.code, each.retry_delay_seconds)
    if found:
        if all(lookup(each.code).scope == "transient" for each in found):
            return Trouble("transient", found[0].code)
        return Trouble("permanent", found[0].code)
    status = _status(error)
    if status is None:
        return Trouble("permanent", type(error).__name__)
    if _credentials_refused(error):
        return Trouble("permanent", "CREDENTIALS_REFUSED")
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Trouble("quota", status.name)
    if status in _TRANSIENT_STATUSES:
        return Trouble("transient", status.name)
    return Trouble("permanent", status.name)


def _status(error: Exception) -> grpc.StatusCode | None:
    if isinstance(error, GoogleAdsException):
        status: grpc.StatusCode = error.error.code()
        return status
    if isinstance(error, grpc.Call):
        return error.code()
    return None


def refusal(error: Exception) -> Problem:
    """Why a call was refused for good, as a problem of the file."""
    found = errors_of_exception(error)
    if found:
        # An account-level reason says more than a general one beside it.
        found.sort(key=lambda each: lookup(each.code).scope != "account")
        return Problem(found[0].code)
    status = _status(error)
    if status is grpc.StatusCode.UNAUTHENTICATED or _credentials_refused(error):
        return Problem("CREDENTIALS_REFUSED")
    return Problem(status.name if status is not None else type(error).__name__)


def _credentials_refused(error: Exception) -> bool:
    """A token that can't be renewed looks like UNAVAILABLE: the channel asks for it by itself."""
    return isinstance(error, grpc.Call) and "invalid_grant" in (error.details() or "")


class Judged(NamedTuple):
    """A partial failure by position in the request."""

    verdicts: dict[int, Verdict]
    again: list[int]  # refused for a passing reason: send these rows once more
    stop: Problem | None


def judge_response(response: Any, request: Any) -> Judged:
    """What became of the conversions of a request, by its raw response.

    Rows named in the failure failed, whatever their result message holds; an error without a
    conversion index is about all of them. A row counts as uploaded only if Google also returned a
    result for it.
    """
    size = len(request.conversions)
    status = response.partial_failure_error
    found: list[AdsError] = []
    for detail in status.details:
        failure = failure_class()()
        if detail.Unpack(failure):
            found += errors_of(failure)
    if status.code and not found:
        # Of a newer version, perhaps. Nothing says which rows it is about.
        found = [AdsError("UNREADABLE_FAILURE", status.message, None, "", 0.0)]
    judged = _judge(found, request)
    if len(response.results) != size:
        return judged  # validate_only has no results
    again = set(judged.again)
    silent = [
        row
        for row, result in enumerate(response.results)
        if not result.ByteSize() and row not in judged.verdicts and row not in again
    ]
    return judged._replace(again=judged.again + silent) if silent else judged


def judge_named_rows(found: list[AdsError], request: Any) -> Judged:
    """A request refused as a whole for errors that all name a row: the others are sent again."""
    judged = _judge(found, request)
    named = judged.verdicts.keys() | set(judged.again)
    others = [row for row in range(len(request.conversions)) if row not in named]
    return judged._replace(again=judged.again + others, stop=None)


def _judge(found: list[AdsError], request: Any) -> Judged:
    size = len(request.conversions)
    by_row: dict[int, list[AdsError]] = {}
    for error in found:
        # An index that the request doesn't have names no row of ours either.
        named = error.row
        rows = range(size) if named is None or named >= size else (named,)
        for row in rows:
            by_row.setdefault(row, []).append(error)
    verdicts: dict[int, Verdict] = {}
    again: list[int] = []
    account: list[str] = []
    for row, errors in by_row.items():
        verdict = _verdict(errors, request.conversions[row])
        if verdict is None:
            again.append(row)
        else:
            verdicts[row] = verdict
            account += [e.code for e in errors if lookup(e.code).scope == "account"][:1]
    # The same reason of the account's for every row: the next chunk would meet it too.
    stop = Problem(account[0]) if len(account) == size and len(set(account)) == 1 else None
    return Judged(verdicts, again, stop)


def _verdict(errors: list[AdsError], sent: Any) -> Verdict | None:
    """One outcome for the errors of one row; None if it should be sent again."""
    warnings = tuple(_problem(e, sent) for e in errors if lookup(e.code).severity == "warning")
    real = [e for e in errors if lookup(e.code).severity != "warning"]
    if not real:
        return Verdict("uploaded", (), warnings)
    problems = tuple(_problem(e, sent) for e in real)
    entries = [lookup(e.code) for e in real]
    if any(entry.scope == "transient" for entry in entries) and all(
        entry.scope == "transient" or entry.outcome in ("deferred", "duplicate")
        for entry in entries
    ):
        return None
    outcomes = {"failed" if entry.scope == "account" else entry.outcome for entry in entries}
    chosen: Outcome = "failed"
    if outcomes <= {"duplicate", "deferred"} and "duplicate" in outcomes:
        # Counted already: nothing is left to wait for.
        chosen = "duplicate"
    elif outcomes == {"deferred"}:
        chosen = "deferred"
    return Verdict(chosen, problems, warnings)


def _problem(error: AdsError, sent: Any) -> Problem:
    return Problem(error.code, error.field, without_values(error.message, sent))
