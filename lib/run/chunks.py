"""Chunk k is data rows [2000k, 2000(k+1)), valid or not: the cut is the same on every attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from lib.config.settings import CHUNK_ROWS
from lib.destinations.base import Batch, RowResult, UploadResult
from lib.errors import PermanentError
from lib.model.outcomes import Outcome, Problem, Repeat, RowOutcome
from lib.model.records import ORDER_ID, WARNINGS, Conversion
from lib.results.chunk_report import ChunkReport, chunk_report
from lib.rules.engine import RowPlan
from lib.rules.values.dates import OPEN_ORDER
from lib.source.errors import SourceError
from lib.source.records import Record


class Chunk(NamedTuple):
    """Data rows, read as they are asked for: no more than one is held.

    `is_only()` tells whether the file has no other chunk; it reads what is left of this one.
    """

    number: int
    records: Iterator[Record]
    is_only: Callable[[], bool]


class Prepared(NamedTuple):
    """A chunk judged and serialized.

    `lines[i]`, `order_ids[i]` and `warnings[i]` (if any) belong to the batch's i-th conversion;
    `refused` are the rows that don't go out, `repeats` the lines of those among them that repeat
    another row of the chunk → its line.
    """

    number: int
    batch: Batch
    lines: list[int]
    order_ids: list[str | None]
    warnings: dict[int, tuple[Problem, ...]]
    refused: list[RowOutcome]
    repeats: dict[int, int]


class Unsendable(NamedTuple):
    """A chunk at one of whose rows the file must stop; `lines` are those of the rows read."""

    problem: Problem
    lines: list[int]


def split_into_chunks(records: Iterable[Record], rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Cut the records into chunks.

    Where the file can't be read any further (`SourceError`, `PermanentError`), the chunk ends there, so
    that its rows have their outcomes; the error is raised behind it.
    """
    broken: list[SourceError | PermanentError] = []
    safe = _until_broken(records, broken)
    number = 0
    first = next(safe, None)
    while first is not None:
        part = chain((first,), islice(safe, rows - 1))
        following: list[Record | None] = []

        def is_only(
            number: int = number, part: Iterator[Record] = part, following: list[Any] = following
        ) -> bool:
            if not following:
                for _ in part:
                    pass
                following.append(next(safe, None))
            return number == 0 and following[0] is None

        yield Chunk(number, part, is_only)
        is_only()
        first = following[0]
        number += 1
    if broken:
        raise broken[0]


def _until_broken(
    records: Iterable[Record], broken: list[SourceError | PermanentError]
) -> Iterator[Record]:
    try:
        yield from records
    except (SourceError, PermanentError) as error:
        broken.append(error)


def prepare(
    number: int, records: Iterable[Record], plan: RowPlan, batch: Batch
) -> Prepared | Unsendable:
    """Judge the rows of a chunk and serialize those that can be sent. The hot loop.

    Dates such as 03/04/2026 wait for the end of the chunk, as another row of it may prove that
    its dates are in the other order.
    """
    judge = plan.judge
    add = batch.add
    plan.start_chunk()
    lines: list[int] = []
    order_ids: list[str | None] = []
    warnings: dict[int, tuple[Problem, ...]] = {}
    refused: list[RowOutcome] = []
    repeats: dict[int, int] = {}
    waiting: list[tuple[int, Conversion]] = []
    line = 0
    try:
        for line, cells, problem in records:
            if problem is not None:
                refused.append(RowOutcome(line, "rejected", None, (Problem(problem),)))
                continue
            judged = judge(line, cells)
            if type(judged) is Conversion:
                if judged[WARNINGS]:
                    if _is_open(judged[WARNINGS]):
                        waiting.append((line, judged))
                        continue
                    warnings[len(lines)] = judged[WARNINGS]
                lines.append(line)
                order_ids.append(judged[ORDER_ID])
                add(judged)
            else:
                if type(judged) is Repeat:
                    judged, repeats[line] = judged
                refused.append(_decided(judged))  # type: ignore[arg-type]
    except PermanentError as error:
        read = [*lines, *(row.line for row in refused), *(each for each, _ in waiting), line]
        return Unsendable(Problem(error.code, "", error.detail), sorted(read))
    proof = _other_order(refused) if waiting else None
    if proof is not None:
        held = {line for line, _ in waiting}
        refused = [
            _repeat_of_refused(row, repeats[row.line]) if repeats.get(row.line) in held else row
            for row in refused
        ]
    for line, conversion in waiting:
        row = _decided(RowOutcome(line, "ok", conversion.order_id, (), conversion.warnings))
        if proof is not None:
            refused.append(row._replace(outcome="rejected", errors=(proof,)))
            continue
        if row.warnings:
            warnings[len(lines)] = row.warnings
        lines.append(line)
        order_ids.append(row.order_id)
        add(conversion)
    return Prepared(number, batch, lines, order_ids, warnings, refused, repeats)


