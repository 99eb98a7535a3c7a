"""Workbooks: what a cell holds is what a run reads, with dates and leading zeros as shown."""

from __future__ import annotations

import gzip
import inspect
import io
import zipfile
from contextlib import suppress
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet import _read_only, _reader

from lib.errors import SourceError
from lib.model.records import Row
from lib.source import workbook as module
from lib.source.table import SourceOptions, Table, open_table
from lib.source.workbook import text_of
from tests.workbooks import MAIN, RELATIONS, Cell, Number, Raw, Rows, workbook

NOON = datetime(2026, 11, 24, 12)


def opened(content: bytes, **options: Any) -> Table:
    return open_table(io.BytesIO(content), SourceOptions(**options))


def read(content: bytes, **options: Any) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    """Return the header, and the line and cells of every row; none of them has a problem."""
    table = opened(content, **options)
    records: list[Row] = list(table.records())
    assert not [record for record in records if record[2] is not None]
    return table.header, [(record[0], record[1]) for record in records]


def shown(cell: Cell, **options: Any) -> str:
    """Return the text of one cell."""
    _, rows = read(workbook([["a", "b"], [cell, "end"]]), **options)
    return rows[0][1][0]


def error(content: bytes, **options: Any) -> SourceError:
    with pytest.raises(SourceError) as raised:
        list(opened(content, **options).records())
    return raised.value


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_sheet_is_read_like_a_text_file(is_shared: bool) -> None:
    """The lines of the rows are the row numbers in Excel; rows without content are skipped."""
    rows: Rows = {
        2: [" gclid ", "conversion\nname", "value"],
        3: ["Cj0", 'said "yes"\tand\r\nno', 12.5],
        5: ["Cj1", None, None],
        6: [" ", None, " "],
        9: ["Cj2"],
    }
    table = opened(workbook(rows, name="Deals", shared=is_shared))
    assert table.header == ("gclid", "conversion name", "value")
    assert (table.header_line, table.sheet) == (2, "Deals")
    assert [record[:3] for record in table.records()] == [
        (3, ["Cj0", 'said "yes" and no', "12.5"], None),
        (5, ["Cj1", "", ""], None),
        (9, ["Cj2", "", ""], None),
    ]


@pytest.mark.parametrize("empty_cells", [1, 16_381])
def test_a_cell_next_to_the_columns_is_one_too_many(empty_cells: int) -> None:
    """A row that is wider than the header is not fitted by leaving out a cell, nor is it padded to
    a column that no text file may have."""
    row = ["1", "2", *[None] * empty_cells, "stray"]
    table = opened(workbook([["a", "b"], row, ["3", "4"]]))
    assert [record[:3] for record in table.records()] == [
        (2, [], "WRONG_NUMBER_OF_CELLS"),
        (3, ["3", "4"], None),
    ]


def test_lines_before_the_header_are_those_of_a_text_file() -> None:
    """Google's template as a workbook: its parameters and its instructions are not the header."""
    table = opened(workbook([["Parameters:TimeZone=America/Chicago"], [], ["a", "b"], ["1", "2"]]))
    assert (table.time_zone, table.header, table.header_line) == ("America/Chicago", ("a", "b"), 3)
    assert [record[:2] for record in table.records()] == [(4, ["1", "2"])]


