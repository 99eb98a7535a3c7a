"""The outcomes of the rows: of one row, of the rows of a chunk, and the totals over a file.

Problems of a row are values, not exceptions.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeVar, get_args

from lib.model.sent_requests import Ranges, SentRequest, numbers_in, ranges_of

K = TypeVar("K", int, str)

Outcome = Literal[
    "uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted", "ok"
]
"""`ok` is the outcome of a row that would be sent, in a check and in validate-only uploads.
`skipped` rows are not conversions, according to the profile's row filter, or are the footer of a
report."""

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

MOST_PROBLEMS = 20
"""A row lists at most this many errors, and as many warnings."""

LONGEST_DETAIL = 1_000
"""Maximum number of characters of a detail. Google's messages are shorter."""


class Problem(NamedTuple):
    """One problem with a row. `detail` names lines, columns or rules, never values."""

    code: str
    field: str = ""
    detail: str = ""


class RowOutcome(NamedTuple):
    """The outcome of the data row that starts at `line`, as an editor counts lines."""

    line: int
    outcome: Outcome
    order_id: str | None = None
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def bounded(self) -> RowOutcome:
        """Return the row without the problems and texts that are beyond the limits."""
        if not self.errors and not self.warnings:
            return self
        return self._replace(errors=_bounded(self.errors), warnings=_bounded(self.warnings))


