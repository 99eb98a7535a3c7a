"""Answers for cells of which a file has few, looked up instead of found again."""

from __future__ import annotations

from typing import TypeVar

V = TypeVar("V")

Cells = str | tuple[str, ...]

_MOST = 1_024
_LONGEST = 256


class Memo(dict[Cells, V]):
    """A dict that stays small whatever a file holds: full, it begins again."""

    def keep(self, cells: Cells, answer: V) -> V:
        """Remember and return the answer for a cell, or for several."""
        if len(self) >= _MOST:
            self.clear()
        if (len(cells) if isinstance(cells, str) else sum(map(len, cells))) <= _LONGEST:
            self[cells] = answer
        return answer
