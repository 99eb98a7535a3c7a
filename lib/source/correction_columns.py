"""The columns that `fix` writes in front of the rows to correct. A returning file has them.

They are known only together, so a column of a file that happens to be named like one of them is
still reported as unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

CORRECTION_COLUMNS: Final = ("problem", "what to do", "line")


def correction_columns(header: Sequence[str]) -> frozenset[int]:
    """Return the columns that `fix` wrote, wherever they are now; none if one is missing."""
    names = [name.strip().casefold() for name in header]
    if not all(name in names for name in CORRECTION_COLUMNS):
        return frozenset()
    return frozenset(names.index(name) for name in CORRECTION_COLUMNS)
