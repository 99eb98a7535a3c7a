"""An Excel workbook (.xlsx) → the text of one sheet, so that it is read like any other file.

Every row of the sheet becomes one line of tab-separated cells, and a row without content becomes a
blank line. So the line numbers of the results are the row numbers that Excel shows.

The content determines whether a file is a workbook, not the file name. An .xlsx file is a zip of
XML parts (ECMA-376, part 1, chapter 18). Five of them are read, the sheet row by row: its name and
place, the number formats, the table of texts. Everything else in a workbook is ignored, so nothing
in it can be wrong. (openpyxl reads all of it, and refuses a workbook for a font that Excel
tolerates: https://foss.heptapod.net/openpyxl/openpyxl/-/work_items/1766. It takes three times as
long. python-calamine holds the whole sheet: 305 MiB for 290,000 rows.)

**Hostile workbooks.** Here are only the limits of Excel itself. How long this takes and how much
memory it needs is limited by `lib.adapters.workbook`, which runs it in a process of its own. `init`
and `fix` read their user's own workbook without it: they need the cells themselves.

**Cells** become what a person sees. Excel stores dates and numbers as binary fractions; the number
format of the cell says how they are shown
(https://support.microsoft.com/office/number-format-codes-5026bbd6-04bc-48cd-bf33-80f18b4eae68).
Digits, percent signs and currencies are kept as they are shown. Groups of thousands are left out,
and dates are written as 2026-11-24 14:05:00, so that no row depends on the language of a computer.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
import zipfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from itertools import islice
from string import ascii_letters, ascii_uppercase, digits
from typing import Any, Final, NamedTuple
from xml.parsers import expat

from lib.source.errors import SourceError
from lib.source.formats import ARCHIVE, OLD_WORKBOOK, OTHER_WORKBOOK
from lib.source.text import BLOCK_BYTES, ByteStream

DELIMITER: Final = "\t"
ENCODING: Final = "utf-8"
MAX_PACKED_BYTES: Final = 24 << 20
"""About 200,000 rows of eight columns."""

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
MAGIC_BYTES: Final = 4
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")

# Limits of Excel (https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3).
MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384
MAX_CELL_CHARS: Final = 32_767
_MAX_TITLE_CHARS: Final = 255  # 31 in Excel, but other programs write longer ones
_MAX_FORMAT_CHARS: Final = 255
_MAX_FORMATS: Final = 65_490

_MOST_TITLES: Final = 20
"""So many are named. A workbook may have as many sheets as fit into it."""
_PIECE_BYTES: Final = 1 << 16


class SheetOptions(NamedTuple):
    """What to read of a workbook, and how."""

    title: str | None = None
    """None: the first visible sheet."""
    decimal_sign: str = "."
    """Numbers are written with a decimal comma if the file has one elsewhere."""
    max_columns: int = MAX_COLUMNS
    """All cells further to the right are written as one: one too many."""
    padded_lines: int = 0
    """Rows are as wide as the widest of so many lines: Excel omits empty cells at their end."""
    keep_cells: bool = False


class SheetCell(NamedTuple):
    """A cell as it is stored."""

    value: Any
    number_format: str


_SheetRow = tuple[int, dict[int, SheetCell]]
"""The row's number, and its cells that are in the file: column from 1 → cell."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet of a workbook that is read, as text in `ENCODING`, with `DELIMITER`.

    `unread` are the titles of other sheets that may hold data. Reading the text raises
    `SourceError` (CORRUPT_WORKBOOK) when it reaches damage.
    """

    title: str
    unread: tuple[str, ...]
    text: Generator[bytes]
    kept: deque[_SheetRow] = field(default_factory=deque)
    """The rows that were read, with `keep_cells`."""

    def cells_of(self, line: int) -> Mapping[int, SheetCell]:
        """Return the cells of a row that were kept: column from 1 → cell.

        Lines only increase: the cells of the rows above are forgotten.
        """
        kept = self.kept
        while kept and kept[0][0] < line:
            kept.popleft()
        return kept[0][1] if kept and kept[0][0] == line else {}


ReadSheet = Callable[[ByteStream, SheetOptions], Sheet]


def is_workbook(start: bytes) -> bool:
    """Return whether a file with these first `MAGIC_BYTES` is a workbook, or something like it."""
    return start.startswith((_ZIP, _OLE))


def read_sheet(stream: ByteStream, options: SheetOptions) -> Sheet:
    """Return the sheet of a workbook. Its rows are read when its text is.

    Raises `SourceError` with ENCRYPTED_WORKBOOK, CORRUPT_WORKBOOK, WORKBOOK_TOO_LARGE,
    SHEET_NOT_FOUND, or NOT_TEXT for another kind of spreadsheet or archive.
    """
    return sheet_of(content_of(stream), options)


def content_of(stream: ByteStream) -> bytes:
    """Read a workbook. Raises `SourceError` as `read_sheet` does."""
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
        raise SourceError("WORKBOOK_TOO_LARGE", f"more than {MAX_PACKED_BYTES >> 20} MiB")
    return content


def sheet_of(content: bytes, options: SheetOptions) -> Sheet:
    """Return the sheet of a workbook. Raises `SourceError` as `read_sheet` does."""
    try:
        book = _Book(content)
        chosen = _chosen(book.sheets, options.title)
        unread = () if options.title else _unread(book, chosen)
    except (SourceError, MemoryError):
        raise
    except Exception:  # damage raises many types, and a message of theirs could quote a cell
        raise SourceError("CORRUPT_WORKBOOK", "it cannot be opened") from None
    kept: deque[_SheetRow] = deque()
    text = _lines(_Rows(book, chosen), options, kept)
    return Sheet(chosen.title, unread, text, kept)


# The parts of a workbook. None of them needs a document type, which could declare entities.


class _Part(NamedTuple):
    """A sheet: its title, whether a person sees it, and the name of its part."""

    title: str
    is_visible: bool
    part: str


class _Format(NamedTuple):
    """A number format, and what it makes of a number."""

    code: str = "General"
    is_date: bool = False
    is_duration: bool = False


class _Book:
    """What tells how the sheets of a workbook are read.

    Raises `SourceError` (NOT_TEXT), or what `zipfile` and `expat` raise for damage.
    """

    def __init__(self, content: bytes) -> None:
        from openpyxl.utils import datetime as calendar  # only workbooks need its time to import

        self._archive = zipfile.ZipFile(io.BytesIO(content))
        self._names = {name.lower(): name for name in self._archive.namelist()}
        if "xl/workbook.xml" not in self._names:
            is_other = "xl/workbook.bin" in self._names or "mimetype" in self._names
            kind = OTHER_WORKBOOK if is_other else ARCHIVE
            raise SourceError("NOT_TEXT", f"it looks like {kind}")
        related = {
            each["Id"]: (
                posixpath.basename(each["Type"]),
                posixpath.normpath(posixpath.join("/xl", each["Target"]))[1:].lower(),
            )
            for _, name, each in self.elements("xl/_rels/workbook.xml.rels")
            if name == "Relationship" and each.get("TargetMode") != "External"
        }
        self._epoch = calendar.WINDOWS_EPOCH
        self._time = calendar
        self.sheets: list[_Part] = []
        for parent, name, each in self.elements("xl/workbook.xml"):
            if name == "workbookPr" and each.get("date1904") in ("1", "true"):
                self._epoch = calendar.MAC_EPOCH
            elif (parent, name) == ("sheets", "sheet") and each.get("id"):
                kind, part = related[each["id"]]
                if len(each["name"]) > _MAX_TITLE_CHARS:
                    raise ValueError("a title is longer than any program writes")
                if kind == "worksheet" and part in self._names:
                    is_visible = each.get("state", "visible") == "visible"
                    self.sheets.append(_Part(each["name"], is_visible, part))
        by_kind = dict(related.values())
        styles = by_kind.get("styles", "xl/styles.xml")
        self._formats = self._read_formats(styles) if styles in self._names else [_Format()]
        texts = by_kind.get("sharedStrings", "xl/sharedstrings.xml")
        self._texts = self._read_texts(texts) if texts in self._names else []

    def cell(self, attributes: Mapping[str, str], text: str) -> SheetCell:
        """Return a cell by the attributes of its element and the text of its value."""
        kind = attributes.get("t", "n")
        shown = self._formats[int(attributes.get("s", 0))]
        value: Any = text[: MAX_CELL_CHARS + 1]
        if kind == "s":
            value = self._texts[int(text)]
        elif kind == "n":
            value = float(text) if _FRACTION.search(text) else int(text)
            if shown.is_date:
                try:
                    value = self._time.from_excel(value, self._epoch, shown.is_duration)
                except (OverflowError, ValueError):
                    value = "#VALUE!"  # as Excel shows it
        elif kind == "b":
            value = bool(int(text))
        elif kind == "d":
            value = self._time.from_ISO8601(text)
        return SheetCell(value, shown.code)

    def parse(self, part: str, parser: expat.XMLParserType) -> Iterator[None]:
        """Parse a part, and yield whenever the handlers have been called for a piece of it."""
        parser.StartDoctypeDeclHandler = _refuse
        parser.buffer_text = True
        with self._archive.open(self._names[part]) as content:
            while piece := content.read(_PIECE_BYTES):
                parser.Parse(piece, False)
                yield
        parser.Parse(b"", True)
        yield

    def elements(self, part: str) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yield (name of the parent, name, attributes) of each element, without namespaces."""
        found: list[tuple[str, str, dict[str, str]]] = []
        path = [""]

        def start(name: str, attributes: dict[str, str]) -> None:
            local = _local(name)
            found.append((path[-1], local, {_local(key): attributes[key] for key in attributes}))
            path.append(local)

        def end(name: str) -> None:
            path.pop()

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = start, end
        for _ in self.parse(part, parser):
            yield from found
            found.clear()

    def _read_formats(self, part: str) -> list[_Format]:
        """Return the number format of each style of a cell. The rest of a style does not matter."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

        codes: dict[int, str] = dict(BUILTIN_FORMATS)
        numbers: list[int] = []
        for parent, name, each in self.elements(part):
            if (parent, name) == ("numFmts", "numFmt"):
                if len(each["formatCode"]) > _MAX_FORMAT_CHARS:
                    raise ValueError("a number format is longer than in Excel")
                codes[int(each["numFmtId"])] = each["formatCode"]
            elif (parent, name) == ("cellXfs", "xf"):
                numbers.append(int(each.get("numFmtId", 0)))
            if max(len(codes), len(numbers)) > _MAX_FORMATS:
                raise ValueError("more formats than in Excel")
        known = {
            number: _Format(code, is_date_format(code), is_timedelta_format(code))
            for number, code in codes.items()
        }
        return [known.get(number, _Format()) for number in numbers] or [_Format()]

    def _read_texts(self, part: str) -> list[str]:
        """Return the table of texts."""
        texts: list[str] = []
        runs: list[str] = []
        shown = 0  # how many of the runs are no phonetic hints

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal shown
            local = _local(name)
            if local == "t":
                parser.CharacterDataHandler = runs.append
            elif local == "rPh":
                shown = len(runs)

        def end(name: str) -> None:
            local = _local(name)
            if local == "t":
                parser.CharacterDataHandler = None
            elif local == "rPh":
                del runs[shown:]
            elif local == "si":
                # Excel writes what looks like one of its own escapes as _x005F_x000D_.
                texts.append("".join(runs).replace("x005F_", "")[: MAX_CELL_CHARS + 1])
                runs.clear()

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = start, end
        for _ in self.parse(part, parser):
            pass
        return texts


def _refuse(*document_type: object) -> None:
    raise ValueError("Excel writes no document type")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _chosen(sheets: Sequence[_Part], wanted: str | None) -> _Part:
    if not sheets:
        raise SourceError("CORRUPT_WORKBOOK", "it has no sheet that can be read")
    if wanted is None:
        return next((each for each in sheets if each.is_visible), sheets[0])
    title = wanted.strip().casefold()
    for each in sheets:
        if each.title.strip().casefold() == title:
            return each
    from lib.source.header import shown_title  # its import takes longer than a small workbook

    titles = ", ".join(shown_title(each.title) for each in sheets[:_MOST_TITLES])
    raise SourceError("SHEET_NOT_FOUND", f"the sheets of the workbook are: {titles}")


def _unread(book: _Book, read: _Part) -> tuple[str, ...]:
    """Return the other visible sheets that have more than one row, and so may hold data too."""
    others = (each for each in book.sheets if each is not read and each.is_visible)
    unread = (each.title for each in others if not _has_one_row(book, each))
    return tuple(islice(unread, _MOST_TITLES))


def _has_one_row(book: _Book, sheet: _Part) -> bool:
    for _, name, attributes in book.elements(sheet.part):
        if name == "dimension":
            return attributes["ref"].rpartition(":")[2].lstrip(ascii_letters + "$") == "1"
        if name == "sheetData":
            break
    return False


class _Rows:
    """The rows of a sheet, in ascending order. Rows without cells may be left out.

    Raises what the XML or the values raise that Excel does not write.
    """

    def __init__(self, book: _Book, sheet: _Part) -> None:
        self._book, self._sheet = book, sheet
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._found: list[_SheetRow] = []
        self._number = self._column = self._shown = 0
        self._cells: dict[int, SheetCell] = {}
        self._cell: dict[str, str] = {}
        self._value = ""
        """The name of the elements that have the value of the cell."""
        self._runs: list[str] = []
        """Of the value."""

    def __iter__(self) -> Iterator[_SheetRow]:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        for _ in self._book.parse(self._sheet.part, self._parser):
            yield from self._found
            self._found.clear()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "c":
            place = attributes.get("r")
            self._column = _column(place.rstrip(digits)) if place else self._column + 1
            self._cell = attributes
            self._value = "t" if attributes.get("t") == "inlineStr" else "v"
        elif local == self._value:
            self._parser.CharacterDataHandler = self._runs.append
        elif local == "row":
            self._number = _row_number(attributes.get("r"), self._number)
            self._column = 0
        elif local == "rPh":  # a phonetic hint
            self._shown = len(self._runs)

    def _end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local == self._value:
            self._parser.CharacterDataHandler = None
        elif local == "c":
            if self._runs:
                self._cells[self._column] = self._book.cell(self._cell, "".join(self._runs))
                self._runs.clear()
        elif local == "row":
            self._found.append((self._number, self._cells))
            self._cells = {}
        elif local == "rPh":
            del self._runs[self._shown :]
        elif local == "sheetData":  # other elements of these names may follow
            self._parser.StartElementHandler = self._parser.EndElementHandler = None


def _row_number(stated: str | None, before: int) -> int:
    number = int(float(stated)) if stated is not None else before + 1
    if not before < number <= MAX_ROWS:
        raise ValueError("a row has no number of its own")
    return number


@lru_cache(maxsize=MAX_COLUMNS)
def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ascii_uppercase.index(letter) + 1
    if not 0 < number <= MAX_COLUMNS:
        raise ValueError("a cell has no column")
    return number


def _lines(
    rows: Iterable[_SheetRow], options: SheetOptions, kept: deque[_SheetRow]
) -> Generator[bytes]:
    """Yield the rows as encoded lines, several at a time. Rows before damage are yielded first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=DELIMITER, lineterminator="\n")
    width = line = 0
    try:
        for number, cells in rows:
            if options.keep_cells:
                kept.append((number, cells))
            texts = _texts_of(cells, options)
            buffer.write("\n" * (number - line - 1))
            line = number
            if line <= options.padded_lines:
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
        raise
    except Exception:  # see `sheet_of`
        yield buffer.getvalue().encode(ENCODING, "replace")
        raise SourceError("CORRUPT_WORKBOOK", "a row cannot be read") from None
    yield buffer.getvalue().encode(ENCODING, "replace")


