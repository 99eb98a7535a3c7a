"""The outcomes of the rows: of one row, of the rows of a chunk, and the totals over a file.

Problems of a row are values, not exceptions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from lib.model.money import Sum, add_sums, difference
from lib.model.sent_requests import Ranges, SentRequest, numbers_in, ranges_of

K = TypeVar("K", int, str)

SavedTime: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time in a document: one without a time zone is refused when it is read."""

Outcome = Literal[
    "uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted", "ok"
]


@dataclass(frozen=True, slots=True)
class OutcomeMeaning:
    """What an outcome says of a row."""

    legend: str
    """For the legend of a report."""
    counts: Literal["yes", "no", "later", "need not", "would"]
    """Whether Google counts the row. `no`: it should, but a person must see to it. `later`: it is
    sent again automatically. `need not`: it is not a conversion. `would`: it was only checked."""
    is_listed: bool = True
    """Whether the results list the row although it has neither an error nor a warning."""


OUTCOMES: Final[Mapping[Outcome, OutcomeMeaning]] = {
    "uploaded": OutcomeMeaning("accepted by Google", "yes", is_listed=False),
    "duplicate": OutcomeMeaning("already counted, or a repeat of an earlier line", "yes"),
    "rejected": OutcomeMeaning("not sent: a cell is wrong or empty", "no"),
    "failed": OutcomeMeaning("refused by Google", "no"),
    "deferred": OutcomeMeaning("sent again automatically", "later"),
    "skipped": OutcomeMeaning(
        "no conversion, according to the profile", "need not", is_listed=False
    ),
    "not_attempted": OutcomeMeaning("not sent: the file was stopped before", "no"),
    "ok": OutcomeMeaning("would be uploaded", "would", is_listed=False),
}
"""Every outcome of a row, in the order in which results and reports show them."""


def _that(wanted: Callable[[OutcomeMeaning], bool]) -> tuple[Outcome, ...]:
    return tuple(outcome for outcome, meaning in OUTCOMES.items() if wanted(meaning))


COUNTED: Final = _that(lambda each: each.counts == "yes")
LOST: Final = _that(lambda each: each.counts == "no")
UNLISTED: Final = _that(lambda each: not each.is_listed)
WITH_MONEY: Final = _that(lambda each: each.counts in ("yes", "no", "later"))
"""The outcomes whose values are summed up: the others are no conversions, or were only checked."""

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
    """The outcome of the data row that starts at `line`, as an editor counts lines.

    `micros` is its value (`lib.model.money`). None: it has none, or it cannot be read, or the row
    `corrects` an earlier conversion. A deferred row is sent again at `due`, but never after
    `until`; `maybe_sent`: the API may have counted it although it has not said so.
    """

    line: int
    outcome: Outcome
    order_id: str | None = None
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    micros: int | None = None
    currency: str = ""
    due: SavedTime | None = None
    maybe_sent: bool = False
    corrects: bool = False
    until: SavedTime | None = None

    @property
    def sums(self) -> dict[str, Sum]:
        """Its value as a sum, if it has one."""
        return {} if self.micros is None else {self.currency: Sum(1, self.micros)}

    def has_error(self, code: str) -> bool:
        """Return whether one of its errors has this code."""
        return any(problem.code == code for problem in self.errors)

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


def add_counts(counts: dict[K, int], more: Mapping[K, int]) -> None:
    """Add the counts of a chunk to those of the file."""
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count


_NO_MONEY: Final[Mapping[str, Sum]] = {}


