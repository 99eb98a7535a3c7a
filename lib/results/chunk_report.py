"""Outcomes of the rows of one chunk, and their sums over a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.model.outcomes import OUTCOMES, Problem, RowOutcome


@dataclass(slots=True)
class Tally:
    """Running sums over a file (or a chunk): rows per outcome, rows with warnings, codes."""

    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    warnings: int = 0
    codes: dict[str, int] = field(default_factory=dict)

    def count(self, row: RowOutcome) -> None:
        """Count one row that is listed."""
        self.rows += 1
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + 1
        self.warnings += bool(row.warnings)
        for problem in row.errors + row.warnings:
            self.codes[problem.code] = self.codes.get(problem.code, 0) + 1

    def count_accepted(self, outcome: str, rows: int) -> None:
        """Count rows that have neither errors nor warnings."""
        if rows:
            self.rows += rows
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + rows

    def add(self, other: Tally) -> None:
        """Add the sums of a chunk to those of the file."""
        self.rows += other.rows
        self.warnings += other.warnings
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count
        for code, count in other.codes.items():
            self.codes[code] = self.codes.get(code, 0) + count

    def counts(self) -> dict[str, int]:
        """The `counts` of the document; every outcome is named, also those with none."""
        named: dict[str, int] = {
            o: self.outcomes.get(o, 0) for o in OUTCOMES if o != "ok" or o in self.outcomes
        }
        return {"rows": self.rows, **named, "warnings": self.warnings}


@dataclass(frozen=True, slots=True)
class ChunkReport:
    """What became of the rows of one chunk.

    `listed` holds, in file order, every row that isn't plainly uploaded. `request_ids` are the
    API's names of the requests that carried the chunk; those of them are `superseded` whose rows
    later ones carried once more, all but `withheld` uploaded rows (`lib.followup.resend`).
    """

    number: int
    tally: Tally
    listed: tuple[RowOutcome, ...]
    request_ids: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    withheld: int = 0

    @property
    def newest(self) -> list[str]:
        """The requests that count: those that no later one has superseded."""
        return [each for each in self.request_ids if each not in self.superseded]

    @property
    def repeatable(self) -> bool:
        """Whether any uploaded row could be sent again."""
        return self.withheld < self.tally.outcomes.get("uploaded", 0)

    def to_marker(self) -> dict[str, Any]:
        """As the ledger keeps it. Holds lines, codes and order ids; never user data."""
        tally = self.tally
        return {
            "number": self.number,
            "rows": tally.rows,
            "outcomes": tally.outcomes,
            "warnings": tally.warnings,
            "codes": tally.codes,
            "request_ids": self.request_ids,
            "superseded": self.superseded,
            "withheld": self.withheld,
            "listed": self.listed,
        }

    @classmethod
    def from_marker(cls, marker: Mapping[str, Any]) -> ChunkReport:
        """The inverse of `to_marker`."""
        return cls(
            number=marker["number"],
            tally=Tally(marker["rows"], marker["outcomes"], marker["warnings"], marker["codes"]),
            listed=tuple(
                RowOutcome(line, outcome, order_id, _problems(errors), _problems(warnings))
                for line, outcome, order_id, errors, warnings in marker["listed"]
            ),
            request_ids=tuple(marker["request_ids"]),
            # A marker that an older version wrote has neither.
            superseded=tuple(marker.get("superseded", ())),
            withheld=marker.get("withheld", 0),
        )


def chunk_report(
    number: int,
    rows: Iterable[RowOutcome],
    accepted: int,
    accepted_outcome: str,
    request_ids: tuple[str, ...] = (),
) -> ChunkReport:
    """Count the listed rows, and the `accepted` ones that need no line of their own."""
    tally = Tally()
    listed = tuple(rows)
    for row in listed:
        tally.count(row)
    tally.count_accepted(accepted_outcome, accepted)
    return ChunkReport(number, tally, listed, request_ids)


def _problems(raw: Iterable[Iterable[str]]) -> tuple[Problem, ...]:
    return tuple(Problem(*each) for each in raw)
