"""The outcomes of a row, and the problems that it can have. Problems are values, not exceptions."""

from __future__ import annotations

from typing import Literal, NamedTuple

Outcome = Literal[
    "uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted", "ok"
]
"""`ok` is the outcome of a row that would be sent, in the linter and in validate-only uploads.
`skipped` rows are not conversions, according to the profile's row filter, or are the footer of a
report."""


OUTCOMES: tuple[Outcome, ...] = (
    "uploaded",
    "duplicate",
    "rejected",
    "failed",
    "deferred",
    "skipped",
    "not_attempted",
    "ok",
)


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
