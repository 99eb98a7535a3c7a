"""An Excel workbook (.xlsx) → the text of one sheet, so that it is read like any other file.

Every row of the sheet becomes one line of tab-separated cells, and a row without content becomes a
blank line. So the line numbers of the results are the row numbers that Excel shows.

The content determines whether a file is a workbook, not the file name. openpyxl reads the sheet row
by row and knows number formats. python-calamine is three times faster, but holds the whole sheet:
305 MiB for 290,000 rows, where openpyxl needs 171.

**Memory.** A workbook must be complete before it can be read, and the texts of its cells are in one
table, so the sizes of both are limited. An .xlsx file is a zip: no part is unpacked that is larger
than its limit. Parts that openpyxl never reads, such as pictures and pivot tables, may have any
size. zipfile never unpacks more bytes than the archive states.

**Cells** become what a person sees. Excel stores dates and numbers as binary fractions; the number
format of the cell says how they are shown
(https://support.microsoft.com/office/number-format-codes-5026bbd6-04bc-48cd-bf33-80f18b4eae68).
Digits, percent signs and currencies are kept as they are shown. Groups of thousands are left out,
and dates are written as 2026-11-24 14:05:00, so that no row depends on the language of a computer.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import IO, Any, Literal, NamedTuple

from lib.source.errors import SourceError
from lib.source.formats import ARCHIVE, OLD_WORKBOOK, OTHER_WORKBOOK
from lib.source.head import HEAD_LINES
from lib.source.text import BLOCK_BYTES, ByteStream

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

MAX_ROWS = 1_048_576  # of Excel
MAX_COLUMNS = 16_384  # of Excel
MAX_SHEET_BYTES = 512 << 20
MAX_TEXTS_BYTES = 32 << 20
"""The table of texts. In memory, it needs two to three times as much."""
MAX_PART_BYTES = 8 << 20
"""Each other part, such as the styles."""
MAX_ELEMENT_BYTES = 8 << 20
"""One row or text. openpyxl holds its elements in memory until it ends."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_TEXT = re.compile(rb"<(?:\w+:)?si[\s/>]")
_MAX_TEXTS = 2 * MAX_ROWS

# For example, about the missing default style of workbooks that other programs write.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")


class Sheet:
    """The sheet of a workbook that is read.

    `unread` are the titles of other sheets that may hold data.
    """

    def __init__(self, sheet: Any, unread: tuple[str, ...]) -> None:
        self.title: str = sheet.title
        self.unread = unread
        self._sheet = sheet
        self._kept: deque[_SheetRow] = deque()

    def text(
        self,
        max_columns: int,
        on_block: Callable[[], None],
        *,
        decimal_comma: bool,
        keep_cells: bool,
    ) -> ByteStream:
        """Return the sheet as text, in `ENCODING` and with `DELIMITER`.

        Numbers are written with a decimal comma if the file has one elsewhere. Reading raises
        `SourceError` (CORRUPT_WORKBOOK) when it reaches damage.
        """
        rows = _sheet_rows(self._sheet)
        if keep_cells:
            rows = map(self._keep, rows)
        sign = "," if decimal_comma else "."
        texts = ((row.number, _texts_of(row.cells, max_columns, sign)) for row in rows)
        return _Pieces(_lines(texts, on_block))

    def _keep(self, row: _SheetRow) -> _SheetRow:
        self._kept.append(row)
        return row

    def cells_of(self, line: int) -> Mapping[int, Any]:
        """Return the cells of a row that were kept: column from 1 → cell, as openpyxl has it.

        Lines only increase: the cells of the rows above are forgotten.
        """
        while self._kept and self._kept[0].number < line:
            self._kept.popleft()
        return self._kept[0].cells if self._kept and self._kept[0].number == line else {}


def open_sheet(stream: ByteStream, title: str | None) -> tuple[Sheet | None, ByteStream]:
    """Return the sheet of a workbook with this title, or else the first one. None: no workbook.

    The stream that is returned has the whole file if it is no workbook. Raises `SourceError` with
    ENCRYPTED_WORKBOOK, CORRUPT_WORKBOOK, WORKBOOK_TOO_LARGE, SHEET_NOT_FOUND, or NOT_TEXT for
    another kind of spreadsheet or archive.
    """
    start = _read(stream, _MAGIC_BYTES)
    if not start.startswith((_ZIP, _OLE)):
        return None, _Unread(start, stream)
    content = start + _read(stream, MAX_PACKED_BYTES + 1 - len(start))
    if start.startswith(_OLE):
        raise _old_or_encrypted(content)
    if len(content) > MAX_PACKED_BYTES:
        raise SourceError("WORKBOOK_TOO_LARGE", f"more than {MAX_PACKED_BYTES >> 20} MiB")
    book = _loaded(content)
    sheet = _chosen(book, title)
    return Sheet(sheet, () if title else _unread_sheets(book, sheet)), stream


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
    return SourceError("NOT_TEXT", f"it looks like {OLD_WORKBOOK}")


def _chosen(book: Any, wanted: str | None) -> Any:
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