def _is_open(warnings: tuple[Problem, ...]) -> bool:
    return any(problem.code == OPEN_ORDER for problem in warnings)


def _decided(row: RowOutcome) -> RowOutcome:
    """The row without the mark of an open order, which isn't for its reader."""
    if not _is_open(row.warnings):
        return row
    return row._replace(warnings=tuple(each for each in row.warnings if each.code != OPEN_ORDER))


def _other_order(refused: Iterable[RowOutcome]) -> Problem | None:
    """Why dates that can be read both ways aren't sent, if another row shows their order."""
    for row in refused:
        for code, field, detail in row.errors:
            if code == "DATE_ORDER_MISMATCH":
                said = f"day and month can be read both ways here, and by line {row.line} {detail}"
                return Problem(code, field, said)
    return None


def outcomes(
    prepared: Prepared, sent: UploadResult, accepted: Outcome, list_all: bool
) -> ChunkReport:
    """The API's answer for a chunk → what became of each of its rows.

    `accepted` is the outcome of a row that was taken (`uploaded`, or `ok` when nothing counts).
    """
    uncounted = {
        prepared.lines[position]: row_result
        for position, row_result in sent.row_results.items()
        if row_result.outcome not in ("uploaded", "duplicate")
    }
    listed = []
    for row in prepared.refused:
        first = prepared.repeats.get(row.line)
        listed.append(_with_the_first(row, first, uncounted.get(first or 0)))
    positions = (
        range(len(prepared.lines))
        if list_all
        else sorted(sent.row_results.keys() | prepared.warnings.keys())
    )
    for position in positions:
        row_result = sent.row_results.get(position) or RowResult(accepted)
        listed.append(
            RowOutcome(
                prepared.lines[position],
                accepted if row_result.outcome == "uploaded" else row_result.outcome,
                prepared.order_ids[position],
                row_result.errors,
                prepared.warnings.get(position, ()) + row_result.warnings,
            )
        )
    listed.sort(key=lambda row: row.line)
    taken = len(prepared.lines) - len(positions)
    return chunk_report(prepared.number, listed, taken, accepted, sent.request_ids)


def _with_the_first(row: RowOutcome, first: int | None, row_result: RowResult | None) -> RowOutcome:
    """A repeat of a row that Google didn't count is no duplicate: it shares that row's fate, which
    may be to be sent again. If the first was refused for good, this one never went out."""
    if first is None or row_result is None:
        return row
    if row_result.outcome == "failed":
        return _repeat_of_refused(row, first)
    return row._replace(outcome=row_result.outcome, errors=row.errors + row_result.errors)


def _repeat_of_refused(row: RowOutcome, first: int) -> RowOutcome:
    detail = f"line {first}, which this row repeats, was refused, so this one wasn't sent either"
    return row._replace(outcome="rejected", errors=(Problem("REPEATED_REFUSED_LINE", "", detail),))


def not_attempted(number: int, records: Iterable[Record], read: Iterable[int] = ()) -> ChunkReport:
    """The report of a chunk that the file's stop came before; `read` are lines read already."""
    lines = chain(read, (line for line, _, _ in records))
    rows = [RowOutcome(line, "not_attempted") for line in lines]
    return chunk_report(number, rows, 0, "not_attempted")
