"""Chunks of a file: split, validated, serialized, and reported row by row.

A chunk ends at 2,000 data rows, valid or not, or at a number of characters, whichever comes first.
The claim fixes these limits, and apart from them only the file's content matters. So the chunks are
the same on every attempt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, groupby
from operator import attrgetter
from typing import Any, NamedTuple

from lib.destinations.base import AcceptedRequest, Batch, RowResult, UploadResult
from lib.errors import CHECKSUM_MISMATCH, PermanentError
from lib.model.outcomes import (
    ChunkOutcomes,
    Outcome,
    Problem,
    RecordLines,
    RowOutcome,
    Selection,
    chunk_outcomes,
)
from lib.model.records import Adjustment, Conversion, Record, Row
from lib.model.sent_requests import SentRequest, ranges_of
from lib.rules.assembly import ValidatedChunk, repeat_of_rejected
from lib.rules.engine import Engine
from lib.rules.row_filter import RowFilter, Selected
from lib.run.newer_values import NewValue, OrderName, new_values
from lib.source.errors import SourceError
from lib.state.run import ChunkLimits


class Chunk(NamedTuple):
    """The data rows of a chunk, and its `characters`, as `ChunkLimits` counts them. `first_record`
    is the number of its first data row in the file, from 1. `is_only`: the file has no other chunk.
    `checksum_error`: why the rows must not be sent."""

    number: int
    rows: list[Row]
    is_only: bool
    first_record: int
    checksum_error: Problem | None = None
    characters: int = 0

    @property
    def record_lines(self) -> RecordLines:
        """Which record begins on which line."""
        return RecordLines.of(self.first_record, [line for line, _, _, _ in self.rows])


class PreparedChunk(NamedTuple):
    """A chunk, validated and serialized.

    `lines[i]`, `order_ids[i]`, `with_click_id[i]` and `warnings[i]` (if any) belong to the batch's
    i-th record. It must be sent after the earlier chunks if it `follows_earlier_chunk`.
    `new_values` are its adjustments, if an older value could be sent after them.
    `refused` are the rows that are not sent. Some of them repeat another row of the chunk:
    `repeats` maps their lines to the line of that row. `skipped` are the lines of the rows that do
    not count, and `selection` is what the row filter found. `placeholders` counts them by column.
    """

    number: int
    batch: Batch
    lines: list[int]
    order_ids: list[str | None]
    with_click_id: list[bool]
    warnings: dict[int, tuple[Problem, ...]]
    refused: list[RowOutcome]
    repeats: dict[int, int]
    skipped: Sequence[int]
    selection: Selection
    placeholders: Mapping[str, int]
    record_lines: RecordLines
    follows_earlier_chunk: bool = False
    new_values: Sequence[NewValue] = ()

    def sent_request(self, accepted: AcceptedRequest) -> SentRequest:
        """Return which lines a request sent."""
        lines, with_click_id = self.lines, self.with_click_id
        return SentRequest(
            accepted.request_id,
            ranges_of(lines[each] for each in accepted.positions),
            ranges_of(lines[each] for each in accepted.positions if not with_click_id[each]),
        )


def split_into_chunks(rows: Iterable[Row], limits: ChunkLimits) -> Iterator[Chunk]:
    """Split the rows into chunks. One row is read ahead.

    If the rest of the file cannot be read (`SourceError`, `PermanentError`), the chunk ends there,
    so that its rows get their outcomes. The error is raised after this chunk. If what was read may
    be wrong, the rows of this chunk must not be sent.
    """
    errors: list[SourceError | PermanentError] = []
    readable = _until_unreadable(rows, errors)
    number, first_record = 0, 1
    most_rows, most_chars, cell_chars = limits.rows, limits.chars, limits.cell_chars
    following = next(readable, None)
    while following is not None:
        chunk = [following]
        chars = following[3] + cell_chars * len(following[1])
        for following in readable:
            if chars >= most_chars or len(chunk) == most_rows:
                break
            chunk.append(following)
            _, cells, _, length = following
            chars += length + cell_chars * len(cells)
        else:
            following = None
        is_only = number == 0 and following is None
        finished = Chunk(number, chunk, is_only, first_record, _checksum_error(errors), chars)
        chunk = []
        first_record += len(finished.rows)
        yield finished
        # Only the caller keeps the rows while the next chunk is read.
        del finished
        number += 1
    if errors:
        raise errors[0]


def _checksum_error(errors: Sequence[SourceError | PermanentError]) -> Problem | None:
    found = (Problem(e.code, "", e.detail) for e in errors if e.code == CHECKSUM_MISMATCH)
    return next(found, None)


def _until_unreadable(
    rows: Iterable[Row], errors: list[SourceError | PermanentError]
) -> Iterator[Row]:
    try:
        yield from rows
    except (SourceError, PermanentError) as error:
        errors.append(error)


def validate(
    chunk: Chunk, row_filter: RowFilter, engine: Engine, refunds: Engine | None
) -> tuple[Selected, ValidatedChunk]:
    """Validate the rows of a chunk that count. `refunds` validates those that adjust conversions.

    Raises `PermanentError` if the rows name too many accounts.
    """
    selected = row_filter.select(chunk.rows)
    validated = engine.validate(selected.rows)
    if selected.refunds and refunds is not None:
        validated = _together(validated, refunds.validate(selected.refunds))
    return selected, validated


def _together(sales: ValidatedChunk, refunds: ValidatedChunk) -> ValidatedChunk:
    """Return a chunk with its conversions, and then the adjustments among its rows."""
    placeholders = Counter(sales.placeholders)
    placeholders.update(refunds.placeholders)
    return ValidatedChunk(
        records=[*sales.records, *refunds.records],
        lines=sales.lines + refunds.lines,
        refused=sorted(sales.refused + refunds.refused, key=attrgetter("line")),
        repeats={**sales.repeats, **refunds.repeats},
        has_user_data=sales.has_user_data or refunds.has_user_data,
        placeholders=placeholders,
        follows_earlier_chunk=refunds.follows_earlier_chunk,
    )


def prepare(
    chunk: Chunk,
    row_filter: RowFilter,
    engine: Engine,
    batch: Batch,
    refuses_user_data: Problem | None = None,
    is_sent: Callable[[int, Record], bool] | None = None,
    refunds: Engine | None = None,
    order_name: OrderName | None = None,
) -> PreparedChunk | Problem:
    """Validate the rows of a chunk that count, and serialize those that can be sent.

    Returns a `Problem` if the file must stop at this chunk: one of its rows names one account too
    many, or has user data that the account refuses (`refuses_user_data`). Rows whose line and
    record do not fulfill `is_sent` are rejected without a reason. `refunds` validates the rows that
    adjust conversions. `order_name` is set if an older value could be sent after a newer one.
    """
    try:
        selected, validated = validate(chunk, row_filter, engine, refunds)
    except PermanentError as error:
        return Problem(error.code, "", error.detail)
    if refuses_user_data is not None and validated.has_user_data:
        return refuses_user_data
    if is_sent is not None:
        validated = _only(validated, is_sent)
    records = validated.records
    for kind, of_kind in groupby(records, type):
        add = _adds(batch, kind)
        for record in of_kind:
            add(record)
    return PreparedChunk(
        chunk.number,
        batch,
        validated.lines,
        [record.order_id for record in records],
        [record.has_click_id for record in records],
        {n: each.warnings for n, each in enumerate(records) if each.warnings},
        validated.refused,
        validated.repeats,
        selected.skipped,
        selected.selection,
        validated.placeholders,
        chunk.record_lines,
        validated.follows_earlier_chunk,
        new_values(validated, order_name) if order_name is not None else (),
    )


def _adds(batch: Batch, kind: type[Record]) -> Callable[[Any], None]:
    """Return the method of the batch that adds records of this kind."""
    if kind is Conversion:
        return batch.add
    return batch.add_adjustment if kind is Adjustment else batch.add_call


def _only(validated: ValidatedChunk, is_sent: Callable[[int, Record], bool]) -> ValidatedChunk:
    """Return the chunk with only the records that are sent. The other rows are rejected."""
    lines, records = validated.lines, validated.records
    kept = list(map(is_sent, lines, records))
    return validated._replace(
        lines=list(compress(lines, kept)),
        records=list(compress(records, kept)),
        refused=[
            *validated.refused,
            *(RowOutcome(n, "rejected") for n, keep in zip(lines, kept, strict=True) if not keep),
        ],
    )


def outcomes(
    prepared: PreparedChunk, result: UploadResult, accepted: Outcome, list_all: bool
) -> ChunkOutcomes:
    """The API's answer for a chunk → the outcome of each of its rows.

    `accepted` is the outcome of a row that the API accepted: `uploaded`, or `ok` if the upload only
    validates.
    """
    uncounted = {
        prepared.lines[position]: row_result
        for position, row_result in result.row_results.items()
        if row_result.outcome not in ("uploaded", "duplicate")
    }
    listed = []
    for row in prepared.refused:
        first = prepared.repeats.get(row.line)
        listed.append(_like_the_first(row, first, uncounted.get(first or 0)))
    positions = (
        range(len(prepared.lines))
        if list_all
        else sorted(result.row_results.keys() | prepared.warnings.keys())
    )
    for position in positions:
        row_result = result.row_results.get(position) or RowResult(accepted)
        listed.append(
            RowOutcome(
                prepared.lines[position],
                accepted if row_result.outcome == "uploaded" else row_result.outcome,
                prepared.order_ids[position],
                row_result.errors,
                prepared.warnings.get(position, ()) + row_result.warnings,
            )
        )
    unlisted = {accepted: len(prepared.lines) - len(positions)}
    if list_all:
        listed += [RowOutcome(line, "skipped") for line in prepared.skipped]
    else:
        unlisted["skipped"] = len(prepared.skipped)
    listed.sort(key=lambda row: row.line)
    # An upload that only validates has no final outcomes.
    sent = tuple(map(prepared.sent_request, result.accepted)) if accepted == "uploaded" else ()
    return chunk_outcomes(
        prepared.number,
        listed,
        unlisted,
        result.request_ids,
        prepared.selection,
        prepared.placeholders,
        sent,
        prepared.record_lines,
    )


def _like_the_first(row: RowOutcome, first: int | None, result: RowResult | None) -> RowOutcome:
    """Give a repeat the outcome of the row that it repeats, if Google did not count that row.

    The repeat is then not a duplicate, and may be sent again with that row. If the row was refused
    permanently, the repeat is rejected: it was never sent.
    """
    if first is None or result is None:
        return row
    if result.outcome == "failed":
        return row._replace(outcome="rejected", errors=(repeat_of_rejected(first),))
    return row._replace(outcome=result.outcome, errors=row.errors + result.errors)


def not_attempted(chunk: Chunk) -> ChunkOutcomes:
    """Return the outcomes of a chunk that is not sent because the file was stopped."""
    rows = [RowOutcome(line, "not_attempted") for line, *_ in chunk.rows]
    return chunk_outcomes(chunk.number, rows, {}, records=chunk.record_lines)
