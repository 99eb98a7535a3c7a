"""An Excel workbook (.xlsx) → the text of one sheet, so that it is read like any other file.

openpyxl reads the workbook, row by row. Every row of the sheet becomes one line of tab-separated
cells, and a row without content becomes a blank line: the line numbers of the results are the row
numbers that Excel shows. The content determines whether a file is a workbook, not the file name.

Cells are written so that no row depends on the language of a computer: dates as 2026-11-24
14:05:00, numbers with the decimal sign of the profile. Of a number format, three things count:
whether it shows a date, leading zeros (`00000` shows 125 as 00125), and a text beside the number
(`0.00 "CHF"` shows 12 as 12 CHF). Percent signs and rounding do not.

**Hostile workbooks.** Here are only limits of size. How long this takes and how much memory it
needs is limited by `lib.adapters.workbook`, which runs it in a process of its own.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from itertools import islice
from operator import ge
from typing import Any, Final, NamedTuple

from lib.errors import FileErrorCode, SourceError
from lib.source.formats import ARCHIVE, OLD_WORKBOOK, OTHER_WORKBOOK
from lib.source.text import (
    BLOCK_BYTES,
    HEAD_LINES,
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    ByteStream,
)

DELIMITER: Final = "\t"
ENCODING: Final = "utf-8"
MAX_PACKED_BYTES: Final = 24 << 20
"""About 200,000 rows of eight columns."""

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
MAGIC_BYTES: Final = 4
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")

MAX_ROWS: Final = 1_048_576
"""Excel's limit (https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3)."""

ERRORS_OF_ROWS: Final[Mapping[FileErrorCode, str]] = {
    "CORRUPT_FILE": "a row cannot be read",
    "FILE_TOO_LARGE": f"the sheet has more than {MAX_ROWS} rows",
}
"""Errors that are only found while the rows are read, and their details."""

NO_RESULT: Final = "#NO_RESULT!"
"""What a formula without a saved result is read as: only spreadsheets calculate. It looks like the
errors of Excel, and a row that needs the cell is refused until somebody writes what is meant."""

MAX_TITLES: Final = 20
"""At most this many sheets are named. A workbook may have as many as fit into it."""


class SheetOptions(NamedTuple):
    """What to read of a workbook, and how."""

    title: str | None = None
    """None: the first visible sheet."""
    decimal_sign: str = "."
    """The sign with which numbers are written."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet of a workbook that is read, as text in `ENCODING`, with `DELIMITER`.

    `unread` are the titles of other sheets that may hold data. Reading the text raises
    `SourceError` (CORRUPT_FILE, FILE_TOO_LARGE) when it reaches the reason.
    """

    title: str
    unread: tuple[str, ...]
    text: Generator[bytes]


ReadSheet = Callable[[ByteStream, SheetOptions], Sheet]


def is_workbook(start: bytes) -> bool:
    """Return whether a file with these first `MAGIC_BYTES` is a workbook, or something like it."""
    return start.startswith((_ZIP, _OLE))


def read_sheet(stream: ByteStream, options: SheetOptions) -> Sheet:
    """Return the sheet of a workbook. Its rows are read when its text is.

    Raises `SourceError` with ENCRYPTED_WORKBOOK, CORRUPT_FILE, FILE_TOO_LARGE,
    SHEET_NOT_FOUND, or NOT_TEXT for another kind of spreadsheet or archive.
    """
    return sheet_of(read_workbook(stream), options)


def read_workbook(stream: ByteStream) -> bytes:
    """Return the bytes of a workbook.

    Raises `SourceError` (ENCRYPTED_WORKBOOK, NOT_TEXT, FILE_TOO_LARGE).
    """
    pieces = []
    left = MAX_PACKED_BYTES + 1
    while left > 0 and (piece := stream.read(min(left, BLOCK_BYTES))):
        pieces.append(piece)
        left -= len(piece)
    content = b"".join(pieces)
    if content.startswith(_OLE):
        if _ENCRYPTED in content:
            raise SourceError("ENCRYPTED_WORKBOOK", "it is protected with a password")
        raise SourceError("NOT_TEXT", f"it looks like {OLD_WORKBOOK}")
    if not left:
        raise SourceError("FILE_TOO_LARGE", f"more than {MAX_PACKED_BYTES >> 20} MiB")
    return content


