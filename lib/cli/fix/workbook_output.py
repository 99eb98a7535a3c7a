"""Writes rows as an Excel workbook in which the cells with a problem are marked."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill

from lib.cli.fix.joining import TooManyRows
from lib.cli.fix.original import Cell, Original, OriginalRow
from lib.source.workbook import MAX_ROWS

_BAD_FILL: Final = PatternFill("solid", fgColor="FFC7CE")
_BAD_FONT: Final = Font(color="9C0006")
_BOLD: Final = Font(bold=True)
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_WIDTHS: Final = {"A": 60, "B": 60, "C": 8}
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that a workbook cannot contain."""


class WorkbookOutput:
    """A workbook with our columns in front. `dropped` are the columns that are left out."""

    def __init__(self, stream: IO[bytes], original: Original, dropped: Collection[int]) -> None:
        self._stream = stream
        self._dropped = dropped
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(original.sheet or "Rows to fix")
        self._sheet.freeze_panes = f"D{len(original.preamble) + 2}"
        for column, width in _WIDTHS.items():
            self._sheet.column_dimensions[column].width = width
        self._rows = 0

    def add_preamble(self, row: OriginalRow) -> None:
        """Write a row above the header."""
        text = row.text
        self._append([self._cell(each) for each in ([Cell(text, text)] if text else row.cells)])

    def add(
        self, ours: Sequence[str], row: OriginalRow, marked: Collection[int], *, is_header: bool
    ) -> None:
        """Write a row, and mark the cells of the columns `marked`."""
        cells = [self._cell(Cell(text, text)) for text in ours]
        for cell in cells:
            cell.alignment = _WRAPPED
        for at, each in enumerate(row.cells):
            if at not in self._dropped:
                cell = self._cell(each)
                if at in marked:
                    cell.fill, cell.font = _BAD_FILL, _BAD_FONT
                cells.append(cell)
        if is_header:
            for cell in cells:
                cell.font = _BOLD
        self._append(cells)

    def close(self) -> None:
        """Write the workbook."""
        self._book.save(self._stream)

    def _append(self, cells: list[Any]) -> None:
        self._rows += 1
        if self._rows > MAX_ROWS:
            raise TooManyRows
        self._sheet.append(cells)

    def _cell(self, cell: Cell) -> Any:
        value = cell.value
        if isinstance(value, str):
            value = _FORBIDDEN.sub("\ufffd", value)
        written = WriteOnlyCell(self._sheet, value)
        if isinstance(value, str):
            written.data_type = "s"  # text that begins with = is no formula
        written.number_format = cell.number_format
        return written