class WorkbookArchive(zipfile.ZipFile):
    """The parts of a workbook. Raises `SourceError` with WORKBOOK_TOO_LARGE for one too large."""

    def __init__(self, content: bytes) -> None:
        """Raises `SourceError` (NOT_TEXT) if the archive is no workbook, or `BadZipFile`."""
        super().__init__(io.BytesIO(content))
        self._checked: set[str] = set()
        names = {name.lower() for name in self.namelist()}
        if "xl/workbook.xml" in names:
            return
        is_other = "xl/workbook.bin" in names or "mimetype" in names
        kind = OTHER_WORKBOOK if is_other else ARCHIVE
        raise SourceError("NOT_TEXT", f"it looks like {kind}")

    def open(
        self,
        name: str | zipfile.ZipInfo,
        mode: Literal["r", "w"] = "r",
        pwd: bytes | None = None,
        *,
        force_zip64: bool = False,
    ) -> IO[bytes]:
        """Open a part."""
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if part.filename not in self._checked:
            self._checked.add(part.filename)
            self._check(part)
        return super().open(name, mode, pwd, force_zip64=force_zip64)

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """Read a part. The styles are only number formats.

        openpyxl refuses a whole workbook for a font or fill that Excel tolerates and other programs
        write (https://foss.heptapod.net/openpyxl/openpyxl/-/work_items/1766).
        """
        content = super().read(name, pwd)
        return _plain_styles(content) if name == "xl/styles.xml" else content

    def _check(self, part: zipfile.ZipInfo) -> None:
        name = part.filename.lower()
        if name.startswith("xl/worksheets/"):
            self._check_elements(part, MAX_SHEET_BYTES, _ROW, MAX_ROWS)
        elif name == "xl/sharedstrings.xml":
            self._check_elements(part, MAX_TEXTS_BYTES, _TEXT, _MAX_TEXTS)
        elif part.file_size > MAX_PART_BYTES:
            raise _too_large(part)

    def _check_elements(
        self, part: zipfile.ZipInfo, max_bytes: int, begin: re.Pattern[bytes], most: int
    ) -> None:
        """Refuse a part with more or longer elements than Excel writes."""
        if part.file_size > max_bytes:
            raise _too_large(part)
        if part.file_size <= MAX_ELEMENT_BYTES:
            return
        elements = silent = 0
        with super().open(part) as content:
            while block := content.read(1 << 20):
                found = len(begin.findall(block))
                elements += found
                silent = 0 if found else silent + len(block)
                if elements > most or silent >= MAX_ELEMENT_BYTES:
                    raise _too_large(part)


def _too_large(part: zipfile.ZipInfo) -> SourceError:
    return SourceError("WORKBOOK_TOO_LARGE", f"the part {part.filename} is too large when unpacked")


def _plain_styles(content: bytes) -> bytes:
    from xml.etree import ElementTree  # only workbooks need its time to import

    def add(parent: Any, tag: str, **attributes: str) -> Any:
        return ElementTree.SubElement(parent, f"{{{_MAIN}}}{tag}", attributes)

    styles, plain = ElementTree.fromstring(content), ElementTree.Element(f"{{{_MAIN}}}styleSheet")
    formats = add(plain, "numFmts")
    for each in styles.iterfind("{*}numFmts/{*}numFmt"):
        add(formats, "numFmt", **each.attrib)
    add(add(plain, "cellStyleXfs"), "xf")
    cells = add(plain, "cellXfs")
    for each in styles.iterfind("{*}cellXfs/{*}xf"):
        add(cells, "xf", numFmtId=each.get("numFmtId", "0"))
    return ElementTree.tostring(plain)


class _SheetRow(NamedTuple):
    """The cells of a row that are in the file (column from 1 → cell), and the row's number."""

    number: int
    cells: dict[int, Any]


def _sheet_rows(sheet: Any) -> Iterator[_SheetRow]:
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
                yield _SheetRow(number, cells)
                cells = {}
                if rows is not None:
                    rows.clear()


def _row_number(element: Any, before: int) -> int:
    stated = element.get("r")
    number = int(float(stated)) if stated is not None else before + 1
    if not before < number <= MAX_ROWS:
        raise ValueError("a row has no number of its own")
    return number


