"""The rows of one sheet, read from its XML as a stream.

openpyxl reads the cells. Its own loop over the rows keeps an element and the attributes of every
row until the end of the sheet: 500 MiB for a million rows with a height. And it reads a row of any
number of cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_ROWS = 1_048_576  # of Excel
MAX_COLUMNS = 16_384  # of Excel


class SheetRow(NamedTuple):
    """The cells of a row that are in the file (column from 1 → cell), and the row's number."""

    number: int
    cells: dict[int, Any]


def sheet_rows(sheet: Any) -> Iterator[SheetRow]:
    """Yield the rows of a read-only sheet, in ascending order. Rows without cells may be left out.

    Raises `ValueError`, or what openpyxl raises, for XML that Excel does not write.
    """
    # Only workbooks need the time of these imports.
    from openpyxl.cell.read_only import ReadOnlyCell
    from openpyxl.worksheet import _reader
    from openpyxl.xml.functions import iterparse

    book = sheet.parent
    cells: dict[int, Any] = {}
    number = count = 0
    rows: Any = None  # the element around all rows
    with sheet._get_source() as source:
        parser = _reader.WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for event, element in iterparse(source, ("start", "end")):
            if event == "start":
                if element.tag == _reader.ROW_TAG:
                    number = _row_number(element, number)
                    parser.row_counter, parser.col_counter = number, 0
                    count = 0
                elif element.tag == _reader.DATA_TAG:
                    rows = element
            elif element.tag == _reader.CELL_TAG:
                cell = parser.parse_cell(element)
                count += 1
                if max(count, cell["column"]) > MAX_COLUMNS:
                    raise ValueError("too many cells in a row")
                cells[cell["column"]] = ReadOnlyCell(sheet, **cell)
                element.clear()
            elif element.tag == _reader.ROW_TAG:
                yield SheetRow(number, cells)
                cells = {}
                if rows is not None:
                    rows.clear()


def _row_number(element: Any, before: int) -> int:
    stated = element.get("r")
    number = int(float(stated)) if stated is not None else before + 1
    if not before < number <= MAX_ROWS:
        raise ValueError("a row has no number of its own")
    return number
