"""A delivered file as a table: `open_table` reads its head, `Table.records` its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from lib.model.records import Row
from lib.source.delimited import (
    HEAD_LINES,
    Ending,
    Head,
    Hold,
    RecordReader,
    Shape,
    read_head,
)
from lib.source.errors import SourceError
from lib.source.text import Block, ByteStream, DecodedText

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
    """Name of the sheet of a workbook. None: the first one, or the file is no workbook."""
    unread_sheets: tuple[str, ...] = ()
    """Other sheets of the workbook. `open_workbook` fills it in."""
    decimal_comma: bool = False
    """The file has this decimal sign, so the numbers of a workbook are written with it too."""
    max_bytes: int = 4 << 30
    """Maximum number of bytes after unpacking."""
    max_columns: int = 1_000
    max_cell_chars: int = 32_767
    """Excel's limit for a cell. Never more than `csv.field_size_limit()`, 131,072 by default."""
    max_record_lines: int = 500
    """A record that is still open after this number of lines has an unclosed quote."""
    max_lines: int = MAX_LINES
    """Maximum number of lines below the header, blank ones included."""
    on_block: Callable[[], None] = no_time_check
    """Called for every block of bytes, also without any rows in it. What it raises ends reading."""


class Table:
    """A file after its head was read. Its records can be read once.

    `header` contains the names in the file, stripped (padding columns: ""). `time_zone` is the raw
    text after `Parameters:TimeZone=`. `sheet` is the sheet of a workbook, None for other files, and
    `unread_sheets` are others that may hold data.
    `blank_records` counts the rows without content (`, ,,`) so far. They are not records. Blank
    lines are not counted.
    """

    def __init__(
        self,
        head: Head,
        first_text: str,
        blocks: Iterator[Block],
        text: DecodedText,
        options: SourceOptions,
    ) -> None:
        self.header = head.header
        self.header_line = head.line
        self.time_zone = head.time_zone
        self.delimiter = head.delimiter
        self.sheet = options.sheet
        self.unread_sheets = options.unread_sheets
        self._first_line = head.length + 1
        self._first_text = first_text
        self._blocks = blocks
        self._text = text
        named = [index for index, name in enumerate(head.header) if name]
        self._shape = Shape(
            delimiter=head.delimiter,
            spaced=head.spaced,
            width=len(head.header),
            fewest=named[-1] + 1 if named else len(head.header),
            max_cell_chars=options.max_cell_chars,
            max_record_lines=options.max_record_lines,
            max_lines=options.max_lines,
        )
        self._reader = RecordReader(self._shape)
        self._ending = Ending(self._reader)

    @property
    def encoding(self) -> str:
        """Python's name of the encoding: "utf-8" as long as only ASCII was read."""
        return self._text.encoding

    @property
    def encoding_guessed(self) -> bool:
        """Whether the encoding is a guess so far: it has no byte order mark, is not UTF-8, and is
        not set in the profile."""
        return self._text.encoding_guessed

    @property
    def blank_records(self) -> int:
        return self._reader.blank_records

    def hold_unterminated_line(self, hold: Hold) -> None:
        """Hold the record in a last line without a line end as UNTERMINATED_LAST_LINE.

        Never if the content proves its own end, as gzip does.
        """
        self._ending.hold = "never" if self._text.is_gzip else hold

    def expect_footer(self, key_columns: Set[int]) -> None:
        """Mark the footer of a report as REPORT_FOOTER instead of reading rows that are none.

        `key_columns` contain click IDs, identifiers and times.
        """
        self._ending.key_columns = key_columns

    @property
    def footer(self) -> list[int]:
        """The lines of the report's footer, after reading."""
        return self._ending.footer

    @property
    def last_column(self) -> int:
        """The index of the last column that has a name."""
        return max((at for at, name in enumerate(self.header) if name), default=0)

    @property
    def open_record(self) -> Literal["complete", "broken"] | None:
        """How the record in the last line ends, after reading, if this line may have been cut."""
        return None if self._text.is_gzip else self._ending.open_record

    def first_rows(self) -> list[list[str]]:
        """Return the cells of the first valid rows, from the text that was read with the header.

        Reads nothing from the stream, and `records` returns these rows too.
        """
        # A record that the end of the text cuts off has a problem, or a shorter last cell.
        block = Block(self._first_text, damaged=True)
        groups = RecordReader(self._shape).read(iter([block]), self._first_line)
        return [cells for _, cells, problem, _ in chain.from_iterable(groups) if problem is None]

    def records(self) -> Iterator[Row]:
        """Return (line, cells, problem, length) of every row, in file order.

        `line` is the first line of the record, as an editor counts lines. A valid row has as many
        cells as the header, and its problem is None. Any other row has no cells and a `RowProblem`.
        Raises `SourceError` with NO_ROWS if there are no rows. Raises it with CORRUPT_GZIP or
        FILE_TOO_LARGE when the error is reached, after the rows before it were yielded.
        """
        records = self._ending.records(self._blocks, self._first_line)
        first = next(records, None)
        if first is None:
            raise SourceError("NO_ROWS", f"no rows below the header in line {self.header_line}")
        return chain([first], records)


def open_table(stream: ByteStream, options: SourceOptions) -> Table:
    """Read the head of the file in `stream` and return the table of its rows.

    Raises `SourceError` if the file is empty, is not text, or has no readable header.
    `lib.source.header.map_columns` checks whether the line is a header.
    """
    text = DecodedText(stream, options.encoding, options.max_bytes, options.on_block)
    first_blocks: list[Block] = []
    lines: list[str] = []
    for block in text.blocks:
        first_blocks.append(block)
        lines += block.lines()
        if len(lines) >= HEAD_LINES or block.overlong:
            break
    head = read_head(lines[:HEAD_LINES], options.delimiter, options.max_columns)
    if first_blocks[-1].overlong and head.length == len(lines):
        raise SourceError("UNREADABLE_HEADER", f"line {head.line} does not end")
    first_text = "".join(lines[head.length : head.length + FIRST_LINES])[:FIRST_CHARS]
    rows = chain(_without(first_blocks, head.length), text.blocks)
    return Table(head, first_text, rows, text, options)


def _without(blocks: list[Block], used: int) -> Iterator[Block]:
    """Yield the blocks without their first `used` lines."""
    for block in blocks:
        lines = block.lines()
        if used < len(lines):
            yield block._replace(text="".join(lines[used:]))
        used = max(0, used - len(lines))
