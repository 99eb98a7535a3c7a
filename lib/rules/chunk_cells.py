"""The cells of a chunk, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from lib.model.fields import ADDRESS_FIELDS, HIGHEST_NUMBER
from lib.rules.values.cells import Memo

T = TypeVar("T")


class ChunkCells:
    """The columns of a chunk. A column that is not in the file has an empty cell in every row."""

    def __init__(self, columns: Mapping[str, int], rows: Sequence[Sequence[str]]) -> None:
        self.size = len(rows)
        self._columns = columns
        self._cells = list(zip(*rows, strict=True))
        self._empty = ("",) * self.size

    def column(self, field: str) -> Sequence[str]:
        """Return the cells of a field's column, one per row."""
        at = self._columns.get(field)
        return self._empty if at is None or not self._cells else self._cells[at]

    def looked_up(self, field: str, known: Memo[T]) -> Sequence[T]:
        """Return the result from `known` for each row, for a column with few distinct cells."""
        if field not in self._columns:
            return [known[""]] * self.size
        return list(map(known.__getitem__, self.column(field)))

    def all_columns(self) -> Iterable[tuple[str, Sequence[str]]]:
        """Return (name, cells) of each column of the file, in the file's order."""
        return ((name, self.column(name)) for name in self._columns)

    def numbered(self, field: str) -> list[tuple[str, Sequence[str]]]:
        """Return the columns `email`, `email_2`, ... that the file has, in that order."""
        names = [field, *(f"{field}_{number}" for number in range(2, HIGHEST_NUMBER + 1))]
        return [(name, self.column(name)) for name in names if name in self._columns]

    def has_address(self) -> bool:
        """Return whether the file has all columns of a postal address."""
        return self._columns.keys() >= set(ADDRESS_FIELDS)
