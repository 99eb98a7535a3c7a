"""Writes the rows to correct: as text in the form of the file, or as a workbook with marked cells.

Our columns are in front. Columns that an earlier `fix` wrote are left out.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Any, Final, NamedTuple

import click

from lib.cli.escaping import in_spreadsheet
from lib.source.delimited import as_line
from lib.source.table import OriginalRow, Table
from lib.source.text import UNDECODABLE
from lib.source.workbook import MAX_COLUMNS, MAX_ROWS

GUESSED_MARK: Final = "Compare this row with the file and delete this cell"
"""Follows the cells of a row whose quotes cannot be read."""

_TEXT_FORMAT: Final = "@"
_SURROGATES: Final = ("surrogateescape", "surrogatepass")
_WIDTHS: Final = {"A": 60, "B": 60, "C": 8}
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that a workbook cannot contain."""


CORRECTION_COLUMNS: Final = ("problem", "what to do", "line")
"""Written in front of the rows to correct, so a corrected file has them."""


def correction_columns(header: Sequence[str]) -> frozenset[int]:
    """Return the columns that `fix` wrote, wherever they are now; none if one is missing."""
    names = [name.strip().casefold() for name in header]
    if not all(name in names for name in CORRECTION_COLUMNS):
        return frozenset()
    return frozenset(names.index(name) for name in CORRECTION_COLUMNS)


class Cell(NamedTuple):
    """A cell: its text, and what a workbook stores of it."""

    text: str
    value: Any
    number_format: str = _TEXT_FORMAT


def _cells(row: OriginalRow, table: Table) -> list[Cell]:
    """Return the cells of a row; guessed, if its quotes cannot be read."""
    if table.sheet is None:
        texts = row.cells if row.cells is not None else _guessed(row.text, table)
        return [Cell(text, text) for text in texts]
    cells = []
    for column, text in enumerate(row.cells or (), 1):
        cell = row.sheet_cells.get(column)
        as_stored = Cell(text, cell.value, cell.number_format) if cell else Cell(text, text)
        cells.append(as_stored if text else Cell("", None))
    while cells and not cells[-1].text:
        cells.pop()
    return cells


def _guessed(line: str, table: Table) -> list[str]:
    """Return the cells of a line whose quotes cannot be read, so that a person can see them.

    They are a guess. The mark makes one cell too many, so the row is refused until a person has
    looked at it.
    """
    plain = line.replace('"', "").split(table.delimiter)
    if len(plain) != len(table.header):
        plain = _loosely_read(line, table)
    missing = [""] * (len(table.header) - len(plain))
    return [*plain, *missing, GUESSED_MARK]


def _loosely_read(line: str, table: Table) -> list[str]:
    """Return the cells of a line as a spreadsheet shows them, whatever its quotes are."""
    reader = csv.reader(
        [line], delimiter=table.delimiter, skipinitialspace=table.spaced, strict=False
    )
    try:
        return next(reader, [line])
    except csv.Error:
        return line.split(table.delimiter)


class TextOutput:
    """A text file in the encoding and dialect of the file. The rows of a workbook become CSV.

    Rows are written as they are in the file, unless columns are left out, the row cannot be read,
    or a cell would be a formula.
    `has_undecodable`: rows contain bytes that no encoding explains. They are written so that the
    rows are still refused as long as nobody corrects them.
    """

    def __init__(
        self, stream: IO[bytes], table: Table, delimiter: str | None, *, has_undecodable: bool
    ) -> None:
        """`delimiter` is for the rows of a workbook."""
        self._stream = stream
        self._table = table
        self._dropped = correction_columns(table.header)
        self._is_text = table.sheet is None
        self._delimiter = table.delimiter if self._is_text else delimiter or ","
        self._spaced = table.spaced and self._is_text
        self._line_end = table.line_end if self._is_text else "\r\n"
        mark = table.text.byte_order_mark if self._is_text else codecs.BOM_UTF8
        if not mark and table.text.encoding == "utf-8" and has_undecodable:
            # Without it, the few rows could look like Windows-1252, in which every byte has a
            # meaning.
            mark = codecs.BOM_UTF8
        stream.write(mark)

    def add_preamble(self, row: OriginalRow) -> None:
        """Write a line above the header."""
        cells = _loosely_read(row.text, self._table) if self._is_text else self._texts(row)
        harmless = [in_spreadsheet(cell) for cell in cells]
        self._write(row.text if self._is_text and harmless == cells else self._joined(harmless))

    def add(
        self, ours: Sequence[str], row: OriginalRow, marked: Collection[int], *, is_header: bool
    ) -> None:
        """Write a row, with our columns in front. Text has no marked cells."""
        # Until a character of the file has decided about its encoding, ours must not.
        encoding = self._encoding if self._table.text.encoding_is_final else "ascii"
        plain = [text.encode(encoding, "replace").decode(encoding) for text in ours]
        if self._is_harmless(row) and row.cells is not None and not self._dropped:
            space = " " if self._spaced else ""
            self._write(self._joined(plain) + self._delimiter + space + row.text)
            return
        cells = [text for at, text in enumerate(self._texts(row)) if at not in self._dropped]
        self._write(self._joined([*plain, *cells]))

    def close(self) -> None:
        """Nothing remains to be written."""

    def _is_harmless(self, row: OriginalRow) -> bool:
        """Return whether a row can be written as it is: it is text, and no cell is a formula."""
        cells = row.cells or ()
        return self._is_text and all(in_spreadsheet(cell) == cell for cell in cells)

    def _texts(self, row: OriginalRow) -> list[str]:
        """Return the cells, none of which is a formula."""
        return [in_spreadsheet(cell.text) for cell in _cells(row, self._table)]

    @property
    def _encoding(self) -> str:
        encoding = self._table.text.encoding
        # These two would begin every row with a byte order mark.
        return f"{encoding}-le" if encoding in ("utf-16", "utf-32") else encoding

    def _joined(self, cells: Sequence[str]) -> str:
        return as_line(cells, self._delimiter, self._spaced)

    def _write(self, text: str) -> None:
        encoding = self._encoding
        parts = (text + self._line_end).split(UNDECODABLE)
        undecodable = _undecodable(encoding) if len(parts) > 1 else b""
        self._stream.write(undecodable.join(part.encode(encoding, "replace") for part in parts))


