"""The problems of the rows of a chunk: values, never exceptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lib.catalogue.codes import lookup
from lib.model.outcomes import MOST_PROBLEMS, Problem, RowOutcome
from lib.model.records import Row


class RowProblems:
    """Errors and warnings by the row's position in the chunk, in the order of the rules.

    A row with an error is not sent. A warning reports a value that was left out, or a decision.
    Placeholders are not reported row by row: `with_placeholders` are the columns that contain any.
    A row keeps `MOST_PROBLEMS` errors and as many warnings: it can have a thousand columns.
    """

    def __init__(self, with_placeholders: set[str]) -> None:
        self.with_placeholders = with_placeholders
        self.errors: defaultdict[int, list[Problem]] = defaultdict(list)
        self.warnings: defaultdict[int, list[Problem]] = defaultdict(list)

    def reject(self, row: int, code: str, column: str = "", detail: str = "") -> None:
        """Add an error."""
        if len(found := self.errors[row]) < MOST_PROBLEMS:
            found.append(Problem(code, column, detail))

    def warn(self, row: int, code: str, column: str = "") -> None:
        """Add a warning."""
        if len(found := self.warnings[row]) < MOST_PROBLEMS:
            found.append(Problem(code, column))


def separate_damaged(rows: Sequence[Row]) -> tuple[list[int], list[list[str]], list[RowOutcome]]:
    """Return the lines and the cells of the rows that could be read, and the outcomes of others."""
    damaged = [
        RowOutcome(line, lookup(code).outcome or "rejected", None, (Problem(code),))
        for line, _, code, _ in rows
        if code
    ]
    lines = [line for line, _, code, _ in rows if not code]
    return lines, [cells for _, cells, code, _ in rows if not code], damaged
