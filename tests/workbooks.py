"""Builds .xlsx files by hand, as ECMA-376 describes them, so that no library reads its own writing.

A cell is a str, int, float, bool, None (no cell), a datetime (a serial number with a date format),
a `Number` (with its number format) or a `Raw` (its XML).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DATE_FORMAT = "yyyy-mm-dd hh:mm:ss"


class Number(NamedTuple):
    """A number with its number format. `value` may be text: it is written as it is."""

    value: float | str
    number_format: str


class Raw(NamedTuple):
    """The XML of a cell; `{at}` is its place."""

    xml: str


Cell = str | int | float | bool | None | datetime | Number | Raw
Rows = Mapping[int, Sequence[Cell]] | Sequence[Sequence[Cell]]


def serial(moment: datetime) -> float:
    """Excel's number for a time: days since 1899-12-30."""
    return (moment - datetime(1899, 12, 30)).total_seconds() / 86_400


def workbook(
    rows: Rows,
    *,
    name: str = "Sheet1",
    others: Mapping[str, Rows] | None = None,
    hidden: Sequence[str] = (),
    shared: bool = True,
    replaced: Mapping[str, bytes | None] | None = None,
) -> bytes:
    """Return a workbook. `rows` are those of the first sheet, by row number or from row 1.

    `shared`: texts are in the table of texts, as Excel writes them, otherwise in their cells.
    `replaced` changes parts, adds others, or removes them (None).
    """
    book = _Book(shared)
    sheets = {name: rows, **(others or {})}
    parts: dict[str, bytes | None] = {}
    for number, each in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = book.sheet(each)
    parts["xl/sharedStrings.xml"] = book.texts_part()
    parts["xl/styles.xml"] = book.styles_part()
    parts |= _frame(list(sheets), hidden)
    parts |= replaced or {}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in parts.items():
            if content is not None:
                archive.writestr(path, content)
    return packed.getvalue()


class _Book:
    def __init__(self, shared: bool) -> None:
        self._shared = shared
        self._texts: dict[str, int] = {}
        self._formats: dict[str, int] = {"General": 0}

    def sheet(self, rows: Rows) -> bytes:
        numbered = rows.items() if isinstance(rows, Mapping) else enumerate(rows, 1)
        body = "".join(
            f'<row r="{number}">{self._cells(number, cells)}</row>' for number, cells in numbered
        )
        return _xml(f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>')

    def _cells(self, row: int, cells: Sequence[Cell]) -> str:
        places = ((f"{_letters(column)}{row}", cell) for column, cell in enumerate(cells, 1))
        return "".join(self._cell(at, cell) for at, cell in places if cell is not None)

    def _cell(self, at: str, cell: Cell) -> str:
        if isinstance(cell, Raw):
            return cell.xml.format(at=at)
        if isinstance(cell, bool):
            return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
        if isinstance(cell, datetime):
            cell = Number(serial(cell), DATE_FORMAT)
        if isinstance(cell, Number):
            style = self._formats.setdefault(cell.number_format, len(self._formats))
            return f'<c r="{at}" s="{style}"><v>{cell.value}</v></c>'
        if isinstance(cell, str):
            if not self._shared:
                return f'<c r="{at}" t="inlineStr"><is>{_text(cell)}</is></c>'
            index = self._texts.setdefault(cell, len(self._texts))
            return f'<c r="{at}" t="s"><v>{index}</v></c>'
        return f'<c r="{at}"><v>{cell!r}</v></c>'

    def texts_part(self) -> bytes:
        texts = "".join(f"<si>{_text(text)}</si>" for text in self._texts)
        return _xml(f'<sst xmlns="{MAIN}">{texts}</sst>')

    def styles_part(self) -> bytes:
        formats = "".join(
            f'<numFmt numFmtId="{163 + number}" formatCode={quoteattr(code)}/>'
            for code, number in self._formats.items()
            if number
        )
        styles = "".join(
            f'<xf numFmtId="{163 + number if number else 0}" fontId="0" fillId="0" borderId="0"/>'
            for number in self._formats.values()
        )
        return _xml(
            f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts><fonts><font/></fonts>'
            "<fills><fill><patternFill/></fill></fills><borders><border/></borders>"
            f"<cellStyleXfs><xf/></cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>"
        )


def _frame(names: Sequence[str], hidden: Sequence[str]) -> dict[str, bytes]:
    """The parts that name the others."""
    kinds = {"xl/sharedStrings.xml": "sharedStrings", "xl/styles.xml": "styles"}
    kinds |= {f"xl/worksheets/sheet{n}.xml": "worksheet" for n in range(1, len(names) + 1)}
    overrides = "".join(
        f'<Override PartName="/{path}" ContentType="{TYPES}.{kind}+xml"/>'
        for path, kind in {"xl/workbook.xml": "sheet.main", **kinds}.items()
    )
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="id-sheet{number}"'
        + (' state="hidden"/>' if name in hidden else "/>")
        for number, name in enumerate(names, 1)
    )
    links = "".join(
        f'<Relationship Id="{_id(path)}" Target="/{path}" Type="{RELATIONS}/{kind}"/>'
        for path, kind in kinds.items()
    )
    return {
        "[Content_Types].xml": _xml(
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{overrides}</Types>"
        ),
        "_rels/.rels": _xml(
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Target="xl/workbook.xml" Type="{RELATIONS}/officeDocument"/></Relationships>'
        ),
        "xl/workbook.xml": _xml(
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _xml(
            f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>'
        ),
    }


def _id(path: str) -> str:
    return "id-" + path.rsplit("/", 1)[-1].removesuffix(".xml")


def _text(text: str) -> str:
    return f'<t xml:space="preserve">{escape(text)}</t>'


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{body}'.encode()


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
