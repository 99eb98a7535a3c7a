"""Which rows of a chunk are not sent because another row says the same: each conversion, each call
and the adjustment of each conversion is sent only once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from lib.model.adjustment_types import ADJUSTMENT_TYPES, AdjustmentType
from lib.model.outcomes import Problem
from lib.model.records import is_derived_order_id, rank_of
from lib.rules.assembly import Columns, Unsent
from lib.rules.columns import ChunkColumns
from lib.rules.matching import braids_of

_SAME_CLICK: Final = "the same click ID, time and conversion action"
_SAME_ORDER: Final = "the same order ID and conversion action"
_SAME_CALL: Final = "the same call, time and conversion action"

_Conversion = tuple[str | None, ...]
"""The conversion that an adjustment names: action and order ID, or action, click ID and time."""

# ── conversions and calls ────────────────────────────────────────────────────────────────────────


def find_repeats(
    chunk: ChunkColumns, conversions: Columns, instants: Sequence[int]
) -> dict[int, Unsent]:
    """Return the rows that repeat an earlier row. `instants` are their times in Unix seconds.

    A row is a repeat only if Google would count both rows once: same click ID, time and action, or
    same order ID and action. Two rows with different order IDs of their own are two conversions,
    even of one click and time: Google decides about them. Between chunks, Google detects repeats,
    which keeps memory use small.
    """
    by_click: dict[tuple[str, int, str], int] = {}
    by_order: dict[tuple[str, str], int] = {}
    repeats: dict[int, Unsent] = {}
    click_ids, order_ids = _click_ids(conversions), conversions["order_id"]
    if not (_has_equals(click_ids) or _has_equals(order_ids)):
        return repeats
    rows = chunk.sendable()
    # The instant is compared, not its text, because two offsets can describe the same moment.
    columns = (click_ids, instants, conversions["action_id"], order_ids)
    keys = zip(rows, *(map(each.__getitem__, rows) for each in columns), strict=True)
    for row, click_id, instant, action_id, order_id in keys:
        click = (click_id, instant, action_id)
        if click_id:
            first = by_click.setdefault(click, row)
            # Rows without an own order ID are not sent after the first row of a click. So the first
            # one shows whether another order is already there.
            if first != row and not (_is_own(order_ids[first]) and _is_own(order_id)):
                repeats[row] = _repeat(chunk, conversions, row, first, _SAME_CLICK)
                continue
        if order_id is not None:
            first = by_order.setdefault((order_id, action_id), row)
            if first != row:
                repeats[row] = _repeat(chunk, conversions, row, first, _SAME_ORDER)
                if click_id and by_click[click] == row:
                    # This row is not sent, so a later row with its click does not repeat it.
                    del by_click[click]
    return repeats


def _has_equals(ids: Sequence[str | None]) -> bool:
    """Return whether an ID is there twice. Few chunks have repeats, and this takes little time."""
    given = [*filter(None, ids)]
    return len(set(given)) < len(given)


def _click_ids(conversions: Columns) -> Sequence[str]:
    """Return the click ID of each row, whichever it is."""
    gclids, braids = conversions["gclid"], braids_of(conversions)
    if not any(braids):
        return gclids
    return [gclid or braid for gclid, braid in zip(gclids, braids, strict=True)]


def _is_own(order_id: str | None) -> bool:
    """Return whether an order ID distinguishes conversions of one click: a derived one does not."""
    return order_id is not None and not is_derived_order_id(order_id)


def find_repeated_calls(
    chunk: ChunkColumns, calls: Columns, starts: Sequence[int], instants: Sequence[int]
) -> dict[int, Unsent]:
    """Return the rows that repeat an earlier row: the same call, time and conversion action.

    `starts` are the times of the calls, `instants` those of the conversions, in Unix seconds.
    """
    first_of: dict[tuple[object, ...], int] = {}
    repeats: dict[int, Unsent] = {}
    keys = [*zip(calls["action_id"], calls["caller_id"], starts, instants, strict=True)]
    for row in chunk.sendable():
        first = first_of.setdefault(keys[row], row)
        if first != row:
            repeats[row] = _repeat(chunk, calls, row, first, _SAME_CALL)
    return repeats


def _repeat(chunk: ChunkColumns, columns: Columns, row: int, first: int, same: str) -> Unsent:
    """Return that a row repeats the row `first`, with the same value or another one. `same` says
    what they have in common."""
    detail = f"{same} as in line {chunk.lines[first]}"
    values = columns["value"]
    return Unsent("duplicate", _problem_of_repeat(values[row], values[first], detail), first)


def _problem_of_repeat(value: float | None, first_value: float | None, detail: str) -> Problem:
    """Return the problem of a row that repeats another one. Its own value does not count, so
    somebody must look if the other row has another value."""
    if value == first_value:
        return Problem("REPEATED_LINE", "", detail)
    return Problem("REPEATED_WITH_OTHER_VALUE", "", f"{detail}, with another value")


def repeat_of_rejected(line: int) -> Problem:
    """Return the problem of a row that repeats `line`, which was rejected."""
    detail = f"line {line}, which this row repeats, was refused, so this row was not sent either"
    return Problem("REPEATED_REFUSED_LINE", "", detail)


# ── adjustments ──────────────────────────────────────────────────────────────────────────────────


class _Ranked(NamedTuple):
    """An adjustment, beside others of its conversion. The one with the highest rank counts
    (`lib.model.records.rank_of`). `value` is the new value; None: a retraction."""

    rank: int
    line: int
    value: float | None


def find_superseded(
    chunk: ChunkColumns, adjustments: Columns, instants: Sequence[int]
) -> dict[int, Unsent]:
    """Return the rows that another adjustment of their conversion supersedes. `instants` are their
    times in Unix seconds.

        several restatements           ──▶ the one with the latest time is sent
        a retraction and restatements  ──▶ the retraction: it is final
        several with the same time     ──▶ the first one, whatever the values of the others

    An API may apply the adjustments of one request in any order. So the others are not sent: they
    are `skipped` (OLDER_THAN_CORRECTION), or duplicates. Between chunks, the API compares their
    times, or each row is sent with the newest value (`lib.run.corrections`).
    """
    types, values = adjustments["adjustment_type"], adjustments["value"]
    found = {
        row: _Ranked(rank_of(types[row], instants[row]), chunk.lines[row], values[row])
        for row in chunk.sendable()
    }
    keys = {row: _adjusted_conversion(adjustments, row) for row in found}
    best: dict[_Conversion, int] = {}
    for row, key in keys.items():
        if found[row].rank > found[best.setdefault(key, row)].rank:
            best[key] = row
    return {
        row: _superseded(found[row], found[best[key]], types[row], best[key])
        for row, key in keys.items()
        if row != best[key]
    }


def _adjusted_conversion(adjustments: Columns, row: int) -> _Conversion:
    """Return how a row names the conversion that it adjusts."""
    order_id = adjustments["order_id"][row]
    click = adjustments["gclid"][row], adjustments["conversion_time"][row]
    return adjustments["action_id"][row], *((order_id,) if order_id else click)


def _superseded(
    adjustment: _Ranked, winner: _Ranked, adjustment_type: AdjustmentType, row_of_winner: int
) -> Unsent:
    """Return why an adjustment is not sent: because of the `winner`, which has the same rank or a
    higher one."""
    if adjustment.rank < winner.rank:
        return Unsent("skipped", Problem("OLDER_THAN_CORRECTION", "", f"by line {winner.line}"))
    what = "adjustment" if ADJUSTMENT_TYPES[adjustment_type].is_final else "adjustment time"
    detail = f"the same conversion and {what} as in line {winner.line}"
    return Unsent(
        "duplicate", _problem_of_repeat(adjustment.value, winner.value, detail), row_of_winner
    )
