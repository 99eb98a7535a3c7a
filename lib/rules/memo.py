"""Remembers the results for cells that occur many times in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")

Cells = str | tuple[str, ...]

_MOST = 1_024
_LONGEST = 256


class Memo(dict[Cells, V], Generic[V]):
    """`memo[cell]` is the result of `validate` for a cell, or for a tuple of cells.

    Its size is limited for any file: when it is full, it is cleared.
    """

    def __init__(self, validate: Callable[..., V]) -> None:
        super().__init__()
        self._validate = validate

    def __missing__(self, cells: Cells) -> V:
        together = isinstance(cells, tuple)
        answer = self._validate(*cells) if together else self._validate(cells)
        if len(self) >= _MOST:
            self.clear()
        if (sum(map(len, cells)) if together else len(cells)) <= _LONGEST:
            self[cells] = answer
        return answer
