"""Keeps an older value of an order from being sent after a newer one.

    a chunk corrects orders  ──▶ their digests and times are recorded    (`lib.state.newer_values`)
    a row is sent again      ──▶ is a newer value of its order recorded? then it is skipped

This matters if the API of the conversions takes the value that arrives last, because to it a
correction is the whole conversion again (`restates_with_original`). A row is sent again if it was
deferred, or if an attempt died before it saved the answer.

A correction that is the whole conversion is recorded before it is sent: it counts the conversion
even if the older row never arrived. If the API refuses it, the record is removed, or the older row
would be skipped for nothing. A correction that only names the conversion is recorded after it was
accepted: then the conversion has certainly arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.destinations.base import UploadResult
from lib.model.outcomes import COUNTED, Problem, RowOutcome
from lib.model.records import Record
from lib.state.newer_values import NewerValues, order_digest
from lib.state.run import Run

OrderName = Callable[[str], str]
"""How the API of the conversions writes an order ID, also if another API gets the adjustments."""

NewestTimes = Callable[[Collection[str]], Mapping[str, int]]
"""Digests of orders → the newest recorded time of each that has one."""


class NewValue(NamedTuple):
    """An adjustment: its position in the batch, a digest of its order, and its time. `is_whole`: it
    is the whole conversion."""

    position: int
    order: str
    time: int
    is_whole: bool


def new_values(adjustments: Iterable[Record], order_name: OrderName) -> list[NewValue]:
    """Return the new values. Those of conversions without an order ID are not known."""
    return [
        NewValue(
            position, _digest(each, each.order_id, order_name), each.adjusted_at, each.has_whole
        )
        for position, each in enumerate(adjustments)
        if each.order_id is not None
    ]


def record_before(values: Iterable[NewValue], run: Run, chunk: int, recorded: NewerValues) -> None:
    """Record the corrections that are whole conversions, before they are sent."""
    if orders := {each.order: each.time for each in values if each.is_whole}:
        recorded.record(run.key, chunk, orders)


def record_answer(
    values: Collection[NewValue], result: UploadResult, run: Run, chunk: int, recorded: NewerValues
) -> None:
    """Record what was accepted, and forget what was recorded before and then refused."""
    if orders := _refused(values, result):
        recorded.forget(run.key, chunk, orders)
    if accepted := _accepted(values, result):
        recorded.record(run.key, chunk, accepted, run.attempts)


def _accepted(values: Iterable[NewValue], result: UploadResult) -> dict[str, int]:
    """Return what to record after the chunk was sent: digest → time."""
    answers = result.row_results
    return {
        each.order: each.time
        for each in values
        if not each.is_whole
        and (each.position not in answers or answers[each.position].outcome in COUNTED)
    }


def _refused(values: Iterable[NewValue], result: UploadResult) -> list[str]:
    """Return the digests of what was recorded before the chunk was sent, and was then refused.

    What is deferred stays recorded: it will be sent, with the newer value.
    """
    answers = result.row_results
    return [
        each.order
        for each in values
        if each.is_whole
        and each.position in answers
        and answers[each.position].outcome not in (*COUNTED, "deferred")
    ]


def superseded_rows(
    lines: Sequence[int], records: Sequence[Record], order_name: OrderName, newest: NewestTimes
) -> dict[int, RowOutcome]:
    """Return the outcomes of rows for whose orders a newer value was sent, by line.

    A value from the chunk itself supersedes nothing: it is sent after the chunk's conversions.
    """
    orders = {
        line: (_digest(each, each.order_id, order_name), each)
        for line, each in zip(lines, records, strict=True)
        if each.order_id is not None and each.has_whole
    }
    known = newest({digest for digest, _ in orders.values()}) if orders else {}
    own: dict[str, int] = {}
    for digest, record in orders.values():
        own[digest] = max(record.adjusted_at, own.get(digest, 0))
    return {
        line: RowOutcome(line, "skipped", record.order_id, (Problem("SUPERSEDED_ADJUSTMENT"),))
        for line, (digest, record) in orders.items()
        if known.get(digest, 0) > own[digest]
    }


def _digest(record: Record, order_id: str, order_name: OrderName) -> str:
    return order_digest(record.action_id, order_name(order_id))
