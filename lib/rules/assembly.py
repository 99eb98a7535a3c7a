"""The last rules of a chunk, which look at several columns or rows; and what comes out of it.

match        reject rows that identify neither a click nor a person
derive       create order IDs for rows that Google could not recognize in a resend
deduplicate  send a conversion, a call or the adjustment of a conversion only once per chunk
assemble     records, and the outcomes of the rows that are not sent
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import compress
from operator import attrgetter, not_
from typing import Final, Literal, NamedTuple, TypeVar

from lib.catalogue.codes import lookup
from lib.model.adjustment_types import ADJUSTMENT_TYPES
from lib.model.capabilities import Exclusion
from lib.model.fields import base_name
from lib.model.money import Amounts
from lib.model.outcomes import Outcome, Problem, RowOutcome
from lib.model.records import Adjustment, Conversion, Record, is_derived_order_id, rank_of
from lib.rules.columns import ChunkColumns, Unsent
from lib.rules.fields import BY_NAME
from lib.rules.identity import CLICK_IDS
from lib.rules.values.order_ids import derived_order_id

R = TypeVar("R", bound=Record)

MOST_REMEMBERED: Final = 100_000
"""Maximum number of adjusted conversions that are remembered from earlier chunks: about 15 MB."""


class ValidatedChunk(NamedTuple):
    """The validated rows of a chunk: the records that can be sent, and the line of each.

    `refused` contains the rows that are not sent, in file order. Some of them repeat another row of
    the chunk: `repeats` maps their lines to the line of that row. `has_user_data` is True if any
    row that could be sent has hashed user data. `placeholders` counts the placeholders by column.
    `follows_earlier_chunk` is True if an adjustment must not be applied before one of an earlier
    chunk. `values` are those of the records; an adjustment has none: it changes an earlier one.
    """

    records: Sequence[Record]
    lines: list[int]
    refused: list[RowOutcome]
    repeats: dict[int, int]
    has_user_data: bool
    placeholders: Mapping[str, int]
    follows_earlier_chunk: bool
    values: Amounts


def assemble(
    chunk: ChunkColumns, record: type[Record], damaged: Iterable[RowOutcome]
) -> ValidatedChunk:
    """Return the records and the refused rows. `damaged` are those that could not be read."""
    lines, orders, unsent = chunk.lines, chunk.order_id, chunk.unsent
    errors, warnings = chunk.problems.errors, chunk.problems.warnings
    refused = list(damaged)
    values, currencies = _values_of(chunk) if record is not Adjustment else ((), ())

    def refuse(row: int, outcome: Outcome, reasons: Sequence[Problem]) -> None:
        of_row = tuple(warnings.get(row, ()))
        value = Amounts.of(values[row : row + 1], currencies[row : row + 1]).at(0)
        refused.append(RowOutcome(lines[row], outcome, orders[row], tuple(reasons), of_row, *value))

    for row, reasons in errors.items():
        refuse(row, _outcome_of(reasons), reasons)
    for row, each in unsent.items():
        refuse(row, each.outcome, [each.reason])
    is_accepted = chunk.accepted()
    return ValidatedChunk(
        records=records_of(chunk, record, is_accepted, warnings),
        lines=[*compress(lines, is_accepted)],
        refused=sorted(refused, key=attrgetter("line")),
        repeats={lines[n]: lines[u.first] for n, u in unsent.items() if u.first is not None},
        has_user_data=chunk.has_user_data,
        placeholders=chunk.count_placeholders(),
        follows_earlier_chunk=chunk.follows_earlier_chunk,
        values=Amounts.of(compress(values, is_accepted), [*compress(currencies, is_accepted)]),
    )


def _values_of(chunk: ChunkColumns) -> tuple[Sequence[float | None], Sequence[str | None]]:
    """Return the value and currency of each row. A value without one is in the account's."""
    values, currencies = chunk.value, chunk.currency_code
    without_currency = compress(values, map(not_, currencies))
    if any(value is not None for value in without_currency):
        currencies = [
            currency or (None if value is None else action.currency or "")
            for value, currency, action in zip(values, currencies, chunk.actions, strict=True)
        ]
    return values, currencies


