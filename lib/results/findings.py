"""What the report for people shows of the rows: the problems by cause, and the first rows.

It is collected in one pass over the chunks, and its size is bounded, however many rows have
problems. The results document has all of them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lib.catalogue.codes import CONSEQUENCES, lookup
from lib.model.money import Sum, add_sums
from lib.model.outcomes import LOST, OUTCOMES, UNLISTED, ChunkOutcomes, Problem, RowOutcome

MOST_CAUSES = 200
"""Only an API that answers with codes of its own could exceed it."""
MOST_RANGES = 1_000
"""Ranges of lines of one cause; each has about 12 characters."""
MOST_DETAILS = 3
"""Different details of a cause that are shown with it; if it has more, only with the rows."""
MOST_ROWS = 1_500
"""Rows that are listed in any case, and in addition:"""
ROWS_OF_A_CAUSE = 10
"""the first rows of every cause, so that a frequent one does not hide the others."""


def _no_numbers() -> array[int]:
    return array("Q")  # an eighth of the memory of a list of tuples


@dataclass(slots=True)
class Numbers:
    """Numbers as ranges. Beyond `MOST_RANGES`, only how many there are."""

    firsts: array[int] = field(default_factory=_no_numbers)
    lasts: array[int] = field(default_factory=_no_numbers)
    more: int = 0

    def add(self, number: int) -> None:
        """Add a number. They ascend within a chunk; chunks may come in another order."""
        if self.lasts and number == self.lasts[-1] + 1:
            self.lasts[-1] = number
        elif len(self.lasts) < MOST_RANGES:
            self.firsts.append(number)
            self.lasts.append(number)
        else:
            self.more += 1

    def ranges(self) -> list[tuple[int, int]]:
        """Return the ranges in ascending order, without gaps of nothing."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(zip(self.firsts, self.lasts, strict=True)):
            if merged and first == merged[-1][1] + 1:
                first = merged.pop()[0]
            merged.append((first, last))
        return merged


@dataclass(slots=True)
class Cause:
    """The rows with one code: how many, which, in which fields, and with which outcomes.

    `to_correct` of them were not counted for a reason that a person can correct, and are worth
    `sums`. Another problem of the same row explains it in `explained` of them: `roots` are the
    codes (`CONSEQUENCES`). `details` are what is particular to the rows. If they differ much, only
    one more than is shown.
    """

    code: str
    rows: int = 0
    to_correct: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)
    explained: int = 0
    roots: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    lines: Numbers = field(default_factory=Numbers)
    records: Numbers = field(default_factory=Numbers)
    details: set[str] = field(default_factory=set)

    def add(self, row: RowOutcome, record: int, problems: Sequence[Problem]) -> None:
        """Add a row and its problems with this code."""
        self.rows += 1
        self.outcomes[row.outcome] += 1
        self.lines.add(row.line)
        self.records.add(record)
        for problem in problems:
            if problem.field:
                self.fields[problem.field] += 1
            if problem.detail and len(self.details) <= MOST_DETAILS:
                self.details.add(problem.detail)


class ListedRow(NamedTuple):
    """A row and its number among the data rows."""

    record: int
    row: RowOutcome


@dataclass(slots=True)
class Findings:
    """The rows of a file, as far as the report shows them.

    `to_correct` is the number of rows that were not sent for a reason that a person can correct,
    and `sums` what they are worth. `others` counts the rows with a cause beyond `MOST_CAUSES`,
    `noteworthy` all rows that could be listed; `rows` are those that are.
    """

    causes: dict[str, Cause] = field(default_factory=dict)
    rows: list[ListedRow] = field(default_factory=list)
    noteworthy: int = 0
    others: int = 0
    to_correct: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)

    def add(self, chunk: ChunkOutcomes) -> None:
        """Add the rows of a chunk."""
        if chunk.listed:
            numbers = chunk.record_numbers()
            for row in chunk.listed:
                self.add_row(row, numbers[row.line])

    def add_row(self, row: RowOutcome, record: int) -> None:
        """Add a row."""
        if not is_noteworthy(row):
            return
        problems = root_first(row)
        self.noteworthy += 1
        is_to_correct = needs_correction(row)
        sums = row.sums if is_to_correct else {}
        if is_to_correct:
            self.to_correct += 1
            add_sums(self.sums, sums)
        is_first_of_its_cause = False
        for code, with_code in _by_code(problems):
            cause = self.causes.get(code)
            if cause is None:
                if len(self.causes) >= MOST_CAUSES:
                    self.others += 1
                    continue
                cause = self.causes[code] = Cause(code)
            cause.add(row, record, with_code)
            if is_to_correct:
                cause.to_correct += 1
                add_sums(cause.sums, sums)
            if code in CONSEQUENCES:
                roots = CONSEQUENCES[code].intersection(each.code for each in problems)
                cause.explained += bool(roots)
                cause.roots.update(roots)
            is_first_of_its_cause |= cause.rows <= ROWS_OF_A_CAUSE
        if len(self.rows) < MOST_ROWS or is_first_of_its_cause:
            self.rows.append(ListedRow(record, row))

    def listed(self) -> list[ListedRow]:
        """Return the rows that are listed, in the order of the file."""
        return sorted(self.rows, key=lambda each: each.row.line)

    def by_importance(self) -> list[Cause]:
        """Return the causes: first what explains most of the rows to correct."""

        def rank(cause: Cause) -> tuple[int, bool, int, str]:
            unexplained = cause.to_correct - cause.explained
            return -unexplained, cause.explained > 0, -cause.rows, cause.code

        return sorted(self.causes.values(), key=rank)


def is_noteworthy(row: RowOutcome) -> bool:
    """Return whether the report could list the row: it is no plain success."""
    return bool(row.errors or row.warnings) or row.outcome not in UNLISTED


def needs_correction(row: RowOutcome) -> bool:
    """Return whether the row does not count for a reason that a person can correct."""
    return row.outcome in LOST and any(lookup(each.code).needs_action for each in row.errors)


def root_first(row: RowOutcome) -> tuple[Problem, ...]:
    """Return the problems of a row. What another one of them explains comes last."""
    problems = row.errors + row.warnings
    if len(problems) < 2:  # most rows, and a file can have a million of these
        return problems
    return tuple(sorted(problems, key=lambda each: each.code in CONSEQUENCES))


def _by_code(problems: Sequence[Problem]) -> Iterable[tuple[str, Sequence[Problem]]]:
    if len(problems) == 1:  # most rows, and a file can have a million of these
        return ((problems[0].code, problems),)
    codes = dict.fromkeys(each.code for each in problems)
    return [(code, [each for each in problems if each.code == code]) for code in codes]


def findings_of(rows: Sequence[Mapping[str, Any]]) -> Findings:
    """Return the findings in the `rows` of a results document."""
    found = Findings()
    for each in rows:
        outcome = each["outcome"]
        if outcome not in OUTCOMES:
            raise ValueError(f"unknown outcome in line {each['line']}")
        errors, warnings = (
            tuple(Problem(one["code"], one["field"], one["detail"]) for one in each[part])
            for part in ("errors", "warnings")
        )
        money = each.get("micros"), each.get("currency", "")
        row = RowOutcome(each["line"], outcome, each["order_id"], errors, warnings, *money)
        found.add_row(row, each["record"])
    return found
