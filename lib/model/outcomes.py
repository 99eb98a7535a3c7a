"""What can become of a row, and what can be wrong with it. Problems are values, not exceptions."""

from __future__ import annotations

from typing import Literal, NamedTuple

Outcome = Literal["uploaded", "duplicate", "rejected", "failed", "deferred", "not_attempted", "ok"]
"""`ok` is the linter's and validate-only's word for a row that would be sent."""


OUTCOMES: tuple[Outcome, ...] = (
    "uploaded",
    "duplicate",
    "rejected",
    "failed",
    "deferred",
    "not_attempted",
    "ok",
)


class Problem(NamedTuple):
    """One thing that is wrong with a row. `detail` names lines, columns or rules, never values."""

    code: str
    field: str = ""
    detail: str = ""


class RowOutcome(NamedTuple):
    """What became of the data row that starts at `line` (as an editor counts)."""

    line: int
    outcome: Outcome
    order_id: str | None = None
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class Repeat(NamedTuple):
    """A `duplicate` of the row that starts at line `first`."""

    row: RowOutcome
    first: int