def records_of(
    chunk: ChunkColumns,
    record: type[R],
    is_wanted: bytearray,
    warnings: Mapping[int, Sequence[Problem]],
) -> list[R]:
    """Return the records of the wanted rows: each attribute is a column of the chunk."""
    of_rows: list[tuple[Problem, ...]] = [()] * chunk.size
    for row, found in warnings.items():
        of_rows[row] = tuple(found)
    *names, last = record._fields
    assert last == "warnings"
    columns = [getattr(chunk, name) for name in names]
    attributes = compress(zip(*columns, of_rows, strict=True), is_wanted)
    # Takes a third of the time of Conversion(...).
    make: Callable[..., R] = tuple.__new__
    return [make(record, each) for each in attributes]


def _outcome_of(errors: Sequence[Problem]) -> Outcome:
    """Return `not_attempted` if only the account is at fault. Otherwise, the row is rejected."""
    outcomes = {lookup(error.code).outcome for error in errors}
    return "not_attempted" if outcomes == {"not_attempted"} else "rejected"


# ── match and derive: conversions ────────────────────────────────────────────────────────────────


def refuse_exclusive_values(chunk: ChunkColumns) -> None:
    """Reject rows with values that the API refuses together."""
    for exclusion, column in _exclusions(chunk):
        for row in sorted(_with(chunk, exclusion.values) & _with(chunk, exclusion.beside)):
            chunk.problems.reject(row, exclusion.code, column)


def match(chunk: ChunkColumns) -> None:
    """Reject rows that identify neither a click nor a person."""
    unidentified: Sequence[int] = range(chunk.size)
    # Most rows have a click ID, if the file has any.
    for name in sorted(chunk.file.can.identifying, key=CLICK_IDS.__contains__, reverse=True):
        if unidentified:
            values = _attribute(chunk, name)
            lacks = map(not_, map(values.__getitem__, unidentified))
            unidentified = [*compress(unidentified, lacks)]
    for row in unidentified:
        chunk.problems.reject(row, "NO_CLICK_ID_OR_IDENTIFIER")


def derive_order_ids(chunk: ChunkColumns) -> None:
    """Derive order IDs for rows that Google could not recognize in a resend.

    They have neither an order ID nor a gclid: for a gbraid or wbraid, Google does not document that
    it recognizes a click with its time. A conversion of a tag needs the tag's own order ID.
    """
    if chunk.file.rules.is_of_tag:
        for row in chunk.sendable():
            if chunk.order_id[row] is None:
                chunk.problems.reject(row, "TAG_ORDER_ID_MISSING", "order_id")
        return
    if not chunk.file.rules.derive_order_id:
        return
    orders, gclids, braids = chunk.order_id, chunk.gclid, _braids(chunk)
    errors = chunk.problems.errors
    unrecognized = [
        row
        for row, order_id in enumerate(orders)
        if order_id is None and not gclids[row] and row not in errors
    ]
    for row in unrecognized:
        # As for a gclid, another value does not make another conversion of a click.
        value = None if braids[row] else chunk.value[row]
        identity = (braids[row],) if braids[row] else _person(chunk, row)
        orders[row] = derived_order_id(
            chunk.action_id[row], chunk.when.instants[row], value, identity
        )


def _exclusions(chunk: ChunkColumns) -> Iterator[tuple[Exclusion, str]]:
    """Yield the exclusions that can apply to the file's columns, each with the column to report."""
    columns = chunk.file.columns
    targets = {BY_NAME[base_name(column)].target.partition(".")[0] for column in columns}
    for exclusion in chunk.file.rules.capabilities.exclusions:
        if not targets.isdisjoint(exclusion.values):
            shown = (column for column in columns if column.startswith(exclusion.column))
            yield exclusion, next(shown, exclusion.column)


def _with(chunk: ChunkColumns, names: Iterable[str]) -> set[int]:
    """Return the rows with a value in one of these attributes."""
    rows = zip(*(_attribute(chunk, name) for name in sorted(names)), strict=True)
    empty: Sequence[object] = (None, ())
    return {n for n, values in enumerate(rows) if any(value not in empty for value in values)}


