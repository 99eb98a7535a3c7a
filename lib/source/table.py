"""A delivered file as a table: `open_table` reads its head, `Table.records` its rows."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from itertools import chain
from typing import Final, Literal, NamedTuple

from lib.errors import SourceError
from lib.model.records import Row
from lib.model.spelling import comparable
from lib.source.delimited import CELLS_UNKNOWN, RowReader, Shape, strict_reader
from lib.source.end import Hold, LastRows
from lib.source.header import (
    HeaderLine,
    Wanted,
    find_header,
    header_lines,
    looks_like_data,
)
from lib.source.text import (
    BLOCK_BYTES,
    HEAD_CHARS,
    HEAD_LINES,
    Block,
    ByteStream,
    DecodedText,
    Pieces,
    count_line_ends,
)
from lib.source.workbook import (
    DELIMITER,
    ENCODING,
    MAGIC_BYTES,
    NO_RESULT,
    ReadSheet,
    Sheet,
    SheetOptions,
    is_workbook,
    read_sheet,
)

MAX_LINES = 10_000_000

FIX_COLUMNS: Final = ("fix: problem", "fix: what to do", "fix: line")
"""The columns that `fix` puts in front of the rows to correct. An upload ignores them."""


def no_time_check() -> None:
    """Read the file without interruption."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Options from the profile and the settings. None: detect it from the content."""

    encoding: str | None = None
    """Any text encoding that Python knows. A byte order mark in the file takes precedence."""
    delimiter: str | None = None
    sheet: str | None = None
    """Name of the sheet of a workbook. None: the first one."""
    wanted: Wanted | None = None
    """The names that the header has. None: the first line is the header."""
    decimal_sign: str = "."
    """The decimal sign with which the numbers of a workbook are written."""
    max_bytes: int = 4 << 30
    """Maximum number of bytes after unpacking."""
    max_lines: int = MAX_LINES
    """Maximum number of lines below the header, blank ones included."""
    on_block: Callable[[], None] = no_time_check
    """Called for every block of bytes, also without any rows in it. What it raises ends reading."""
    read_sheet: ReadSheet = read_sheet
    """Reads a workbook. `lib.adapters.workbook` does it in a process of its own."""


class OriginalRow(NamedTuple):
    """A row as it is in the file."""

    line: int
    row: int
    """The row of a spreadsheet in which it is: a cell with line breaks is in one row."""
    problem: str | None
    text: str
    """Its lines, without the last line end. Of a workbook: its cells, separated by tabs."""
    cells: list[str] | None
    """Its cells, even if they do not fit the header. None: they cannot be told."""


