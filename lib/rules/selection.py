"""Which rows are sent, and as what: by the values that a profile lists for columns of the file.

    a row with any value of `skip`                             ──▶ skipped
    else the first entry of `conversions` whose `rows` all fit ──▶ that entry
    else                                                       ──▶ rejected: NO_ENTRY_FITS

So a stage that nobody has listed is heard of. Values are compared as `comparable` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Final, NamedTuple

from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Row, line_of, problem_of
from lib.model.spelling import comparable
from lib.rules.values.cells import Memo, is_placeholder

EMPTY: Final = ""
ANY_OTHER: Final = "*"
"""Any value of a column that no list of the profile names, except an empty cell."""

FOOTER: Final = "REPORT_FOOTER"
"""The problem of the last records of a file if they are the report's footer, and no rows."""

_SKIPPED: Final = -1
_UNKNOWN: Final = -2

Conditions = Mapping[str, Sequence[str]]
"""Column → values: an entry needs one of them in each column, and `skip` in any column."""


class Selected(NamedTuple):
    """The rows of a chunk that are sent, and the number of the entry of each.

    `rows` has the rows that could not be read too: their problem is reported. `entries` is empty if
    all rows are of entry 0. `skipped` are the lines of the rows that are not sent, `refused` the
    rows that no entry fits.
    """

    rows: Sequence[Row]
    entries: Sequence[int]
    skipped: Sequence[int]
    refused: Sequence[RowOutcome] = ()

    def numbered(self) -> Iterator[tuple[Row, int]]:
        """Yield each row with the number of its entry."""
        return zip(self.rows, self.entries or [0] * len(self.rows), strict=True)


class RowSelection:
    """Applies `skip`, and the `rows` of each entry.

    `places` tells which cell of a row a column is.
    """

    def __init__(
        self, skip: Conditions, entries: Sequence[Conditions], places: Mapping[str, int]
    ) -> None:
        self._skip = _as_sets(skip)
        self._entries = [_as_sets(rows) for rows in entries]
        listed: dict[str, set[str]] = {}
        for conditions in (self._skip, *self._entries):
            for column, values in conditions.items():
                listed.setdefault(column, set()).update(values)
        self._columns = list(listed)
        self._places = [places[column] for column in self._columns]
        self._values = [
            Memo(value_as_listed, frozenset(listed[column])) for column in self._columns
        ]
        self._entry_of_values: dict[tuple[str, ...], int] = {}
        names = " and ".join(f'"{column}"' for column in self._columns)
        self._problem = Problem("NO_ENTRY_FITS", "", f"columns: {names}")

    def select(self, rows: Sequence[Row]) -> Selected:
        """Return which rows of a chunk are sent."""
        end = len(rows)
        while end and problem_of(rows[end - 1]) == FOOTER:
            end -= 1
        footer = [*map(line_of, rows[end:])]
        rows = rows[:end]
        if not self._columns:
            return Selected(rows, (), footer)
        # A row with a problem has no cells. It is kept, so that its problem is reported.
        entries = [0 if problem else self._entry_of_row(cells) for _, cells, problem, _ in rows]
        if not any(entries):  # all rows are of entry 0
            return Selected(rows, (), footer)
        lines = [*map(line_of, rows)]
        skipped = [line for line, entry in zip(lines, entries, strict=True) if entry == _SKIPPED]
        refused = [
            RowOutcome(line, "rejected", errors=(self._problem,))
            for line, entry in zip(lines, entries, strict=True)
            if entry == _UNKNOWN
        ]
        kept = [entry >= 0 for entry in entries]
        return Selected(
            [*compress(rows, kept)], [*compress(entries, kept)], [*skipped, *footer], refused
        )

    def _entry_of_row(self, cells: Sequence[str]) -> int:
        """Return the number of the first entry that a row fits, or `_SKIPPED` or `_UNKNOWN`."""
        values = tuple(
            memo[cells[place]] for memo, place in zip(self._values, self._places, strict=True)
        )
        entry = self._entry_of_values.get(values)
        if entry is None:
            # There are few: each value is one that is listed, "" or "*".
            entry = self._entry_of_values[values] = self._decide(values)
        return entry

    def _decide(self, values: Sequence[str]) -> int:
        """Do what `_entry_of_row` does, from the values in the columns that are listed."""
        row = dict(zip(self._columns, values, strict=True))
        if any(row[column] in listed for column, listed in self._skip.items()):
            return _SKIPPED
        for number, entry in enumerate(self._entries):
            if all(row[column] in listed for column, listed in entry.items()):
                return number
        return _UNKNOWN


def _as_sets(conditions: Conditions) -> dict[str, frozenset[str]]:
    """Return the values of each column as `comparable` writes them."""
    return {column: frozenset(map(comparable, values)) for column, values in conditions.items()}


def value_as_listed(cell: str, listed: frozenset[str]) -> str:
    """Return the value in a cell: one that is listed, EMPTY or ANY_OTHER.

    A placeholder such as NULL is an empty cell, unless it is listed.
    """
    value = comparable(cell)
    # A star in a cell is a value like others: in a list, it stands for any other value.
    if value in listed and value != ANY_OTHER:
        return value
    return EMPTY if not value or is_placeholder("word", value) else ANY_OTHER
