"""Properties of every file: rows are read as they were written, and none disappears."""

from __future__ import annotations

import csv
import gzip
import io
import re
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lib.errors import SourceError
from lib.source import text as text_module
from lib.source.delimited import RowReader
from lib.source.table import SourceOptions, open_table

LINE_END = re.compile(r"\r\n|\r|\n")
BLANK = re.compile(r'[\s,"]*')
# Written in Windows-1252, these letters are never valid UTF-8 unless a no-break space follows, so
# the detection cannot mistake them.
LETTERS = "abz 019.@\"'\u00a0" + "éüñßÀ"


@st.composite
def files(draw):
    """Draw (text, encoding, delimiter, rows with the line where each starts in an editor)."""
    delimiter = draw(st.sampled_from(",;\t|"))
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    width = draw(st.integers(1, 5))
    letters = st.sampled_from([*LETTERS, *",;\t|", "\n", "\r\n"])
    cells = st.lists(letters, max_size=6).map("".join)
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12))
    text = draw(st.sampled_from(["", f"Parameters:TimeZone=UTC{line_end}", line_end * 2]))
    text += delimiter.join(f"column{number}" for number in range(width)) + line_end
    expected = []
    for row in rows:
        text += line_end * draw(st.integers(0, 1))
        start = len(LINE_END.findall(text)) + 1
        written = io.StringIO()
        careful = any("\r" in cell or "\n" in cell for cell in row) or draw(st.booleans())
        quoting = csv.QUOTE_ALL if careful else csv.QUOTE_MINIMAL
        csv.writer(written, delimiter=delimiter, lineterminator="", quoting=quoting).writerow(row)
        # Documented: a record like this is read as rows that an unclosed quote swallowed.
        lines = LINE_END.split(written.getvalue())
        assume(not (len(lines) > 1 and all(li.count(delimiter) == width - 1 for li in lines)))
        text += written.getvalue() + line_end
        if any(map(str.strip, row)):
            expected.append((start, row, None))
    if draw(st.booleans()):
        text = text.removesuffix(line_end)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    assume(encoding != "cp1252" or not re.search("[éüñßÀ]\u00a0", text))
    return text, encoding, delimiter, expected


@given(file=files(), block_bytes=st.sampled_from([64, 100, 1 << 17]), packed=st.booleans())
def test_every_row_comes_back(read, file, block_bytes, packed):
    """Rows and their lines are read as written, for any dialect, encoding and block size."""
    text, encoding, delimiter, expected = file
    content = gzip.compress(text.encode(encoding)) if packed else text.encode(encoding)
    # The delimiter of a single column cannot be detected.
    options = {} if "column1" in text else {"delimiter": delimiter}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "BLOCK_BYTES", block_bytes)
        if not expected:
            with pytest.raises(SourceError, match="EMPTY_FILE"):
                read(content, **options)
            return
        table, records = read(content, **options)
    assert table.delimiter == delimiter
    assert records == expected


ANY_CELL = st.sampled_from(["", "abc", '"x, y"', '"say ""hi"""', "é", '"two\nlines"'])
WIDTHS = st.integers(2, 6)
BARE_CELL = st.sampled_from(["", " ", "abc", "é", "Total"])
QUOTED_CELL = st.sampled_from(['""', '"abc"', '"x, y"', '"é"'])


@st.composite
def damaged_files(draw, widths=WIDTHS, cell=ANY_CELL):
    """Draw a file of ordinary rows in which some bytes are replaced."""
    width = draw(widths)
    header = ",".join(f"column{number}" for number in range(width)) + "\n"
    row = st.lists(cell, min_size=width, max_size=width).map(",".join)
    content = bytearray("\n".join(draw(st.lists(row, min_size=1, max_size=30))).encode())
    byte = st.one_of(st.sampled_from(b'",\r\n\0\xff'), st.integers(0, 255))
    for at, new in draw(st.lists(st.tuples(st.integers(0), byte), max_size=8)):
        content[at % len(content)] = new
    return header.encode() + bytes(content)


def read_or_nothing(read, content, **options):
    """Return header and records; no records if the damage left no row."""
    try:
        table, records = read(content, **options)
    except SourceError as error:
        if error.code not in {"EMPTY_FILE", "NOT_TEXT"}:
            raise
        return (), None
    return table.header, records