def _attribute(chunk: ChunkColumns, name: str) -> Sequence[object]:
    """Return the values of an attribute of the conversions or of their optional fields."""
    if name == "user_identifiers":
        return [a or b for a, b in zip(chunk.hashed_emails, chunk.hashed_phones, strict=True)]
    if name in Conversion._fields:
        found: Sequence[object] = getattr(chunk, name)
        return found
    return [None if each is None else getattr(each, name) for each in chunk.optional_fields]


def _braids(chunk: ChunkColumns) -> Sequence[str]:
    """Return the gbraid or wbraid of each row."""
    if not any(chunk.wbraid):
        return chunk.gbraid
    return [a or b for a, b in zip(chunk.gbraid, chunk.wbraid, strict=True)]


def _person(chunk: ChunkColumns, row: int) -> tuple[str, ...]:
    """Return what identifies the person of a row: the first hashed identifier, if there is one."""
    person = (chunk.hashed_emails[row] or chunk.hashed_phones[row])[:1]
    optional = chunk.optional_fields[row]
    return optional.identity() if not person and optional is not None else person


# ── deduplicate: conversions ─────────────────────────────────────────────────────────────────────

_SAME: Final = {
    "click": "the same click ID, time and conversion action",
    "order": "the same order ID and conversion action",
    "call": "the same call, time and conversion action",
}


class Repeat(NamedTuple):
    """Which row a row repeats, and by which of its values."""

    first: int
    by: Literal["click", "order"]


def drop_repeats(chunk: ChunkColumns) -> None:
    """Send only the first row of each conversion."""
    for row, (first, by) in _find_repeats(chunk).items():
        chunk.unsent[row] = _duplicate(chunk, row, first, by)
    identified = zip(chunk.hashed_emails, chunk.hashed_phones, strict=True)
    chunk.has_user_data = any(map(any, compress(identified, chunk.accepted())))


def _find_repeats(chunk: ChunkColumns) -> dict[int, Repeat]:
    """Return the repeats by row.

    A row is a repeat only if Google would count both rows once: same click ID, time and action, or
    same order ID and action. Two rows with different order IDs of their own are two conversions,
    even of one click and time: Google decides about them. Between chunks, Google detects repeats,
    which keeps memory use small.
    """
    by_click: dict[tuple[str, int, str], int] = {}
    by_order: dict[tuple[str, str], int] = {}
    repeats: dict[int, Repeat] = {}
    click_ids = _click_ids(chunk)
    if not (_has_equals(click_ids) or _has_equals(chunk.order_id)):
        return repeats
    rows = chunk.sendable()
    # The instant is compared, not its text, because two offsets can describe the same moment.
    columns = (click_ids, chunk.when.instants, chunk.action_id, chunk.order_id)
    keys = zip(rows, *(map(each.__getitem__, rows) for each in columns), strict=True)
    for row, click_id, instant, action_id, order_id in keys:
        click = (click_id, instant, action_id)
        if click_id:
            first = by_click.setdefault(click, row)
            # Rows without an own order ID are not sent after the first row of a click. So the first
            # one shows whether another order is already there.
            if first != row and not (_has_own_order(chunk, first) and _has_own_order(chunk, row)):
                repeats[row] = Repeat(first, "click")
                continue
        if order_id is not None:
            first = by_order.setdefault((order_id, action_id), row)
            if first != row:
                repeats[row] = Repeat(first, "order")
                if click_id and by_click[click] == row:
                    # This row is not sent, so a later row with its click does not repeat it.
                    del by_click[click]
    return repeats


def _has_equals(ids: Sequence[str | None]) -> bool:
    given = [*filter(None, ids)]
    return len(set(given)) < len(given)


def _click_ids(chunk: ChunkColumns) -> Sequence[str]:
    """Return the click ID of each row, whichever it is."""
    if not (any(chunk.gbraid) or any(chunk.wbraid)):
        return chunk.gclid
    return [a or b for a, b in zip(chunk.gclid, _braids(chunk), strict=True)]


def _has_own_order(chunk: ChunkColumns, row: int) -> bool:
    """Return whether the order ID of a row distinguishes conversions of one click. A derived order
    ID does not."""
    order_id = chunk.order_id[row]
    return order_id is not None and not is_derived_order_id(order_id)