def sheet_of(content: bytes, options: SheetOptions) -> Sheet:
    """Return the sheet of a workbook. Raises `SourceError` as `read_sheet` does."""
    try:
        _refuse_other_archives(content)
        sheets = _sheets_of(content)
        chosen = _chosen(sheets, options.title)
        unread = () if options.title else _unread(sheets, chosen)
    except (SourceError, MemoryError):
        raise
    except Exception:  # damage raises many types, and a message of theirs could quote a cell
        raise SourceError("CORRUPT_FILE", "it cannot be opened") from None
    return Sheet(chosen.title, unread, _lines(chosen, options))


def _refuse_other_archives(content: bytes) -> None:
    """Raise `SourceError` (NOT_TEXT) for an archive that is no .xlsx file."""
    names = {name.lower() for name in zipfile.ZipFile(io.BytesIO(content)).namelist()}
    if "xl/workbook.xml" not in names:
        is_other = "xl/workbook.bin" in names or "mimetype" in names
        raise SourceError("NOT_TEXT", f"it looks like {OTHER_WORKBOOK if is_other else ARCHIVE}")


def _sheets_of(content: bytes) -> list[Any]:
    """Return the worksheets, in their order. Their cells are read row by row."""
    from openpyxl import load_workbook  # only workbooks need its time to import

    _use_strict_parser()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles that openpyxl leaves out
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheets = list(book.worksheets)
    for sheet in sheets:
        sheet.reset_dimensions()  # some programs write wrong ones
    return sheets


class _SharedTexts(list[Any]):
    """The texts of a workbook, which its cells name by number. In a list, -1 would be the last."""

    def __getitem__(self, number: Any) -> Any:
        if number < 0:
            raise ValueError("not a number of a text")
        return super().__getitem__(number)


@cache
def _use_strict_parser() -> None:
    """Let openpyxl raise an error at rows or cells that repeat or go back, and at texts with a
    negative number, and tell a formula without a result from an empty cell. Of these, its reader
    leaves out or mistakes some without a word."""
    from openpyxl.worksheet import _read_only, _reader

    formula = _reader.FORMULA_TAG

    class StrictParser(_reader.WorkSheetParser):  # type: ignore[misc]  # it has no types
        def __init__(self, source: Any, shared_strings: Any, *more: Any, **named: Any) -> None:
            super().__init__(source, _SharedTexts(shared_strings), *more, **named)

        def parse_row(self, row: Any) -> tuple[int, list[dict[str, Any]]]:
            row_before = self.row_counter
            number, cells = super().parse_row(row)
            columns = [cell["column"] for cell in cells]
            for element, cell in zip(row, cells, strict=True):
                # An empty text is a result of the type `str`.
                if cell["value"] is None and cell["data_type"] != "str":
                    cell["value"] = None if element.find(formula) is None else NO_RESULT
            if number <= row_before or any(map(ge, columns, columns[1:])):
                raise ValueError("not in order")
            return number, cells

    _read_only.WorkSheetParser = StrictParser


def _chosen(sheets: list[Any], wanted: str | None) -> Any:
    """Return the sheet with this title, or else the first visible one. Raises `SourceError`."""
    if not sheets:
        raise SourceError("CORRUPT_FILE", "it has no sheet that can be read")
    if wanted is None:
        return next((sheet for sheet in sheets if sheet.sheet_state == "visible"), sheets[0])
    title = wanted.strip().casefold()
    for sheet in sheets:
        if sheet.title.strip().casefold() == title:
            return sheet
    from lib.source.header import shown_title  # its import takes longer than a small workbook

    titles = ", ".join(shown_title(sheet.title) for sheet in sheets[:MAX_TITLES])
    raise SourceError("SHEET_NOT_FOUND", f"the sheets of the workbook are: {titles}")


