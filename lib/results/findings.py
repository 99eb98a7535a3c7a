"""What the report for people shows of the rows: the problems by cause, and the first rows.

It is collected in one pass over the chunks, and its size depends on the number of codes, not of
rows. The results document has all of them.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Literal, NamedTuple, get_args

from lib.catalogue.codes import CAUSES_OF, lookup
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.money import Sum, add_sums
from lib.model.outcomes import LOST, Problem, RowOutcome

MAX_DETAILS: Final = 3
"""Different details of a cause that are shown with it; if it has more, only with the rows."""
MAX_ROWS: Final = 1_000
"""So many rows are listed in any case."""
ROWS_OF_A_CAUSE: Final = 10
"""So many rows of every cause are listed too, so that a frequent one does not hide the others."""

Need = Literal["correct", "profile", "late", "look", "nobody", "warned"]
"""What rows with a problem need. `correct`: they do not count for a reason that a person can
correct. `profile`: nothing is wrong with them, and a change of the profile mends them all. `late`:
they came too late, so that only the next files can do better. `look`: none is lost, and somebody
must look at them all the same. `nobody`: they do not count, or not yet, and nobody can change that.
`warned`: they count, with less than the file has."""


class ListedRow(NamedTuple):
    """A row and its number among the data rows."""

    record: int
    row: RowOutcome


def keep_first(rows: list[ListedRow], listed: ListedRow, most: int) -> None:
    """Keep `rows` the first `most` rows in file order: insert this one if it is one of them.

    The chunks of a file may come in any order.
    """
    if len(rows) < most or listed.record < rows[-1].record:
        insort(rows, listed, key=itemgetter(0))
        del rows[most:]


@dataclass(slots=True)
class Cause:
    """The rows with one code: how many, the first of them, and with which outcomes.

    `sums` are the values of those that do not count, or at which somebody must look. `fields` has
    the number of problems of each field. `details` are what is particular to the rows. Of many
    different ones, `MAX_DETAILS` and one more are kept: that one says that not all are shown.
    """

    code: str
    rows: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    details: set[str] = field(default_factory=set)
    first: list[ListedRow] = field(default_factory=list)

    @property
    def most_micros(self) -> int:
        """What its rows are worth in the currency in which they are worth most."""
        return max((each.micros for each in self.sums.values()), default=0)

    def add(self, listed: ListedRow) -> None:
        """Add a row."""
        self.rows += 1
        self.outcomes[listed.row.outcome] += 1
        keep_first(self.first, listed, ROWS_OF_A_CAUSE)
        if listed.row.outcome in LOST or lookup(self.code).needs_look:
            add_sums(self.sums, listed.row.sums)

    def add_problem(self, problem: Problem) -> None:
        """Add a problem of one of the rows."""
        if problem.field:
            self.fields[problem.field] += 1
        if problem.detail and len(self.details) <= MAX_DETAILS:
            self.details.add(problem.detail)


@dataclass(slots=True)
class Group:
    """The rows that need the same, what they are worth, and why."""

    rows: int = 0
    sums: dict[str, Sum] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)

    def add(self, listed: ListedRow, problems: Sequence[Problem]) -> None:
        """Add a row that is here for these problems."""
        self.rows += 1
        add_sums(self.sums, listed.row.sums)
        codes = set()
        for problem in problems:
            cause = self.causes.get(problem.code)
            if cause is None:
                cause = self.causes[problem.code] = Cause(problem.code)
            cause.add_problem(problem)
            if problem.code not in codes:
                codes.add(problem.code)
                cause.add(listed)

    def by_importance(self) -> list[Cause]:
        """Return the causes: first the one of most rows, of equal ones the dearest."""

        def rank(cause: Cause) -> tuple[int, int, str]:
            return -cause.rows, -cause.most_micros, cause.code

        return sorted(self.causes.values(), key=rank)


@dataclass(slots=True)
class Findings:
    """The rows of a file with a problem, as far as the report shows them.

    `with_problem` is their number. `first` are the first of them.
    """

    groups: dict[Need, Group] = field(
        default_factory=lambda: {need: Group() for need in get_args(Need)}
    )
    first: list[ListedRow] = field(default_factory=list)
    with_problem: int = 0

    def add(self, chunk: ChunkOutcomes) -> None:
        """Add the rows of a chunk."""
        if chunk.listed:
            numbers = chunk.records.numbers()
            for row in chunk.listed:
                self.add_row(ListedRow(numbers[row.line], row))

    def add_row(self, listed: ListedRow) -> None:
        """Add a row. One without a problem of its own is not shown."""
        row = listed.row
        if not row.errors and not row.warnings:
            return
        self.with_problem += 1
        keep_first(self.first, listed, MAX_ROWS)
        if row.errors:
            need, reasons = need_of(row)
            self.groups[need].add(listed, reasons)
        if row.warnings and row.outcome not in LOST:
            looks = [each for each in row.warnings if lookup(each.code).needs_look]
            if looks:
                self.groups["look"].add(listed, looks)
            elif not row.errors:
                self.groups["warned"].add(listed, row.warnings)

    def main_reason(self, unnamed: Mapping[str, int]) -> str:
        """Return the code for which most rows are lost; "": none is, or Google does not say why.
        `unnamed` are the lost rows that Google has only counted (`Totals.unnamed`)."""
        lost = Counter(unnamed)
        rank: dict[str, tuple[int, int]] = {}
        for place, group in enumerate(self.groups.values()):
            for cause in group.causes.values():
                if rows := sum(cause.outcomes[outcome] for outcome in LOST):
                    lost[cause.code] += rows
                    rank.setdefault(cause.code, (place, -cause.most_micros))
        last = len(self.groups), 0
        return min(lost, key=lambda code: (-lost[code], rank.get(code, last), code), default="")

    def causes(self) -> Iterator[Cause]:
        """Yield the causes of all groups."""
        for group in self.groups.values():
            yield from group.causes.values()

    def listed(self) -> list[ListedRow]:
        """Return the rows that are listed, in the order of the file."""
        rows = {each.record: each for each in self.first}
        for cause in self.causes():
            rows |= {each.record: each for each in cause.first}
        return [rows[record] for record in sorted(rows)]


def need_of(row: RowOutcome) -> tuple[Need, Sequence[Problem]]:
    """Return what a row with an error needs, and for which of its problems."""
    reasons, is_lost = _reasons(row), row.outcome in LOST
    if not is_lost and any(lookup(each.code).needs_look for each in row.errors):
        return "look", reasons
    if not is_lost or not any(lookup(each.code).needs_action for each in row.errors):
        return "nobody", reasons
    if late := [each for each in row.errors if lookup(each.code).is_too_late]:
        return "late", late  # nobody needs to correct the others any more
    if all(lookup(each.code).needs_profile for each in reasons):
        return "profile", reasons
    return "correct", reasons


def root_problems(row: RowOutcome) -> Sequence[Problem]:
    """Return the problems of a row without those that another one of them explains.

    A row whose only email address is wrong has nothing that identifies a person. That needs no
    correction beside the address's. And what deferred a row that is lost now is not retried.
    """
    problems = row.errors + row.warnings
    if len(problems) < 2:  # most rows, and a file can have a million of these
        return problems
    codes = {each.code for each in problems}
    roots = [each for each in problems if not codes & CAUSES_OF.get(each.code, frozenset())]
    if row.outcome not in LOST:
        return roots
    # "Retried automatically" is not true any more.
    final = [each for each in roots if each not in row.errors or lookup(each.code).needs_action]
    return final or roots


def _reasons(row: RowOutcome) -> Sequence[Problem]:
    """Return why a row is not uploaded: its errors, and the warnings that explain one of them.

    Its other warnings have no part in that.
    """
    if not row.warnings:
        return root_problems(row)
    causes = set().union(*(CAUSES_OF.get(each.code, ()) for each in row.errors))
    return [each for each in root_problems(row) if each in row.errors or each.code in causes]
