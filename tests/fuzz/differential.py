"""Compares the reader with DuckDB's on well-formed files: both must find the same cells.

Python's csv module writes the files from random cells. A finding prints the seed of its file.
"""

from __future__ import annotations

import csv
import io
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from lib.source.table import SourceOptions, open_table

PIECES = (
    *("a", "b", "0", "19.5", " ", "é", "漢", "😀", "'", '"', '""', ",", ";", "\t", "|", "\n"),
    *("\r\n", "\\", "#", "=1+1", "NULL", "\u00a0", "\u2028", "\ufeff", "x" * 300),
)
FORGED = "forged"
"""The cells of a row that somebody has typed into a cell."""
MAX_ROWS = 40
MAX_COLUMNS = 8

Row = list[str]


def written(rng: random.Random) -> tuple[bytes, str, list[Row]]:
    """Return a well-formed file, its delimiter, and its rows. Some cells contain such rows."""
    delimiter = rng.choice(",;\t|")
    end = rng.choice(["\n", "\r\n"])
    width = rng.randint(2, MAX_COLUMNS)
    header = [f"column{number}" for number in range(width)]
    forged = end + delimiter.join([FORGED] * width) + end
    pieces = [*PIECES, forged, delimiter * (width - 1) + end]
    rows = [
        ["".join(rng.choices(pieces, k=rng.randint(0, 4))) for _ in range(width)]
        for _ in range(rng.randint(1, MAX_ROWS))
    ]
    rows = [row for row in rows if any(cell.strip() for cell in row)] or [["a"] * width]
    text = io.StringIO()
    quoting = rng.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([header, *rows])
    return text.getvalue().encode(), delimiter, rows


def ours(content: bytes) -> tuple[list[Row], int]:
    """Return the cells that our reader finds, and how many records it refuses."""
    table = open_table(io.BytesIO(content), SourceOptions(encoding="utf-8"))
    rows: list[Row] = []
    refused = 0
    for _, cells, problem, _ in table.records():
        if problem is None:
            rows.append(cells)
        elif problem != "INSIDE_QUOTES":
            refused += 1
    return rows, refused


def without_those_refused(expected: list[Row], found: list[Row], delimiter: str) -> list[Row]:
    """Return the expected rows without those that may be refused, and are.

    That is documented: a record of several lines whose first and last have the delimiters of a row.
    """
    kept: list[Row] = []
    for row in expected:
        is_next = len(kept) < len(found) and found[len(kept)] == row
        if is_next or not _looks_swallowed(row, delimiter):
            kept.append(row)
    return kept


def _looks_swallowed(row: Row, delimiter: str) -> bool:
    lines = delimiter.join(row).replace("\r\n", "\n").split("\n")
    ends = lines[0], lines[-1]
    return len(lines) > 1 and all(each.count(delimiter) == len(row) - 1 for each in ends)


def theirs(connection: Any, path: Path, delimiter: str, width: int) -> list[Sequence[str]]:
    """Return the cells that DuckDB finds."""
    columns = ", ".join(f"'column{number}': 'VARCHAR'" for number in range(width))
    query = (
        f"SELECT * FROM read_csv(?, delim = ?, header = true, "
        f"columns = {{{columns}}}, quote = '\"', escape = '\"', auto_detect = false, "
        "nullstr = '\\N', strict_mode = true, parallel = false)"
    )
    found: list[Sequence[str]] = connection.execute(query, [str(path), delimiter]).fetchall()
    return found


def compare(seconds: float, seed: int) -> int:
    """Compare files until the time is over, and return how many. Raises if the readers differ."""
    ends = time.monotonic() + seconds
    count = 0
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET threads = 1")
        path = Path(folder) / "file.csv"
        while time.monotonic() < ends:
            content, delimiter, rows = written(random.Random(f"{seed} {count}"))
            path.write_bytes(content)
            found = [
                [cell or "" for cell in row]
                for row in theirs(connection, path, delimiter, len(rows[0]))
            ]
            count += 1
            read, refused = ours(content)
            expected = without_those_refused(found, read, delimiter)
            if expected != read or len(found) - len(read) != refused:
                raise AssertionError(f"DuckDB reads file {count - 1} of seed {seed} differently")
    return count
