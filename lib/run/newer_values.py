"""Keeps an older value of an order from following a newer one, whichever file or API it came by.

An API may take the value that arrives last, and process it hours later (`restates_with_original`):
then a sale that is repeated undoes a correction. So, for files that adjust:

    a newer value counts                ──▶ the row is skipped
    another value may still arrive      ──▶ the row is deferred, until that is decided
    neither                             ──▶ it is announced, sent, and then recorded if it counts

In one file, an adjustment waits for its sale. Orders without an order ID are not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from lib.catalogue.texts import number_of_rows
from lib.destinations.base import UploadResult
from lib.errors import NewerVersion
from lib.model.capabilities import Capabilities
from lib.model.fields import RecordKind
from lib.model.outcomes import COUNTED, Outcome, Problem, Tally
from lib.model.records import Record
from lib.run.attempt import Attempt
from lib.state.newer_values import Order, OrderValueKind, order_of

SUPERSEDED_SALE: Final = "SUPERSEDED_SALE"


class Withheld(NamedTuple):
    """Why a row is not sent now."""

    outcome: Outcome
    code: str


_WAITS: Final = Withheld("deferred", "ORDER_IN_PROCESS")
_OLDER_ADJUSTMENT: Final = Withheld("skipped", "SUPERSEDED_ADJUSTMENT")
_SUPERSEDED: Final[Mapping[OrderValueKind, Withheld]] = {
    "sales": Withheld("skipped", SUPERSEDED_SALE),
    "restated": _OLDER_ADJUSTMENT,
    "adjusted": _OLDER_ADJUSTMENT,
}


class OrderValue(NamedTuple):
    """The value of an order in a record: its position among the records, and its rank."""

    position: int
    order: Order
    rank: int


class PartValues(NamedTuple):
    """The values in one part of a chunk. `are_late`: their API processes them later."""

    kind: OrderValueKind
    are_late: bool
    values: Sequence[OrderValue]


def values_of(
    kind: RecordKind,
    records: Sequence[Record],
    sender: Capabilities,
    order_name: Callable[[str], str],
    *,
    adjusts: bool,
) -> PartValues | None:
    """Return the values in these records. None: they neither undo others nor are undone.

    `sender` is the API that gets them. `order_name`: how the API of the conversions writes an order
    ID, also if another API gets the adjustments. `adjusts`: the profile also sends adjustments.
    """
    can = sender.of_kind("adjustment")
    restates = can is not None and can.restates_with_original
    if kind == "call" or (kind == "conversion" and not (adjusts and restates)):
        return None
    adjustment: OrderValueKind = "restated" if restates else "adjusted"
    values = [
        OrderValue(at, order_of(each.action_id, order_name(each.order_id)), each.rank)
        for at, each in enumerate(records)
        if each.order_id is not None
    ]
    if not values:
        return None
    are_late = restates and sender.reports_later is not None
    return PartValues("sales" if kind == "conversion" else adjustment, are_late, values)


def withheld(
    parts: Sequence[PartValues | None], attempt: Attempt, chunk: int
) -> list[dict[int, Withheld]]:
    """Announce the values of a chunk. Return those of each part that are not sent, by position."""
    run, recorded, now = attempt.run, attempt.newer_values, attempt.context.utc_now()
    sold: set[Order] = set()
    announced: list[tuple[OrderValueKind, Collection[Order]]] = []
    found = []
    for part in parts:
        not_sent: dict[int, Withheld] = {}
        found.append(not_sent)
        if part is None:
            continue
        if part.kind != "sales":
            not_sent |= {each.position: _WAITS for each in part.values if each.order in sold}
        values = {each.order: each.rank for each in part.values if each.position not in not_sent}
        if not values:
            continue
        recorded.announce(run, chunk, part.kind, values)
        announced.append((part.kind, values))
        try:
            others = recorded.others(part.kind, values, now)
            newest = recorded.newest(values, part.kind)
        except NewerVersion:
            for kind, orders in announced:
                recorded.withdraw(run, chunk, kind, orders)  # this attempt sends nothing of them
            raise
        for position, order, rank in part.values:
            if newest.get(order.digest, 0) > rank:
                not_sent[position] = _SUPERSEDED[part.kind]
            elif others.get(order.digest, set()) - {rank}:
                not_sent[position] = _WAITS
        if left := [each.order for each in part.values if each.position in not_sent]:
            recorded.withdraw(run, chunk, part.kind, left)
        if part.kind == "sales":
            sold = values.keys() - set(left)
    return found


def record_answer(part: PartValues, answer: UploadResult, attempt: Attempt, chunk: int) -> None:
    """Record what counts now, and withdraw what is decided.

    If the API has a newer adjustment than this one (`skipped`), a sale must not undo it either.
    """
    recorded, results = attempt.newer_values, answer.row_results
    counted = {
        order: rank
        for position, order, rank in part.values
        if position not in results or results[position].outcome in (*COUNTED, "skipped")
    }
    if counted and part.kind != "sales":
        recorded.record(counted, part.kind, attempt.context.utc_now())
    decided = [each.order for each in part.values if not part.are_late or each.order not in counted]
    if decided:
        recorded.withdraw(attempt.run, chunk, part.kind, decided)


def with_note(notes: Sequence[Problem], tally: Tally) -> tuple[Problem, ...]:
    """Return the notes on a file, with the one on sales that would have undone a correction."""
    others = [each for each in notes if each.code != SUPERSEDED_SALE]
    if rows := tally.codes.get(SUPERSEDED_SALE):
        others.append(Problem(SUPERSEDED_SALE, "", number_of_rows(rows)))
    return tuple(others)
