"""Google's answer to an upload → the outcome of each row.

First `read_response` maps a partial failure back to the rows. Then rows are compared with others
that were sent: several orders of one click (`send_orders_apart`, `resolve_orders`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from lib.catalogue.codes import lookup
from lib.destinations.base import MaybeSent, RowResult
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.failures import AdsError, errors_of, failure_class
from lib.destinations.google_ads.upload_request import UploadKind, UploadRequest
from lib.destinations.redaction import without_values
from lib.model.outcomes import Outcome, Problem
from lib.model.records import is_derived_order_id

_PERHAPS_THE_CLICK = frozenset({"NO_CONVERSION_ACTION_FOUND", "UNAUTHORIZED_CUSTOMER"})
"""These concern the whole account or action, or only a click that belongs to another account
(https://developers.google.com/google-ads/api/docs/conversions/upload-offline)."""

_NOT_IN_EVERY_ROW = frozenset(
    {"session_attributes_encoded", "session_attributes_key_value_pairs", "user_ip_address"}
)
"""Fields that some callers may not use. Rows without them are still accepted."""

_ENOUGH_ROWS = 20
"""If this many rows all have the error, the next rows will too. Fewer rows could all have clicks of
other accounts."""

_WEAKEST_LAST: Final[tuple[Outcome, ...]] = ("duplicate", "skipped", "deferred")
"""Outcomes of a row that has not failed. Of several, the first one counts: a row that is already
counted, or superseded, has no reason to wait."""


SILENT: Final = RowResult("failed", (Problem("ANSWER_INCOMPLETE"),))
"""The result of a row about which an answer has neither a result nor an error."""


class UploadRequestResult(NamedTuple):
    """The results of a request, by position in the request. A row without one was accepted.

    `retry_rows` have a transient error, or were refused only together with others: they are sent
    again. `stop`: why nothing more of the file is sent.
    """

    row_results: dict[int, RowResult]
    retry_rows: list[int]
    stop: Problem | None


def read_response(response: bytes, request: UploadRequest) -> UploadRequestResult:
    """Return the results of a request's rows from its serialized response.

    A row that the failure names has failed, even if it also has a result message. An error that
    names no row of the request concerns all rows without a result message: Google has accepted the
    others. If the answer has neither a result nor an error for a row, nobody knows whether it was
    counted: the row fails, and the file stops.
    """
    answer = request.kind.message("Response").FromString(response)
    found = _errors_in(answer.partial_failure_error)
    results = answer.results[: request.size]
    nothing = type(answer)().results.add()
    accepted = {row for row, result in enumerate(results) if result != nothing}
    result = _assign_errors(found, request, accepted)
    if request.validate_only:
        return result  # a validate-only request has no results
    known = accepted.union(result.row_results, result.retry_rows)
    silent = [row for row in range(request.size) if row not in known]
    result.row_results.update(dict.fromkeys(silent, SILENT))
    return result


def _errors_in(status: Any) -> list[AdsError]:
    """Return the errors of a partial failure (`google.rpc.Status`). Without one, it is empty."""
    found: list[AdsError] = []
    for detail in status.details:
        failure = failure_class()()
        if detail.Unpack(failure):
            found += errors_of(failure)
    if status.code and not found:
        # Perhaps from a newer version. It does not show which rows it concerns.
        found = [AdsError("UNREADABLE_FAILURE", status.message, None, "", 0.0)]
    return found


def read_named_rows(found: list[AdsError], request: UploadRequest) -> UploadRequestResult:
    """Return the results of rows that a refused request names. The other rows are sent again."""
    result = _assign_errors(found, request, set())
    named = result.row_results.keys() | set(result.retry_rows)
    others = [row for row in range(request.size) if row not in named]
    return result._replace(retry_rows=result.retry_rows + others, stop=None)


def _assign_errors(
    found: list[AdsError], request: UploadRequest, accepted: set[int]
) -> UploadRequestResult:
    if not found:
        return UploadRequestResult({}, [], None)
    size = request.size
    others = [row for row in range(size) if row not in accepted]
    by_row: dict[int, list[AdsError]] = {}
    for error in found:
        named = error.row
        rows = others
        if named is not None and 0 <= named < size:
            rows = [named]
        elif error.message:
            # It may quote any row of the request, and is written to all of them.
            error = error._replace(message=without_values(error.message, request.message))
        for row in rows:
            by_row.setdefault(row, []).append(error)
    kind, sent = request.kind, request.rows
    row_results: dict[int, RowResult] = {}
    retry_rows: list[int] = []
    account: list[str] = []
    for row, errors in by_row.items():
        row_result = _row_result(errors, sent[row], kind)
        if row_result is None:
            retry_rows.append(row)
        else:
            row_results[row] = row_result
            account += [e.code for e in errors if _is_of_the_account(e)][:1]
    # Every row has the same account-level error: the next chunk would have it too.
    stop = Problem(account[0]) if len(account) == size and len(set(account)) == 1 else None
    if stop is not None and stop.code in _PERHAPS_THE_CLICK and size < _ENOUGH_ROWS:
        stop = None
    return UploadRequestResult(row_results, retry_rows, stop)


def _is_of_the_account(error: AdsError) -> bool:
    return error.field not in _NOT_IN_EVERY_ROW and lookup(error.code).scope == "account"


def _row_result(errors: list[AdsError], sent: Any, kind: UploadKind) -> RowResult | None:
    """Return one result for the errors of one row; None if the row should be sent again."""
    warnings = tuple(
        _problem(e, sent, kind) for e in errors if lookup(e.code).severity == "warning"
    )
    real = [e for e in errors if lookup(e.code).severity != "warning"]
    if not real:
        return RowResult("uploaded", (), warnings)
    problems = tuple(_problem(e, sent, kind) for e in real)
    entries = [lookup(e.code) for e in real]
    if any(entry.scope == "transient" for entry in entries) and all(
        entry.scope == "transient" or entry.outcome in _WEAKEST_LAST for entry in entries
    ):
        return None
    outcomes = {"failed" if entry.scope == "account" else entry.outcome for entry in entries}
    chosen: Outcome = "failed"
    if outcomes <= set(_WEAKEST_LAST):
        chosen = next(each for each in _WEAKEST_LAST if each in outcomes)
    return RowResult(chosen, problems, warnings)


def _problem(error: AdsError, sent: Any, kind: UploadKind) -> Problem:
    column = _column_of(error.field, kind)
    return Problem(error.code, column, without_values(error.message, sent))


def _column_of(path_element: str, kind: UploadKind) -> str:
    """Return the column of an element in Google's field path."""
    if path_element == "user_identifiers":
        return "email"
    return CAPABILITIES.column_of(path_element, kind.record) or path_element


# ── several orders of one click ───────────────────────────────────────────────────────────────────

# Google recognizes a conversion by its click ID, time and action, and documents no exception for
# conversions with different order IDs
# (https://developers.google.com/google-ads/api/reference/rpc/latest/ConversionUploadErrorEnum.ConversionUploadError):
#
#     in one request            DUPLICATE_CLICK_CONVERSION_IN_REQUEST, perhaps for all of them: then
#                               none is counted, so each one is sent again without the others
#     in different requests     CLICK_CONVERSION_ALREADY_EXISTS for all but the first
#
# An order that is refused in this way is no duplicate: another order of the click was counted, and
# this one was not, so it has failed. Only the order that was counted is a duplicate: this run may
# have sent it before, or Google knows its order ID too.

MOST_ROUNDS = 10
"""How often orders are sent apart. The second order of a click is nearly always the last to send:
Google then answers that the click is known, and that holds for the third one too."""

_EXISTS = "CLICK_CONVERSION_ALREADY_EXISTS"
_IN_REQUEST = "DUPLICATE_CLICK_CONVERSION_IN_REQUEST"
_ORDER_EXISTS = "ORDER_ID_ALREADY_IN_USE"

_Click = tuple[str, datetime, str]


def send_orders_apart(
    request: Any,
    row_results: dict[int, RowResult],
    send: Callable[[list[int]], dict[int, RowResult]],
) -> None:
    """Send the orders that Google refused only because another row of the request has their click.

    `send` sends these rows of the request, and returns their results by row. In each round, one
    order of each click is sent. `row_results` is updated.
    """
    clicks: dict[_Click, list[int]] = {}
    for row in _orders(request, row_results):
        if _codes(row_results[row]) == {_IN_REQUEST}:
            clicks.setdefault(_click(request.conversions[row]), []).append(row)
    for _ in range(MOST_ROUNDS):
        waiting = [rows for rows in clicks.values() if rows]
        if not waiting:
            return
        answers = send([rows[0] for rows in waiting])
        for rows in waiting:
            answer = answers.get(rows[0])
            if answer is None:
                del row_results[rows[0]]  # accepted
            else:
                row_results[rows[0]] = answer
            is_counted = answer is None and request.validate_only
            if is_counted or (answer is not None and _EXISTS in _codes(answer)):
                for row in rows[1:]:
                    row_results[row] = RowResult("duplicate", (Problem(_EXISTS),))
                rows.clear()
            else:
                del rows[0]


def resolve_orders(request: Any, row_results: dict[int, RowResult], maybe_sent: MaybeSent) -> None:
    """Give the orders that Google has not counted because of their click the outcome `failed`.

    `maybe_sent` returns whether this run may have sent an order ID before. Of the orders of one
    click, Google can have counted only one: one that it has accepted now, or else the first one
    that it already knows. `row_results` is updated.
    """
    refused = [
        row
        for row in _orders(request, row_results)
        if row_results[row].outcome == "duplicate"
        and not _codes(row_results[row]).isdisjoint((_EXISTS, _IN_REQUEST))
    ]
    if not refused:
        return
    counted = {row for row in refused if _ORDER_EXISTS in _codes(row_results[row])}
    accepted = (row for row in range(len(request.conversions)) if row not in row_results)
    clicks = {_click(request.conversions[row]) for row in (*counted, *accepted)}
    for row in refused:
        sent = request.conversions[row]
        click = _click(sent)
        is_known = _EXISTS in _codes(row_results[row]) and click not in clicks
        if is_known and maybe_sent(sent.order_id):
            counted.add(row)
            clicks.add(click)
        if row not in counted:
            problem = Problem("CLICK_AND_TIME_ALREADY_USED", "conversion_date_time")
            row_results[row] = row_results[row]._replace(outcome="failed", errors=(problem,))


def _orders(request: Any, rows: Iterable[int]) -> list[int]:
    """Return the rows with an order ID of their own, in file order."""
    order_ids = ((row, request.conversions[row].order_id) for row in sorted(rows))
    return [row for row, order_id in order_ids if order_id and not is_derived_order_id(order_id)]


def _codes(row_result: RowResult) -> set[str]:
    return {problem.code for problem in row_result.errors}


def _click(sent: Any) -> _Click:
    click_id = sent.gclid or sent.gbraid or sent.wbraid
    return click_id, datetime.fromisoformat(sent.conversion_date_time), sent.conversion_action
