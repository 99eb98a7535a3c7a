"""A delivered file as a table: `open_table` reads its head, `Table.records` its rows."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from itertools import chain, islice
from typing import Literal, NamedTuple

from lib.model.records import Row
from lib.source.delimited import (
    CELLS_UNKNOWN,
    Hold,
    RecordReader,
    Shape,
    strict_reader,
)
from lib.source.errors import SourceError
from lib.source.head import HEAD_CHARS, HEAD_LINES, Head, HeaderRecord, header_records, read_head
from lib.source.header import MAX_COLUMNS, Wanted
from lib.source.text import BLOCK_BYTES, Block, ByteStream, DecodedText, Pieces
from lib.source.workbook import (
    DELIMITER,
    ENCODING,
    MAGIC_BYTES,
    ReadSheet,
    Sheet,
    SheetOptions,
    is_workbook,
    read_sheet,
)

MAX_LINES = 10_000_000
FIRST_LINES = 200
FIRST_CHARS = 1 << 18
"""Limits of the text below the header from which `Table.first_rows` reads."""


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
    max_columns: int = MAX_COLUMNS
    max_cell_chars: int = 32_767
    """Excel's limit for a cell. Never more than `csv.field_size_limit()`, 131,072 by default."""
    max_record_lines: int = 500
    """A record that is still open after this number of lines has an unclosed quote."""
    max_lines: int = MAX_LINES
    """Maximum number of lines below the header, blank ones included."""
    on_block: Callable[[], None] = no_time_check
    """Called for every block of bytes, also without any rows in it. What it raises ends reading."""
    read_sheet: ReadSheet = read_sheet
    """Reads a workbook. `lib.adapters.workbook` does it in a process of its own."""


class OriginalRow(NamedTuple):
    """A row as it is in the file."""

    line: int
    problem: str | None
    text: str
    """Its lines, without the last line end. Of a workbook: its cells, separated by tabs."""
    cells: list[str] | None
    """Its cells, even if they do not fit the header. None: they cannot be told."""


