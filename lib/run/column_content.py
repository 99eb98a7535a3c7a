"""Columns that are suspected by their cells, because no name identifies them.

A suspected column is only named in a note, never used: the address may be a salesperson's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from lib.model.fields import Content
from lib.model.outcomes import Problem
from lib.rules.fields import FIELDS
from lib.rules.values.cells import is_placeholder, unwrap
from lib.rules.values.dates import is_moment

_MOST_ROWS = 50
"""Number of rows that are compared. The cost is per file, and must not matter for small ones."""

_CONTENTS: Mapping[Content, tuple[str, ...]] = {
    field.content: tuple(each.name for each in FIELDS if each.content is field.content)
    for field in FIELDS
    if field.content is not None
}
"""Content → the fields that can have it."""


def notes_on_content(
    visible: Sequence[str],
    rows: Sequence[Sequence[str]],
    known: Collection[int],
    decided: Collection[str],
) -> list[Problem]:
    """Return notes on columns whose cells look like those of a field that has no column.

    `visible` is the header without the names that may not be shown. `known` are the columns that
    have a meaning, `decided` the fields that have a column or that the profile switches off.
    """
    notes = []
    for content, fields in _CONTENTS.items():
        if not any(field in decided for field in fields):
            for at in _columns_like(visible, rows, known, content.pattern.fullmatch):
                name = _name_of(visible, at)
                shown_as = f'"{name}"' if name else f"column {_letter(at)}"
                line = {"headers": {fields[0]: name or "the name of this column"}}
                text = json.dumps(line, ensure_ascii=False)[1:-1]
                other = f" (or {' or '.join(fields[1:])})" if fields[1:] else ""
                notes.append(Problem(content.code, "", f"{shown_as}; {text}{other}"))
    return notes


def columns_by_content(
    header: Sequence[str], rows: Sequence[Sequence[str]], known: Collection[int]
) -> Iterator[tuple[tuple[str, ...], Iterator[int]]]:
    """Yield the fields that share a content, and the columns without a meaning that have it."""
    for content, fields in _CONTENTS.items():
        yield fields, _columns_like(header, rows, known, content.pattern.fullmatch)


def date_columns(
    visible: Sequence[str], rows: Sequence[Sequence[str]], known: Collection[int]
) -> tuple[str, ...]:
    """Return the columns without a meaning that contain dates, as they may be shown."""
    return tuple(
        f'"{name}"' if (name := _name_of(visible, at)) else f"column {_letter(at)}"
        for at in _columns_like(visible, rows, known, _is_date)
    )


def contains_dates(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Return whether most of the first cells of a column contain a date, perhaps as Unix time."""
    return _is_like(rows, column, is_moment)


def _columns_like(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    known: Collection[int],
    matches: Callable[[str], object],
) -> Iterator[int]:
    """Yield the columns in which most of the first cells match."""
    return (at for at in range(len(header)) if at not in known and _is_like(rows, at, matches))


def _is_like(rows: Sequence[Sequence[str]], column: int, matches: Callable[[str], object]) -> bool:
    cells = (unwrap(row[column], "text") for row in rows[:_MOST_ROWS])
    filled = [cell for cell in cells if cell and not is_placeholder("text", cell)]
    return 2 * sum(bool(matches(cell)) for cell in filled) > len(filled)


def _is_date(cell: str) -> bool:
    return not cell.isdecimal() and is_moment(cell)  # an ID could be a Unix timestamp


def _name_of(visible: Sequence[str], at: int) -> str | None:
    """Return the name of a column, or None if it could be the data of a person."""
    name = visible[at]
    is_data = any(content.pattern.fullmatch(name) for content in _CONTENTS)
    return name if name and not is_data and '"' not in name else None


def column_index(letters: str) -> int:
    """Return the index of the column that a spreadsheet calls like this: A → 0, AA → 26."""
    index = 0
    for each in letters:
        index = 26 * index + ord(each) - ord("A") + 1
    return index - 1


def _letter(at: int) -> str:
    """Return the name that a spreadsheet gives to a column: A, B, ..., Z, AA."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
