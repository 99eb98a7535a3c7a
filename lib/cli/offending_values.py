"""The values that are wrong, counted, for the terminal of the person who has the file.

Only columns that are never personal are shown, and no value that could have slipped into them from
another column. Nothing of this is ever in results.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lib.model.fields import base_name
from lib.model.outcomes import ChunkOutcomes
from lib.model.records import Row
from lib.rules.fields import BY_NAME

MOST_VALUES: Final = 1_000
"""Different values that are counted for each code and field. Others are only counted together."""

_LONGEST: Final = 40
_LIKE_A_PERSON: Final = re.compile(r".*@.*|\s*[+(]\s*\d.*|\S{20,}", re.DOTALL)
"""Email addresses, phone numbers, click IDs and hashes."""


class OffendingValue(NamedTuple):
    """A value, the number of its rows, and the line of the first."""

    value: str
    rows: int
    line: int


@dataclass(slots=True)
class _Counted:
    rows: dict[str, int] = field(default_factory=dict)
    first_lines: dict[str, int] = field(default_factory=dict)


class OffendingValues:
    """Counts the values of rows with problems, chunk by chunk."""

    def __init__(self) -> None:
        self._by_code: dict[str, _Counted] = {}

    def add(self, chunk: ChunkOutcomes, records: Sequence[Row], columns: Mapping[str, int]) -> None:
        """Add the rows of a chunk. `columns` are those of the fields."""
        listed = {row.line: row for row in chunk.listed if row.errors or row.warnings}
        for line, cells, _, _ in records if listed else ():
            row = listed.get(line)
            if row is None or not cells:
                continue
            for problem in row.errors + row.warnings:
                at = columns.get(problem.field)
                if at is not None and _may_be_shown(problem.field, cells[at]):
                    self._count(problem.code, cells[at].strip(), line)

    def of(self, code: str) -> list[OffendingValue]:
        """Return the values with a code, most frequent first."""
        counted = self._by_code.get(code, _Counted())
        found = [OffendingValue(v, n, counted.first_lines[v]) for v, n in counted.rows.items()]
        return sorted(found, key=lambda each: (-each.rows, each.line))

    def _count(self, code: str, value: str, line: int) -> None:
        counted = self._by_code.setdefault(code, _Counted())
        if value in counted.rows:
            counted.rows[value] += 1
        elif len(counted.rows) < MOST_VALUES:
            counted.rows[value] = 1
            counted.first_lines[value] = line


def _may_be_shown(name: str, value: str) -> bool:
    declared = BY_NAME.get(base_name(name))
    if declared is None or not declared.impersonal or not value.strip():
        return False
    harmless = len(value) <= _LONGEST and value.isprintable()
    return harmless and not _LIKE_A_PERSON.fullmatch(value)