@pytest.mark.parametrize(
    "cell, text",
    [
        ("00125", "00125"),
        (12, "12"),
        (12.0, "12"),
        (1001.0, "1001"),
        (0.1 + 0.2, "0.3"),
        (123456789012345, "123456789012345"),
        (-3.5, "-3.5"),
        (1.234, "1.2340"),  # in a text file, 1.234 could mean 1,234
        (0.000001, "0.000001"),
        (Number("1.2345678901234501E+16", "General"), "1.23456789012345E+16"),
        (True, "TRUE"),
        (False, "FALSE"),
        (Number(12, "0.00"), "12"),
        (Number(12.3456, "0.00"), "12.3456"),
        (Number(1270.5, "#,##0"), "1270.5"),
        (Number(5550142.5, "000-0000"), "5550142.5"),
        (Number(125, "00000"), "00125"),
        (Number(-125, "00000;[Red]-00000"), "-00125"),
        (Number(1.5, "00000"), "00001.5"),
        (Number(0.25, "0%"), "0.25"),
        (Number(12.5, "0.00E+00"), "12.5"),
        (Number(12, "@"), "12"),
        (Number(12, '0 "pieces"'), "12 pieces"),
        (Number(-12.5, "0.00;[Red](0.00)"), "-12.5"),
        (Number(1270, "#,##0.00 [$€-407]"), "1270 €"),
        (Number(-1270.5, "[$CHF] #,##0.00;[Red]-#,##0.00"), "-CHF 1270.5"),
        (Number(1270, '_("$"* #,##0.00_);_("$"* (#,##0.00)'), "$1270"),
        (Number(1270, '#,##0.00\\ "kr"'), "1270 kr"),
        (Number(1270, '#,##0.00 "Fr."'), "1270 Fr."),
        (Number(1270, "£#,##0"), "£1270"),
        (Number(125, '"RE-"00000'), "RE-00125"),
        (Number(1270, '#,##0.00" Euro"'), "1270 Euro"),
        (Number(12, "0.00\\ \\E\\U\\R"), "12 EUR"),
        (Number(5764614130387850, "0"), "5.76461413038785E+15"),
        (Number(1270, 'General" €"'), "1270 €"),
        (Number(1270, "[$₿-2] 0.00"), "₿ 1270"),
        (Number(1270, "[$-409]#,##0.00"), "1270"),
        (Number(1270, "_-* #,##0.00 _€_-"), "1270"),
        (datetime(2026, 11, 24, 14, 5), "2026-11-24 14:05:00"),
        (datetime(2026, 11, 24), "2026-11-24 00:00:00"),
        (Number(46350, "dd/mm/yyyy"), "2026-11-24"),
        (Number(46350, '"on the" d mmmm yyyy'), "2026-11-24"),
        (Number(46350.5, "m/d/yy"), "2026-11-24 12:00:00"),
        (Number(46350.586805, "m/d/yy h:mm AM/PM"), "2026-11-24 14:05:00"),
        (Number(0.586805555, "h:mm"), "14:05:00"),
        (Number(1.25, "[h]:mm"), "30:00:00"),
        (Number(2958465.99999, "yyyy-mm-dd h:mm:ss"), "9999-12-31 23:59:59"),
        (Number(2958465.9999999, "yyyy-mm-dd h:mm:ss"), "9999-12-31 23:59:59"),
        (Number(2958466, "yyyy-mm-dd h:mm:ss"), "#VALUE!"),
        (Number(-1, "yyyy-mm-dd"), "1899-12-29"),
        (Raw('<c r="{at}" t="d"><v>2026-11-24T14:05:00</v></c>'), "2026-11-24 14:05:00"),
        (Raw('<c r="{at}" t="str"><f>A1&amp;B1</f><v>joined</v></c>'), "joined"),
        (Raw('<c r="{at}"><f>1+1</f><v>2</v></c>'), "2"),
        (Raw('<c r="{at}" t="e"><v>#N/A</v></c>'), "#N/A"),
        (Raw('<c r="{at}" t="inlineStr"><is><r><t>ri</t></r><r><t>ch</t></r></is></c>'), "rich"),
        ("two_x000D_\nlines", "two  lines"),
        ("caf\u00e9 \u2028 \u65e5", "caf\u00e9 \u2028 \u65e5"),
    ],
)  # fmt: skip
def test_a_cell_is_read_as_it_is_stored(cell: Cell, text: str) -> None:
    """Of its number format, only dates, leading zeros and texts count: no rounding."""
    assert shown(cell) == text


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (Raw('<c r="{at}"><f>A2&amp;"x"</f><v/></c>'), "UNDECODABLE"),
        (Raw('<c r="{at}"><f>A2&amp;"x"</f></c>'), "UNDECODABLE"),
        (Raw('<c r="{at}" t="str"><f>A2&amp;""</f><v></v></c>'), None),
        (Raw('<c r="{at}"><v/></c>'), None),
    ],
)
def test_a_formula_without_a_result_is_no_empty_cell(cell: Cell, problem: str | None) -> None:
    """It costs its row: it could say that the row is cancelled. But an empty text is a result, and
    in a column that nobody uses, nothing matters."""
    table = opened(workbook([["id", "stage", "link"], ["1", cell, "x"], ["2", "Won", cell]]))
    assert [row[2] for row in table.records({0, 1})] == [problem, None]


@pytest.mark.parametrize("value, text", [(1270.5, "1270,5"), (1.234, "1,2340"), (12, "12")])
def test_numbers_have_the_decimal_sign_of_the_profile(value: float, text: str) -> None:
    """With the sign ",", a number in a workbook is as valid as 1270,5 in a text file."""
    assert shown(value, decimal_sign=",") == text


