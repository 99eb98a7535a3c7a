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

    `to_correct` of them do not count for a reason that a person can correct, if only for the next
    files, and are worth `sums`.
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

    `causes` are the reasons why rows do not count, or not yet; `warned` those of rows that count,
    with less than the file has. `with_problem` is the number of rows with an error or a warning.
    `to_correct` of them do not count for a reason that a person can correct, and are worth `sums`.
    `too_late` more did not come in time, so nobody can correct them.
    """

    causes: dict[str, Cause] = field(default_factory=dict)
    warned: dict[str, Cause] = field(default_factory=dict)
    first: FirstRows = field(default_factory=lambda: FirstRows(MOST_ROWS))
    with_problem: int = 0
    to_correct: int = 0
    too_late: int = 0
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
        is_lost = needs_action(row)
        if is_lost and is_too_late(row):
            self.too_late += 1
        elif is_lost:
            self.to_correct += 1
            add_sums(self.sums, row.sums)
        reasons = _reasons(row)
        self._count(self.causes, reasons, listed, is_lost)
        if row.outcome not in LOST:
            self._count(self.warned, row.warnings, listed, is_lost=False)

    def _count(
        self,
        causes: dict[str, Cause],
        problems: Sequence[Problem],
        listed: ListedRow,
        is_lost: bool,
    ) -> None:
        row, seen = listed.row, set()
        for problem in problems:
            code = problem.code
            cause = causes.get(code)
            if cause is None:
                cause = causes[code] = Cause(code)
            cause.add_problem(problem)
            if code in seen:
                continue
            seen.add(code)
            cause.rows += 1
            cause.outcomes[row.outcome] += 1
            cause.first.add(listed)
            if is_lost:
                cause.to_correct += 1
                add_sums(cause.sums, row.sums)

    def listed(self) -> list[ListedRow]:
        """Return the rows that are listed, in the order of the file."""
        rows = {each.row.line: each for each in self.first.rows()}
        for cause in (*self.causes.values(), *self.warned.values()):
            rows |= {each.row.line: each for each in cause.first.rows()}
        return sorted(rows.values(), key=lambda each: each.row.line)

    def by_importance(self) -> list[Cause]:
        """Return the causes: first the one of most rows to correct, of equal ones the dearest."""
        return sorted(self.causes.values(), key=_rank)

    def warned_by_importance(self) -> list[Cause]:
        """Return the causes of warnings: first the one of most rows."""
        return sorted(self.warned.values(), key=_rank)


def _rank(cause: Cause) -> tuple[int, int, int, str]:
    micros = max((each.micros for each in cause.sums.values()), default=0)
    return -cause.to_correct, -micros, -cause.rows, cause.code


def needs_action(row: RowOutcome) -> bool:
    """Return whether the row does not count for a reason that a person can correct, if only for
    the next files."""
    return row.outcome in LOST and any(lookup(each.code).needs_action for each in row.errors)


def is_too_late(row: RowOutcome) -> bool:
    """Return whether nobody can correct the row any more."""
    return any(lookup(each.code).is_too_late for each in row.errors)


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


def _reasons(row: RowOutcome) -> Sequence[Problem]:
    """Return why a row is not uploaded: its errors, and the warnings that explain one of them.

    Its other warnings have no part in that.
    """
    if not row.errors or not row.warnings:
        return row.errors and root_problems(row)
    explained = set().union(*(CONSEQUENCES.get(each.code, ()) for each in row.errors))
    return [each for each in root_problems(row) if each in row.errors or each.code in explained]
