"""What the report for people shows of the rows: the problems by cause, and the first rows.

It is collected in one pass over the chunks, and its size depends on the number of codes, not of
rows. The results document has all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lib.catalogue.codes import CONSEQUENCES, lookup
from lib.model.money import Sum, add_sums
from lib.model.outcomes import LOST, ChunkOutcomes, Problem, RowOutcome

MOST_DETAILS: Final = 3
"""Different details of a cause that are shown with it; if it has more, only with the rows."""
MOST_ROWS: Final = 1_000
"""Rows that are listed in any case, and in addition:"""
ROWS_OF_A_CAUSE: Final = 10
"""the first rows of every cause, so that a frequent one does not hide the others."""


class ListedRow(NamedTuple):
    """A row and its number among the data rows."""

    record: int
    row: RowOutcome


@dataclass(slots=True)
class FirstRows:
    """The first rows of a file, whichever chunk is added first: at most `most` of them."""

    most: int
    _rows: list[ListedRow] = field(default_factory=list)
    _last_line: float = float("inf")

    def add(self, listed: ListedRow) -> None:
        """Add a row, unless there are enough before it."""
        if listed.row.line > self._last_line:
            return
        self._rows.append(listed)
        if len(self._rows) >= 2 * self.most:
            self._rows = self.rows()
            self._last_line = self._rows[-1].row.line

    def rows(self) -> list[ListedRow]:
        """Return the rows in the order of the file."""
        return sorted(self._rows, key=lambda each: each.row.line)[: self.most]


@dataclass(slots=True)
class Cause:
    """The rows with one code: how many, the first of them, and with which outcomes.

    `to_correct` of them do not count for a reason that a person can correct, and are worth `sums`.
    `fields` counts the problems of each field. `details` are what is particular to the rows. If
    they differ much, only one more than is shown.
    """

    code: str
    rows: int = 0
    to_correct: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    details: set[str] = field(default_factory=set)
    first: FirstRows = field(default_factory=lambda: FirstRows(ROWS_OF_A_CAUSE))

    def add_problem(self, problem: Problem) -> None:
        """Add a problem with this code."""
        if problem.field:
            self.fields[problem.field] += 1
        if problem.detail and len(self.details) <= MOST_DETAILS:
            self.details.add(problem.detail)


@dataclass(slots=True)
class Findings:
    """The rows of a file, as far as the report shows them.

    `with_problem` is the number of rows with an error or a warning. `to_correct` of them do not
    count for a reason that a person can correct, and are worth `sums`.
    """

    causes: dict[str, Cause] = field(default_factory=dict)
    first: FirstRows = field(default_factory=lambda: FirstRows(MOST_ROWS))
    with_problem: int = 0
    to_correct: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)

    def add(self, chunk: ChunkOutcomes) -> None:
        """Add the rows of a chunk."""
        if chunk.listed:
            numbers = chunk.record_numbers()
            for row in chunk.listed:
                self.add_row(ListedRow(numbers[row.line], row))

    def add_row(self, listed: ListedRow) -> None:
        """Add a row. One without a problem of its own is not shown."""
        row = listed.row
        if not row.errors and not row.warnings:
            return
        self.with_problem += 1
        self.first.add(listed)
        is_to_correct = needs_correction(row)
        if is_to_correct:
            self.to_correct += 1
            add_sums(self.sums, row.sums)
        seen = set()
        for problem in root_problems(row):
            code = problem.code
            cause = self.causes.get(code)
            if cause is None:
                cause = self.causes[code] = Cause(code)
            cause.add_problem(problem)
            if code in seen:
                continue
            seen.add(code)
            cause.rows += 1
            cause.outcomes[row.outcome] += 1
            cause.first.add(listed)
            if is_to_correct:
                cause.to_correct += 1
                add_sums(cause.sums, row.sums)

    def listed(self) -> list[ListedRow]:
        """Return the rows that are listed, in the order of the file."""
        rows = {each.row.line: each for each in self.first.rows()}
        for cause in self.causes.values():
            rows |= {each.row.line: each for each in cause.first.rows()}
        return sorted(rows.values(), key=lambda each: each.row.line)

    def by_importance(self) -> list[Cause]:
        """Return the causes: first the one of most rows to correct, of equal ones the dearest."""

        def rank(cause: Cause) -> tuple[int, int, int, str]:
            micros = max((each.micros for each in cause.sums.values()), default=0)
            return -cause.to_correct, -micros, -cause.rows, cause.code

        return sorted(self.causes.values(), key=rank)


def needs_correction(row: RowOutcome) -> bool:
    """Return whether the row does not count for a reason that a person can correct."""
    return row.outcome in LOST and any(lookup(each.code).needs_action for each in row.errors)


def root_problems(row: RowOutcome) -> Sequence[Problem]:
    """Return the problems of a row without those that another one of them explains.

    A row whose only email address is wrong has nothing that identifies a person. This needs no
    correction of its own.
    """
    problems = row.errors + row.warnings
    if len(problems) < 2:  # most rows, and a file can have a million of these
        return problems
    codes = {each.code for each in problems}
    return [each for each in problems if not codes & CONSEQUENCES.get(each.code, frozenset())]
