"""Delimited text (CSV): the lines below the header → records with their problems.

**No row disappears.** A block of valid lines is read as fast as with `csv.reader`, or faster. Any
other block is read record by record. If a quote does not close, only the line in which its record
begins is lost (with a problem), and reading continues at the next line. If it closes, but the
record cannot be used, each of its lines is refused: see `QuoteScanner`.

**The end** tells what the last records are, so they are held back until then.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from io import StringIO
from itertools import accumulate, chain, islice, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from lib.model.records import Row, RowProblem
from lib.source.errors import SourceError
from lib.source.footer import LONGEST_FOOTER, footer_length
from lib.source.text import MAX_LINE_CHARS, UNDECODABLE, Block

if TYPE_CHECKING:
    from _csv import Reader

_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
"""All characters that `str.strip` removes."""
_ASCII_SPACES = sum(map(str.isascii, _SPACES))

CELLS_UNKNOWN: Final[frozenset[str | None]] = frozenset(
    {"UNCLOSED_QUOTE", "INSIDE_QUOTES", "BROKEN_QUOTING", "CELL_TOO_LARGE", "RECORD_TOO_LONG"}
)
"""With these problems, a row is a single line, and where its cells end is not certain."""

RowCells: TypeAlias = list[str] | tuple[str, ...]
"""All cells of a row, or those that are kept."""

Hold = Literal["never", "broken", "always"]
"""When the row in a last line without a line end is held as UNTERMINATED_LAST_LINE: a file that was
cut ends like this. `broken`: only if the row is incomplete too."""


def strict_reader(lines: Iterable[str], delimiter: str, spaced: bool) -> Reader:
    """Return a reader of cells. A quote that closes in the middle of a cell is an error."""
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=True)


def as_line(cells: Iterable[str], delimiter: str, spaced: bool) -> str:
    """Return the text that a strict reader reads as these cells, without a line end."""
    if spaced:
        return f"{delimiter} ".join(as_line([cell], delimiter, False) for cell in cells)
    text = StringIO()
    # Until Python 3.13, a cell with a line break is quoted only if the line end has that character.
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n")


class Quoted(NamedTuple):
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

    def scan(self, lines: Sequence[str]) -> Quoted:
        """Scan the record that begins with these lines, as far as a cell could reach, in linear
        time."""
        starts = [0, *accumulate(map(len, lines))]
        within = bisect_right(starts, MAX_LINE_CHARS) - 1
        text = "".join(lines[:within])
        found = self._cells.match(text)
        end = found.end() if found is not None else 0
        is_open = bool(self._opens.match(text, end)) and not self._closes.match(text, end)
        return Quoted(max(0, min(bisect_right(starts, end) - 1, within - 1)), is_open)


class Shape(NamedTuple):
    """The format and the size limits of the records of a file."""

    delimiter: str
    spaced: bool
    width: int
    fewest: int
    """Minimum number of cells in a row: `width` without the empty names at the header's end."""
    max_cell_chars: int
    max_record_lines: int
    max_lines: int
    """Below the header, blank lines too: they take time, although they make no rows."""


