"""Lines → records, each with the line at which it starts, and what is wrong with it if anything.

A block of lines that is in order is read at the speed of `csv.reader`, or faster. Any other goes
record by record, where the rule is that **no row disappears**: when a quote doesn't close, only the
line at which the record starts is lost (with a problem), and reading goes on at the very next line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

from lib.source.encoding import UNDECODABLE
from lib.source.lines import MAX_LINE_CHARS, Block

if TYPE_CHECKING:
    from _csv import Reader

RowProblem = Literal[
    "TOO_FEW_CELLS",
    "TOO_MANY_CELLS",
    "UNCLOSED_QUOTE",  # it closes too late, at a wrong place, or never
    "BROKEN_QUOTING",  # text after a closing quote: "a"b
    "UNDECODABLE",
    "NUL_BYTE",
    "CELL_TOO_LARGE",
    "RECORD_TOO_LONG",
]
ROW_PROBLEMS: tuple[RowProblem, ...] = get_args(RowProblem)

Record: TypeAlias = tuple[int, list[str], RowProblem | None]
"""Line at which it starts, its cells (as many as the header's), problem (then without cells)."""

_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
"""All that `str.strip` takes off."""
_ASCII_SPACES = sum(map(str.isascii, _SPACES))


class Shape(NamedTuple):
    """What a record of this file looks like, and how large it may be."""

    delimiter: str
    spaced: bool
    width: int
    fewest: int
    """Fewest cells of a row: `width` without the header's empty names at its end."""
    max_cell_chars: int
    max_record_lines: int


class RecordReader:
    """Reads the records of a file once, in order; `blank_records` counts rows like `, ,,`."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        # The limit of the csv module is global to the process: stay below instead of setting it.
        self._max_cell = min(shape.max_cell_chars, csv.field_size_limit())
        # Columns without a name at the end only pad: what stands in them is one cell too many.
        self._is_padded = shape.fewest < shape.width
        # What rows without content are made of; the shorter of the two is the faster.
        self._blank_ascii = shape.delimiter + '"' + _SPACES[:_ASCII_SPACES]
        self._blank = shape.delimiter + '"' + _SPACES
        self._wraps = False  # the last carefully read block had quoted newlines
        self.blank_records = 0

    def read(self, blocks: Iterator[Block], line: int) -> Iterator[Record]:
        """The records of `blocks`, whose first line is number `line` of the file."""
        return chain.from_iterable(self._read_blocks(blocks, line))

    def _read_blocks(self, blocks: Iterator[Block], line: int) -> Iterator[Iterable[Record]]:
        history: list[str] = []  # the lines of a record that the last block left open
        for block in blocks:
            if block.overlong:
                yield self._read_carefully(history, line, damaged=True, last=True)[0]
                line += len(history)
                history = []
                yield [(line, [], self._overlong(block.text))]
                line += 1
                continue
            orderly = not (history or self._wraps or block.damaged)
            # As many rows as lines: no quoted newline, so line numbers simply count up.
            if orderly and (found := self._row_per_line(block)):
                yield self._numbered(*found, line, block.text.isascii())
                line += len(found[0])
                continue
            lines = history + block.lines()
            # Carried lines may be of a damaged block: then this one counts as damaged too.
            damaged = block.damaged or bool(history)
            records, done = self._read_carefully(lines, line, damaged, last=False)
            yield records
            history = lines[done:]
            line += done
        yield self._read_carefully(history, line, damaged=True, last=True)[0]

    def _csv(self, lines: Iterable[str]) -> Reader:
        """Strict: a quote that closes in the middle of a cell is an error, not a guess."""
        return csv.reader(
            lines,
            delimiter=self._shape.delimiter,
            skipinitialspace=self._shape.spaced,
            strict=True,
        )

    def _row_per_line(self, block: Block) -> tuple[list[list[str]], list[str]] | None:
        """The cells of every line, and the lines; None when this block has to be read carefully."""
        quoted = '"' in block.text or self._shape.spaced
        lines = block.lines() if quoted else block.bare_lines()
        if max(map(len, lines)) > self._max_cell:
            return None
        if not quoted:
            # What csv.reader makes of lines without quotes, in a third of the time.
            delimiter = self._shape.delimiter
            return [line.split(delimiter) if line else [] for line in lines], lines
        try:
            rows = list(self._csv(lines))
        except csv.Error:
            return None
        return (rows, lines) if len(rows) == len(lines) else None

    def _numbered(
        self, rows: list[list[str]], lines: list[str], line: int, is_ascii: bool
    ) -> Iterable[Record]:
        blank = self._blank_ascii if is_ascii else self._blank
        if (
            set(map(len, rows)) == {self._shape.width}
            and not self._is_padded
            and all(map(str.strip, lines, repeat(blank)))
        ):
            return zip(range(line, line + len(rows)), rows, repeat(None))
        found: list[Record] = []
        for number, cells in enumerate(rows, line):
            if self._is_in_order(cells):
                found.append((number, cells, None))
            elif cells and (record := self._fitted(number, cells)):
                found.append(record)
        return found

    def _read_carefully(
        self, lines: list[str], line: int, damaged: bool, last: bool
    ) -> tuple[list[Record], int]:
        """Read record by record; returns the records and how many lines were used up.

        Unless these lines are the `last`, a record that isn't complete at their end is left over.
        """
        self._wraps = False
        check = damaged or max(map(len, lines), default=0) > self._max_cell
        found: list[Record] = []
        start = 0
        while start < len(lines):
            first = start
            # Not a slice: copying the rest for every broken row would take quadratic time.
            reader = self._csv(map(lines.__getitem__, range(first, len(lines))))
            try:
                for cells in reader:
                    end = first + reader.line_num
                    if end - start > 1:
                        self._wraps = True
                        if problem := self._swallowed(lines[start:end], cells):
                            found.append((line + start, [], problem))
                            start += 1
                            break
                    if check and (problem := self._damage(cells)):
                        found.append((line + start, [], problem))
                    elif self._is_in_order(cells):
                        found.append((line + start, cells, None))
                    elif record := self._fitted(line + start, cells):
                        found.append(record)
                    start = end
            except csv.Error as error:
                end = first + reader.line_num
                if not last and end == len(lines) and self._may_go_on(lines[start:]):
                    return found, start
                found.append((line + start, [], _quote_problem(str(error), end - start)))
                start += 1
        return found, start

    def _may_go_on(self, lines: Sequence[str]) -> bool:
        few = len(lines) <= self._shape.max_record_lines
        return few and sum(map(len, lines)) <= MAX_LINE_CHARS

    def _swallowed(self, lines: Sequence[str], cells: Sequence[str]) -> RowProblem | None:
        """Whether a record of several lines is rather one open quote that swallowed other rows.

        It is when it exceeds the limits; when it has the wrong number of cells, but one of its
        further lines has the right number of delimiters; or when every one of its lines has (three
        or more of them: fewer occur in the text of a cell, such as an address).
        """
        if not self._may_go_on(lines):
            return "UNCLOSED_QUOTE"
        if max(map(len, cells)) > self._max_cell:
            return "CELL_TOO_LARGE"
        delimiters = self._shape.width - 1
        alike = [line.count(self._shape.delimiter) == delimiters for line in lines]
        wrong_width = not self._shape.fewest <= len(cells) <= self._shape.width
        if (wrong_width and any(alike[1:])) or (delimiters >= 3 and all(alike)):
            return "UNCLOSED_QUOTE"
        return None

    def _damage(self, cells: Sequence[str]) -> RowProblem | None:
        text = "".join(cells)
        if UNDECODABLE in text:
            return "UNDECODABLE"
        if "\0" in text:
            return "NUL_BYTE"
        return "CELL_TOO_LARGE" if max(map(len, cells), default=0) > self._max_cell else None

    def _is_in_order(self, cells: list[str]) -> bool:
        exact = len(cells) == self._shape.width and not self._is_padded
        return exact and any(map(str.strip, cells))

    def _fitted(self, line: int, cells: list[str]) -> Record | None:
        """Spreadsheets pad rows with empty cells, or leave those at the end out. None: no row."""
        width = self._shape.width
        if not any(map(str.strip, cells)):
            self.blank_records += bool(cells)
            return None
        if len(cells) < self._shape.fewest:
            return line, [], "TOO_FEW_CELLS"
        if any(map(str.strip, cells[self._shape.fewest :])):
            return line, [], "TOO_MANY_CELLS"
        return line, cells[:width] + [""] * (width - len(cells)), None

    def _overlong(self, line: str) -> RowProblem:
        longest = max(map(len, line.split(self._shape.delimiter)))
        return "CELL_TOO_LARGE" if longest > self._max_cell else "RECORD_TOO_LONG"


def _quote_problem(csv_message: str, lines: int) -> RowProblem:
    if lines > 1 or csv_message.startswith("unexpected end"):
        return "UNCLOSED_QUOTE"
    return "CELL_TOO_LARGE" if csv_message.startswith("field larger") else "BROKEN_QUOTING"