class Table:
    """A file after its head was read. Its rows can be read once.

    `header` contains the names in the file, stripped (padding columns: ""). `header_error`: why no
    line is the wanted header; this one comes closest, and none of its rows may be sent. `time_zone`
    is the raw text after `Parameters:TimeZone=`. `separator` is the delimiter, if only a line
    `sep=` says so. `spaced`: a space follows each delimiter. `text` tells about the encoding.
    `sheet` is the title of a workbook's sheet, None for other files, and `unread_sheets` are titles
    of others that may hold data.
    """

    def __init__(
        self,
        header: HeaderLine,
        header_error: SourceError | None,
        head: Sequence[str],
        blocks: Iterator[Block],
        text: DecodedText,
        sheet: Sheet | None,
        options: SourceOptions,
    ) -> None:
        """`head` are the first lines of the file, `blocks` the text below the header."""
        self.header = header.names
        self.width = len(header.names)
        self.header_line = header.start + 1
        self.header_error = header_error
        self.time_zone = header.time_zone
        self.delimiter = header.delimiter
        self.separator = header.separator
        self.spaced = header.spaced
        self.sheet = sheet.title if sheet else None
        self.unread_sheets = sheet.unread if sheet else ()
        self.text = text
        self._head = head
        self._options = options
        self._first_line = header.end + 1
        self._blocks = blocks
        self._shape = Shape(
            delimiter=header.delimiter,
            spaced=header.spaced,
            width=self.width,
            fewest=header.fewest or self.width,
            surplus=_surplus(head[header.end :], header.delimiter, self.width),
            max_lines=options.max_lines,
        )
        self._read_with(None, "never")

    def possible_headers(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield each of the first lines that can be read as a header, and its names, for a person
        who says which line it is."""
        for line in header_lines(self._head, self._options.delimiter):
            if isinstance(line, HeaderLine):
                yield line.start + 1, line.names

    def find_row_above(self, used: Set[int], times: Set[int]) -> int | None:
        """Return the line of a row above the header: somebody has sorted the line of names with the
        rows. It fills most of the `used` columns, and one of its `times` looks like data."""
        for line in header_lines(self._head[: self.header_line - 1], self.delimiter):
            if isinstance(line, HeaderLine) and len(line.names) >= self._shape.fewest:
                filled = sum(bool(line.names[column]) for column in used)
                has_time = any(looks_like_data(line.names[column]) for column in times)
                if 2 * filled > len(used) and has_time:
                    return line.start + 1
        return None

    @property
    def fix_columns(self) -> Set[int]:
        """The columns in front of the rows that `fix` has written."""
        return {n for n, name in enumerate(self.header) if comparable(name) in FIX_COLUMNS}

    @property
    def last_column(self) -> int:
        """The index of the last column that has a name."""
        return self._shape.fewest - 1

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────

    def places(self, used: Set[int]) -> Mapping[int, int]:
        """Return column → place of its cell in a row, for the columns whose cells `records` keeps.

        Of 8 columns of which the columns 2 and 5 are used, these two are kept: `{2: 0, 5: 1}`. The
        cells of the others would fill the processor's cache. All columns are kept if more than
        half of them are used, or only one: of one column, `itemgetter` returns bare cells instead
        of rows (`RowReader`).
        """
        is_wide = len(used) >= 2 and 2 * len(used) <= self.width
        kept = sorted(used) if is_wide else range(self.width)
        return {column: place for place, column in enumerate(kept)}

    def records(self, used: Set[int] | None = None, hold: Hold = "never") -> Iterator[Row]:
        """Return (line, cells, problem, length) of every row, in file order.

        `used` are the columns that the profile names: a row has the cells that `places(used)` says,
        and the footer of a report is marked REPORT_FOOTER. None: all cells, and no row is taken for
        a footer. `hold` says when the row in a last line without a line end is held.

        `line` is the first line of the row, as an editor counts lines. A valid row has no problem.
        Any other row has no cells and a `RowProblem`.
        Raises `SourceError` with EMPTY_FILE if there are no rows. Raises it with CORRUPT_FILE or
        FILE_TOO_LARGE when the error is reached, after the rows before it were yielded.
        """
        self._read_with(used, "never" if self.text.is_gzip else hold)  # gzip proves its own end
        rows = self._rows(self._blocks)
        first = next(rows, None)
        if first is None:
            raise SourceError("EMPTY_FILE", f"no rows below the header in line {self.header_line}")
        return chain([first], rows)

    def _read_with(self, used: Set[int] | None, hold: Hold) -> None:
        """Prepare to read the rows as `records` describes."""
        # Somebody has corrected each row of such a file: none is the footer of a report.
        has_footer = used is not None and not self.fix_columns
        places = self.places(used or set())
        columns = [*places] if len(places) < self.width else None
        self._used_places = [places[column] for column in used or ()]
        self._reader = RowReader(self._shape, columns)
        self._last_rows = LastRows(self._reader, self._used_places if has_footer else None, hold)

    def _rows(self, blocks: Iterator[Block]) -> Iterator[Row]:
        groups = self._reader.groups(blocks, self._first_line)
        rows = chain.from_iterable(self._last_rows.mark_last(groups))
        return rows if self.sheet is None else map(self._refuse_without_result, rows)

    def _refuse_without_result(self, row: Row) -> Row:
        """Give a row of a sheet a problem if it needs a formula that has no saved result: an empty
        cell could hide that the sale is cancelled."""
        line, cells, problem, size = row
        if problem or not any(cells[place] == NO_RESULT for place in self._used_places):
            return row
        return line, [], "UNDECODABLE", size

    # What is known after the rows were read.

    @property
    def footer(self) -> list[int]:
        """The lines of the report's footer."""
        return self._last_rows.footer

    @property
    def total(self) -> Row | None:
        """A row near the end that looks like a total, and is no footer."""
        return self._last_rows.total

    @property
    def open_row(self) -> Literal["complete", "broken"] | None:
        """How the row in the last line ends, if this line may have been cut."""
        return None if self.text.is_gzip else self._last_rows.open_row

    # ── rows as they are in the file ─────────────────────────────────────────────────────────────

    def originals(self) -> Iterator[OriginalRow]:
        """Yield the lines above the header, the header, and the rows of `records`, unchanged.

        Instead of `records`: the file is read only once.
        """
        breaks = 0
        for line, problem, lines in self._lines_of_rows():
            text = lines.removesuffix("\n").removesuffix("\r")
            yield OriginalRow(line, line - breaks, problem, text, self._cells_in(text, problem))
            breaks += count_line_ends(text)

    def _lines_of_rows(self) -> Iterator[tuple[int, str | None, str]]:
        above = self.header_line - 1
        for line, text in enumerate(self._head[:above], 1):
            yield line, None, text
        yield self.header_line, None, "".join(self._head[above : self._first_line - 1])
        kept = _KeptLines(self._blocks, self._first_line)
        for line, _, problem, length in self._rows(iter(kept)):
            yield line, problem, kept.text(line, length)

    def _cells_in(self, text: str, problem: str | None) -> list[str] | None:
        if problem not in CELLS_UNKNOWN:
            reader = strict_reader(StringIO(text, newline=""), self.delimiter, self.spaced)
            with suppress(csv.Error):  # a line above the header
                return next(reader, [])
        return None


class _KeptLines:
    """Blocks whose lines are kept until the text of a later row was taken."""

    def __init__(self, blocks: Iterator[Block], line: int) -> None:
        self._blocks = blocks
        self._lines: deque[str] = deque()
        self._line = line  # the number of the first line that is kept

    def __iter__(self) -> Iterator[Block]:
        for block in self._blocks:
            self._lines.extend(block.lines())
            yield block

    def text(self, line: int, length: int) -> str:
        """Return the text of a row, which begins in `line`. `Row` says how long it is."""
        while self._line < line:
            self._lines.popleft()
            self._line += 1
        text = ""
        for next_line in self._lines:
            text += next_line
            if len(text) >= length:
                break
        return text[:length]


def open_table(stream: ByteStream, options: SourceOptions) -> Table:
    """Read the head of the file in `stream`, text or a workbook, and return the table of its rows.

    Raises `SourceError` if the file is empty, cannot be read, or has no line of names.
    """
    start = b""
    while len(start) < MAGIC_BYTES and (piece := stream.read(MAGIC_BYTES - len(start))):
        start += piece
    stream = Pieces(chain([start], iter(partial(stream.read, BLOCK_BYTES), b"")))
    if not is_workbook(start):
        return _open_text(stream, options, None)
    sheet = options.read_sheet(stream, SheetOptions(options.sheet, options.decimal_sign))
    options = replace(options, encoding=ENCODING, delimiter=DELIMITER)
    try:
        return _open_text(Pieces(sheet.text), options, sheet)
    except BaseException:
        sheet.text.close()  # the rest of a workbook would keep a process
        raise


def _open_text(stream: ByteStream, options: SourceOptions, sheet: Sheet | None) -> Table:
    text = DecodedText(stream, options.encoding, options.max_bytes, options.on_block)
    blocks = text.blocks()
    first_blocks = _first_blocks(blocks)
    lines = [*chain.from_iterable(block.lines() for block in first_blocks)]
    head = lines[:HEAD_LINES]
    header, error = find_header(head, options.delimiter, options.wanted)
    if first_blocks[-1].overlong and header.end == len(lines):
        raise SourceError("CORRUPT_FILE", f"line {header.start + 1} does not end")
    rows = chain(_without_first_lines(first_blocks, header.end), blocks)
    return Table(header, error, head, rows, text, sheet, options)


def _surplus(lines: Sequence[str], delimiter: str, width: int) -> int:
    """Return how many more cells than the header, with its `width`, all of the first rows have, of
    those that are whole. One row alone proves nothing."""
    cells = [line.count(delimiter) + 1 for line in lines if '"' not in line]
    whole = [count for count in cells if count >= width]
    return min(whole) - width if len(whole) > 1 else 0


def _first_blocks(blocks: Iterator[Block]) -> list[Block]:
    """Read the blocks with the head of the file."""
    first = []
    lines = chars = 0
    for block in blocks:
        first.append(block)
        lines += block.count_lines()
        chars += len(block.text)
        if lines >= HEAD_LINES or chars >= HEAD_CHARS or block.overlong:
            break
    return first


def _without_first_lines(blocks: list[Block], count: int) -> Iterator[Block]:
    """Yield the blocks without their first `count` lines."""
    for block in blocks:
        lines = block.lines()
        if count < len(lines):
            yield block._replace(text="".join(lines[count:]))
        count = max(0, count - len(lines))