@given(content=damaged_files(), block_bytes=st.sampled_from([64, 1 << 17]))
@example(b'column0,column1\na,"b\nc,d\ne,"f\n', 64)
def test_no_line_disappears(read, content, block_bytes):
    """In a damaged file, every line that is not blank belongs to a reported record."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "BLOCK_BYTES", block_bytes)
        header, records = read_or_nothing(read, content)
    assume(records is not None)
    text = content.decode("latin-1")  # only to find the lines
    ends = [0, *(match.end() for match in LINE_END.finditer(text)), len(text)]
    lines = [text[start:end] for start, end in pairwise(ends) if start < end]
    starts = [line for line, _, _ in records]
    assert starts == sorted(set(starts))
    for start, end, (_, cells, problem) in zip(
        [1, *starts],
        [*starts, len(lines) + 1],
        [(1, list(header), None), *records],
        strict=True,
    ):
        rest = [line for line in lines[start : end - 1] if not BLANK.fullmatch(line)]
        if problem is None:
            # The lines after the first line of the record are blank or part of its cells.
            inside = sum(len(LINE_END.findall(cell)) for cell in cells)
            assert len(rest) <= inside
        elif problem in {"UNCLOSED_QUOTE", "INSIDE_QUOTES", "BROKEN_QUOTING", "RECORD_TOO_LONG"}:
            assert rest == []
        elif rest:
            # A record of several lines with valid quotes, but without valid cells.
            found = list(csv.reader(lines[start - 1 : end - 1], strict=True))
            assert len([row for row in found if any(map(str.strip, row))]) == 1


@given(content=damaged_files())
def test_block_ends_do_not_matter(read, content):
    """The block size does not change the rows of a file, so a resumed run sees the same rows."""
    expected = read_or_nothing(read, content, encoding="latin-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "BLOCK_BYTES", 50)
        assert read_or_nothing(read, content, encoding="latin-1") == expected


WIDE_FILES = [damaged_files(st.integers(4, 7), cell) for cell in (ANY_CELL, BARE_CELL, QUOTED_CELL)]


@given(
    content=st.one_of(WIDE_FILES),
    columns=st.sets(st.integers(0, 3), min_size=2, max_size=2),
    block_bytes=st.sampled_from([64, 300, 1 << 17]),
    padding=st.sampled_from([b"", b","]),
)
@example(b"a,b,c,d\n1,2,3,4\n , ,,\n" + 12 * b"1,2,3,4\n", {0, 1}, 1 << 17, b"")
@example(b'a,b,c,d\n1,2,3,4\n"""",",","",\n' + 12 * b"1,2,3,4\n", {0, 1}, 1 << 17, b"")
@example(b"a,b,c,d\n1,2,3,4,\n1,2,3,4,5\n" + 12 * b"1,2,3,4,\n", {0, 1}, 1 << 17, b",")
@example(b"a,b,c,d\n" + 12 * b"1,2,3,4\n" + b"Total,12,,\n", {2, 3}, 1 << 17, b"")
@example(b"a,b,c,d\n" + 12 * b"1,2,3,4\n" + b"Total,12,,\n" + 12 * b",,,\n", {2, 3}, 1 << 17, b"")
@example(b"a,b,c,d\n" + 12 * b"1,2,3,4\n" + b"x,x,Total,4\n" + 12 * b"\n", {2, 3}, 1 << 17, b"")
@example(b"a,b,c,d\n" + 12 * b"1,2\n" + 12 * b"1,2,3,4\n", {0, 1}, 64, b"")
def test_kept_cells_are_those_of_the_whole_rows(content, columns, block_bytes, padding):
    """Only the cells of the kept columns are returned, and nothing else changes."""
    head, _, rows = content.partition(b"\n")
    content = head + padding + b"\n" + rows

    def read_records(keeps):
        table = open_table(io.BytesIO(content), SourceOptions(encoding="latin-1"))
        all_places = {column: column for column in range(table.width)}
        places = table.places(columns) if keeps else all_places
        if not keeps:
            table.places = lambda used: all_places
        try:
            rows = [*table.records(columns, "always")]
        except SourceError as error:
            return error.code
        assert {len(cells) for _, cells, _, _ in rows} <= {0, len(places)}
        records = [
            (line, [cells[places[at]] for at in columns] if cells else [], problem, length)
            for line, cells, problem, length in rows
        ]
        return records, table.footer, table.open_row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "BLOCK_BYTES", block_bytes)
        assert read_records(keeps=True) == read_records(keeps=False)


CELLS = st.sampled_from(['"a"', '""', '","', '"a,b"', '"', ",", "a"])
QUOTED = st.one_of(
    st.lists(CELLS, min_size=3, max_size=3).map(",".join), st.lists(CELLS, max_size=6).map("".join)
)


@given(lines=st.lists(QUOTED, min_size=1, max_size=3), line_end=st.sampled_from(["\n", "\r\n"]))
@example(['"a",",",""'], "\n")
@example(['"', '"a"b"'], "\n")
def test_quotes_around_every_cell_change_nothing(read, lines, line_end):
    """The quick way for files in which every cell is in quotes reads what csv.reader reads."""
    content = line_end.join(['"gclid","order_id","conversion_time"', *lines, ""])
    quick = read_or_nothing(read, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RowReader, "_split_quoted", lambda *_: None)
        assert read_or_nothing(read, content) == quick
