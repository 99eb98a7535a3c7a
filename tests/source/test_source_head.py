"""Which line is the header: the first one that has all names that are wanted."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lib.source.errors import SourceError
from lib.source.head import HEAD_LINES
from lib.source.header import WantedNames, column_of
from lib.source.table import SourceOptions, Table, open_table
from tests.workbooks import workbook

HEADER = "Name,Phone,Order ID,Close Date,Amount"
ROWS = "Ada Abara,+12125550101,1,2026-11-20 10:00,100\nBen,+12125550102,2,2026-11-21 10:00,200\n"
WANTED = WantedNames([("Close Date",), ("Amount", "Value"), ("order  id",)])


def opened(content: bytes | str, wanted: WantedNames = WANTED, **options: Any) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    return open_table(io.BytesIO(raw), SourceOptions(wanted=wanted, **options))


def written(rows: list[list[str]]) -> str:
    """Every row with as many cells as the widest, as spreadsheets write them."""
    width = max(map(len, rows))
    text = io.StringIO()
    csv.writer(text).writerows(row + [""] * (width - len(row)) for row in rows)
    return text.getvalue()


TITLES = [
    "Sales report November 2026",
    "Sales report\n\n",
    '"Sales, by\nregion"',
    "Sales, by region, gross, in EUR",
    "Close Date,Current FQ\nAmount,greater than 100\n",
    "Salesperson,,Deal,,",
    "Name,Phone,Order ID,Close Date",
    ROWS.strip(),
    'a "quoted" title\nand "another',
    "Report\nParameters:TimeZone=Europe/Berlin",
    "\n".join(f"{number}. condition" for number in range(HEAD_LINES - 1)),
]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("form", ["text", "padded", "workbook"])
def test_a_header_below_other_lines(title: str, form: str) -> None:
    """The lines above the wanted names are no rows, and the lines of the rows stay right."""
    text = f"{title}\n{HEADER}\n{ROWS}"
    rows = list(csv.reader(io.StringIO(text)))
    above = len(rows) - 3 if form == "workbook" else title.count("\n") + 1
    if form != "text" and title.count('"') % 2:
        return  # only a text file has quotation marks that do not match
    content = {"text": text, "padded": written(rows), "workbook": workbook(rows)}[form]
    table = opened(content)
    assert (table.header, table.header_line) == (tuple(HEADER.split(",")), above + 1)
    assert table.time_zone == ("Europe/Berlin" if "TimeZone" in title else None)
    found = [(line, cells[2], problem) for line, cells, problem, _ in table.records()]
    assert found == [(above + 2, "1", None), (above + 3, "2", None)]


@pytest.mark.parametrize(
    "header",
    [
        "close date,AMOUNT,Order ID",
        " Close  Date ,Value,ORDER ID",
        "\uff23lose Date,Amount,Order\u00a0ID",
    ],
)
def test_names_are_compared_without_case_and_spaces(header: str) -> None:
    """Case, outer and double spaces and other forms of a letter make no difference."""
    assert opened(f"{header}\n1,2,3\n").header_error is None


@pytest.mark.parametrize(
    ("content", "code", "detail"),
    [
        (
            "Close Date,Order ID,Total\n1,2,3\n",
            "COLUMN_MISSING",
            'missing: "Amount" or "Value"; the file has: Close Date, Order ID, Total',
        ),
        (
            "Title\nClose Date,Order ID,ada@example.com\n1,2,3\n",
            "COLUMN_MISSING",
            'missing: "Amount" or "Value"; the file has: Close Date, Order ID, column 3',
        ),
        (
            "Amount,Ada Abara,2026-11-20\n",
            "NO_HEADER",
            'missing: "Close Date", "order  id"; no line has half of the names',
        ),
        (
            ROWS,
            "NO_HEADER",
            'missing: "Close Date", "Amount" or "Value", "order  id"; no line has half',
        ),
        ("x\n" * HEAD_LINES + f"{HEADER}\n{ROWS}", "NO_HEADER", "missing: "),
    ],
)
def test_a_file_without_the_wanted_header(content: str, code: str, detail: str) -> None:
    """The message names what is missing, and the file's names only if half of ours are there."""
    table = opened(content)
    assert table.header_error is not None
    assert table.header_error.code == code
    assert table.header_error.detail.startswith(detail)
    assert "Ada" not in table.header_error.detail
    # Its rows are still counted.
    assert len([*table.records()]) >= 1 if content.count("\n") > 1 else True


def test_a_name_that_is_there_twice_is_not_certain() -> None:
    """Two columns of one name, or of two names for one field, stop the file."""
    header = ("Amount", "amount ", "Value", "Date")
    assert column_of(("Date", "Time"), header, "conversion_date_time") == 3
    assert column_of(("Time",), header, "conversion_date_time") is None
    for names in (("Amount",), ("Value", "Amount")):
        with pytest.raises(SourceError, match="DUPLICATE_COLUMN: conversion_value: "):
            column_of(names, header, "conversion_value")


def test_lines_that_could_be_the_header() -> None:
    """Each line that can be read, with its names, for a person who chooses."""
    table = opened("Title\nWer;Wann\n\nAda;2026-11-20\n")
    assert dict(table.possible_headers()) == {
        1: ("Title",),
        2: ("Wer", "Wann"),
        4: ("Ada", "2026-11-20"),
    }


NAMES = st.sampled_from(["Email", "Phone", "gclid", "Order ID", "Währung", "Vorname", "Town"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\x1c\x1d\x1e\x85"), max_size=30)
CELLS = st.text("ab 019.@-/:,;\"'é", max_size=8)


@given(
    names=st.lists(NAMES, min_size=2, max_size=6, unique=True),
    titles=st.lists(TEXTS | st.just(""), max_size=12),
    inner=st.lists(CELLS, min_size=8, max_size=8),
    rows=st.integers(1, 6),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    is_padded=st.booleans(),
)
def test_titles_change_nothing(
    names: list[str],
    titles: list[str],
    inner: list[str],
    rows: int,
    delimiter: str,
    line_end: str,
    is_padded: bool,
) -> None:
    """A table below titles is read as without them: the same rows, in lower lines."""
    header = ["Close Date", *names, "Amount"]
    wanted = WantedNames([("Close Date",), ("Amount",)])
    assume(not any(title.casefold().lstrip(' "').startswith("sep=") for title in titles))
    assume("".join(titles).count("\n") + "".join(titles).count("\r") + len(titles) < 40)
    body = io.StringIO()
    writer = csv.writer(body, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(header)
    for number in range(rows):
        cells = [str(number), *inner[: len(header) - 2], "x"]
        writer.writerow(cells + ["y"] * (len(header) - len(cells)))
    above = io.StringIO()
    writer = csv.writer(above, delimiter=delimiter, lineterminator=line_end)
    for title in titles:
        writer.writerow([title] + [""] * (len(header) - 1) * is_padded)
    plain = opened(body.getvalue(), wanted)
    titled = opened(above.getvalue() + body.getvalue(), wanted)
    shift = titled.header_line - 1
    assert (titled.header, titled.delimiter) == (plain.header, plain.delimiter)
    expected = [(line + shift, *rest) for line, *rest in plain.records()]
    assert list(titled.records()) == expected
    assert plain.header_line == 1
