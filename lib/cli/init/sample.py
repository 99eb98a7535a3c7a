"""The first rows of a file, from which `init` learns what the file says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from lib.config.profile import Profile
from lib.rules.values.cells import unwrap
from lib.run.header import Header, read_header
from lib.run.reading import read_table
from lib.source.columns import columns_named
from lib.source.table import Table
from lib.state.store import Readable

MOST_ROWS = 2_000
"""As many as in a chunk: enough for every kind of value, and read within a second."""
MOST_CHARS = 2 << 20
"""Ten times the size of these rows in an ordinary file. Wider rows make a smaller sample."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row: its line, and its cells without what spreadsheets add to them."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sample:
    """The head of a file and its first readable rows."""

    table: Table
    header: Header
    rows: Sequence[SampleRow]

    @property
    def names(self) -> Sequence[str]:
        """The names of all columns."""
        return self.table.header

    def free_columns(self) -> list[int]:
        """Return the columns that have a name and no meaning yet. A profile can name them: they are
        safe to show and unlike all others."""
        known = set(self.header.fields.values())
        return [at for at in range(len(self.names)) if at not in known and self.can_be_named(at)]

    def can_be_named(self, at: int) -> bool:
        """Return whether a profile can name a column."""
        name = self.names[at]
        return bool(self.header.visible[at]) and columns_named(name, self.names) == [at]

    def field_of(self, field: str) -> int | None:
        """Return the column of a field, if it has one."""
        return self.header.fields.get(field)


def filled(rows: Sequence[SampleRow], at: int) -> list[str]:
    """Return the cells of a column that are not empty."""
    return [row.cells[at] for row in rows if row.cells[at]]


def read_sample(stream: Readable, profile: Profile, max_bytes: int) -> Sample:
    """Read the header of a file and its first rows. Raises `SourceError`."""
    table = read_table(stream, profile, max_bytes)
    header = read_header(table, profile)
    readable = ((line, cells) for line, cells, problem, _ in table.records() if not problem)
    rows: list[SampleRow] = []
    chars = 0
    for line, cells in islice(readable, MOST_ROWS):
        rows.append(SampleRow(line, [unwrap(cell, "text") for cell in cells]))
        chars += sum(map(len, cells))
        if chars > MOST_CHARS:
            break
    return Sample(table, header, rows)
