"""What a delimited file says, as DuckDB and Python's csv module read it."""

from __future__ import annotations

import csv
import io
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
from hypothesis import strategies as st

from tests.fuzz.differential import PIECES, ours, theirs, without_those_refused
from tests.oracles import Oracle, Verdict

CELLS = st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0\x1c\x1d\x1e\x85"), max_size=8
)
ROWS = st.integers(2, 5).flatmap(
    lambda width: st.lists(
        st.lists(CELLS, min_size=width, max_size=width).filter(
            lambda row: any(map(str.strip, row))
        ),
        min_size=1,
        max_size=6,
    )
)


@cache
def _connection() -> Any:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    return connection


def check(rows: list[list[str]], delimiter: str, end: str, quoting: int) -> Verdict:
    """Compare the cells of a well-formed file."""
    header = [f"column{number}" for number in range(len(rows[0]))]
    text = io.StringIO()
    if any("\r" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # before Python 3.13, csv does not quote a lone carriage return
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([header, *rows])
    by_csv = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter))[1:]
    assert by_csv == rows, "csv does not read what it has written"
    content = text.getvalue().encode()
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(content)
        file.flush()
        found = theirs(_connection(), Path(file.name), delimiter, len(header))
    by_duckdb = [[cell or "" for cell in row] for row in found]
    assert by_duckdb == by_csv, "DuckDB and csv differ"
    read, refused = ours(content)
    expected = without_those_refused(by_csv, read, delimiter)
    assert read == expected, (read, expected)
    assert len(by_csv) - len(read) == refused
    return "refused" if refused else "read"


ORACLE: Final = Oracle(
    "files of DuckDB and csv",
    {
        "rows": ROWS,
        "delimiter": st.sampled_from(",;\t|"),
        "end": st.sampled_from(["\n", "\r\n"]),
        "quoting": st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    },
    check,
)