def _unread(sheets: list[Any], chosen: Any) -> tuple[str, ...]:
    """Return the other visible sheets that have more than one row, and so may hold data too."""
    others = (sheet for sheet in sheets if sheet is not chosen and sheet.sheet_state == "visible")
    unread = (sheet.title for sheet in others if len([*islice(_rows(sheet), 2)]) > 1)
    return tuple(islice(unread, MAX_TITLES))


# ── rows → lines ─────────────────────────────────────────────────────────────────────────────────


def _lines(sheet: Any, options: SheetOptions) -> Generator[bytes]:
    """Yield the rows as encoded lines, several at a time. Rows before damage are yielded first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=DELIMITER, lineterminator="\n")
    problem: FileErrorCode | None = None
    width = 0
    try:
        for line, row in enumerate(_rows(sheet), 1):
            if line > MAX_ROWS:
                problem = "FILE_TOO_LARGE"
                break
            texts = _texts_of_row(row, options)
            if line <= HEAD_LINES:  # of which the header is the widest: Excel omits empty cells
                width = max(width, len(texts))
            if texts:
                writer.writerow(texts + [""] * (width - len(texts)))
            else:
                buffer.write("\n")
            if buffer.tell() >= BLOCK_BYTES:
                yield buffer.getvalue().encode(ENCODING, "replace")
                buffer.seek(0)
                buffer.truncate()
    except MemoryError:
        raise  # the child dies, and its parent says FILE_TOO_LARGE
    except Exception:  # see `sheet_of`
        problem = "CORRUPT_FILE"
    yield buffer.getvalue().encode(ENCODING, "replace")
    if problem is not None:
        raise SourceError(problem, ERRORS_OF_ROWS[problem])


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what openpyxl leaves out: pictures, validations
        yield from sheet.iter_rows()


def _texts_of_row(row: tuple[Any, ...], options: SheetOptions) -> list[str]:
    """Return the texts of a row, up to its last cell that is not empty.

    Of the cells to the right of the last possible column, only the first filled one is kept: one
    too many, so that the row is refused.
    """
    texts = [_text_of_cell(cell, options.decimal_sign) for cell in row[:MAX_COLUMNS]]
    for cell in row[MAX_COLUMNS:]:
        if cell.value is not None and (text := _text_of_cell(cell, options.decimal_sign)).strip():
            texts.append(text)
            break
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def _text_of_cell(cell: Any, decimal_sign: str) -> str:
    value = cell.value
    if value is None:
        return ""
    # Looking up the number format takes longer than everything else.
    return text_of(value, "" if isinstance(value, str) else cell.number_format, decimal_sign)


# ── cell → text ──────────────────────────────────────────────────────────────────────────────────

_EXACT_DIGITS: Final = 15
"""Excel stores no more digits of a number. More are an artifact of binary fractions."""
_BREAKS: Final = re.compile(r"[\t\r\n]|_x000[9AD]_")  # the file writes a carriage return as _x000D_
_ESCAPED: Final = "_x005F_"
"""How Excel writes the beginning of a text that looks like one of its own escapes."""
_NOT_SHOWN: Final = re.compile(r'\[[^\]]*\]|_.|\*.|"[^"]*"|\\.')
"""Colors, conditions, padding and literal text in a number format."""
_PIECE: Final = re.compile(
    r"_.|\*.|"  # only the width of a sign is left free: `0.00 _€`
    r"(?P<end>;)|(?P<digits>General|[0#?][0#?.,]*)|"
    r"\[(?:\$(?P<of_menu>[^\]-]*))?[^\]]*\]|"  # `[$CHF]` or `[$€-407]` of Excel's menu, or `[Red]`
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>[^()-])|(?P<bare>[ $\u00a2-\u00a5\u20a0-\u20cf])',
    re.IGNORECASE,
)
_LEADING_ZEROS: Final = re.compile(r"0{2,}")
_MAX_FORMAT_CHARS: Final = 255
"""Excel's limit. The library has none."""
_LIKE_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}\.\d{3}")


