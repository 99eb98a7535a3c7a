"""Google's answer to an upload, with its partial failure → the outcome of each row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from lib.catalogue.codes import Code, lookup
from lib.destinations.base import RowResult
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.failures import AdsError, errors_of, failure_class
from lib.destinations.google_ads.upload_request import UploadKind, UploadRequest
from lib.destinations.redaction import without_values
from lib.model.outcomes import Outcome, Problem

_PERHAPS_THE_CLICK = frozenset({"NO_CONVERSION_ACTION_FOUND", "UNAUTHORIZED_CUSTOMER"})
"""These concern the whole account or action, or only a click that belongs to another account
(https://developers.google.com/google-ads/api/docs/conversions/upload-offline)."""

_NEED_PERMISSION = frozenset(
    {"session_attributes_encoded", "session_attributes_key_value_pairs", "user_ip_address"}
)
"""Those of the fields with `needs_permission` that this API has. Rows without them are accepted."""

_ENOUGH_ROWS = 20
"""If this many rows all have the error, the next rows will too. Fewer rows could all have clicks of
other accounts."""

_WEAKEST_LAST: Final[tuple[Outcome, ...]] = ("duplicate", "skipped", "deferred")
"""Outcomes of a row that has not failed. Of several, the first one counts: a row that is already
counted, or superseded, has no reason to wait."""


SILENT: Final = RowResult("failed", (Problem("ANSWER_INCOMPLETE"),))
"""The result of a row of which an answer says nothing. `ChunkUpload.send` then stops the file."""


class UploadRequestResult(NamedTuple):
    """The results of a request, by position in the request. A row without one was accepted.

    `retry_rows` have a transient error, or were refused only together with others: they are sent
    again. `stop`: why nothing more of the file is sent.
    """

    row_results: dict[int, RowResult]
    retry_rows: list[int]
    stop: Problem | None


def read_response(response: bytes, request: UploadRequest) -> UploadRequestResult:
    """Return what a serialized response says of the rows of its request.

    A row that an error names gets its result from its errors, whatever else the response says of
    it: `failed`, `duplicate`, or accepted with a warning; or it is one of `retry_rows`. An error
    that names no row of the request concerns all rows that have no message in `results`: Google has
    accepted the others. A row with neither a result nor an error is `SILENT`, because nobody knows
    whether Google has counted it.
    """
    answer = request.kind.message_class("Response").FromString(response)
    errors = _errors_in(answer.partial_failure_error)
    # `results` has a message for each row, in order. Google leaves those of refused rows empty.
    results = answer.results[: request.size]
    accepted = {row for row, result in enumerate(results) if result.ByteSize()}
    result = _assign_errors(errors, request, accepted)
    if request.validate_only:
        return result  # Google leaves out `results`, so no row is SILENT
    known = accepted.union(result.row_results, result.retry_rows)
    silent = [row for row in range(request.size) if row not in known]
    result.row_results.update(dict.fromkeys(silent, SILENT))
    return result


def _errors_in(status: Any) -> list[AdsError]:
    """Return the errors of a partial failure (`google.rpc.Status`). Without one, it is empty."""
    errors: list[AdsError] = []
    for detail in status.details:
        failure = failure_class()()
        if detail.Unpack(failure):
            errors += errors_of(failure)
    if status.code and not errors:
        # Perhaps from a newer version. It does not show which rows it concerns.
        errors = [AdsError("UNREADABLE_FAILURE", status.message, None, "", 0.0)]
    return errors


def read_named_rows(errors: list[AdsError], request: UploadRequest) -> UploadRequestResult:
    """Return the results of rows that a refused request names. The other rows are sent again."""
    result = _assign_errors(errors, request, set())
    named = result.row_results.keys() | set(result.retry_rows)
    others = [row for row in range(request.size) if row not in named]
    return result._replace(retry_rows=result.retry_rows + others, stop=None)


def _assign_errors(
    errors: list[AdsError], request: UploadRequest, accepted: set[int]
) -> UploadRequestResult:
    """Return the results of the rows that have an error. One that names no row of the request is
    an error of all rows that are not `accepted`."""
    if not errors:
        return UploadRequestResult({}, [], None)
    size = request.size
    others = [row for row in range(size) if row not in accepted]
    by_row: dict[int, list[AdsError]] = {}
    for error in errors:
        rows = others
        if error.row is not None and 0 <= error.row < size:
            rows = [error.row]
        elif error.message:
            # It may quote any row of the request, and is written to all of them.
            error = error._replace(message=without_values(error.message, request.message))
        for row in rows:
            by_row.setdefault(row, []).append(error)
    kind, sent = request.kind, request.rows
    row_results: dict[int, RowResult] = {}
    retry_rows: list[int] = []
    for row, errors_of_row in by_row.items():
        row_result = _row_result(errors_of_row, sent[row], kind)
        if row_result is None:
            retry_rows.append(row)
        else:
            row_results[row] = row_result
    stop = _account_problem(by_row.values()) if len(row_results) == size else None
    return UploadRequestResult(row_results, retry_rows, stop)


def _account_problem(errors_by_row: Collection[list[AdsError]]) -> Problem | None:
    """Return the error of the account that all rows have: the next chunk would have it too."""
    codes = {next(filter(None, map(_account_code, errors)), "") for errors in errors_by_row}
    if len(codes) != 1:
        return None
    (code,) = codes
    is_sure = code not in _PERHAPS_THE_CLICK or len(errors_by_row) >= _ENOUGH_ROWS
    return Problem(code) if code and is_sure else None


def _account_code(error: AdsError) -> str:
    """Return the code of an error that concerns the whole account, or ""."""
    is_of_the_account = lookup(error.code).scope == "account"
    return error.code if is_of_the_account and error.field not in _NEED_PERMISSION else ""


def _row_result(errors: list[AdsError], sent: Any, kind: UploadKind) -> RowResult | None:
    """Return one result for the errors of one row; None if the row should be sent again."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    entries: list[Code] = []
    for error in errors:
        entry = lookup(error.code)
        detail = without_values(error.message, sent)
        problem = Problem(error.code, _column_of(error.field, kind), detail)
        if entry.severity == "warning":
            warnings.append(problem)
        else:
            problems.append(problem)
            entries.append(entry)
    if not problems:
        return RowResult("uploaded", (), tuple(warnings))
    # A row with a transient error is sent again, unless another of its errors says that it failed.
    if any(entry.scope == "transient" for entry in entries) and all(
        entry.scope == "transient" or entry.outcome in _WEAKEST_LAST for entry in entries
    ):
        return None
    # The catalogue calls rows `not_attempted` if the account is at fault, but this one was sent.
    outcomes = {"failed" if entry.scope == "account" else entry.outcome for entry in entries}
    chosen: Outcome = "failed"
    if outcomes <= set(_WEAKEST_LAST):
        chosen = next(each for each in _WEAKEST_LAST if each in outcomes)
    return RowResult(chosen, tuple(problems), tuple(warnings))


def _column_of(path_element: str, kind: UploadKind) -> str:
    """Return the field that an element of Google's path stands for, or else the element itself. Of
    identifiers, the path does not say which one it is: `email` stands for them all."""
    if path_element == "user_identifiers":
        return "email"
    return CAPABILITIES.column_of(path_element, kind.record) or path_element