@given(st.decimals(-(10**12), 10**12, places=2))
def test_amounts_keep_their_cents(amount: Any) -> None:
    """Up to the digits that Excel stores, a binary fraction never changes an amount."""
    assert float(text_of(float(amount), "General", ".")) == float(amount)


def test_the_first_visible_sheet_is_read() -> None:
    """A hidden sheet is read only if the profile names it."""
    content = workbook([["x"]], name="Lists", others={"Deals": [["a"], ["1"]]}, hidden=["Lists"])
    assert read(content) == (("a",), [(2, ["1"])])
    assert opened(content, sheet="Lists").header == ("x",)


def test_other_sheets_are_named() -> None:
    """A visible sheet with rows is not left out in silence, unless the profile names another."""
    others: dict[str, Rows] = {"Lost": [["a"], ["2"]], "Lists": [["x"], ["y"]]}
    size = f'<worksheet xmlns="{MAIN}"><dimension ref="{{}}"/><sheetData/></worksheet>'
    one_row = {
        f"xl/worksheets/sheet{number}.xml": size.format(place).encode()
        for number, place in enumerate(["A1", "A1:H1", "$A$1:$H$1"], 4)
    }
    content = workbook(
        [["a"], ["1"]],
        others={**others, "Empty": [], "Title": [], "Header": []},
        hidden=["Lists"],
        replaced=one_row,
    )
    assert opened(content).unread_sheets == ("Lost",)
    assert opened(content, sheet="Lost").unread_sheets == ()


def test_the_profile_names_a_sheet() -> None:
    """Its case and outer spaces do not matter; a sheet that is missing is an error."""
    content = workbook([["x"]], others={"Won deals": [["a"], ["1"]]})
    assert read(content, sheet=" won Deals")[0] == ("a",)
    missing = error(content, sheet="Lost")
    assert missing.code == "SHEET_NOT_FOUND"
    assert missing.detail == "the sheets of the workbook are: Sheet1, Won deals"
    many = workbook([["x"]], others={f"ada{n}@example.com": [] for n in range(50)})
    detail = error(many, sheet="Lost").detail
    assert "@" not in detail
    assert len(detail) < 1_000


def test_the_profile_describes_text_files_only() -> None:
    """Delimiter and encoding are for text; a workbook states both itself."""
    content = workbook([["a;b", "c"], ["\u00e9", "2"]])
    header, rows = read(content, delimiter=";", encoding="utf-16-le")
    assert (header, rows) == (("a;b", "c"), [(2, ["\u00e9", "2"])])
    text = opened(b"a;b\n1;2\n", sheet="Deals")
    assert (text.header, text.sheet) == (("a", "b"), None)


def test_a_second_reading_is_the_same() -> None:
    """A resumed run finds the same rows with the same lengths, so its chunks are the same."""
    rows = [["gclid", "value", "when"], *(["Cj" * (n % 40), n / 7, NOON] for n in range(3000))]
    first, second = (list(opened(workbook(rows)).records()) for _ in range(2))
    assert first == second
    assert len(first) == 3000


def test_a_stream_may_return_single_bytes() -> None:
    """The bytes of any file arrive in pieces of any length."""

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(1, size or 1))

    for content in (
        workbook([["a", "b"], ["1", "2"]]),
        b"a,b\n1,2\n",
        gzip.compress(b"a,b\n1,2\n"),
    ):
        table = open_table(Slow(content), SourceOptions())
        assert [record[:2] for record in table.records()] == [(2, ["1", "2"])]


def test_styles_with_prefixes_are_read() -> None:
    """Other programs than Excel write the namespace as a prefix."""
    styles = (
        f'<x:styleSheet xmlns:x="{MAIN}"><x:numFmts><x:numFmt numFmtId="170" formatCode="00000"/>'
        "</x:numFmts><x:cellXfs><x:xf numFmtId='0'/><x:xf numFmtId='170'/><x:xf numFmtId='14'/>"
        "</x:cellXfs></x:styleSheet>"
    )
    cells = [Raw(f'<c r="{{at}}" s="{style}"><v>350.5</v></c>') for style in range(3)]
    content = workbook([["a"] * 3, cells], replaced={"xl/styles.xml": styles.encode()})
    assert read(content)[1] == [(2, ["350.5", "00350.5", "1900-12-15 12:00:00"])]