def _lines(rows: Iterator[tuple[int, list[str]]], on_block: Callable[[], None]) -> Iterator[bytes]:
    """Yield the rows as encoded lines, several at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=DELIMITER, lineterminator="\n")
    width = 0  # of the header; Excel omits empty cells at the end of a row
    line = 0
    try:
        for count, (number, texts) in enumerate(_readable(rows)):
            if count % ROWS_OF_A_BLOCK == 0:
                on_block()
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


def _readable(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from rows
    except Exception:  # see `_loaded`
        raise SourceError("CORRUPT_WORKBOOK", "a row cannot be read") from None


def _texts_of(cells: Mapping[int, Any], max_columns: int, decimal_sign: str) -> list[str]:
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


# A cell: its value and its number format → what a person sees.

_EXACT_DIGITS = 15
"""Excel stores no more digits of a number. More are an artifact of binary fractions."""
_ANY_NUMBER = Context(prec=400)

_BREAKS = re.compile(r"[\t\r\n]|_x000[9AD]_")  # the file writes a carriage return as _x000D_
_NOT_SHOWN = re.compile(r"\[(?!\$)[^\]]*\]|_.|\*.")  # colors, conditions, padding
_CURRENCY = re.compile(r"\[\$([^\]-]*)[^\]]*\]")  # [$€-407]
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.([#0?]*))?")
_SIGN = re.compile(r"[A-Z]{3}|[A-Za-z]{0,3}[$\u00a2-\u00a5\u20a0-\u20cf]|kr|zł|Kč|Ft|lei")
_LIKE_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d{3}")


class NumberFormat(NamedTuple):
    """What is shown of a number. `decimals` None: all."""

    decimals: int | None = None
    fewest_decimals: int = 0
    whole_digits: int = 1
    """Minimum number of digits before the decimal point: 5 for the format 00000."""
    percent: bool = False
    currency: str = ""


def text_of(value: object, number_format: str, decimal_sign: str) -> str:
    """The value of a cell and its number format → one line of text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _BREAKS.sub(" ", value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, format_of(number_format), decimal_sign)
    return _moment(value, number_format)


@lru_cache(maxsize=256)
def format_of(code: str) -> NumberFormat:
    """Read a number format such as `#,##0.00 [$€-407];[Red]-#,##0.00`. Unknown ones show all."""
    section = _NOT_SHOWN.sub("", code).partition(";")[0]
    literals = [match[1] for match in _CURRENCY.finditer(section)]
    section = _CURRENCY.sub("", section)
    literals += [match[1] or match[2] or "" for match in _LITERAL.finditer(section)]
    section = _LITERAL.sub("", section)
    literals += re.findall(r"[$\u00a2-\u00a5\u20a0-\u20cf]", section)
    currency = next((each.strip() for each in literals if _SIGN.fullmatch(each.strip())), "")
    digits = _DIGITS.search(section)
    if digits is None or re.search(r"[EeGg/]", section) or digits[0].endswith(","):
        # General, text, exponents, fractions, and thousands as 12K: the exact number is shown.
        return NumberFormat(currency=currency)
    decimals = digits[1] or ""
    whole = digits[0].partition(".")[0]
    return NumberFormat(
        decimals=len(decimals),
        fewest_decimals=decimals.count("0"),
        whole_digits=max(whole.count("0"), 1),
        percent="%" in section,
        currency=currency,
    )


def _number(value: float, shown: NumberFormat, decimal_sign: str) -> str:
    if isinstance(value, float) and not abs(value) < 10**_EXACT_DIGITS:
        # Its last digits are lost, as in 1.23457E+17. The rules reject such order IDs.
        return f"{value:.{_EXACT_DIGITS - 1}E}"
    number = Decimal(value)
    if isinstance(value, float):
        number = Context(prec=_EXACT_DIGITS).create_decimal(number)
    if shown.percent:
        number = number.scaleb(2, _ANY_NUMBER)
    if shown.decimals is not None:
        last = Decimal(1).scaleb(-shown.decimals)
        number = number.quantize(last, ROUND_HALF_UP, _ANY_NUMBER)
    whole, _, decimals = f"{abs(number):f}".partition(".")
    decimals = decimals.rstrip("0").ljust(shown.fewest_decimals, "0")
    text = whole.zfill(shown.whole_digits) + (f".{decimals}" if decimals else "")
    if _LIKE_THOUSANDS.fullmatch(text):
        text += "0"  # 1.234 in a text file could mean 1,234, but this is a number
    sign = "-" if number < 0 else ""
    return f"{sign}{shown.currency}{text.replace('.', decimal_sign)}{'%' if shown.percent else ''}"


def _moment(value: object, number_format: str) -> str:
    if isinstance(value, datetime):
        shown = _to_the_second(value)
        is_day = shown.time() == time() and not _shows_time(number_format)
        return f"{shown:%Y-%m-%d}" if is_day else f"{shown:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, time):
        return f"{_to_the_second(datetime.combine(date(2000, 1, 1), value)):%H:%M:%S}"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _shows_time(number_format: str) -> bool:
    return "h" in _LITERAL.sub("", _NOT_SHOWN.sub("", number_format)).lower()


def _to_the_second(value: datetime) -> datetime:
    """Round as Excel does: 14:04:59.9995 is shown as 14:05:00."""
    return (value + timedelta(microseconds=500_000)).replace(microsecond=0)


def _read(stream: ByteStream, size: int) -> bytes:
    """Read `size` bytes, or fewer at the end of the stream."""
    pieces = []
    while size > 0 and (piece := stream.read(min(size, BLOCK_BYTES))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class _Pieces:
    """Pieces of any length as a stream of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = filter(None, pieces)
        self._piece = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        piece = self._piece or next(self._pieces, b"")
        self._piece = piece[size:]
        return piece[:size]


class _Unread:
    """A stream of which the first bytes have been read."""

    def __init__(self, start: bytes, rest: ByteStream) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        if not self._start:
            return self._rest.read(size)
        piece, self._start = self._start[:size], self._start[size:]
        return piece
