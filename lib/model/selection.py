"""What the row filter of a profile found in the rows: counts, and no text that may be user data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

K = TypeVar("K", int, str)


@dataclass(slots=True)
class Selection:
    """The rows of a chunk or a file that a row filter has kept (also unreadable ones) or skipped.

    `found` is the number of rows with each value of the filter, and `near` the number of rows with
    a similar text instead. Both are by the value's position in `RowFilter.values`. `stages` is the
    number of kept rows by column and stage (`lib.rules.stages.stages_in`). Of the rows that the
    profile calls refunds, `refunds` were kept, and `skipped_refunds` were not.
    """

    kept: int = 0
    skipped: int = 0
    found: dict[int, int] = field(default_factory=dict)
    near: dict[int, int] = field(default_factory=dict)
    stages: dict[int, dict[str, int]] = field(default_factory=dict)
    refunds: int = 0
    skipped_refunds: int = 0

    def add(self, other: Selection) -> None:
        """Add the rows of a chunk to those of the file."""
        self.kept += other.kept
        self.skipped += other.skipped
        self.refunds += other.refunds
        self.skipped_refunds += other.skipped_refunds
        add_counts(self.found, other.found)
        add_counts(self.near, other.near)
        for column, counts in other.stages.items():
            add_counts(self.stages.setdefault(column, {}), counts)


def add_counts(counts: dict[K, int], more: Mapping[K, int]) -> None:
    """Add the counts of a chunk to those of the file."""
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count
