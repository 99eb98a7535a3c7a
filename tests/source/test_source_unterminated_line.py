"""A last line without a line end: which of its records are held."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.source.end import Hold
from lib.source.table import SourceOptions, Table, open_table

HEADER = "gclid,email,value,order_id\n"
ROW = "A,b,c,d\n"


def read(content: bytes, hold: Hold) -> tuple[Table, list[tuple[int, str]]]:
    """Return the table, and each record's line with its problem or its first cell."""
    table = open_table(io.BytesIO(content), SourceOptions())
    return table, [(line, p or cells[0]) for line, cells, p, _ in table.records(hold=hold)]


@pytest.mark.parametrize(
    "end, broken, always",
    [
        ("B,b,c,d\n", None, None),
        ("B,b,c,d\r", None, None),
        ("B,b,c,d", None, [3]),
        ("B,b,c,", None, [3]),
        ("B,b,c", [3], [3]),
        ("B", [3], [3]),
        ('B,b,c,"d', [3], [3]),
        ('B,b,c,"d"', None, [3]),
        ('B,"b\nb",c,d', None, [3]),
        ('B,"b\nb', [3, 4], [3, 4]),
        ('B,"b\nb\n', None, None),
        ("B,b,c,d,e", [3], [3]),
        ("  ", None, None),
        (",,", None, None),
        ("", None, None),
    ],
)
def test_a_record_in_an_open_last_line(
    end: str, broken: list[int] | None, always: list[int] | None
) -> None:
    """A complete record is held only on request; a blank one and a closed line never are."""
    content = (HEADER + ROW + end).encode()
    for hold, lines in (("never", None), ("broken", broken), ("always", always)):
        _, records = read(content, hold)
        assert [line for line, found in records if found == "UNTERMINATED_LAST_LINE"] == (
            lines or []
        )
        assert records[0] == (2, "A")


@pytest.mark.parametrize(
    "end, expected",
    [("B,b,c,d", "complete"), ("B,b", "broken"), ("B,b,c,d\n", None), (" ", None)],
)
def test_the_end_of_the_file_is_known_after_reading(end: str, expected: str | None) -> None:
    """The table tells how the last record ends, whether or not it is held."""
    for hold in ("never", "always"):
        table, _ = read((HEADER + ROW + end).encode(), hold)
        assert table.open_row == expected


def test_gzip_proves_its_end() -> None:
    """Nothing is held in a gzip file, which could not be unpacked if it were cut."""
    table, records = read(gzip.compress((HEADER + "A,b,c,d").encode()), "always")
    assert (records, table.open_row) == ([(2, "A")], None)


def test_an_unclosed_quote_far_above_holds_only_the_last_line() -> None:
    """Complete rows between a stray quote and the end of the file are read as ever."""
    rows = 'X,"b,c,d\n' + ROW * 100 + "B,b,c"
    _, records = read((HEADER + rows).encode(), "broken")
    assert records[0] == (2, "UNCLOSED_QUOTE")
    assert [found for _, found in records[1:]] == ["A"] * 100 + ["UNTERMINATED_LAST_LINE"]


@given(
    st.lists(st.sampled_from(["A,b,c,d", 'A,"b\nb",c,d', "A,b", "", 'A,"b']), max_size=6), st.data()
)
def test_holding_changes_no_other_row(rows: list[str], data: st.DataObject) -> None:
    """Wherever a file is cut, the rows have the same lines, and only the last ones are held."""
    content = HEADER + "A,b,c,d\n" + "\n".join(rows)
    cut = content[: data.draw(st.integers(len(HEADER) + 8, len(content)))].encode()
    _, plain = read(cut, "never")
    _, held = read(cut, "always")
    assert [line for line, _ in held] == [line for line, _ in plain]
    changed = [n for n, (a, b) in enumerate(zip(plain, held, strict=True)) if a != b]
    assert changed == list(range(len(plain) - len(changed), len(plain)))
