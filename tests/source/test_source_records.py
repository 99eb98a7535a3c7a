"""Rows and their problems; no row gets lost."""

from __future__ import annotations

import time

import pytest

from lib.model.records import ROW_PROBLEMS

HEADER = "gclid,email,value,order_id\n"


def problems(records):
    return [(line, problem or cells[0]) for line, cells, problem in records]


@pytest.mark.parametrize(
    "rows, expected",
    [
        ("A,b,c\nB,b,c,d\n", [(2, "WRONG_NUMBER_OF_CELLS"), (3, "B")]),
        ("A,b,c,d,e\nB,b,c,d\n", [(2, "WRONG_NUMBER_OF_CELLS"), (3, "B")]),
        ("A,b,c,d,, ,\nB,b,c,d,,,\nC,b,c,,,,\n", [(2, "A"), (3, "B"), (4, "C")]),
        ("A,b,c,\nB,1,200,,\n", [(2, "A"), (3, "WRONG_NUMBER_OF_CELLS")]),
        ("A,1,200,,\n", [(2, "WRONG_NUMBER_OF_CELLS")]),
        ('A,"b""c",c,d\nB,b"c,c,d\n', [(2, "A"), (3, "B")]),
        ('A,"b"c,c,d\nB,b,c,d\n', [(2, "BROKEN_QUOTING"), (3, "B")]),
        ('A,"b,c,d\nB,b,c,d\nC,b,c,d\n', [(2, "UNCLOSED_QUOTE"), (3, "B"), (4, "C")]),
        ('A,"b,c,d\nB,"b",c,d\nC,b,c,d\n', [(2, "UNCLOSED_QUOTE"), (3, "B"), (4, "C")]),
        ('A,"b,c,d\nB,b",c,d\nC,b,c,d\n', [(2, "UNCLOSED_QUOTE"), (3, "INSIDE_QUOTES"), (4, "C")]),
        ('A,b,c,d\nB,b,c,"d', [(2, "A"), (3, "UNCLOSED_QUOTE")]),
        (
            'A,b,c,"d\nB,c,d,e"\nC,b,c,d\n',
            [(2, "UNCLOSED_QUOTE"), (3, "INSIDE_QUOTES"), (4, "C")],
        ),
        ('A,"b\n\nb",c,d\nB,b,c,d\n', [(2, "A"), (5, "B")]),
        ('A,"b\r\nb",c,d\r\nB,b,c,d\r\n', [(2, "A"), (4, "B")]),
        ('A,"b\nb",c\nB,b,c,d\n', [(2, "WRONG_NUMBER_OF_CELLS"), (4, "B")]),
        ('A,"1 Main St\nTown, ST",c,d\nB,b,c,d\n', [(2, "A"), (4, "B")]),
        ("A,b\0,c,d\nB,b,c,d\n", [(2, "UNDECODABLE"), (3, "B")]),
        ("\n\nA,b,c,d\n\n \nB,b,c,d\n\n\n", [(4, "A"), (7, "B")]),
        ("A,b,c,d", [(2, "A")]),
    ],
)
def test_problems_of_rows(read, rows, expected):
    """Each problem is reported at the first line of its record, and the next rows are read."""
    assert problems(read(HEADER + rows)[1]) == expected


def test_unclosed_quote_in_a_long_file(read):
    """One stray quote affects one row, even in a long file without another quote."""
    rows = [f"A{number},b,c,d\n" for number in range(20_000)]
    rows[7] = 'A7,"b,c,d\n'
    _, records = read(HEADER + "".join(rows))
    assert [line for line, _, _ in records] == list(range(2, 20_002))
    assert [(line, p) for line, _, p in records if p] == [(9, "UNCLOSED_QUOTE")]


@pytest.mark.parametrize("last", ['A60,b",c,d', 'A60,b,c"'])
def test_unclosed_quote_that_a_later_one_closes(read, last):
    """Lines between a quote and the one that closes it may be rows or a cell: none is used."""
    rows = [f"A{number},b,c,d\n" for number in range(100)]
    rows[7], rows[60] = 'A7,"b,c,d\n', f"{last}\n"
    _, records = read(HEADER + "".join(rows))
    assert [(line, p) for line, _, p in records if p] == [
        (9, "UNCLOSED_QUOTE"),
        *((line, "INSIDE_QUOTES") for line in range(10, 63)),
    ]
    assert len(records) == 100


ROW = "F,forged,9,order-9\n"
REFUSED = {
    "as many delimiters in each line as a row": f'A,"b,,\n{ROW}b,",c,d\n',
    "a line of text and two rows": f'A,b,c,"5 inch\nnote\n{ROW}B,b,c,"\n',
    "a row with a delimiter too many": f'A,b,c,"5 inch\n{ROW}B,b,9,order,9\nC,b,c,"\n',
    "too few cells": f'A,"b\n{ROW}b",c\n',
    "too many cells": f'A,"b\n{ROW}b",c,d,e\n',
    "too many lines": f'A,"b\n{ROW * 600}b",c,d\n',
    "a cell that is too large": f'A,"b\n{ROW * 3_000}b",c,d\n',
    "a cell that is too large for the parser": f'A,"b\n{ROW * 9_000}b",c,d\n',
    "a large cell after another one": f'A,"b\n{ROW * 60}b","c\n{ROW * 9_000}c",d\n',
    "another cell whose quotes are broken": f'A,"b\n{ROW}b","c"c,d\n',
    "another cell whose quote never closes": f'A,"b\n{ROW}b","c,d\n',
    "a quote inside that is written twice": f'A,"b\n""{ROW}"",b",c\n',
    "every cell in quotes": f'"A","b\n{ROW}b","c"\n',
    "other line ends": f'A,"b\n{ROW}b",c\n'.replace("\n", "\r\n"),
    "old line ends": f'A,"b\n{ROW}b",c\n'.replace("\n", "\r"),
}


