"""Results and file → the rows to correct. Both are read once, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Protocol

from lib.cli.fix.advice import advice_on
from lib.cli.fix.original import Original, OriginalRow
from lib.results.reading import WrittenHead, WrittenRow
from lib.source.header import CORRECTION_COLUMNS

_UNNAMED: Final = re.compile(r"column (\d+)")
"""How results name a column whose name could be user data."""


class ReadsDifferently(Exception):
    """The file is that of the results, but its rows or columns are not where they say."""


class TooManyRows(Exception):
    """The output cannot have so many rows."""


class Output(Protocol):
    """Takes the rows one by one. `marked` are the columns of a row that have a problem."""

    def add_preamble(self, row: OriginalRow) -> None: ...

    def add(
        self, ours: Sequence[str], row: OriginalRow, marked: Collection[int], *, is_header: bool
    ) -> None: ...

    def close(self) -> None: ...


def copy_rows(
    original: Original, head: WrittenHead, rows: Iterator[WrittenRow], output: Output
) -> int:
    """Copy the rows, with our columns in front. Return how many.

    Raises `ReadsDifferently`, for example if the profile that says how to read the file is missing.
    """
    names = [cell.text.strip() for cell in original.header.cells]
    places = {name: _place(name, names) for name in head.columns.values()}
    if None in places.values():
        raise ReadsDifferently
    for above in original.preamble:
        output.add_preamble(above)
    output.add(CORRECTION_COLUMNS, original.header, (), is_header=True)
    written = 0
    for row in rows:
        written += 1
        advice = advice_on(row, head)
        codes = [problem.code for problem in row.errors]
        try:
            found = original.row(row.line, codes)
        except LookupError:
            raise ReadsDifferently from None
        places_of_row = (places.get(name, _place(name, names)) for name in advice.columns)
        marked = {at for at in places_of_row if at is not None}
        ours = (advice.problem, advice.what_to_do, str(row.line))
        output.add(ours, found, marked, is_header=False)
    output.close()
    return written


def _place(name: str, names: Sequence[str]) -> int | None:
    """Return the index of a column as the results name it."""
    if name in names:
        return names.index(name)
    unnamed = _UNNAMED.fullmatch(name)
    at = int(unnamed[1]) - 1 if unnamed else -1
    return at if 0 <= at < len(names) else None