def test_a_workbook_without_styles_is_read() -> None:
    """All its numbers have the format General."""
    assert read(workbook([["a"], [2.5]], replaced={"xl/styles.xml": None}))[1] == [(2, ["2.5"])]


def zipped(**parts: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return packed.getvalue()


GOOD = workbook([["a", "b"], ["1", "2"]])
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
NO_ROWS = f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'.encode()
CUT = f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c t="str"><v>a'.encode()


@pytest.mark.parametrize(
    "content, code, detail",
    [
        (OLE, "NOT_TEXT", "an old workbook (.xls); open it in Excel"),
        (OLE + "EncryptedPackage".encode("utf-16-le") + bytes(900), "ENCRYPTED_WORKBOOK", ""),
        (zipped(deals_csv="a,b\n"), "NOT_TEXT", "an archive; unpack it"),
        (
            zipped(mimetype="application/vnd.oasis"),
            "NOT_TEXT",
            "a workbook of another format; open it",
        ),
        (zipped(xl__workbook_bin="x"), "NOT_TEXT", "a workbook of another format; open it"),
        (zipped(xl__workbook_xml="<a/>"), "CORRUPT_FILE", "cannot be opened"),
        (GOOD[: len(GOOD) // 2], "CORRUPT_FILE", "cannot be opened"),
        (b"PK\x03\x04" + bytes(100), "CORRUPT_FILE", "cannot be opened"),
        (workbook([], replaced={"xl/styles.xml": b"<"}), "CORRUPT_FILE", "cannot be opened"),
        (workbook([[Raw('<c r="{at}" t="s"><v>99</v></c>')]]), "CORRUPT_FILE", "a row"),
        (workbook([[Raw('<c r="ZZZZZZ1"><v>1</v></c>')]]), "CORRUPT_FILE", "a row"),
        (workbook([], replaced={"xl/worksheets/sheet1.xml": CUT}), "CORRUPT_FILE", ""),
        (workbook([]), "EMPTY_FILE", ""),
        (workbook([], replaced={"xl/worksheets/sheet1.xml": NO_ROWS}), "EMPTY_FILE", ""),
        (workbook([["a", "b"]]), "EMPTY_FILE", "below the header in line 1"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_reason(content: bytes, code: str, detail: str) -> None:
    """Old, encrypted, damaged, empty, or no workbook at all: the error says which."""
    found = error(content)
    assert found.code == code
    assert detail in found.detail


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
        '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
    ],
)
def test_rows_and_cells_out_of_order_stop_the_file(rows: str) -> None:
    """openpyxl would leave out a row or a cell without a word."""
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    content = workbook([], replaced={"xl/worksheets/sheet1.xml": sheet.encode()})
    assert str(error(content)).startswith("CORRUPT_FILE: a row cannot be read")


def test_rows_before_damage_are_read() -> None:
    """As in a damaged gzip file, the error is raised when it is reached."""
    rows: list[list[Cell]] = [["a", "b"], *[["1" * 20, "2"]] * 8_000]
    table = opened(workbook([*rows, [Raw('<c r="{at}" t="s"><v>99</v></c>')]]))
    seen: list[Row] = []
    with pytest.raises(SourceError, match="CORRUPT_FILE"):
        seen.extend(table.records())
    assert len(seen) > 5_000


def test_a_large_workbook_is_not_downloaded_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit, reading stops, whatever the size of the object."""
    monkeypatch.setattr(module, "MAX_PACKED_BYTES", 1000)
    stream = io.BytesIO(GOOD + bytes(10_000_000))
    with pytest.raises(SourceError, match="FILE_TOO_LARGE"):
        open_table(stream, SourceOptions())
    assert stream.tell() < 1_000_000


def test_parts_that_are_not_read_may_be_large() -> None:
    """A picture or the cache of a pivot table does not count."""
    extra = {"xl/pivotCache/pivotCacheRecords1.xml": bytes(33 << 20), "xl/media/a.png": b"x"}
    assert read(workbook([["a"], ["1"]], replaced=extra))[1] == [(2, ["1"])]


def test_a_cell_is_no_longer_than_in_excel() -> None:
    """A longer one is cut where the rules for text files refuse its row."""
    rows = [["a", "b"], ["x" * 32_767, "1"], ["x" * 7_000_000, "2"]]
    for is_shared in (True, False):
        table = opened(workbook(rows, shared=is_shared))
        found = [(problem, [*map(len, cells)]) for _, cells, problem, _ in table.records()]
        assert found == [(None, [32_767, 1]), ("RECORD_TOO_LONG", [])]


def test_a_strict_workbook_must_be_saved_again() -> None:
    """Excel can write the namespaces of the strict standard, which the library does not read."""
    content = workbook([["a"], ["1"]])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    strict = {
        name: part.replace(MAIN.encode(), b"http://purl.oclc.org/ooxml/spreadsheetml/main").replace(
            RELATIONS.encode(), b"http://purl.oclc.org/ooxml/officeDocument/relationships"
        )
        for name, part in parts.items()
    }
    assert error(workbook([], replaced=strict)).code == "CORRUPT_FILE"


def test_a_phonetic_hint_is_not_part_of_a_text() -> None:
    """Excel keeps how a Japanese name is read beside the name."""
    text = '<r><t>山</t></r><rPh sb="0" eb="1"><t>やま</t></rPh><r><t>田</t></r>'
    shared = {"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si>{text}</si></sst>'.encode()}
    inline = Raw('<c r="{at}" t="inlineStr"><is>' + text + "</is></c>")
    rows: Rows = [["a", "b"], [Raw('<c r="{at}" t="s"><v>0</v></c>'), inline]]
    content = workbook(rows, shared=False, replaced=shared)
    assert read(content)[1] == [(2, ["山田", "山田"])]


@pytest.mark.parametrize("last", [1_048_577, 4_000_000_000])
def test_more_rows_than_a_sheet_can_have(last: int) -> None:
    """The rows before the limit are read, and then the file has an error that says it."""
    table = opened(workbook({1: ["a", "b"], 2: ["1", "2"], last: ["3", "4"]}))
    records = table.records()
    assert next(records)[:2] == (2, ["1", "2"])
    with pytest.raises(SourceError, match="FILE_TOO_LARGE"):
        list(records)


def test_the_last_row_of_a_sheet() -> None:
    """A sheet whose only other row is the last possible one is read."""
    table = opened(workbook({1: ["a", "b"], 1_048_576: ["1", "2"]}))
    assert [record[:2] for record in table.records()] == [(1_048_576, ["1", "2"])]


@settings(max_examples=30)
@given(st.binary(max_size=60), st.integers(0, len(GOOD) - 1))
def test_damage_never_raises_anything_else(damage: bytes, at: int) -> None:
    """Whatever is overwritten in a workbook, it is read, or it has an error with a code."""
    content = GOOD[:at] + damage + GOOD[at + len(damage) :]
    with suppress(SourceError):
        list(opened(content).records())


@pytest.mark.parametrize("number", ["-1", "-2", "2", "x", "1.0"])
def test_a_number_that_no_text_has_stops_the_file(number: str) -> None:
    """In Python, -1 would be the last text: somebody else's."""
    cell = Raw(f'<c r="{{at}}" t="s"><v>{number}</v></c>')
    content = workbook([["gclid"], ["Jane Doe"], [cell]])
    assert str(error(content)).startswith("CORRUPT_FILE: a row cannot be read")


def test_openpyxl_has_the_parser_that_is_replaced() -> None:
    """The class is inside openpyxl, and may change with every release."""
    parser = _reader.WorkSheetParser
    changed = (
        "openpyxl has changed. lib/source/workbook.py replaces _read_only.WorkSheetParser by a "
        "subclass that refuses rows and cells out of order, and texts with a negative number. "
        "Adapt _use_strict_parser to the new parser, and this test with it. What differs: "
    )
    names = _read_only.ReadOnlyWorksheet._cells_by_row.__code__.co_names
    assert {"WorkSheetParser", "_shared_strings"} <= {*names}, f"{changed}where it is created"
    arguments = [*inspect.signature(parser.__init__).parameters]
    assert arguments[:3] == ["self", "src", "shared_strings"], f"{changed}its arguments"
    assert "shared_strings" in parser.parse_cell.__code__.co_names, f"{changed}parse_cell"
    row = ElementTree.fromstring(f'<row xmlns="{MAIN}" r="7"><c r="B7"><v>1</v></c></row>')
    before = parser(io.BytesIO(), [])
    assert before.row_counter == 0, f"{changed}row_counter"
    number, (cell,) = before.parse_row(row)
    assert (number, cell["column"]) == (7, 2), f"{changed}what parse_row returns"
