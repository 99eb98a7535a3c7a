"""Answers for cells of which a file has few, looked up instead of found again."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

V = TypeVar("V")

_MOST = 1_024
_LONGEST = 256


class Memo(dict[Hashable, V]):
    """A dict that stays small whatever a file holds: full, it begins again."""

    def keep(self, cell: Hashable, answer: V) -> V:
        """Remember and return the answer for a cell."""
        if len(self) >= _MOST:
            self.clear()
        if not isinstance(cell, str) or len(cell) <= _LONGEST:
            self[cell] = answer
        return answer
