"""The outcomes of a row, and the problems that it can have. Problems are values, not exceptions."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

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
