"""Everything above the rows: the parameters line, the header, the delimiter."""

from __future__ import annotations

from functools import partial

import pytest

from lib.errors import SourceError
from lib.source.header import match_names

WANTED = partial(match_names, [("gclid",), ("email",)])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_end(read, delimiter, line_end):
    """Each delimiter works with each line ending, and lines are numbered as in an editor."""
    lines = ["gclid,email,order_id", "A,,1", 'B,"x, y; z",2', "", "C,,3"]
    text = line_end.join(lines).replace(", y", "#").replace(",", delimiter).replace("#", ", y")
    table, records = read(text)
    assert table.delimiter == delimiter
    assert records == [
        (2, ["A", "", "1"], None),
        (3, ["B", "x, y; z", "2"], None),
        (5, ["C", "", "3"], None),
    ]


@pytest.mark.parametrize(
    "header, delimiter",
    [
        ('"Value, net";"Time, local";gclid', ";"),
        ('"a;b;c;d",gclid', ","),
        ("gclid", ","),
        ('"Conversion\nTime"\tgclid\tvalue', "\t"),
    ],
)
def test_delimiter_counts_outside_quotes(read, header, delimiter):
    """The delimiter is the one that occurs most often in the header outside quotes."""
    cells = delimiter.join("xyz"[: header.count(delimiter) + 1]) or "x"
    assert read(f"{header}\n{cells}\n")[0].delimiter == delimiter


def test_profile_delimiter(read):
    """A profile's delimiter is used even if the header suggests another one."""
    table, records = read("a,b^gclid\n1,2^3\n", delimiter="^")
    assert (table.header, records) == (("a,b", "gclid"), [(2, ["1,2", "3"], None)])
    with pytest.raises(SourceError) as error:
        read("a^^b\n", delimiter="^^")
    assert error.value.code == "INVALID_PROFILE"


@pytest.mark.parametrize(
    "first_lines, zone",
    [
        ("Parameters:TimeZone=America/Chicago", "America/Chicago"),
        ("Parameters:TimeZone=America/Chicago,,,,", "America/Chicago"),
        ('"Parameters:TimeZone=America/Chicago",,,', "America/Chicago"),
        ("Parameters:TimeZone=-0500;", "-0500"),
        ("Parameters:TimeZone=+0100;;;;", "+0100"),
        ("Parameters:EntityType=OFFLINECONVERSION;TimeZone=-0500;", "-0500"),
        ("parameters: timezone = Europe/Berlin ,,", "Europe/Berlin"),
        ("Parameters:TimeZone=", None),
        ("Parameters:", None),
        ("\n\nParameters:TimeZone=UTC\n", "UTC"),
        ("sep=,\nParameters:TimeZone=UTC", "UTC"),
        ("", None),
    ],
)
def test_lines_before_the_header(read, first_lines, zone):
    """Google's parameters line and template text, blank lines and `sep=` are not the header."""
    above = first_lines.count("\n") + 1
    table, records = read(f"{first_lines}\ngclid,email\nA,\n", wanted=WANTED)
    assert (table.time_zone, table.header_line) == (zone, above + 1)
    assert records == [(above + 2, ["A", ""], None)]


def test_excel_separator_line(read):
    """Excel's first line `sep=;` sets the delimiter and counts as a line of the file."""
    table, records = read("sep=;\ngclid;a,b,c\nA;x\n")
    assert (table.delimiter, table.header) == (";", ("gclid", "a,b,c"))
    assert records == [(3, ["A", "x"], None)]


def test_a_header_may_begin_with_a_number_sign(read):
    """A header that begins with `#` is not mistaken for a line of instructions."""
    assert read("#,gclid\n1,A\n")[0].header == ("#", "gclid")
    assert read("# of leads,gclid\n1,A\n")[0].header == ("# of leads", "gclid")


def test_quoted_newline_in_the_header(read):
    """A header may span two lines, and the line numbers of the rows continue below it."""
    table, records = read('gclid,"Conversion\nTime"\nA,1\n')
    assert table.header == ("gclid", "Conversion\nTime")
    assert records == [(3, ["A", "1"], None)]


def test_space_after_delimiters(read):
    """In a file written as `a, "b"`, the spaces are not part of the cells, and quotes work."""
    table, records = read('gclid, email, name\nA, a@example.com, "Doe, Jane"\n')
    assert table.header == ("gclid", "email", "name")
    assert records[0][1] == ["A", "a@example.com", "Doe, Jane"]


def test_padded_header(read):
    """Rows may leave unnamed columns at the end of the header empty or omit them."""
    table, records = read("gclid,email,,\nA,a@example.com,,\nB,\nC\n")
    assert table.header == ("gclid", "email", "", "")
    assert records == [
        (2, ["A", "a@example.com", "", ""], None),
        (3, ["B", "", "", ""], None),
        (4, [], "WRONG_NUMBER_OF_CELLS"),
    ]


@pytest.mark.parametrize(
    "content, code",
    [
        ('gclid,"email\nA,a\nB,b\n', "CORRUPT_FILE"),
        ('gclid,"email"x\nA,a\n', "CORRUPT_FILE"),
        (b"gclid,\x81\xe9\nA,a\n", "CORRUPT_FILE"),
        ("gclid,a\0b\n" + "A,a\n" * 9, "CORRUPT_FILE"),
        ("gclid\n", "EMPTY_FILE"),
        ("Parameters:TimeZone=UTC\ngclid,email\n\n,\n", "EMPTY_FILE"),
        ("Parameters:TimeZone=UTC\n", "EMPTY_FILE"),
    ],
)
def test_headers_that_stop_the_file(read, content, code):
    """An unreadable header, or a header without rows, is a file error."""
    with pytest.raises(SourceError) as error:
        read(content, wanted=partial(match_names, [("gclid",)]))
    assert error.value.code == code


def test_stray_quote_in_the_header(read):
    """A quote inside a header name is part of the name and swallows no row."""
    table, records = read('gclid,Size 5"\nA,7"\nB,8\n')
    assert table.header == ("gclid", 'Size 5"')
    assert records == [(2, ["A", '7"'], None), (3, ["B", "8"], None)]
