"""Which lines may belong to a quoted cell, although its record cannot be read.

A person may have typed anything into a cell, rows too:

    A,"a note
    B,buyer@example.com,9,order-9
    more",c,d,e

Line 2 must never be sent as a row, whatever else is wrong with the record. So lines from a quote
that opens a cell to the one that closes it are refused together. Only the lines after a quote that
does not close within `MAX_LINE_CHARS` characters are read as rows: no cell is that long.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from lib.source.text import MAX_LINE_CHARS


class Quoted(NamedTuple):
    """`lines` is how many lines after the first one belong to cells whose quotes close. `is_open`:
    after them, another quote opens a cell, and does not close."""

    lines: int
    is_open: bool


class QuoteScanner:
    """Finds the quoted cells at the beginning of lines, in linear time."""

    def __init__(self, delimiter: str, spaced: bool) -> None:
        mark = re.escape(delimiter)
        space = " *+" if spaced else ""
        quoted = f'{space}"[^"]*+(?:""[^"]*+)*+"'
        bare = rf'(?:[^"{mark}\r\n][^{mark}\r\n]*+)?+'
        self._cells = re.compile(
            rf"(?:(?:{quoted}|{space}{bare}){mark})*+(?:{quoted}(?=[\r\n]|\Z))?+"
        )
        self._closes = re.compile(quoted)
        self._opens = re.compile(f'{space}"')

    def scan(self, lines: Sequence[str]) -> Quoted:
        """Look at the record that begins with these lines, as far as a cell could reach."""
        starts = [0, *accumulate(map(len, lines))]
        within = bisect_right(starts, MAX_LINE_CHARS) - 1
        text = "".join(lines[:within])
        found = self._cells.match(text)
        end = found.end() if found is not None else 0
        is_open = bool(self._opens.match(text, end)) and not self._closes.match(text, end)
        return Quoted(max(0, min(bisect_right(starts, end) - 1, within - 1)), is_open)