@dataclass(slots=True)
class Tally:
    """Running totals over a chunk or a file: rows per outcome, rows with warnings, codes.

    Of the uploaded rows, `awaiting` await their final status, and `unmatched` have no ad click.
    `corrections` are the rows by outcome that correct an earlier conversion. `money` has the sums
    of the values by outcome and currency.
    """

    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    corrections: dict[str, int] = field(default_factory=dict)
    warnings: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    placeholders: dict[str, int] = field(default_factory=dict)
    """Cells that contain a placeholder, by column."""
    awaiting: int = 0
    unmatched: int = 0
    money: dict[str, dict[str, Sum]] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Iterable[RowOutcome]) -> Tally:
        """Return the totals of these rows."""
        tally = cls()
        for row in listed:
            tally.count(row)
        return tally

    @property
    def validated(self) -> int:
        """The number of rows that the rules have seen: all but those that are skipped."""
        return self.rows - self.outcomes.get("skipped", 0)

    def count(self, row: RowOutcome) -> None:
        """Count one listed row."""
        self.rows += 1
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + 1
        if row.corrects:
            self.corrections[row.outcome] = self.corrections.get(row.outcome, 0) + 1
        self.warnings += bool(row.warnings)
        for problem in row.errors + row.warnings:
            self.codes[problem.code] = self.codes.get(problem.code, 0) + 1
        if row.micros is not None:
            self._add_money(row.outcome, row.sums)

    def count_unlisted(
        self,
        outcome: str,
        rows: int,
        sums: Mapping[str, Sum] = _NO_MONEY,
        corrections: int = 0,
    ) -> None:
        """Count rows that have neither errors nor warnings. So many of them are `corrections`."""
        if rows:
            self.rows += rows
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + rows
            if corrections:
                add_counts(self.corrections, {outcome: corrections})
            self._add_money(outcome, sums)

    def remove(self, outcome: str, rows: Sequence[RowOutcome]) -> None:
        """Remove rows that were counted with this outcome and without problems."""
        self.rows -= len(rows)
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) - len(rows)
        for row in rows:
            if row.corrects:
                self.corrections[outcome] -= 1
            self.money[outcome] = difference(self.money.get(outcome, {}), row.sums)

    def _add_money(self, outcome: str, sums: Mapping[str, Sum]) -> None:
        if sums and outcome in WITH_MONEY:
            add_sums(self.money.setdefault(outcome, {}), sums)

    def add(self, other: Tally) -> None:
        """Add the totals of a chunk to those of the file."""
        self.rows += other.rows
        self.warnings += other.warnings
        self.awaiting += other.awaiting
        self.unmatched += other.unmatched
        add_counts(self.outcomes, other.outcomes)
        add_counts(self.corrections, other.corrections)
        add_counts(self.codes, other.codes)
        add_counts(self.placeholders, other.placeholders)
        for outcome, sums in other.money.items():
            self._add_money(outcome, sums)

    def counts(self) -> dict[str, int]:
        """Return `counts` for the results document. Outcomes without rows are included as 0.

        Those of a check are left out if no row has them.
        """
        named: dict[str, int] = {
            outcome: self.outcomes.get(outcome, 0)
            for outcome, meaning in OUTCOMES.items()
            if meaning.counts != "would" or outcome in self.outcomes
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
    rows. `request_ids` are the API's IDs of the requests that sent the chunk, the newest of which
    was answered at `sent_at`. If the API processes records later, `sent` are the accepted requests.
    `records` tells which record begins on which line.
    """

    number: int
    tally: Tally
    listed: tuple[RowOutcome, ...]
    records: RecordLines
    request_ids: tuple[str, ...] = ()
    sent: tuple[SentRequest, ...] = ()
    sent_at: SavedTime | None = None

    def record_numbers(self) -> dict[int, int]:
        """Return the number of each record by its line."""
        return self.records.numbers()

    def deferred(self) -> list[RowOutcome]:
        """Return the rows that are sent again."""
        if not self.tally.outcomes.get("deferred"):
            return []
        return [row for row in self.listed if row.outcome == "deferred"]

    def with_listed(self, change: Callable[[RowOutcome], RowOutcome]) -> ChunkOutcomes:
        """Return them with each listed row changed, or the same if no row has changed."""
        listed = [change(row) for row in self.listed]
        if listed == [*self.listed]:
            return self
        return self.with_rows(listed, self.unlisted(), self.request_ids, self.sent)

    def unlisted(self) -> Tally:
        """Return the totals of the rows that are not listed: accepted and skipped ones."""
        listed, rest = Tally.of(self.listed), Tally()
        for outcome in UNLISTED:
            rows = self.tally.outcomes.get(outcome, 0) - listed.outcomes.get(outcome, 0)
            sums = difference(self.tally.money.get(outcome, {}), listed.money.get(outcome, {}))
            corrections = self.tally.corrections.get(outcome, 0) - listed.corrections.get(
                outcome, 0
            )
            rest.count_unlisted(outcome, rows, sums, corrections)
        return rest

    def with_rows(
        self,
        listed: Iterable[RowOutcome],
        unlisted: Tally,
        request_ids: tuple[str, ...],
        sent: tuple[SentRequest, ...],
    ) -> ChunkOutcomes:
        """Return them with other rows and requests."""
        return chunk_outcomes(
            *(self.number, listed, unlisted, self.records, request_ids),
            placeholders=self.tally.placeholders,
            sent=sent,
            sent_at=self.sent_at,
        )


def chunk_outcomes(
    number: int,
    listed: Iterable[RowOutcome],
    unlisted: Tally,
    records: RecordLines,
    request_ids: tuple[str, ...] = (),
    placeholders: Mapping[str, int] | None = None,
    sent: tuple[SentRequest, ...] = (),
    sent_at: datetime | None = None,
) -> ChunkOutcomes:
    """Return the outcomes of the listed rows and the unlisted ones."""
    rows = tuple(row.bounded() for row in listed)
    tally = Tally.of(rows)
    tally.placeholders = dict(placeholders or {})
    tally.add(unlisted)
    tally.awaiting += sum(request.awaiting for request in sent)
    tally.unmatched += sum(request.unmatched for request in sent)
    return ChunkOutcomes(number, tally, rows, records, request_ids, sent, sent_at)
