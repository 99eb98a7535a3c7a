"""What the names and the cells of a column say about it: a refund, an amount, a date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from lib.cli.init.sample import SampleRow, filled
from lib.rules.values.cells import RuleError, without_accents
from lib.rules.values.dates import is_moment
from lib.rules.values.money import parse_value

_WORDS: Final = re.compile(r"[^\W\d_]+")


def begins_with(name: str, stems: tuple[str, ...]) -> bool:
    """Return whether a word of a name or stage begins with one of the stems."""
    words = _WORDS.findall(without_accents(name).casefold())
    return any(word.removeprefix("zuruck").removeprefix("ruck").startswith(stems) for word in words)


def kind_of_cells(rows: Sequence[SampleRow], at: int) -> Literal["amount", "date"] | None:
    """Return whether the cells of a column are amounts or dates; None: neither."""
    cells = filled(rows, at)
    if cells and all(map(is_amount, cells)):
        return "amount"
    return "date" if all(map(is_moment, cells)) else None


def is_amount(cell: str) -> bool:
    """Return whether a cell is an amount in any spelling."""
    return any(amount_in(cell, comma) is not None for comma in (False, True))


def amount_in(cell: str, decimal_comma: bool) -> float | None:
    """Return the amount in a cell; None: it is not readable with this decimal sign."""
    try:
        return parse_value(cell, decimal_comma)
    except RuleError:
        return None


def is_nothing(cell: str) -> bool:
    """Return whether a cell says that nothing happened: it is empty or zero."""
    return not cell or (not cell.strip("0.,") and is_amount(cell))
