"""Several orders of one click: which are sent again, and which have failed.

Google recognizes a conversion by its click ID, time and action, and documents no exception for
conversions with different order IDs
(https://developers.google.com/google-ads/api/reference/rpc/latest/ConversionUploadErrorEnum.ConversionUploadError):

    in one request            DUPLICATE_CLICK_CONVERSION_IN_REQUEST, perhaps for all of them: then
                              none is counted, so each one is sent again without the others
    in different requests     CLICK_CONVERSION_ALREADY_EXISTS for all but the first

An order that is refused in this way is no duplicate: another order of the click was counted, and
this one was not, so it has failed. Only the order that was counted is a duplicate: this run may
have sent it before, or Google knows its order ID too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from lib.destinations.base import MaybeSent, RowResult
from lib.model.outcomes import Problem
from lib.model.records import is_derived_order_id

MAX_ROUNDS = 10
"""How often orders are sent apart. The second order of a click is nearly always the last to send:
Google then answers that the click is known, and that holds for the third one too."""

_EXISTS = "CLICK_CONVERSION_ALREADY_EXISTS"
_IN_REQUEST = "DUPLICATE_CLICK_CONVERSION_IN_REQUEST"
_ORDER_EXISTS = "ORDER_ID_ALREADY_IN_USE"

_ClickKey = tuple[str, datetime, str]


def settle_orders(
    message: Any,
    row_results: dict[int, RowResult],
    send: Callable[[list[int]], dict[int, RowResult]],
    maybe_sent: MaybeSent,
) -> None:
    """Give the orders of each click the outcomes of one that counts, and others that do not.

    `message` is the raw request. `send` sends some rows of it, and returns their results by row.
    `maybe_sent` returns whether this run may have sent an order ID before. `row_results` is
    updated.
    """
    _send_apart(message, row_results, send)
    _fail_uncounted(message, row_results, maybe_sent)


def _send_apart(
    message: Any,
    row_results: dict[int, RowResult],
    send: Callable[[list[int]], dict[int, RowResult]],
) -> None:
    """Send the orders that Google refused only because another row of the request has their click.

    In each round, one order of each click is sent. Those behind one that counts are not sent: they
    stay `duplicate` until `_fail_uncounted` has looked at all orders of the click.
    """
    clicks: dict[_ClickKey, list[int]] = {}
    for row in _orders(message, row_results):
        if _codes(row_results[row]) == {_IN_REQUEST}:
            clicks.setdefault(_click_key(message.conversions[row]), []).append(row)
    for _ in range(MAX_ROUNDS):
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
            # With validate_only, Google counts nothing, so it would accept every order of a click.
            would_be_counted = answer is None and message.validate_only
            if would_be_counted or (answer is not None and _EXISTS in _codes(answer)):
                for row in rows[1:]:
                    row_results[row] = RowResult("duplicate", (Problem(_EXISTS),))
                rows.clear()
            else:
                del rows[0]


def _fail_uncounted(message: Any, row_results: dict[int, RowResult], maybe_sent: MaybeSent) -> None:
    """Give the orders that Google has not counted because of their click the outcome `failed`.

    Of the orders of one click, Google can have counted only one: one that it has accepted now, or
    else the first one that it already knows.
    """
    refused = [
        row
        for row in _orders(message, row_results)
        if row_results[row].outcome == "duplicate"
        and not _codes(row_results[row]).isdisjoint((_EXISTS, _IN_REQUEST))
    ]
    if not refused:
        return
    counted = {row for row in refused if _ORDER_EXISTS in _codes(row_results[row])}
    accepted = (
        row
        for row in range(len(message.conversions))
        if row not in row_results or row_results[row].outcome == "uploaded"  # with a warning
    )
    clicks = {_click_key(message.conversions[row]) for row in (*counted, *accepted)}
    for row in refused:
        sent = message.conversions[row]
        click = _click_key(sent)
        is_known = _EXISTS in _codes(row_results[row]) and click not in clicks
        if is_known and maybe_sent(sent.order_id):
            counted.add(row)
            clicks.add(click)
        if row not in counted:
            problem = Problem("CLICK_AND_TIME_ALREADY_USED", "conversion_date_time")
            row_results[row] = row_results[row]._replace(outcome="failed", errors=(problem,))


def _orders(message: Any, rows: Iterable[int]) -> list[int]:
    """Return the rows with an order ID of their own, in file order."""
    order_ids = ((row, message.conversions[row].order_id) for row in sorted(rows))
    return [row for row, order_id in order_ids if order_id and not is_derived_order_id(order_id)]


def _codes(row_result: RowResult) -> set[str]:
    return {problem.code for problem in row_result.errors}


def _click_key(sent: Any) -> _ClickKey:
    """Return what Google recognizes a conversion by: click ID, time and action."""
    click_id = sent.gclid or sent.gbraid or sent.wbraid
    return click_id, datetime.fromisoformat(sent.conversion_date_time), sent.conversion_action
