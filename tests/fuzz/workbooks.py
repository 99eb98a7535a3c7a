"""Hostile workbooks: small when packed, or slow, or what Excel never writes.

`HOSTILE` has one of each kind, by what is wrong with it. None can be read, and none may take long
or need much memory.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

from tests.workbooks import MAIN, PACKAGE, RELATIONS, Raw, workbook

SHEET: Final = "xl/worksheets/sheet1.xml"
STYLES: Final = "xl/styles.xml"
TEXTS: Final = "xl/sharedStrings.xml"
BOOK: Final = "xl/workbook.xml"
LINKS: Final = "xl/_rels/workbook.xml.rels"
MIB: Final = 1 << 20
UNREADABLE: Final = Raw('<c r="{at}" t="s"><v>9999999</v></c>')
"""A cell of which the table of texts knows nothing."""

ENTITIES: Final = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


def with_part(name: str, content: str | bytes) -> bytes:
    """Return a workbook with another content of a part."""
    raw = content.encode() if isinstance(content, str) else content
    return workbook([["a", "b"], ["1", "2"]], replaced={name: raw})


def sheet(rows: str, *, before: str = "") -> bytes:
    """Return a workbook with these rows as XML."""
    xml = f'{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    return with_part(SHEET, xml)


def texts(items: str | bytes, *, before: str = "") -> bytes:
    """Return a workbook with these shared strings as XML."""
    raw = items.encode() if isinstance(items, str) else items
    return with_part(TEXTS, f'{before}<sst xmlns="{MAIN}">'.encode() + raw + b"</sst>")


def styles(formats: str = "", cells: str = "<xf/>") -> bytes:
    """Return a workbook with these number formats and styles of cells as XML."""
    return with_part(
        STYLES,
        f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts><cellXfs>{cells}</cellXfs>'
        "</styleSheet>",
    )


def number_format(code: str) -> bytes:
    """Return a workbook with this number format."""
    return styles(f'<numFmt numFmtId="200" formatCode="{code}"/>', '<xf numFmtId="200"/>')


def sheets(items: str) -> bytes:
    """Return a workbook with this list of sheets as XML."""
    return with_part(
        BOOK, f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{items}</sheets></workbook>'
    )


def links(items: str) -> bytes:
    """Return a workbook with these relationships as XML."""
    return with_part(
        LINKS, f'<Relationships xmlns="{PACKAGE}/relationships">{items}</Relationships>'
    )


def _texts_as_a_sheet() -> bytes:
    """Shared strings in the place of a sheet."""
    link = f'<Relationship Id="{{}}" Type="{RELATIONS}/{{}}" Target="/xl/worksheets/{{}}.xml"/>'
    return workbook(
        [["a", "b"], ["1", "2"]],
        replaced={
            LINKS: (
                f'<Relationships xmlns="{PACKAGE}/relationships">'
                f"{link.format('id-sheet1', 'worksheet', 'sheet1')}"
                f"{link.format('texts', 'sharedStrings', 'texts')}</Relationships>"
            ).encode(),
            "xl/worksheets/texts.xml": b"<sst>" + b"<si><t>ab</t></si>" * 12_000_000 + b"</sst>",
        },
    )


def _entries(count: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for number in range(count):
            archive.writestr(f"{number}", b"")
    return packed.getvalue()


def _row_with(attribute: str) -> str:
    return f"<row {' '.join(map(attribute.format, range(1_000_000)))}/>"


_SHEET1: Final = '<sheet name="{}" sheetId="1" r:id="id-sheet1"/>'
_ONE_ROW: Final = '<row><c t="str"><v>a</v></c></row>' * 2
_BLANK_ROW: Final = f"<row>{'<c/>' * 16_384}</row>"

HOSTILE: Final[Mapping[str, Callable[[], bytes]]] = {
    # Number formats and styles.
    "a million brackets in a number format": lambda: number_format("[" * 1_000_000),
    "a number format of four million zeros": lambda: number_format("0" * 4_000_000),
    "a number format of quotes": lambda: number_format("&quot;\\" * 100_000),
    "eight MiB of styles": lambda: styles(cells="<xf/>" * (8 * MIB // 5)),
    "a million number formats": lambda: styles(
        "".join(f'<numFmt numFmtId="{n}" formatCode="0"/>' for n in range(164, 1_000_000))
    ),
    "styles that are no XML": lambda: with_part(STYLES, bytes(64 * MIB)),
    # Entities.
    "entities in the texts": lambda: texts("<si><t>&i;</t></si>", before=ENTITIES),
    "entities in the sheet": lambda: sheet(
        '<row r="1"><c t="str"><v>&i;</v></c></row>', before=ENTITIES
    ),
    "entities in a title": lambda: with_part(
        BOOK, f'{ENTITIES}<workbook><sheets><sheet name="&i;" id="1"/></sheets></workbook>'
    ),
    "a document type in UTF-16": lambda: with_part(
        SHEET, f"{ENTITIES}<worksheet>&i;</worksheet>".encode("utf-16")
    ),
    # Texts.
    "a text of three hundred million characters": lambda: texts(
        b"<si><t>" + b"x" * 300_000_000 + b"</t></si>"
    ),
    "forty million texts": lambda: texts(b"<si/>" * 40_000_000),
    "twelve million texts in the place of a sheet": _texts_as_a_sheet,
    "a text of four million runs of emoji": lambda: texts(
        f"<si>{'<r><t>😀😀😀😀</t></r>' * 4_000_000}</si>"
    ),
    "texts that end too early": lambda: texts("<si><t>a"),
    # Rows and cells.
    "three thousand rows of blank cells": lambda: sheet(_BLANK_ROW * 3_000),
    "a row of sixty million cells": lambda: sheet(f"<row>{'<c/>' * 60_000_000}</row>"),
    "twenty million rows": lambda: sheet(f"{_ONE_ROW}{'<row/>' * 20_000_000}"),
    "the same row again and again": lambda: sheet('<row r="1"/>' * 1_000_000),
    "a row number of ten digits": lambda: sheet('<row r="1"/><row r="4000000000"/>'),
    "a number of a million digits": lambda: sheet(
        f'<row r="1"><c><v>{"9" * 1_000_000}</v></c></row>'
    ),
    "a text that the table does not have": lambda: sheet('<row r="1"><c t="s"><v>99</v></c></row>'),
    # XML.
    "elements in each other": lambda: sheet("<x>" * 30_000_000),
    "a million attributes": lambda: sheet(_row_with("a{}=''")),
    "a million namespaces": lambda: sheet(_row_with("xmlns:a{0}='{0}'")),
    "a comment without end": lambda: with_part(SHEET, b"<!--" + b"x" * 300_000_000),
    # The workbook and its zip.
    "two hundred thousand references to one sheet": lambda: sheets(
        "".join(_SHEET1.format(n) for n in range(200_000))
    ),
    "a title of a hundred million characters": lambda: sheets(_SHEET1.format("x" * 100_000_000)),
    "two million relationships": lambda: links(
        f'<Relationship Id="a" Type="b" Target="{"../" * 20}"/>' * 2_000_000
    ),
    "two hundred thousand entries": lambda: _entries(200_000),
    "half a zip": lambda: _entries(10)[:600],
    "a sheet that is cut short": lambda: with_part(SHEET, "<worksheet><sheetData><row>"),
}