def _texts_of(cells: Mapping[int, SheetCell], options: SheetOptions) -> list[str]:
    """Return the texts of a row, up to its last cell that is not empty.

    All cells to the right of the last possible column are one: one too many.
    """
    texts: list[str] = []
    for column, cell in cells.items():
        text = text_of(cell.value, cell.number_format, options.decimal_sign)
        if not text.strip():
            continue
        at = min(column - 1, options.max_columns)
        texts += [""] * (at + 1 - len(texts))
        texts[at] = text
    return texts


# A cell: its value and its number format → what a person sees.

_EXACT_DIGITS = 15
"""Excel stores no more digits of a number. More are an artifact of binary fractions."""
_ANY_NUMBER = Context(prec=400)

_FRACTION = re.compile("[.eE]")
_BREAKS = re.compile(r"[\t\r\n]|_x000[9AD]_")  # the file writes a carriage return as _x000D_
_NOT_SHOWN = re.compile(r"\[(?!\$)[^\]]*\]|_.|\*.")  # colors, conditions, padding
_CURRENCY = re.compile(r"\[\$([^\]-]*)[^\]]*\]")  # [$€-407]
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_DIGITS = re.compile(r"[#0?](?:[#0?,]|[ \u00a0\u202f'](?=[#0?]))*(?:\.([#0?]*))?")
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
    if digits[1] is None and _DIGITS.search(section, digits.end()):  # parts, as in 000-0000
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
    half = timedelta(microseconds=500_000)
    return (min(value, datetime.max - half) + half).replace(microsecond=0)
