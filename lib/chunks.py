"""Chunk k is data rows [2000k, 2000(k+1)), valid or not: the cut is the same on every attempt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from lib.destinations.port import Batch, Sent, Verdict
from lib.errors import GiveUp
from lib.report import ChunkReport, chunk_report
from lib.rules.conversion import Conversion, Outcome, Problem, RowOutcome
from lib.rules.plan import RowPlan
from lib.settings import CHUNK_ROWS
from lib.source.errors import SourceError
from lib.source.records import Record


class Chunk(NamedTuple):
    """Data rows as they were read; `is_only` if the file has no other chunk."""

    number: int
    records: list[Record]
    is_only: bool


class Prepared(NamedTuple):
    """A chunk judged and serialized.

    `lines[i]`, `order_ids[i]` and `warnings[i]` (if any) belong to the batch's i-th conversion;
    `refused` are the rows that don't go out.
    """

    number: int
    batch: Batch
    lines: list[int]
    order_ids: list[str | None]
    warnings: dict[int, tuple[Problem, ...]]
    refused: list[RowOutcome]


def cut(records: Iterator[Record], rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Cut the records into chunks; reads one record ahead to know whether the first is alone.

    Where the file can't be read any further (`SourceError`, `GiveUp`), the records before that
    place come as a chunk first, so that they have their outcomes too.
    """
    number = 0
    current, broken = _take(records, rows)
    while current:
        following: list[Record] = []
        if broken is None and len(current) == rows:
            following, broken = _take(records, 1)
        yield Chunk(number, current, number == 0 and not following)
        current = following
        if current and broken is None:
            more, broken = _take(records, rows - 1)
            current += more
        number += 1
    if broken is not None:
        raise broken


def _take(records: Iterator[Record], rows: int) -> tuple[list[Record], SourceError | GiveUp | None]:
    taken: list[Record] = []
    try:
        taken.extend(islice(records, rows))  # keeps what came before an exception
    except (SourceError, GiveUp) as error:
        return taken, error
    return taken, None


def prepare(number: int, records: Iterable[Record], plan: RowPlan, batch: Batch) -> Prepared:
    """Judge the rows of a chunk and serialize those that can be sent. The hot loop."""
    judge = plan.judge
    add = batch.add
    plan.start_chunk()
    lines: list[int] = []
    order_ids: list[str | None] = []
    warnings: dict[int, tuple[Problem, ...]] = {}
    refused: list[RowOutcome] = []
    for line, cells, problem in records:
        if problem is not None:
            refused.append(RowOutcome(line, "rejected", None, (Problem(problem),)))
            continue
        judged = judge(line, cells)
        if type(judged) is Conversion:
            if judged[13]:
                warnings[len(lines)] = judged[13]
            lines.append(line)
            order_ids.append(judged[10])
            add(judged)
        else:
            refused.append(judged)  # type: ignore[arg-type]
    return Prepared(number, batch, lines, order_ids, warnings, refused)


def outcomes(prepared: Prepared, sent: Sent, plain: Outcome, list_all: bool) -> ChunkReport:
    """The API's answer for a chunk → what became of each of its rows.

    `plain` is the outcome of a row that was taken (`uploaded`, or `ok` when nothing counts).
    """
    listed = list(prepared.refused)
    positions = (
        range(len(prepared.lines))
        if list_all
        else sorted(sent.verdicts.keys() | prepared.warnings.keys())
    )
    for position in positions:
        verdict = sent.verdicts.get(position) or Verdict(plain)
        listed.append(
            RowOutcome(
                prepared.lines[position],
                plain if verdict.outcome == "uploaded" else verdict.outcome,
                prepared.order_ids[position],
                verdict.errors,
                prepared.warnings.get(position, ()) + verdict.warnings,
            )
        )
    listed.sort(key=lambda row: row.line)
    taken = len(prepared.lines) - len(positions)
    return chunk_report(prepared.number, listed, taken, plain, sent.request_ids)


def not_attempted(number: int, records: Iterable[Record]) -> ChunkReport:
    """The report of a chunk that the file's stop came before."""
    rows = [RowOutcome(line, "not_attempted") for line, _, _ in records]
    return chunk_report(number, rows, 0, "not_attempted")
