"""The rows of a file as they are in it: the text of each row, not only what was read from it.

A workbook has no text, so its cells keep their value and their number format.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple, Protocol

from lib.source.delimited import HEAD_LINES, Head, read_head
from lib.source.table import SourceOptions
from lib.source.text import ByteStream, DecodedText
from lib.source.workbook import open_sheet, sheet_rows, texts_of

TEXT_FORMAT: Final = "@"

GUESSED_MARK: Final = "Compare this row with the file and delete this cell"
"""Follows the cells of a row whose quotes cannot be read."""

_LINE_ENDS: Final = ("\r\n", "\n", "\r")
_ONE_LINE: Final = frozenset(
    {"UNCLOSED_QUOTE", "INSIDE_QUOTES", "BROKEN_QUOTING", "CELL_TOO_LARGE", "RECORD_TOO_LONG"}
)
"""With these codes, only the first line of a record belongs to the row: see `RecordReader`."""


class Cell(NamedTuple):
    """A cell: its text, and what a workbook stores of it."""

    text: str
    value: Any
    number_format: str = TEXT_FORMAT


class OriginalRow(NamedTuple):
    """A row of the file. `text` is its text without the line end; None: it has none."""

    cells: list[Cell]
    text: str | None = None


class Original(Protocol):
    """A file whose rows are taken in order. `preamble` are the rows above the header."""

    head: Head
    preamble: list[OriginalRow]
    header: OriginalRow
    line_end: str
    sheet: str | None

    @property
    def encoding(self) -> str: ...

    @property
    def encoding_is_known(self) -> bool:
        """Whether a character that is not ASCII, or something else, decides about it."""
        ...

    @property
    def byte_order_mark(self) -> bytes: ...

    def row(self, line: int, codes: Sequence[str]) -> OriginalRow:
        """Return the row that begins in `line` and has these codes. Lines only increase.

        Raises `LookupError` if no row begins there.
        """
        ...


class OriginalText:
    """A text file."""

    sheet: str | None = None

    def __init__(self, stream: ByteStream, options: SourceOptions) -> None:
        self._text = DecodedText(stream, options.encoding, options.max_bytes, options.on_block)
        self._most_lines = options.max_record_lines
        self._lines = (line for block in self._text.blocks for line in block.lines())
        first = list(islice(self._lines, HEAD_LINES))
        self.head = head = read_head(first, options.delimiter, options.max_columns)
        self.preamble = [_as_text([], line) for line in first[: head.line - 1]]
        lines = first[head.line - 1 : head.length]
        self.line_end = next((end for end in _LINE_ENDS if lines[-1].endswith(end)), "\n")
        self.header = _as_text(next(self._reader(iter(lines), strict=True)), "".join(lines))
        self._ahead = deque(first[head.length :])
        self._line = head.length + 1  # the number of the first line ahead

    @property
    def encoding(self) -> str:
        return self._text.encoding

    @property
    def encoding_is_known(self) -> bool:
        return self._text.encoding_is_final

    @property
    def byte_order_mark(self) -> bytes:
        return self._text.byte_order_mark

    def row(self, line: int, codes: Sequence[str]) -> OriginalRow:
        """See `Original.row`."""
        if line < self._line:
            raise LookupError(line)
        while self._line < line:
            self._next()
        if not _ONE_LINE.isdisjoint(codes):
            return self._damaged(self._next())
        taken: list[str] = []
        try:
            cells = next(self._reader(self._taken(taken), strict=True))
        except csv.Error:
            self._ahead.extendleft(reversed(taken[1:]))
            self._line -= len(taken) - 1
            return self._damaged(taken[0])
        return _as_text(cells, "".join(taken))

    def _next(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._lines, None)
        if line is None:
            raise LookupError(self._line)
        self._line += 1
        return line

    def _taken(self, taken: list[str]) -> Iterator[str]:
        """Yield lines, and add them to `taken`."""
        while len(taken) < self._most_lines:
            try:
                taken.append(self._next())
            except LookupError:
                return
            yield taken[-1]

    def _reader(self, lines: Iterator[str], *, strict: bool) -> Iterator[list[str]]:
        return csv.reader(
            lines,
            delimiter=self.head.delimiter,
            skipinitialspace=self.head.spaced,
            strict=strict,
        )

    def _damaged(self, line: str) -> OriginalRow:
        """Return the cells of a line whose quotes cannot be read, so that a person can see them.

        They are a guess. The mark makes one cell too many, so the row is refused until a person
        has looked at it.
        """
        line = line.rstrip("\r\n")
        plain = line.replace('"', "").split(self.head.delimiter)
        if len(plain) != len(self.head.header):
            try:
                plain = next(self._reader(iter([line]), strict=False), [line])
            except csv.Error:
                plain = line.split(self.head.delimiter)
        missing = [""] * (len(self.head.header) - len(plain))
        return OriginalRow([Cell(each, each) for each in [*plain, *missing, GUESSED_MARK]])


class OriginalSheet:
    """A workbook: the rows of the sheet that is read."""

    encoding = "utf-8"
    encoding_is_known = True
    byte_order_mark = b"\xef\xbb\xbf"
    line_end = "\r\n"

    def __init__(self, sheet: Any, options: SourceOptions) -> None:
        self._options = options
        rows = _every_row(sheet_rows(sheet))
        self.sheet: str | None = sheet.title
        first = [(line, self._row(cells)) for line, cells in islice(rows, HEAD_LINES)]
        head = read_head([_tab_separated(row) for _, row in first], "\t", options.max_columns)
        self.head = head._replace(delimiter=options.delimiter or ",", spaced=False)
        self.preamble = [row for _, row in first[: head.line - 1]]
        self.header = first[head.line - 1][1]
        self._rest = chain(first[head.length :], ((line, self._row(cells)) for line, cells in rows))

    def row(self, line: int, codes: Sequence[str]) -> OriginalRow:
        """See `Original.row`."""
        for number, row in self._rest:
            if number == line and row.cells:
                return row
            if number >= line:
                break
        raise LookupError(line)

    def _row(self, cells: Mapping[int, Any]) -> OriginalRow:
        sign = "," if self._options.decimal_comma else "."
        texts = texts_of(cells, self._options.max_columns, sign)
        return OriginalRow(
            [
                Cell(text, cells[column].value, cells[column].number_format)
                if text
                else Cell("", None)
                for column, text in enumerate(texts, 1)
            ]
        )


def _every_row(rows: Iterable[Any]) -> Iterator[tuple[int, Mapping[int, Any]]]:
    """Yield each row of a sheet with its number, also those that the file leaves out."""
    line = 0
    for row in rows:
        for missing in range(line + 1, row.number):
            yield missing, {}
        line = row.number
        yield line, row.cells


def open_original(stream: ByteStream, options: SourceOptions) -> Original:
    """Read the head of a file. Raises `SourceError` as `open_table` does."""
    sheet, rest, _ = open_sheet(stream, options)
    return OriginalText(rest, options) if sheet is None else OriginalSheet(sheet, options)


def _tab_separated(row: OriginalRow) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter="\t", lineterminator="\n").writerow(c.text for c in row.cells)
    return line.getvalue()


def _as_text(cells: list[str], text: str) -> OriginalRow:
    bare = text.removesuffix("\n").removesuffix("\r")
    return OriginalRow([Cell(each, each) for each in cells], bare)