def _bounded(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    if len(problems) <= MOST_PROBLEMS and all(len(p.detail) <= LONGEST_DETAIL for p in problems):
        return problems
    return tuple(
        each._replace(detail=each.detail[:LONGEST_DETAIL]) for each in problems[:MOST_PROBLEMS]
    )


@dataclass(slots=True)
class Selection:
    """The rows of a chunk or a file that a row filter has kept (also unreadable ones) or skipped.

    `found` is the number of rows with each value of the filter, and `near` the number of rows with
    a similar text instead. Both are by the value's position in `RowFilter.values`. `stages` is the
    number of kept rows by column and stage (`lib.rules.stages.stages_in`). Of the rows that the
    profile calls refunds, `refunds` were kept, and `skipped_refunds` were not.
    """

    kept: int = 0
    skipped: int = 0
    found: dict[int, int] = field(default_factory=dict)
    near: dict[int, int] = field(default_factory=dict)
    stages: dict[int, dict[str, int]] = field(default_factory=dict)
    refunds: int = 0
    skipped_refunds: int = 0

    def add(self, other: Selection) -> None:
        """Add the rows of a chunk to those of the file."""
        self.kept += other.kept
        self.skipped += other.skipped
        self.refunds += other.refunds
        self.skipped_refunds += other.skipped_refunds
        add_counts(self.found, other.found)
        add_counts(self.near, other.near)
        for column, counts in other.stages.items():
            add_counts(self.stages.setdefault(column, {}), counts)


def add_counts(counts: dict[K, int], more: Mapping[K, int]) -> None:
    """Add the counts of a chunk to those of the file."""
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count


@dataclass(slots=True)
class Tally:
    """Running totals over a chunk or a file: rows per outcome, rows with warnings, codes.

    Of the uploaded rows, `awaiting` await their final status, and `unmatched` have no ad click.
    """

    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    warnings: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    placeholders: dict[str, int] = field(default_factory=dict)
    """Cells that contain a placeholder, by column."""
    awaiting: int = 0
    unmatched: int = 0

    def count(self, row: RowOutcome) -> None:
        """Count one listed row."""
        self.rows += 1
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + 1
        self.warnings += bool(row.warnings)
        for problem in row.errors + row.warnings:
            self.codes[problem.code] = self.codes.get(problem.code, 0) + 1

    def count_unlisted(self, outcome: str, rows: int) -> None:
        """Count rows that have neither errors nor warnings."""
        if rows:
            self.rows += rows
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + rows

    def count_requests(self, sent: Iterable[SentRequest]) -> None:
        """Count what is known about the rows of accepted requests."""
        for request in sent:
            self.awaiting += request.awaiting
            self.unmatched += request.unmatched

    def add(self, other: Tally) -> None:
        """Add the totals of a chunk to those of the file."""
        self.rows += other.rows
        self.warnings += other.warnings
        self.awaiting += other.awaiting
        self.unmatched += other.unmatched
        add_counts(self.outcomes, other.outcomes)
        add_counts(self.codes, other.codes)
        add_counts(self.placeholders, other.placeholders)

    def counts(self) -> dict[str, int]:
        """Return `counts` for the results document. Outcomes without rows are included as 0.

        Only `ok` is left out if no row has it.
        """
        named: dict[str, int] = {
            o: self.outcomes.get(o, 0) for o in OUTCOMES if o != "ok" or o in self.outcomes
        }
        return {"rows": self.rows, **named, "warnings": self.warnings}


class RecordLines(NamedTuple):
    """The lines on which the records of a chunk begin. The first of them is the file's
    `first_record`-th data row. Most chunks have one range: a record a line."""

    first_record: int
    lines: Ranges

    @classmethod
    def of(cls, first_record: int, lines: list[int]) -> RecordLines:
        """Return those of a chunk's ascending lines."""
        if lines and lines[-1] - lines[0] == len(lines) - 1:
            return cls(first_record, ((lines[0], lines[-1]),))
        return cls(first_record, ranges_of(lines))

    def numbers(self) -> dict[int, int]:
        """Return the number of each record by its line."""
        return dict(zip(numbers_in(self.lines), itertools.count(self.first_record)))


@dataclass(frozen=True, slots=True)
class ChunkOutcomes:
    """The outcomes of the rows of one chunk: lines, codes and order IDs, never user data.

    `listed` contains, in file order, every row except uploaded rows without warnings and skipped
    rows. `request_ids` are the API's IDs of the requests that sent the chunk. `selection` is what
    the row filter found. If the API processes records later, `sent` are the accepted requests.
    `records` tells which record begins on which line; a marker of an older version has None.
    """

    number: int
    tally: Tally
    listed: tuple[RowOutcome, ...]
    request_ids: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    sent: tuple[SentRequest, ...] = ()
    records: RecordLines | None = None

    def record_numbers(self) -> dict[int, int]:
        """Return the number of each record by its line; empty if they are not known."""
        return self.records.numbers() if self.records is not None else {}

    def without_rows(self) -> ChunkOutcomes:
        """Return them without the rows, which a marker has. Its totals still count them."""
        return replace(self, listed=())

    def unlisted(self) -> dict[Outcome, int]:
        """Return the numbers of rows that are not listed: accepted and skipped ones."""
        listed = Counter(row.outcome for row in self.listed)
        kinds: tuple[Outcome, ...] = ("uploaded", "ok", "skipped")
        return {kind: self.tally.outcomes.get(kind, 0) - listed[kind] for kind in kinds}

    def with_rows(
        self,
        listed: Iterable[RowOutcome],
        unlisted: Mapping[Outcome, int],
        request_ids: tuple[str, ...],
        sent: tuple[SentRequest, ...],
    ) -> ChunkOutcomes:
        """Return them with other rows and requests."""
        placeholders = self.tally.placeholders
        return chunk_outcomes(
            self.number,
            listed,
            unlisted,
            request_ids,
            self.selection,
            placeholders,
            sent,
            self.records,
        )


def chunk_outcomes(
    number: int,
    listed: Iterable[RowOutcome],
    unlisted: Mapping[Outcome, int],
    request_ids: tuple[str, ...] = (),
    selection: Selection | None = None,
    placeholders: Mapping[str, int] | None = None,
    sent: tuple[SentRequest, ...] = (),
    records: RecordLines | None = None,
) -> ChunkOutcomes:
    """Return the outcomes of the listed rows and the unlisted ones (outcome → number of rows)."""
    tally = Tally(placeholders=dict(placeholders or {}))
    rows = tuple(row.bounded() for row in listed)
    for row in rows:
        tally.count(row)
    for outcome, count in unlisted.items():
        tally.count_unlisted(outcome, count)
    tally.count_requests(sent)
    return ChunkOutcomes(number, tally, rows, request_ids, selection or Selection(), sent, records)