def _duplicate(
    chunk: ChunkColumns, row: int, first: int, by: Literal["click", "order", "call"]
) -> Unsent:
    """Return that a row repeats the row `first`, with the same value or another one."""
    code, detail = "REPEATED_LINE", f"{_SAME[by]} as in line {chunk.lines[first]}"
    if chunk.value[row] != chunk.value[first]:
        code, detail = "REPEATED_WITH_OTHER_VALUE", f"{detail}, with another value"
    return Unsent("duplicate", Problem(code, "", detail), first)


def repeat_of_rejected(line: int) -> Problem:
    """Return the problem of a row that repeats `line`, which was rejected."""
    detail = f"line {line}, which this row repeats, was refused, so this row was not sent either"
    return Problem("REPEATED_REFUSED_LINE", "", detail)


# ── deduplicate: calls and adjustments ───────────────────────────────────────────────────────────


def drop_repeated_calls(chunk: ChunkColumns) -> None:
    """Send only the first row of each call with the same time and conversion action."""
    first_of: dict[tuple[object, ...], int] = {}
    columns = (chunk.action_id, chunk.caller_id)
    keys = list(zip(*columns, chunk.starts.instants, chunk.when.instants, strict=True))
    for row in chunk.sendable():
        first = first_of.setdefault(keys[row], row)
        if first != row:
            chunk.unsent[row] = _duplicate(chunk, row, first, "call")


def supersede(chunk: ChunkColumns) -> None:
    """Send only one adjustment of each conversion.

        several restatements           ──▶ the one with the latest time
        a retraction and restatements  ──▶ the retraction: it is final
        the same adjustment again      ──▶ the first one

    An API may apply the adjustments of one request in any order. So the others are not sent: they
    are `skipped` (OLDER_THAN_CORRECTION), or duplicates. Adjustments of earlier chunks are
    remembered as digests, up to a limit: then an older restatement of a later chunk is not sent
    either. Beyond the limit, only the API can tell.
    """
    lines, earlier, rows = chunk.lines, chunk.file.adjusted, chunk.sendable()
    ranks = {row: rank_of(chunk.adjustment_type[row], chunk.when.instants[row]) for row in rows}
    keys = {row: _adjusted_conversion(chunk, row) for row in rows}
    best: dict[bytes, int] = {}
    for row, key in keys.items():
        if ranks[row] > ranks[best.setdefault(key, row)]:
            best[key] = row
    sent: dict[bytes, int] = {}
    for row, key in keys.items():
        winner, before = best[key], earlier.get(key)
        if before is not None and before[1] == lines[row]:
            before = None  # the same row, validated again
        if before is not None and ranks[row] <= before[0]:
            chunk.unsent[row] = _superseded(chunk, row, ranks[row], *before, None)
        elif row != winner:
            of_winner = ranks[winner], lines[winner]
            chunk.unsent[row] = _superseded(chunk, row, ranks[row], *of_winner, winner)
        else:
            sent[key] = row
            chunk.follows_earlier_chunk = chunk.follows_earlier_chunk or before is not None
    for key, row in sent.items():
        if key in earlier or len(earlier) < MOST_REMEMBERED:
            earlier[key] = ranks[row], lines[row]
    originals = (chunk.original[row] for row in sent.values())
    chunk.has_user_data = any(o and (o.hashed_emails or o.hashed_phones) for o in originals)


def _adjusted_conversion(chunk: ChunkColumns, row: int) -> bytes:
    """Return a digest of the conversion that a row adjusts."""
    order_id = chunk.order_id[row]
    click = chunk.gclid[row], chunk.conversion_time[row]
    parts = (chunk.action_id[row], *((order_id,) if order_id else click))
    return blake2b("\x1f".join(parts).encode(), digest_size=12).digest()


def _superseded(
    chunk: ChunkColumns, row: int, rank: int, other: int, line: int, first: int | None
) -> Unsent:
    """Return why an adjustment is not sent: the one in `line` has the rank `other`, and is the row
    `first` if it is in this chunk."""
    if rank < other:
        return Unsent("skipped", Problem("OLDER_THAN_CORRECTION", "", f"by line {line}"))
    is_final = ADJUSTMENT_TYPES[chunk.adjustment_type[row]].is_final
    what = "adjustment" if is_final else "adjustment time"
    detail = f"the same conversion and {what} as in line {line}"
    return Unsent("duplicate", Problem("REPEATED_LINE", "", detail), first)
