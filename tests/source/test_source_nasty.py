"""Hostile files: each one ends with a clear result, in bounded memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.every_call import EVERY_CALL

ROOT = Path(__file__).parents[2]
MAX_MIB = 96
"""Python itself needs a tenth of this; no file is ever in memory as a whole."""
MAX_MIB_OF_WIDE_ROWS = 160
"""Ten rows are held back, because they may be a footer. Each may have four million bytes."""

MAX_SECONDS = 40
"""Of CPU time, whatever else the machine does. The slowest file needs a sixth of it."""

TIMES = 256 if EVERY_CALL else 32
"""So many members of 8 MiB: 2 GiB, or a sample of more than twice what may be in memory."""

# Each snippet defines `stream`, which generates its bytes while it is read.
STREAMS = {
    "gzip bomb of one endless line": """
        member = gzip.compress(b"a" * (8 << 20))
        stream = Pieces([gzip.compress(b"gclid,email\\nA,b\\n"), *[member] * TIMES])
    """,
    "gzip bomb of zeros": """
        member = gzip.compress(bytes(8 << 20))
        stream = Pieces([gzip.compress(b"gclid,email\\nA,b\\n"), *[member] * TIMES])
    """,
    "gzip bomb of blank lines": """
        stream = Pieces([gzip.compress(b"gclid,email\\nA,b\\n" + b"\\n" * (8 << 20))])
    """,
    "gzip bomb of open quotes": """
        stream = Pieces([gzip.compress(b"gclid,email\\n" + b'A,"b\\n' * (1 << 20))])
    """,
    "a cell of 10 MB": """
        stream = Pieces([b"gclid,email\\nA,", *[b"b" * 1000] * 10_000, b"\\nB,b\\n"])
    """,
    "a quoted cell of 10 MB": """
        stream = Pieces([b'gclid,email\\nA,"', *[b"b" * 1000] * 10_000, b'"\\nB,b\\n'])
    """,
    "a cell of 10 MB in many lines": """
        stream = Pieces([b'gclid,email\\nA,"', *[b"b" * 999 + b"\\n"] * 10_000, b'"\\nB,b\\n'])
    """,
    "100,000 columns": """
        stream = Pieces([b"gclid,email", *[b",x"] * 99_998, b"\\n", b"A\\n"])
    """,
    "a million cells in a row": """
        stream = Pieces([b"gclid,email\\nA", *[b",x"] * 1_000_000, b"\\nB,b\\n"])
    """,
    "a header that never ends": """
        stream = Pieces([b"gclid,email", *[b"x" * 1000] * 10_000])
    """,
    "nothing but quotes": """
        stream = Pieces([b"gclid,email\\n", *[b'"' * 1000] * 10_000])
    """,
    "nothing but carriage returns": """
        stream = Pieces([b"gclid,email\\nA,b", *[b"\\r" * 1000] * 5_000])
    """,
    "rows of a million characters": """
        row = ["x" * 1040 + "\\U0001f600"] * 1000
        row = [(",".join(row[at : at + 50]) + ("," if at < 950 else "\\n")).encode() for at in
               range(0, 1000, 50)]
        stream = Pieces([b"gclid,email" + b",c" * 998 + b"\\n", *row * 20])
    """,
    "a header of 49 long lines": """
        line = [("x" * 1000 + "\\U0001f600").encode()] * 1000
        stream = Pieces([b'gclid,"', *[*line, b"\\n"] * 49, b'"\\nA,b\\n'])
    """,
}

PROGRAM = """
    import gzip, json, resource, sys
    from collections import Counter
    from pathlib import Path
    from lib.errors import SourceError
    from lib.source.table import SourceOptions, open_table

    class Pieces:
        def __init__(self, pieces):
            self.pieces = iter(pieces)

        def read(self, size):
            return next(self.pieces, b"")

    TIMES = {times}
    resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
    {stream}
    problems, error, last = Counter(), None, None
    try:
        table = open_table(stream, SourceOptions(max_bytes={limit}))
        for line, cells, problem, _ in table.records():
            problems[problem or "fine"] += 1
            last = line
    except SourceError as raised:
        error = raised.code
    if sys.platform == "linux":  # there, ru_maxrss includes the parent process
        status = Path("/proc/self/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) >> 10
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    print(json.dumps({{"peak": peak, "problems": problems, "error": error, "last": last}}))
"""


def outcome(
    name: str, limit: int = 4 << 30, most_mib: int = MAX_MIB
) -> tuple[dict[str, int], str | None, int | None]:
    """Read the stream in a separate process, so that only its memory is measured."""
    stream = textwrap.indent(textwrap.dedent(STREAMS[name]), "    ")
    program = textwrap.dedent(
        PROGRAM.format(stream=stream.strip(), limit=limit, seconds=MAX_SECONDS, times=TIMES)
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert result["peak"] < most_mib
    return result["problems"], result["error"], result["last"]


@pytest.mark.parametrize(
    "name, limit, problems, error, last",
    [
        (
            "gzip bomb of one endless line",
            4 << 30,
            {"fine": 1, "RECORD_TOO_LONG": 1},
            None,
            3,
        ),
        ("gzip bomb of one endless line", 1 << 20, {}, "FILE_TOO_LARGE", None),
        ("gzip bomb of zeros", 4 << 30, {}, "NOT_TEXT", None),
        ("gzip bomb of blank lines", 8 << 20, {"fine": 1}, "FILE_TOO_LARGE", 2),
        ("a cell of 10 MB", 4 << 30, {"fine": 1, "RECORD_TOO_LONG": 1}, None, 3),
        ("a quoted cell of 10 MB", 4 << 30, {"fine": 1, "RECORD_TOO_LONG": 1}, None, 3),
        ("100,000 columns", 4 << 30, {}, "FILE_TOO_LARGE", None),
        ("a million cells in a row", 4 << 30, {"fine": 1, "RECORD_TOO_LONG": 1}, None, 3),
        ("a header that never ends", 4 << 30, {}, "CORRUPT_FILE", None),
        ("a header of 49 long lines", 4 << 30, {}, "CORRUPT_FILE", None),
        ("nothing but quotes", 4 << 30, {"RECORD_TOO_LONG": 1}, None, 2),
        ("nothing but carriage returns", 4 << 30, {"fine": 1}, None, 2),
    ],
)
def test_nasty_file(name, limit, problems, error, last):
    """A hostile file ends with the right codes, and all readable rows are read."""
    assert outcome(name, limit) == (problems, error, last)


def test_every_quote_open():
    """Each unclosed quote affects only its row, until the file reaches the size limit."""
    problems, error, _ = outcome("gzip bomb of open quotes", limit=1 << 19)
    assert error == "FILE_TOO_LARGE"
    assert set(problems) == {"UNCLOSED_QUOTE"}
    assert problems["UNCLOSED_QUOTE"] > 75_000


def test_huge_cell_over_many_lines():
    """An unclosed quote before 10 MB of lines affects only its row; each later line is a row."""
    problems, error, last = outcome("a cell of 10 MB in many lines")
    assert error is None
    assert sum(problems.values()) == 10_002
    assert problems["UNCLOSED_QUOTE"] >= 1
    assert last == 10_003


def test_wide_rows():
    """The lines that are read with the header have a limit of characters, whatever their number."""
    found = outcome("rows of a million characters", most_mib=MAX_MIB_OF_WIDE_ROWS)
    assert found == ({"fine": 20}, None, 21)
