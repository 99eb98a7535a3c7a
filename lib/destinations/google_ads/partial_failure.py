"""What became of the rows of a request: partial failures, back to their rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from lib.catalogue.codes import lookup
from lib.destinations.base import RowResult
from lib.destinations.google_ads.errors import AdsError, errors_of, failure_class
from lib.destinations.messages import without_values
from lib.model.outcomes import Outcome, Problem

_PERHAPS_THE_CLICK = frozenset({"NO_CONVERSION_ACTION_FOUND", "UNAUTHORIZED_CUSTOMER"})
"""Said of an account or action for all, and as well of a click that belongs to another account
(https://developers.google.com/google-ads/api/docs/conversions/upload-offline)."""

_NOT_IN_EVERY_ROW = frozenset(
    {"session_attributes_encoded", "session_attributes_key_value_pairs", "user_ip_address"}
)
"""Closed to some callers: rows without them are taken all the same."""

_ENOUGH_ROWS = 20
"""So many rows without exception speak of all that follow; a few may all be foreign clicks."""


class Judged(NamedTuple):
    """A partial failure by position in the request."""

    row_results: dict[int, RowResult]
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
    if request.validate_only:
        return judged  # a trial has no results
    results = response.results[:size]
    again = set(judged.again)
    silent = [
        row
        for row, result in enumerate(results)
        if not result.ByteSize() and row not in judged.row_results and row not in again
    ]
    missing = range(len(results), size)
    silent += [row for row in missing if row not in judged.row_results and row not in again]
    return judged._replace(again=judged.again + silent) if silent else judged


def judge_named_rows(found: list[AdsError], request: Any) -> Judged:
    """A request refused as a whole for errors that all name a row: the others are sent again."""
    judged = _judge(found, request)
    named = judged.row_results.keys() | set(judged.again)
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
    row_results: dict[int, RowResult] = {}
    again: list[int] = []
    account: list[str] = []
    for row, errors in by_row.items():
        row_result = _verdict(errors, request.conversions[row])
        if row_result is None:
            again.append(row)
        else:
            row_results[row] = row_result
            account += [e.code for e in errors if _is_of_the_account(e)][:1]
    # The same reason of the account's for every row: the next chunk would meet it too.
    stop = Problem(account[0]) if len(account) == size and len(set(account)) == 1 else None
    if stop is not None and stop.code in _PERHAPS_THE_CLICK and size < _ENOUGH_ROWS:
        stop = None
    return Judged(row_results, again, stop)


def _is_of_the_account(error: AdsError) -> bool:
    return error.field not in _NOT_IN_EVERY_ROW and lookup(error.code).scope == "account"


def _verdict(errors: list[AdsError], sent: Any) -> RowResult | None:
    """One outcome for the errors of one row; None if it should be sent again."""
    warnings = tuple(_problem(e, sent) for e in errors if lookup(e.code).severity == "warning")
    real = [e for e in errors if lookup(e.code).severity != "warning"]
    if not real:
        return RowResult("uploaded", (), warnings)
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
    return RowResult(chosen, problems, warnings)


def _problem(error: AdsError, sent: Any) -> Problem:
    return Problem(error.code, error.field, without_values(error.message, sent))