def _undecodable(encoding: str) -> bytes:
    """Return bytes that are not valid in an encoding."""
    for candidate in _candidates(encoding):
        try:
            candidate.decode(encoding)
        except UnicodeDecodeError:
            return candidate
    return b"?"


def _candidates(encoding: str) -> Iterator[bytes]:
    for errors in _SURROGATES:
        try:
            yield UNDECODABLE.encode(encoding, errors)
        except UnicodeEncodeError:
            continue
    yield from (bytes([byte]) for byte in range(0xFF, 0x7F, -1))


class WorkbookOutput:
    """An Excel workbook in which the cells with a problem are red."""

    def __init__(self, stream: IO[bytes], table: Table) -> None:
        from openpyxl import Workbook  # only workbooks need its time to import
        from openpyxl.styles import Alignment, Font, PatternFill

        self._bad_fill = PatternFill("solid", fgColor="FFC7CE")
        self._bad_font = Font(color="9C0006")
        self._bold = Font(bold=True)
        self._wrapped = Alignment(wrap_text=True, vertical="top")
        self._stream = stream
        self._table = table
        self._dropped = correction_columns(table.header)
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(table.sheet or "Rows to fix")
        self._sheet.freeze_panes = f"D{table.header_line + 1}"
        for column, width in _WIDTHS.items():
            self._sheet.column_dimensions[column].width = width
        self._rows = 0

    def add_preamble(self, row: OriginalRow) -> None:
        """Write a row above the header. A line of text is one cell."""
        line = [Cell(row.text, row.text)] if row.text else []
        cells = line if self._table.sheet is None else _cells(row, self._table)
        self._append([self._cell(each) for each in cells])

    def add(
        self, ours: Sequence[str], row: OriginalRow, marked: Collection[int], *, is_header: bool
    ) -> None:
        """Write a row, with our columns in front. Those of its cells in the columns `marked` have a
        problem."""
        cells = [self._cell(Cell(text, text)) for text in ours]
        for cell in cells:
            cell.alignment = self._wrapped
        for at, each in enumerate(_cells(row, self._table)):
            if at not in self._dropped:
                cell = self._cell(each)
                if at in marked:
                    cell.fill, cell.font = self._bad_fill, self._bad_font
                cells.append(cell)
        if is_header:
            for cell in cells:
                cell.font = self._bold
        self._append(cells)

    def close(self) -> None:
        """Write the workbook."""
        self._book.save(self._stream)

    def _append(self, cells: list[Any]) -> None:
        self._rows += 1
        if self._rows > MAX_ROWS or len(cells) > MAX_COLUMNS:
            many = "rows" if self._rows > MAX_ROWS else "columns"
            raise click.ClickException(
                f"A sheet cannot have so many {many}. Name an output file that ends in .csv."
            )
        self._sheet.append(cells)

    def _cell(self, cell: Cell) -> Any:
        from openpyxl.cell import WriteOnlyCell

        value = cell.value
        if isinstance(value, str):
            value = _FORBIDDEN.sub("\ufffd", value)
        written = WriteOnlyCell(self._sheet, value)
        if isinstance(value, str):
            written.data_type = "s"  # text that begins with = is no formula
        written.number_format = cell.number_format
        return written


Output = TextOutput | WorkbookOutput