class RecordReader:
    """Reads the records of a file once, in order, and to its end: a last line that may be cut, a
    report's footer.

    After `keep_only`, the other cells of a row are dropped before the next one is read, while they
    are in the processor's cache: its cells are a list of all, or a tuple of the kept ones. Whether
    the last records are a footer depends on all of their cells, so the last ones of each block are
    lists until the next block is read.

    `hold` says when the record in a last line without a line end is held. `used_columns` are those
    that the profile names; as long as they are unknown, no record is taken for a footer.
    `blank_records` counts rows like `, ,,`. After reading, `open_record` tells how the record in
    such a last line ends, and `footer` has the lines of the footer.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        # The csv module's own limit holds for the whole process, so it is not changed here.
        self._max_cell = min(shape.max_cell_chars, csv.field_size_limit())
        # Columns without a name at the end are padding: text in them is one cell too many.
        self._is_padded = shape.fewest < shape.width
        # What rows without content consist of. The shorter set is faster.
        self._blank_ascii = shape.delimiter + '"' + _SPACES[:_ASCII_SPACES]
        self._blank = shape.delimiter + '"' + _SPACES
        self._quotes = QuoteScanner(shape.delimiter, shape.spaced)
        self._ends_open = False  # a last line without a line end has been read
        self._short: deque[tuple[int, list[str]]] = deque(maxlen=LONGEST_FOOTER)
        """(line, cells) of the last records with too few cells."""
        self._wraps = False  # the last block read record by record had quoted newlines
        self.blank_records = 0
        self.hold: Hold = "never"
        self.open_record: Literal["complete", "broken"] | None = None
        self.used_columns: Set[int] | None = None
        self._kept: Callable[[list[str]], tuple[str, ...]] | None = None
        self.footer: list[int] = []

    def records(self, blocks: Iterator[Block], line: int) -> Iterator[Row]:
        """Return the records of `blocks`. The first line of `blocks` has the number `line`."""
        groups = self._until_end(self.read(blocks, line))
        return chain.from_iterable(groups if self._kept is None else map(self._narrowed, groups))

    def keep_only(self, columns: Sequence[int]) -> None:
        """Return only the cells of these columns. There are at least two."""
        self._kept = itemgetter(*columns)

    def read(self, blocks: Iterator[Block], line: int) -> Iterator[Iterable[Row]]:
        """Return the records of `blocks`, in groups, also those of a footer.

        Raises `SourceError` (TOO_MANY_ROWS) at the first block after too many lines.
        """
        history: list[str] = []  # the lines of a record that the last block did not complete
        end = line + self._shape.max_lines
        for block in blocks:
            if line + len(history) > end:
                yield self._read_carefully(history, line, damaged=True, last=True)[0]
                raise SourceError("TOO_MANY_ROWS", f"more than {self._shape.max_lines} lines")
            if not (history or block.text.strip("\r\n")):
                line += block.count_lines()
                continue
            if block.overlong:
                yield self._read_carefully(history, line, damaged=True, last=True)[0]
                line += len(history)
                history = []
                yield [(line, [], self._overlong(block.text), len(block.text))]
                line += 1
                continue
            if block.is_open:
                history += block.lines()
                self._ends_open = True
                break
            orderly = not (history or self._wraps or block.damaged)
            # With as many rows as lines, no cell has a line break: each row is one line.
            if orderly and (found := self._row_per_line(block)):
                yield self._numbered(*found, line, block.text.isascii())
                line += len(found[0])
                continue
            lines = history + block.lines()
            # `history` may be from a damaged block.
            damaged = block.damaged or bool(history)
            records, done = self._read_carefully(lines, line, damaged, last=False)
            yield records
            history = lines[done:]
            line += done
        yield self._read_carefully(history, line, damaged=True, last=True)[0]

    def _csv(self, lines: Iterable[str]) -> Reader:
        return strict_reader(lines, self._shape.delimiter, self._shape.spaced)

    def _row_per_line(self, block: Block) -> tuple[list[RowCells], list[str]] | None:
        """Return the cells of every line, and the lines. None: read this block record by record."""
        quoted = '"' in block.text or self._shape.spaced
        lines = block.lines() if quoted else block.bare_lines()
        if max(map(len, lines)) > self._max_cell:
            return None
        if not quoted:
            # For lines without quotes, the result of csv.reader in a third of the time.
            return self._cells(map(str.split, lines, repeat(self._shape.delimiter)), lines), lines
        if (rows := self._all_quoted(block, lines)) is not None:
            return rows, lines
        try:
            rows = self._cells(self._csv(lines), lines)
        except csv.Error:
            return None
        return (rows, lines) if len(rows) == len(lines) else None

    def _cells(self, rows: Iterator[list[str]], lines: Sequence[str]) -> list[RowCells]:
        """Return the cells of the rows in these lines. Drop the cells that are not kept, except of
        the last rows."""
        kept, width = self._kept, self._shape.width
        if kept is None or self._is_padded:
            return [*rows]
        first = islice(rows, self._before_last_records(lines))
        found: list[RowCells] = [kept(cells) if len(cells) == width else cells for cells in first]
        found += rows
        return found

    def _before_last_records(self, lines: Sequence[str]) -> int:
        """Return how many lines come before those that may be a footer. Blank ones are none."""
        before, records = len(lines), 0
        while before and records < LONGEST_FOOTER:
            before -= 1
            records += bool(lines[before].strip(self._blank))
        return before

    def _are_complete(self, rows: Sequence[RowCells]) -> bool:
        """Whether each row has as many cells as the header. Those that were kept come from such."""
        lists = rows if self._kept is None else [row for row in rows if isinstance(row, list)]
        return set(map(len, lists)) <= {self._shape.width}

    def _all_quoted(self, block: Block, lines: Sequence[str]) -> list[RowCells] | None:
        """Return the cells if each line has `width` cells, all in quotes, and no other quotes.

        Many programs write such files. The cells are those of csv.reader, in half the time.
        """
        width, quote = self._shape.width, repeat('"')
        if width < 2 or self._shape.spaced or block.text.count('"') != 2 * width * len(lines):
            return None
        bare = list(map(str.rstrip, lines, repeat("\r\n")))
        if not (all(map(str.startswith, bare, quote)) and all(map(str.endswith, bare, quote))):
            return None
        mark = f'"{self._shape.delimiter}"'
        rows = self._cells((line[1:-1].split(mark) for line in bare), lines)
        # Then the marks, and the quotes at both ends, are all the quotes of each line.
        return rows if self._are_complete(rows) else None

    def _numbered(
        self, rows: list[RowCells], lines: list[str], line: int, is_ascii: bool
    ) -> Iterable[Row]:
        blank = self._blank_ascii if is_ascii else self._blank
        if (
            self._are_complete(rows)
            and not self._is_padded
            and all(map(str.strip, lines, repeat(blank)))
        ):
            return zip(range(line, line + len(rows)), rows, repeat(None), map(len, lines))
        found: list[Row] = []
        for number, (cells, text) in enumerate(zip(rows, lines, strict=True), line):
            if not text.strip("\r\n"):
                continue
            if isinstance(cells, tuple) and not text.strip(self._blank):
                cells = next(self._csv([text]))  # a blank row, or one with nothing but quotes
            if isinstance(cells, tuple) or self._is_in_order(cells):
                found.append((number, cells, None, len(text)))
            elif record := self._fitted(number, cells, len(text)):
                found.append(record)
        return found

    def _narrowed(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Drop the cells that are not kept from the rows that still have all."""
        kept = self._kept
        assert kept is not None
        return [
            row if row[2] or not isinstance(row[1], list) else (row[0], kept(row[1]), *row[2:])
            for row in rows
        ]

    def _read_carefully(
        self, lines: list[str], line: int, damaged: bool, last: bool
    ) -> tuple[list[Row], int]:
        """Read record by record. Returns the records and the number of lines that were read.

        A record that is incomplete at the end of the lines is not read, unless they are the `last`.
        """
        self._wraps = False
        check = damaged or max(map(len, lines), default=0) > self._max_cell
        found: list[Row] = []
        start = 0
        while start < len(lines):
            first = start
            # Not a slice, because copying the rest for every invalid row would take quadratic time.
            reader = self._csv(map(lines.__getitem__, range(first, len(lines))))
            try:
                for cells in reader:
                    end = first + reader.line_num
                    length = sum(map(len, lines[start:end]))
                    if end - start > 1:
                        self._wraps = True
                        if problem := self._swallowed(lines[start:end], cells):
                            end = start + 1 + self._quotes.scan(lines[start:end]).lines
                            found += self._refused(lines[start:end], line + start, problem)
                            start = end
                            break
                    if check and (problem := self._damage(cells)):
                        found.append((line + start, [], problem, length))
                    elif self._is_in_order(cells):
                        found.append((line + start, cells, None, length))
                    elif record := self._fitted(line + start, cells, length):
                        found.append(record)
                    start = end
            except csv.Error as error:
                end = first + reader.line_num
                problem = _quote_problem(str(error), end - start)
                # Only a cell that did not end yet can reach further than this line.
                rest = lines[start:] if _is_open(str(error)) else lines[start:end]
                quoted = self._quotes.scan(rest)
                if quoted.is_open and not last and sum(map(len, rest)) <= MAX_LINE_CHARS:
                    return found, start
                end = start + 1 + quoted.lines
                found += self._refused(lines[start:end], line + start, problem)
                start = end
        return found, start

    def _refused(self, lines: Sequence[str], line: int, problem: RowProblem) -> Iterator[Row]:
        """Yield a record of several lines that is refused: each line could be a row."""
        yield line, [], problem, len(lines[0])
        for number, text in enumerate(lines[1:], line + 1):
            if text.strip(self._blank):
                yield number, [], "INSIDE_QUOTES", len(text)

    def _swallowed(self, lines: Sequence[str], cells: Sequence[str]) -> RowProblem | None:
        """Return a problem if a record of several lines is probably an open quote with other rows.

        That is the case if the record exceeds the limits. It is also the case if the record has the
        wrong number of cells, and a line after the first has the right number of delimiters. Or if
        every line has the right number of delimiters, and that number is three or more: fewer also
        occur in the text of a cell, for example in an address.
        """
        too_long = len(lines) > self._shape.max_record_lines
        if too_long or sum(map(len, lines)) > MAX_LINE_CHARS:
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

    def _fitted(self, line: int, cells: list[str], length: int) -> Row | None:
        """Fit a row to the header, or return None for a blank row.

        Spreadsheets pad rows with empty cells, or leave out empty cells at the end.
        """
        width = self._shape.width
        if not any(map(str.strip, cells)):
            self.blank_records += bool(cells)
            return None
        if len(cells) < self._shape.fewest:
            self._short.append((line, cells))
            return line, [], "TOO_FEW_CELLS", length
        if any(map(str.strip, cells[self._shape.fewest :])):
            return line, [], "TOO_MANY_CELLS", length
        return line, cells[:width] + [""] * (width - len(cells)), None, length

    def _overlong(self, line: str) -> RowProblem:
        longest = max(map(len, line.split(self._shape.delimiter)))
        return "CELL_TOO_LARGE" if longest > self._max_cell else "RECORD_TOO_LONG"

    def _until_end(self, batches: Iterator[Iterable[Row]]) -> Iterator[Iterable[Row]]:
        back: list[Row] = []
        size = 0
        try:
            for batch in batches:
                records = [*back, *batch]
                size = len(records) - len(back)
                kept = max(0, len(records) - max(size, LONGEST_FOOTER))
                yield records[:kept]
                back = records[kept:]
        except Exception:
            # The rest of the file cannot be read, so these are not its last records.
            yield back
            raise
        if length := self._footer_length(back):
            footer = back[-length:]
            self.footer = [line for line, *_ in footer]
            yield back[:-length]
            yield [(line, [], "REPORT_FOOTER", chars) for line, _, _, chars in footer]
        elif self._ends_open:
            last = len(back) - size
            yield back[:last] + self._held(back[last:])
        else:
            yield back

    def _footer_length(self, records: list[Row]) -> int:
        if self.used_columns is None:
            return 0
        short = dict(self._short)
        cells = [short.get(line, cells) for line, cells, *_ in records[-LONGEST_FOOTER:]]
        return footer_length(cells, self.used_columns)

    def _held(self, records: list[Row]) -> list[Row]:
        """Return the last records of a file whose last line has no line end.

        The lines after an open quote are part of the incomplete record.
        """
        if not records:
            return records
        held = len(records) - 1
        while held and records[held][2] and records[held - 1][2]:
            held -= 1
        is_broken = records[-1][2] is not None
        self.open_record = "broken" if is_broken else "complete"
        if self.hold == "always" or (self.hold == "broken" and is_broken):
            return records[:held] + [
                (line, [], "UNTERMINATED_LAST_LINE", length)
                for line, _, _, length in records[held:]
            ]
        return records


def _is_open(csv_message: str) -> bool:
    return csv_message.startswith(("unexpected end", "field larger"))


def _quote_problem(csv_message: str, lines: int) -> RowProblem:
    if lines > 1 or csv_message.startswith("unexpected end"):
        return "UNCLOSED_QUOTE"
    return "CELL_TOO_LARGE" if csv_message.startswith("field larger") else "BROKEN_QUOTING"