class Table:
    """A file after its head was read. Its records can be read once.

    `header` contains the names in the file, stripped (padding columns: ""). `header_error`: why no
    line is the wanted header; this one comes closest, and none of its rows may be sent. `time_zone`
    is the raw text after `Parameters:TimeZone=`. `spaced`: a space follows each delimiter. `text`
    tells about the encoding. `sheet` is the sheet of a workbook, None for other files, and
    `unread_sheets` are others that may hold data.
    """

    def __init__(
        self,
        head: Head,
        lines: Sequence[str],
        blocks: Iterator[Block],
        text: DecodedText,
        sheet: Sheet | None,
        options: SourceOptions,
    ) -> None:
        header = head.header
        self.header = header.names
        self.width = len(header.names)
        self.header_line = header.start + 1
        self.header_error = head.error
        self.time_zone = head.time_zone
        self.delimiter = header.delimiter
        self.spaced = header.spaced
        self.sheet = sheet.title if sheet else None
        self.unread_sheets = sheet.unread if sheet else ()
        self.text = text
        self._sheet = sheet
        self._first_line = header.end + 1
        self._head_lines = lines[: header.end]
        self._first_text = "".join(lines[header.end : header.end + FIRST_LINES])[:FIRST_CHARS]
        self._first_rows: list[list[str]] | None = None
        self._lines_of_head = lines[:HEAD_LINES]
        self._options = options
        self._blocks = blocks
        self._shape = Shape(
            delimiter=header.delimiter,
            spaced=header.spaced,
            width=self.width,
            fewest=header.fewest or self.width,
            max_cell_chars=options.max_cell_chars,
            max_record_lines=options.max_record_lines,
            max_lines=options.max_lines,
        )
        self._reader = RecordReader(self._shape)

    def possible_headers(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield each of the first lines that can be read as a header, and its names, for a person
        who says which line it is."""
        options = self._options
        found = header_records(self._lines_of_head, options.delimiter, options.max_columns)
        for record in found:
            if isinstance(record, HeaderRecord):
                yield record.start + 1, record.names

    @property
    def line_end(self) -> str:
        """The line end of the header."""
        last = self._head_lines[-1]
        return last[len(last.rstrip("\r\n")) :] or "\n"

    @property
    def blank_records(self) -> int:
        """The number of rows without content (`, ,,`) so far. They are no records, and blank lines
        are not counted."""
        return self._reader.blank_records

    def hold_unterminated_line(self, hold: Hold) -> None:
        """Hold the record in a last line without a line end as UNTERMINATED_LAST_LINE.

        Never if the content proves its own end, as gzip does.
        """
        self._reader.hold = "never" if self.text.is_gzip else hold

    def expect_footer(self, used_columns: Set[int]) -> None:
        """Mark the footer of a report as REPORT_FOOTER instead of reading rows that are none:
        records with at most one filled cell in these columns."""
        self._reader.used_columns = used_columns

    def keep_only(self, columns: Set[int]) -> Mapping[int, int]:
        """Keep only the cells of these columns in the rows that `records` returns, at least if most
        columns are others. Return the place of each kept column in a row.

        The rows of a chunk would fill the processor's cache with cells that nobody reads.
        """
        if len(columns) < 2 or 2 * len(columns) > self.width:
            return {column: column for column in range(self.width)}
        self._reader.keep_only(sorted(columns))
        return {column: place for place, column in enumerate(sorted(columns))}

    @property
    def footer(self) -> list[int]:
        """The lines of the report's footer, after reading."""
        return self._reader.footer

    @property
    def last_column(self) -> int:
        """The index of the last column that has a name."""
        return self._shape.fewest - 1

    @property
    def open_record(self) -> Literal["complete", "broken"] | None:
        """How the record in the last line ends, after reading, if this line may have been cut."""
        return None if self.text.is_gzip else self._reader.open_record

    def first_rows(self) -> list[list[str]]:
        """Return the cells of the first valid rows, from the text that was read with the header.

        Reads nothing from the stream, and `records` returns these rows too.
        """
        if self._first_rows is None:
            # A record that the end of the text cuts off has a problem, or a shorter last cell.
            block = Block(self._first_text, damaged=True)
            groups = RecordReader(self._shape).read(iter([block]), self._first_line)
            rows = chain.from_iterable(groups)
            self._first_rows = [[*cells] for _, cells, problem, _ in rows if problem is None]
            self._first_text = ""
        return self._first_rows

    def records(self) -> Iterator[Row]:
        """Return (line, cells, problem, length) of every row, in file order.

        `line` is the first line of the record, as an editor counts lines. A valid row has as many
        cells as the header, or those of `keep_only`, and its problem is None. Any other row has no
        cells and a `RowProblem`.
        Raises `SourceError` with NO_ROWS if there are no rows. Raises it with CORRUPT_GZIP or
        FILE_TOO_LARGE when the error is reached, after the rows before it were yielded.
        """
        records = self._reader.records(self._blocks, self._first_line)
        first = next(records, None)
        if first is None:
            raise SourceError("NO_ROWS", f"no rows below the header in line {self.header_line}")
        return chain([first], records)

    def originals(self) -> Iterator[OriginalRow]:
        """Yield the lines above the header, the header, and the rows of `records`, unchanged.

        Instead of `records`: the file is read only once.
        """
        header_at = self.header_line - 1
        for line, text in enumerate(self._head_lines[:header_at], 1):
            yield self._original(line, None, text)
        yield self._original(self.header_line, None, "".join(self._head_lines[header_at:]))
        kept = _KeptLines(self._blocks, self._first_line)
        for line, _, problem, length in self._reader.records(iter(kept), self._first_line):
            yield self._original(line, problem, kept.text(line, length))

    def _original(self, line: int, problem: str | None, text: str) -> OriginalRow:
        text = text.removesuffix("\n").removesuffix("\r")
        cells = None
        if problem not in CELLS_UNKNOWN:
            spaced = self.spaced and self._sheet is None
            reader = strict_reader(StringIO(text, newline=""), self.delimiter, spaced)
            with suppress(csv.Error):  # a line above the header
                cells = next(reader, [])
        return OriginalRow(line, problem, text, cells)


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
        found = ""
        for each in self._lines:
            found += each
            if len(found) >= length:
                break
        return found[:length]


def open_table(stream: ByteStream, options: SourceOptions) -> Table:
    """Read the head of the file in `stream`, text or a workbook, and return the table of its rows.

    Raises `SourceError` if the file is empty, can't be read, or no line is the wanted header.
    """
    start = b""
    while len(start) < MAGIC_BYTES and (piece := stream.read(MAGIC_BYTES - len(start))):
        start += piece
    stream = Pieces(chain([start], iter(partial(stream.read, BLOCK_BYTES), b"")))
    if not is_workbook(start):
        return _read_head(stream, options, None)
    of_sheet = SheetOptions(
        title=options.sheet,
        decimal_sign=options.decimal_sign,
        max_columns=options.max_columns,
        padded_lines=HEAD_LINES,
    )
    sheet = options.read_sheet(stream, of_sheet)
    options = replace(options, encoding=ENCODING, delimiter=DELIMITER)
    try:
        return _read_head(Pieces(sheet.text), options, sheet)
    except BaseException:
        sheet.text.close()  # the rest of a workbook would keep a process
        raise


def _read_head(stream: ByteStream, options: SourceOptions, sheet: Sheet | None) -> Table:
    text = DecodedText(stream, options.encoding, options.max_bytes, options.on_block)
    blocks = text.blocks()
    first_blocks = _first_blocks(blocks)
    all_lines = chain.from_iterable(block.lines() for block in first_blocks)
    lines = list(islice(all_lines, HEAD_LINES + FIRST_LINES))
    head = read_head(
        lines[:HEAD_LINES],
        options.delimiter,
        options.max_columns,
        options.wanted.lacks if options.wanted is not None else None,
    )
    if first_blocks[-1].overlong and head.header.end == len(lines):
        raise SourceError("UNREADABLE_HEADER", f"line {head.header.start + 1} does not end")
    rows = chain(_without(first_blocks, head.header.end), blocks)
    return Table(head, lines, rows, text, sheet, options)


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


def _without(blocks: list[Block], used: int) -> Iterator[Block]:
    """Yield the blocks without their first `used` lines."""
    for block in blocks:
        lines = block.lines()
        if used < len(lines):
            yield block._replace(text="".join(lines[used:]))
        used = max(0, used - len(lines))