def text_of(value: object, number_format: str, decimal_sign: str) -> str:
    """The value of a cell and its number format → one line of text.

    >>> text_of(1270.5, "General", ",")
    '1270,5'
    >>> text_of(125, "00000", ".")
    '00125'
    """
    if isinstance(value, str):
        return _BREAKS.sub(" ", value.replace(_ESCAPED, "_"))[: MAX_CELL_CHARS + 1]
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        number = _number(value, _whole_digits(number_format), decimal_sign)
        before, after = _beside(number_format)
        return ("-" if number[0] == "-" else "") + before + number.lstrip("-") + after
    return _text_of_moment(value, number_format)


@lru_cache(maxsize=256)
def _whole_digits(number_format: str) -> int:
    """Return how many digits are shown at least: 5 for the format 00000."""
    shown = _shown(number_format).partition(";")[0].strip()
    return len(shown) if _LEADING_ZEROS.fullmatch(shown) else 1


@lru_cache(maxsize=256)
def _beside(number_format: str) -> tuple[str, str]:
    """Return what stands before and after a number: `"RE-"000` → `("RE-", "")`. One column can have
    several currencies, or units that only a person can judge: `0.0 "Mio"`."""
    before = after = ""
    has_digits = False
    for piece in _PIECE.finditer(number_format[:_MAX_FORMAT_CHARS]):
        if piece["end"]:  # what follows is how negative numbers are shown
            break
        text = piece["of_menu"] or piece["quoted"] or piece["escaped"] or piece["bare"] or ""
        if piece["digits"]:
            has_digits, after = True, ""  # what stands between digits, as in 000-0000, is no text
        elif has_digits:
            after += text
        else:
            before += text
    return before.lstrip(), after.rstrip()


def _shown(number_format: str) -> str:
    """Return what a number format says of digits, dates and times: `[Red]"ID" 00000` → ` 00000`."""
    return _NOT_SHOWN.sub("", number_format[:_MAX_FORMAT_CHARS])


def _number(value: float, whole_digits: int, decimal_sign: str) -> str:
    """Return a number as text, with at least so many digits before the decimal sign."""
    if not abs(value) < 10**_EXACT_DIGITS:  # NaN is not less either
        # Its last digits are lost, as in 1.23457E+17. The rules reject such order IDs.
        return f"{value:.{_EXACT_DIGITS - 1}E}"
    text = str(abs(value))
    if isinstance(value, float):
        text = f"{Decimal(f'{abs(value):.{_EXACT_DIGITS}g}'):f}"
    whole, point, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    text = whole.zfill(whole_digits) + (point + decimals if decimals else "")
    if _LIKE_THOUSANDS.fullmatch(text):
        text += "0"  # 1.234 in a text file could mean 1,234, but this is a number
    return ("-" if value < 0 else "") + text.replace(".", decimal_sign)


def _text_of_moment(value: object, number_format: str) -> str:
    """Return a date, a time or a duration as text. A date has no time of day if it is midnight, and
    the format does not show the hour."""
    if isinstance(value, datetime):
        shown = _to_the_second(value)
        shows_time = "h" in _shown(number_format).lower()
        is_day = shown.time() == time() and not shows_time
        return f"{shown:%Y-%m-%d}" if is_day else f"{shown:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, time):
        return f"{_to_the_second(datetime.combine(date(2000, 1, 1), value)):%H:%M:%S}"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _to_the_second(value: datetime) -> datetime:
    """Round as Excel does: 14:04:59.9995 is shown as 14:05:00."""
    half = timedelta(microseconds=500_000)
    return (min(value, datetime.max - half) + half).replace(microsecond=0)
