"""The problems of the rows of a chunk: values, never exceptions."""

from __future__ import annotations

from collections import defaultdict

from lib.catalogue.codes import lookup
from lib.model.outcomes import MOST_PROBLEMS, Problem, RowOutcome


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


def outcome_of_unread(line: int, code: str) -> RowOutcome:
    """Return the outcome of a row whose cells are not read, because of the problem `code`."""
    return RowOutcome(line, lookup(code).outcome or "rejected", None, (Problem(code),))
