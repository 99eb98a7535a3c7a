"""An Excel workbook (.xlsx) → the text of one sheet, so that it is read like any other file.

Every row of the sheet becomes one line of tab-separated cells, and a row without content becomes a
blank line. So the line numbers of the results are the row numbers that Excel shows.

The content determines whether a file is a workbook, not the file name. openpyxl reads the sheet row
by row and knows number formats. python-calamine is three times faster, but holds the whole sheet:
305 MiB for 290,000 rows, where openpyxl needs 171. A workbook must be complete before it can be
read, and the texts of its cells are in one table, so the sizes of both are limited.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lib.source.delimited import HEAD_LINES
from lib.source.errors import SourceError
from lib.source.table import SourceOptions
from lib.source.text import BLOCK_BYTES, ByteStream
from lib.source.workbook_archive import WorkbookArchive
from lib.source.workbook_cells import text_of
from lib.source.workbook_rows import sheet_rows

DELIMITER = "\t"
ENCODING = "utf-8"
MAX_PACKED_BYTES = 24 << 20
"""About 200,000 rows of eight columns."""

ROWS_OF_A_BLOCK = 1_000
"""As many rows need about as much time as a block of text. Blank rows have only one byte."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_MAGIC_BYTES = 4
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

# For example, about the missing default style of workbooks that other programs write.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")


def open_workbook(stream: ByteStream, options: SourceOptions) -> tuple[ByteStream, SourceOptions]:
    """If the file is a workbook, return the text of its sheet, and options to read this text.

    Any other file is returned as it is. Raises `SourceError` with ENCRYPTED_WORKBOOK,
    CORRUPT_WORKBOOK, WORKBOOK_TOO_LARGE, SHEET_NOT_FOUND, or NOT_TEXT for another kind of
    spreadsheet or archive. The text raises CORRUPT_WORKBOOK when it reaches damage.
    """
    sheet, rest, unread = open_sheet(stream, options)
    if sheet is None:
        return rest, replace(options, sheet=None)
    text = _Bytes(b"", _Pieces(_lines(sheet, options)))
    return text, replace(
        options, encoding=ENCODING, delimiter=DELIMITER, sheet=sheet.title, unread_sheets=unread
    )


def open_sheet(
    stream: ByteStream, options: SourceOptions
) -> tuple[Any | None, ByteStream, tuple[str, ...]]:
    """Return the sheet of a workbook that is read, as openpyxl has it; None: it is no workbook.

    Then the stream that is returned has the whole file. The last value are the titles of other
    sheets that may hold data. Raises `SourceError` as `open_workbook` does.
    """
    start = _read(stream, _MAGIC_BYTES)
    if start not in (_ZIP, _OLE):
        return None, _Bytes(start, stream), ()
    content = start + _read(stream, MAX_PACKED_BYTES + 1 - len(start))
    if start == _OLE:
        raise _old_or_encrypted(content)
    if len(content) > MAX_PACKED_BYTES:
        raise SourceError("WORKBOOK_TOO_LARGE", f"more than {MAX_PACKED_BYTES >> 20} MiB")
    book = _loaded(content)
    sheet = _sheet(book, options.sheet)
    return sheet, stream, () if options.sheet else _unread_sheets(book, sheet)


def _loaded(content: bytes) -> Any:
    """Return an openpyxl workbook, whose sheets are read when their rows are."""
    try:
        archive = WorkbookArchive(content)
        from openpyxl.reader.excel import ExcelReader  # only workbooks need its time to import

        reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        reader.archive = archive
        reader.read()
        return reader.wb
    except SourceError:
        raise
    except Exception:  # openpyxl raises many types, and no message of theirs is safe to show
        raise SourceError("CORRUPT_WORKBOOK", "it cannot be opened") from None


def _old_or_encrypted(content: bytes) -> SourceError:
    if _ENCRYPTED in content:
        return SourceError("ENCRYPTED_WORKBOOK", "it is protected with a password")
    return SourceError("NOT_TEXT", "it looks like an old workbook (.xls); save it as .xlsx or CSV")


def _sheet(book: Any, wanted: str | None) -> Any:
    if not book.worksheets:
        detail = "it has no sheet that can be read; save it as Excel Workbook (.xlsx), not Strict"
        raise SourceError("CORRUPT_WORKBOOK", detail)
    sheets = [each for each in book.worksheets if each.sheet_state == "visible"] or book.worksheets
    if wanted is not None:
        name = wanted.strip().casefold()
        sheets = [each for each in book.worksheets if each.title.strip().casefold() == name]
    if not sheets:
        titles = ", ".join(each.title for each in book.worksheets)
        raise SourceError("SHEET_NOT_FOUND", f"the sheets of the workbook are: {titles}")
    return sheets[0]


def _unread_sheets(book: Any, read: Any) -> tuple[str, ...]:
    """Return the other visible sheets that have more than one row, and so may hold data too."""
    return tuple(
        each.title
        for each in book.worksheets
        if each is not read and each.sheet_state == "visible" and each.max_row != 1
    )


def _lines(sheet: Any, options: SourceOptions) -> Iterator[bytes]:
    """Yield the rows as encoded lines, several at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=DELIMITER, lineterminator="\n")
    width = 0  # of the header; Excel omits empty cells at the end of a row
    line = 0
    try:
        for count, (number, texts) in enumerate(_rows(sheet, options)):
            if count % ROWS_OF_A_BLOCK == 0:
                options.on_block()
            buffer.write("\n" * (number - line - 1))
            line = number
            if line <= HEAD_LINES:
                width = max(width, len(texts))
            if texts:
                writer.writerow(texts + [""] * (width - len(texts)))
            else:
                buffer.write("\n")
            if buffer.tell() >= BLOCK_BYTES:
                yield buffer.getvalue().encode(ENCODING, "replace")
                buffer.seek(0)
                buffer.truncate()
    except SourceError:
        yield buffer.getvalue().encode(ENCODING, "replace")
        raise
    yield buffer.getvalue().encode(ENCODING, "replace")


def _rows(sheet: Any, options: SourceOptions) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the texts of each row."""
    decimal_sign = "," if options.decimal_comma else "."
    try:
        for row in sheet_rows(sheet):
            yield row.number, texts_of(row.cells, options.max_columns, decimal_sign)
    except Exception:  # see `_loaded`
        raise SourceError("CORRUPT_WORKBOOK", "a row cannot be read") from None


def texts_of(cells: Mapping[int, Any], max_columns: int, decimal_sign: str) -> list[str]:
    """Return the texts of a row, up to its last cell that is not empty.

    All cells to the right of the last possible column are one: one too many.
    """
    texts: list[str] = []
    for column, cell in cells.items():
        if cell.value is None:
            continue
        text = text_of(cell.value, cell.number_format, decimal_sign)
        if not text.strip():
            continue
        at = min(column - 1, max_columns)
        texts += [""] * (at + 1 - len(texts))
        texts[at] = text
    return texts


def _read(stream: ByteStream, size: int) -> bytes:
    """Read `size` bytes, or fewer at the end of the stream."""
    pieces = []
    while size and (piece := stream.read(min(size, BLOCK_BYTES))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class _Pieces:
    """Pieces of any length as a stream of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int, /) -> bytes:
        """Return the next piece that is not empty."""
        return next(filter(None, self._pieces), b"")


class _Bytes:
    """Bytes that were already read, then the rest of their stream; never more than requested."""

    def __init__(self, start: bytes, rest: ByteStream) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        piece = self._start or self._rest.read(size)
        self._start = piece[size:]
        return piece[:size]
