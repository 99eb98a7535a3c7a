"""Rows as they are in the file, for a command that writes them again."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import SourceError
from lib.source import text as text_module
from lib.source.table import OriginalRow, SourceOptions, Table, open_table
from tests.workbooks import Number, workbook

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


def opened(content: bytes | str) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    return open_table(io.BytesIO(raw), SourceOptions())


def originals(content: bytes | str) -> list[OriginalRow]:
    return list(opened(content).originals())


def test_lines_above_the_header_and_the_header_come_first() -> None:
    """Each line above the header is a row; the header may have several lines, in one row."""
    content = 'Parameters:TimeZone=UTC\r\n\r\n gclid ,"a\r\nb"\r\nA,"x ""y"""\r\n\r\nB,\r\n'
    assert [(row.line, row.row, row.text, row.cells) for row in originals(content)] == [
        (1, 1, "Parameters:TimeZone=UTC", ["Parameters:TimeZone=UTC"]),
        (2, 2, "", []),
        (3, 3, ' gclid ,"a\r\nb"', [" gclid ", "a\r\nb"]),
        (5, 4, 'A,"x ""y"""', ["A", 'x "y"']),
        (7, 6, "B,", ["B", ""]),
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_cell_with_line_breaks_is_in_one_row(line_end: str) -> None:
    """Whichever line ends the file has."""
    content = 'a,b\n1,"x\ny\nz"\n2,z\n'.replace("\n", line_end)
    assert [(row.line, row.row) for row in originals(content)] == [(1, 1), (2, 2), (5, 3)]


def test_cells_that_do_not_fit_the_header_are_there() -> None:
    """Only where quotes make cells uncertain are there none."""
    rows = originals('a,b\n1\n1,2,3\n1,"2\n4,5\n\0,6')
    assert [(row.problem, row.cells) for row in rows[1:]] == [
        ("WRONG_NUMBER_OF_CELLS", ["1"]),
        ("WRONG_NUMBER_OF_CELLS", ["1", "2", "3"]),
        ("UNCLOSED_QUOTE", None),
        (None, ["4", "5"]),
        ("UNDECODABLE", ["\0", "6"]),
    ]


PIECES = st.sampled_from(
    ["a,b,c", '"a",b,c', 'a,"b\nb",c', 'a,"b', "a", ",,", "", '"a"b,c,d', "é,b,c", "x"]
)


@given(st.lists(PIECES, min_size=1), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_rows_are_those_of_records_with_their_lines(
    pieces: list[str], line_end: str, is_closed: bool
) -> None:
    """Wherever blocks end, each row has the lines from its own on, up to the next row's."""
    text = "\n".join(["a,b,c", *pieces]).replace("\n", line_end) + line_end * is_closed
    lines = LINE.findall(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "BLOCK_BYTES", 50)
        found = originals(text)[1:]
        try:
            records = list(opened(text).records())
        except SourceError:
            records = []
    assert [(row.line, row.problem) for row in found] == [(line, p) for line, _, p, _ in records]
    ends = [*(row.line - 1 for row in found), len(lines)][1:]
    for row, (_, cells, problem, _), end in zip(found, records, ends, strict=True):
        rest = "".join(lines[row.line - 1 : end]).removeprefix(row.text)
        assert not rest.strip("\r\n, "), "only blank lines and records are between two rows"
        if problem is None:
            assert row.cells is not None
            assert row.cells[:3] == cells


def test_a_line_that_is_cut_is_one_row() -> None:
    """The text of an endless line ends where reading it ended."""
    (_, row, last) = originals("a,b\n1," + "x" * (2 * text_module.MAX_LINE_CHARS) + "\n3,4\n")
    assert (row.problem, len(row.text)) == ("RECORD_TOO_LONG", text_module.MAX_LINE_CHARS)
    assert last.cells == ["3", "4"]


def test_the_rows_of_a_workbook_have_its_texts() -> None:
    """The cells are those that were read."""
    content = workbook({2: ["a", "b"], 4: ["x", Number(0.25, "0%")], 9: ["y", None, "z"]})
    found = [(row.line, row.problem, row.cells) for row in originals(content)]
    assert found == [
        (1, None, []),
        (2, None, ["a", "b"]),
        (4, None, ["x", "0.25"]),
        (9, "WRONG_NUMBER_OF_CELLS", ["y", "", "z"]),
    ]