@pytest.mark.parametrize(
    ("name", "block"),
    [
        *((name, 1 << 17) for name in REFUSED),
        *((name, 64) for name, content in REFUSED.items() if len(content) < 200),
    ],
)
def test_a_row_that_was_typed_into_a_cell_is_never_used(read, monkeypatch, name, block):
    """Whatever is wrong with its record: the cell opens and closes properly."""
    monkeypatch.setattr("lib.source.text.BLOCK_BYTES", block)
    content = REFUSED[name]
    lines = content.count("\n") or content.count("\r")
    _, records = read(HEADER.replace("\n", content[-1]) + content + "Z,b,c,d\n")
    assert [cells for _, cells, _ in records if cells] == [list("Zbcd")]
    assert len(records) in (2, lines + 1)  # a record has one problem, or each of its lines


def test_rows_after_a_quote_that_closes_too_far_away_are_used(read):
    """No cell has a million characters, so the quote is a stray one."""
    rows = f"A,{'b' * 1_000},c,order-1\n" * 1_050
    _, records = read(HEADER + 'A,"b,c,d\n' + rows + 'Z,b",c,d\n')
    assert [(line, p) for line, _, p in records if p] == [(2, "UNCLOSED_QUOTE")]


@pytest.mark.parametrize("line", ['x","y\n', '"\n', '""\n', '"",\n', 'a,""b\n', '"x\n', 'x"\n'])
def test_a_file_full_of_quotes_is_read_in_time(read, line):
    """Each line is looked at a bounded number of times."""
    began = time.process_time()
    read("a,b\n" + line * 60_000 + "c,d\n")
    assert time.process_time() - began < 5


def test_limit_of_lines_in_a_record(read):
    """A cell may have many lines; above the limit, its quote counts as unclosed."""
    at_limit, above = ('"' + "note\n" * breaks + '"' for breaks in (499, 500))
    assert problems(read(HEADER + f"A,{at_limit},c,d\n")[1]) == [(2, "A")]
    _, records = read(HEADER + f"A,{above},c,d\nB,b,c,d\n")
    assert (records[0], records[-1]) == ((2, [], "UNCLOSED_QUOTE"), (503, list("Bbcd"), None))
    assert {problem for *_, problem in records[1:-1]} == {"INSIDE_QUOTES"}


def test_limit_of_a_cell(read):
    """A cell above the size limit is a problem of its row; a cell at the limit is accepted."""
    at_limit, half = "b" * 32_767, "b" * 20_000
    rows = f'A,{at_limit},c,d\nB,{at_limit}b,c,d\nC,"{half}\n{half}",c,d\nD,b,c,d\n'
    _, records = read(HEADER + rows)
    assert problems(records)[:3] == [(2, "A"), (3, "RECORD_TOO_LONG"), (4, "RECORD_TOO_LONG")]
    assert records[-1][:2] == (6, list("Dbcd"))


def test_blank_records_are_no_rows(read):
    """Records like `,,,,`, and blank lines."""
    _, records = read(HEADER + "A,b,c,d\n,,,\n\n , \n,,,,,,\nB,b,c,d\n")
    assert problems(records) == [(2, "A"), (7, "B")]


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("space", [" ", "\t", "\u00a0", "\u3000"])
def test_rows_of_white_space_are_blank(read, quote, space):
    """Rows of white space, which spreadsheets leave behind, count as blank."""
    cell = f"{quote}{space}{quote}"
    rows = [f"{cell},,,", f",,{cell},", f"{cell},{cell},{cell},{cell}", f",,,{cell},{cell}"]
    _, records = read(HEADER + "A,b,c,d\n" + "\n".join(rows) + "\nB,b,c,d\n")
    assert problems(records) == [(2, "A"), (7, "B")]


@pytest.mark.parametrize(
    "row, expected",
    [
        ("A,b,c,d,,", "A"),
        ("A,b,c,d, ,", "A"),
        ("A,b,c,d", "A"),
        ("A,b,c,1,234,", "WRONG_NUMBER_OF_CELLS"),
        ('A,b,c,"d\nd",x,', "WRONG_NUMBER_OF_CELLS"),
        ("A,b,c,d,,x", "WRONG_NUMBER_OF_CELLS"),
    ],
)
def test_unnamed_columns_at_the_end_must_be_empty(read, row, expected):
    """Text in an unnamed last column rejects the row; it may be the rest of an unquoted `1,234`."""
    _, records = read(f"gclid,email,order_id,value,,\n{row}\nB,b,c,d,,\n")
    assert [found for _, found in problems(records)] == [expected, "B"]


def test_every_row_problem_occurs(read):
    """`ROW_PROBLEMS` lists exactly the problems that can occur."""
    contents = [
        "A\n",
        "A,b,c,d,e\n",
        'A,"b\n',
        'A,"b"c,c,d\n',
        "A,é\udcff,c,d\n",
        "A,\0,c,d\n",
        f"A,{'b' * 200_000},c,d\n",
        "A" + ",b" * 600_000 + "\n",
    ]
    raw = [text.encode("utf-8", "surrogateescape") for text in contents]
    met = {read(HEADER.encode() + row)[1][0][2] for row in raw}
    assert met | {"UNTERMINATED_LAST_LINE", "REPORT_FOOTER", "INSIDE_QUOTES"} == set(ROW_PROBLEMS)
