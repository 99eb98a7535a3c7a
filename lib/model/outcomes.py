"""The outcomes of rows: what they say, and the outcome of one row with its problems.

Problems of a row are values, not exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

import msgspec

from lib.model.money import Sum

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
    "rejected": OutcomeMeaning("not sent: a cell or a setting is wrong or missing", "no"),
    "failed": OutcomeMeaning("refused by Google", "no"),
    "deferred": OutcomeMeaning("sent again automatically", "later"),
    "skipped": OutcomeMeaning(
        "left out, by the profile or for a newer value", "need not", is_listed=False
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
WITH_MONEY: Final = _that(lambda each: each.counts != "need not")
"""The outcomes whose values are summed up: the others are no conversions."""

MAX_PROBLEMS = 20
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
    `corrects` an earlier conversion. A deferred row is sent again at `due`, for the last time at
    `until`. `maybe_sent`: the API may have counted it although it has not said so. `was_counted`:
    it has counted the row with an older value, whatever it says of the newest one.
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
    was_counted: bool = False

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
    if len(problems) <= MAX_PROBLEMS and all(len(p.detail) <= LONGEST_DETAIL for p in problems):
        return problems
    return tuple(
        each._replace(detail=each.detail[:LONGEST_DETAIL]) for each in problems[:MAX_PROBLEMS]
    )
