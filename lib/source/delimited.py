"""Delimited text (CSV): the lines below the header → rows with their problems.

**No row disappears.** A block of lines that all are rows is read as fast as with `csv.reader`, or
faster. Any other block is read record by record. If a quote does not close, only the line in which
its record begins is lost (with a problem), and reading continues at the next line. If it closes,
but the record cannot be used, each of its lines is refused: see `QuoteScanner`.

What the last rows of a file are is decided in `lib.source.end`.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from lib.errors import SourceError
from lib.model.records import Row, RowProblem
from lib.source.text import MAX_CELL_CHARS, MAX_LINE_CHARS, UNDECODABLE, Block

if TYPE_CHECKING:
    from _csv import Reader

MAX_RECORD_LINES: Final = 500
"""A record that is still open after this number of lines has an unclosed quote."""

SHORT_ROWS: Final = 10
"""The last rows with too few cells that are remembered: lines of a footer often have few."""

_SPACES: Final = "".join(filter(str.isspace, map(chr, range(0x3001))))
"""All characters that `str.strip` removes."""
_ASCII_SPACES: Final = "".join(filter(str.isascii, _SPACES))

CELLS_UNKNOWN: Final[frozenset[str | None]] = frozenset(
    {"UNCLOSED_QUOTE", "INSIDE_QUOTES", "BROKEN_QUOTING", "RECORD_TOO_LONG"}
)
"""With these problems, a row is a single line, and where its cells end is not certain."""


def strict_reader(lines: Iterable[str], delimiter: str, spaced: bool) -> Reader:
    """Return a reader of cells. A quote that closes in the middle of a cell is an error."""
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=True)


class QuoteScan(NamedTuple):
    """What the quotes say about a record that cannot be read."""

    lines: int
    """How many lines after the first one belong to cells whose quotes close."""
    is_open: bool
    """After these lines, another quote opens a cell, and does not close."""


class QuoteScanner:
    """Finds which lines may belong to a quoted cell, although its record cannot be read.

    A person may have typed anything into a cell, rows too:

        A,"a note
        B,buyer@example.com,9,order-9
        more",c,d,e

    Line 2 must never be sent as a row, whatever else is wrong with the record. So the lines from a
    quote that opens a cell to the one that closes it are refused together. Only the lines after a
    quote that does not close within `MAX_LINE_CHARS` characters are read as rows: no cell is that
    long.
    """

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

    def scan(self, lines: Sequence[str]) -> QuoteScan:
        """Scan the record that begins with these lines, as far as a cell could reach, in linear
        time."""
        starts = [0, *accumulate(map(len, lines))]
        within = bisect_right(starts, MAX_LINE_CHARS) - 1
        text = "".join(lines[:within])
        found = self._cells.match(text)
        assert found is not None  # the pattern also matches an empty text
        end = found.end()
        is_open = bool(self._opens.match(text, end)) and not self._closes.match(text, end)
        # The line in which the closed cells end: at the end of the text, not the one below.
        last = min(bisect_right(starts, end) - 1, within - 1)
        return QuoteScan(max(0, last), is_open)


class Shape(NamedTuple):
    """The format of the rows of a file, and how many lines it may have.

    `spaced`: a space follows each delimiter. `width` is the number of cells in the header. A row
    may leave out the cells after the first `fewest`: their names are empty, so they are padding. It
    may have `surplus` more empty cells, because all rows have them: if only some had, an unquoted
    1,200.00 could be two cells.
    `max_lines` counts the lines below the header, blank ones too: they make no rows, but take time.
    """

    delimiter: str
    spaced: bool
    width: int
    fewest: int
    surplus: int
    max_lines: int


class RowReader:
    """Reads the rows below the header once, in order.

    A row keeps only the cells of `columns`, in that order, or all cells (None). The other cells are
    dropped before the next row is read, while they are in the processor's cache.

    After reading, `ends_open`: the last line has no line end, and its rows are the last group.
    `short_rows` are the lines and cells of the last rows with too few cells.
    """

    def __init__(self, shape: Shape, columns: Sequence[int] | None = None) -> None:
        """`columns` has at least two columns, or is None: `itemgetter` returns a tuple only of
        several."""
        self.ends_open = False
        self.short_rows: deque[tuple[int, Sequence[str]]] = deque(maxlen=SHORT_ROWS)
        self._shape = shape
        self._keep = itemgetter(*columns) if columns is not None else None
        # What rows without content consist of.
        self._blank = shape.delimiter + '"' + _SPACES
        self._blank_ascii = shape.delimiter + '"' + _ASCII_SPACES
        self._quotes = QuoteScanner(shape.delimiter, shape.spaced)

    def groups(self, blocks: Iterator[Block], line: int) -> Iterator[Iterable[Row]]:
        """Yield the rows of `blocks`, in groups. The first line has the number `line`.

        Raises `SourceError` (FILE_TOO_LARGE) at the first block after too many lines.
        """
        unfinished: list[str] = []  # the lines of a record that the last block did not complete
        end = line + self._shape.max_lines
        for block in blocks:
            if line + len(unfinished) > end:
                yield self._row_by_row(unfinished, line, damaged=True, last=True)[0]
                raise SourceError("FILE_TOO_LARGE", f"more than {self._shape.max_lines} lines")
            if not (unfinished or block.text.strip("\r\n")):
                line += block.count_lines()
            elif block.overlong:
                yield self._row_by_row(unfinished, line, damaged=True, last=True)[0]
                line += len(unfinished)
                unfinished = []
                yield [(line, [], "RECORD_TOO_LONG", len(block.text))]
                line += 1
            elif block.is_open:
                unfinished += block.lines()
                self.ends_open = True
            elif not (unfinished or block.damaged) and (found := self._row_per_line(block, line)):
                rows, row_count = found
                yield rows
                line += row_count
            else:
                lines = unfinished + block.lines()
                # The unfinished lines may be from a damaged block.
                damaged = block.damaged or bool(unfinished)
                read, done = self._row_by_row(lines, line, damaged, last=False)
                yield read
                unfinished = lines[done:]
                line += done
        yield self._row_by_row(unfinished, line, damaged=True, last=True)[0]

    # ── every line is a row ──────────────────────────────────────────────────────────────────────

    def _row_per_line(self, block: Block, line: int) -> tuple[Iterable[Row], int] | None:
        """Return the rows and their number, if each line is a row that fits the header, else None.

        The cells are those of `csv.reader`: without quotes in a third of the time, and in half the
        time if all cells are in quotes.
        """
        shape = self._shape
        quoted = '"' in block.text or shape.spaced
        lines = block.lines() if quoted else block.bare_lines()
        # Below a header with padding, rows may have fewer cells: `_fit_to_header` completes them.
        if max(map(len, lines)) > MAX_CELL_CHARS or shape.fewest < shape.width:
            return None
        # Stripping only the spaces of ASCII is much faster.
        blank = self._blank_ascii if block.text.isascii() else self._blank
        if not all(map(str.strip, lines, repeat(blank))):
            return None
        if not quoted:
            cells: Iterator[list[str]] = map(str.split, lines, repeat(shape.delimiter))
        else:
            cells = self._split_quoted(block, lines) or self._csv_reader(lines)
        try:
            rows = self._fitting(cells)
        except csv.Error:
            return None
        # With as many rows as lines, no cell has a line break.
        if rows is None or len(rows) != len(lines):
            return None
        lengths = map(len, lines)
        return zip(range(line, line + len(rows)), rows, repeat(None), lengths), len(rows)

    def _split_quoted(self, block: Block, lines: Sequence[str]) -> Iterator[list[str]] | None:
        """Return the cells of each line if all may be in quotes, as many programs write them.

        If each line has as many cells as the header, there are no other quotes than those around
        the cells.
        """
        width, quote = self._shape.width, repeat('"')
        if width < 2 or self._shape.spaced or block.text.count('"') != 2 * width * len(lines):
            return None
        bare = list(map(str.rstrip, lines, repeat("\r\n")))
        if not (all(map(str.startswith, bare, quote)) and all(map(str.endswith, bare, quote))):
            return None
        mark = f'"{self._shape.delimiter}"'
        return (line[1:-1].split(mark) for line in bare)

    def _fitting(self, rows: Iterator[list[str]]) -> Sequence[Sequence[str]] | None:
        """Return the kept cells of all rows, or None if one does not fit the header."""
        width, keep = self._shape.width, self._keep
        if keep is None:
            found = [*rows]
            return found if set(map(len, found)) == {width} else None
        kept: list[Sequence[str]] = []
        for cells in rows:
            if len(cells) != width:
                return None
            kept.append(keep(cells))
        return kept

    def _csv_reader(self, lines: Iterable[str]) -> Reader:
        return strict_reader(lines, self._shape.delimiter, self._shape.spaced)

    # ── row by row ───────────────────────────────────────────────────────────────────────────────

    def _row_by_row(
        self, lines: list[str], line: int, damaged: bool, last: bool
    ) -> tuple[list[Row], int]:
        """Return the rows, and the number of lines that were read.

        A record that is incomplete at the end of the lines is not read, unless they are the `last`.
        """
        check = damaged or max(map(len, lines), default=0) > MAX_CELL_CHARS
        rows: list[Row] = []
        start = 0
        while start < len(lines):
            first = start
            # Not a slice, because copying the rest for every invalid row would take quadratic time.
            reader = self._csv_reader(map(lines.__getitem__, range(first, len(lines))))
            try:
                for cells in reader:
                    end = first + reader.line_num
                    length = sum(map(len, lines[start:end]))
                    if end - start > 1 and (
                        problem := self._problem_of_open_quote(lines[start:end], cells)
                    ):
                        end = start + 1 + self._quotes.scan(lines[start:end]).lines
                        rows += self._refused(lines[start:end], line + start, problem)
                        start = end
                        break
                    if check and (problem := self._damage(cells)):
                        rows.append((line + start, [], problem, length))
                    elif row := self._fit_to_header(line + start, cells, length):
                        rows.append(row)
                    start = end
            except csv.Error as error:
                end = first + reader.line_num
                problem = _quote_problem(str(error), end - start)
                # Only a cell that did not end yet can reach further than this line.
                rest = lines[start:] if _is_open(str(error)) else lines[start:end]
                quoted = self._quotes.scan(rest)
                if quoted.is_open and not last and sum(map(len, rest)) <= MAX_LINE_CHARS:
                    return rows, start
                end = start + 1 + quoted.lines
                rows += self._refused(lines[start:end], line + start, problem)
                start = end
        return rows, start

    def _refused(self, lines: Sequence[str], line: int, problem: RowProblem) -> Iterator[Row]:
        """Yield each line of a refused record, because it could be a row: the first one has the
        problem, and the others that are not blank are INSIDE_QUOTES."""
        yield line, [], problem, len(lines[0])
        for number, text in enumerate(lines[1:], line + 1):
            if text.strip(self._blank):
                yield number, [], "INSIDE_QUOTES", len(text)

    def _problem_of_open_quote(
        self, lines: Sequence[str], cells: Sequence[str]
    ) -> RowProblem | None:
        """Return a problem if a record of several lines is probably an open quote with other rows.

        That is the case if the record exceeds the limits. It is also the case if the record has the
        wrong number of cells, and a line after the first has the right number of delimiters. Or if
        the first line and the last have the right number, as two rows with a stray quote each, and
        that number is three or more: fewer also occur in the text of a cell, for example in an
        address.
        """
        too_long = len(lines) > MAX_RECORD_LINES
        if too_long or sum(map(len, lines)) > MAX_LINE_CHARS:
            return "UNCLOSED_QUOTE"
        if max(map(len, cells)) > MAX_CELL_CHARS:
            return "RECORD_TOO_LONG"
        delimiters = self._shape.width - 1
        could_be_row = [line.count(self._shape.delimiter) == delimiters for line in lines]
        is_wrong_width = not self._shape.fewest <= len(cells) <= self._shape.width
        if (is_wrong_width and any(could_be_row[1:])) or (
            delimiters >= 3 and could_be_row[0] and could_be_row[-1]
        ):
            return "UNCLOSED_QUOTE"
        return None

    def _damage(self, cells: Sequence[str]) -> RowProblem | None:
        """Return the problem of a record with damaged or too long cells, or None."""
        text = "".join(cells)
        if UNDECODABLE in text or "\0" in text:
            return "UNDECODABLE"
        return "RECORD_TOO_LONG" if max(map(len, cells), default=0) > MAX_CELL_CHARS else None

    def _fit_to_header(self, line: int, cells: list[str], length: int) -> Row | None:
        """Fit a row to the header, or return None for a blank row.

        Spreadsheets pad rows with empty cells, or leave out empty cells at the end.
        """
        width, fewest = self._shape.width, self._shape.fewest
        if not any(map(str.strip, cells)):
            return None
        is_too_long = len(cells) > width + self._shape.surplus
        if is_too_long or any(map(str.strip, cells[fewest:])):
            return line, [], "WRONG_NUMBER_OF_CELLS", length
        kept: Sequence[str] = cells[:width] + [""] * (width - len(cells))
        if self._keep is not None:
            kept = self._keep(kept)
        if len(cells) < fewest:
            self.short_rows.append((line, kept))
            return line, [], "WRONG_NUMBER_OF_CELLS", length
        return line, kept, None, length


def _is_open(csv_message: str) -> bool:
    """Return whether an error of `csv.reader` says that a cell did not end."""
    return csv_message.startswith(("unexpected end", "field larger"))


def _quote_problem(csv_message: str, lines: int) -> RowProblem:
    """Return the problem of a record of this many `lines` that `csv.reader` cannot read."""
    if lines > 1 or csv_message.startswith("unexpected end"):
        return "UNCLOSED_QUOTE"
    return "RECORD_TOO_LONG" if csv_message.startswith("field larger") else "BROKEN_QUOTING"
