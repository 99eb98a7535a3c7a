"""Adjustments among the conversions of a file: rows that say `RETRACT` or `RESTATE`.

The first rows of a file show its kind (`lib.source.kinds`), and a file that has both stops there.
An adjustment further down must not be sent either: as a conversion, a refund would be a new sale.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from lib.model.records import Row
from lib.rules.fields.other_kinds import ADJUSTMENTS
from lib.rules.values.cells import unwrap

_CODE: Final = "ADJUSTMENT_ROW"
_MOST_WORDS: Final = 10


def kind_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], known: Collection[int]
) -> tuple[int, ...]:
    """Return the columns that may name the kind of a row: without a meaning, and with few different
    cells in the first `rows` of the file. `known` are the columns that have a meaning."""
    unknown = (at for at, name in enumerate(header) if name and at not in known)
    return tuple(at for at in unknown if len({row[at] for row in rows}) <= _MOST_WORDS)


def mark_adjustments(rows: Sequence[Row], columns: Sequence[int]) -> Sequence[Row]:
    """Return the rows. Those with an adjustment's word in one of `columns` get ADJUSTMENT_ROW as
    their problem."""
    adjustments = set[int]()
    for at in columns:
        words = {cells[at] for _, cells, problem, _ in rows if not problem}
        if found := {word for word in words if unwrap(word, "word").upper() in ADJUSTMENTS.words}:
            adjustments.update(
                line for line, cells, problem, _ in rows if not problem and cells[at] in found
            )
    if not adjustments:
        return rows
    return [
        (line, [], _CODE, length) if line in adjustments else (line, cells, problem, length)
        for line, cells, problem, length in rows
    ]
