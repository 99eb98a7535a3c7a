"""A workbook is read in a process of its own, and a hostile one ends only this process."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lib.adapters import workbook as module
from lib.adapters.workbook import read_in_child
from lib.errors import SourceError
from lib.source.table import SourceOptions, Table, open_table
from tests.every_call import EVERY_CALL
from tests.fuzz.workbook_fuzzer import check_workbook
from tests.fuzz.workbooks import HOSTILE, SHEET, UNREADABLE
from tests.workbooks import workbook

ROWS = [["a", "b"], *([str(number), number / 7] for number in range(5_000))]
ONE_OF_EACH = (
    *("eight MiB of styles", "entities in the texts", "a number of a million digits"),
    *("texts that end too early", "half a zip"),
)
"""A part that needs too much time, one that would grow, and damage of three kinds. Too much memory
has a test of its own, and `make fuzz` and `make soak` try all of `HOSTILE`."""


def opened(content: bytes, **options: Any) -> Table:
    return open_table(io.BytesIO(content), SourceOptions(read_sheet=read_in_child, **options))


def error(content: bytes, **options: Any) -> str:
    """Return the code of the error of a file."""
    with pytest.raises(SourceError) as raised:
        list(opened(content, **options).records())
    return raised.value.code


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Return the processes that are started."""
    found: list[subprocess.Popen[bytes]] = []
    start = module._started

    def started() -> subprocess.Popen[bytes]:
        found.append(start())
        return found[-1]

    monkeypatch.setattr(module, "_started", started)
    return found


def test_rows_are_those_that_are_read_here(children: list[Any]) -> None:
    """The process changes nothing about a workbook, and ends with it."""
    content = workbook(ROWS, name="Deals", others={"Lost ☂": [["a"], ["1"]]})
    there = opened(content, decimal_sign=",")
    here = open_table(io.BytesIO(content), SourceOptions(decimal_sign=","))
    assert (there.header, there.sheet, there.unread_sheets) == (("a", "b"), "Deals", ("Lost ☂",))
    assert list(there.records()) == list(here.records())
    assert [child.returncode for child in children] == [0]


@pytest.mark.parametrize(
    "content, options, code",
    [
        (workbook(ROWS)[:5_000], {}, "CORRUPT_FILE"),
        (workbook([["a"], [UNREADABLE]]), {}, "CORRUPT_FILE"),
        (workbook(ROWS), {"sheet": "Lost"}, "SHEET_NOT_FOUND"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), {}, "NOT_TEXT"),
        (workbook(ROWS) + bytes(25 << 20), {}, "FILE_TOO_LARGE"),
    ],
)
def test_errors_are_those_of_the_file(content: bytes, options: Any, code: str) -> None:
    """What is wrong with a workbook is told as it is without a process."""
    assert error(content, **options) == code


@pytest.mark.parametrize("name", HOSTILE if EVERY_CALL else ONE_OF_EACH)
def test_a_hostile_workbook_is_an_error_of_the_file(name: str) -> None:
    """None takes long or needs much memory, whatever it is made of. A fast machine reads some of
    them in time."""
    code = check_workbook(HOSTILE[name]())
    assert code in ("", "CORRUPT_FILE", "FILE_TOO_LARGE", "EMPTY_FILE")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit less")
def test_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is an error, as is what takes too long."""
    monkeypatch.setattr(module, "MEMORY_BYTES", 80 << 20)
    content = workbook([["x" * 30_000 + str(n)] for n in range(2_000)])
    assert error(content) == "FILE_TOO_LARGE"


def test_without_other_limits_the_clock_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system limits CPU time."""
    monkeypatch.setattr(module, "CPU_SECONDS", 1_000)
    monkeypatch.setattr(module, "PIECE_SECONDS", 2.5)
    rows = f"<row>{'<c/>' * 16_384}</row>" * 1_000
    xml = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    began = time.monotonic()
    assert error(workbook([], replaced={SHEET: xml})) == "FILE_TOO_LARGE"
    assert time.monotonic() - began > 2.5


def test_a_reader_that_stops_ends_the_process(children: list[Any]) -> None:
    """Nobody waits for the rest of a workbook."""
    table = opened(workbook([["a", "b"], *[["1" * 20, "2"]] * 50_000]))
    next(iter(table.records()))
    (child,) = children
    assert child.poll() is None
    del table
    assert child.returncode == -signal.SIGKILL


def test_a_process_that_does_not_start_is_no_error_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the software is wrong, and the delivery is retried."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="does not start"):
        opened(workbook(ROWS))


PARENT = """
import io, sys, threading, time
from lib.adapters import workbook as module
from lib.source.table import SourceOptions, open_table
start = module._started
def started():
    process = start()
    print(process.pid, flush=True)
    return process
module._started = started
content = sys.stdin.buffer.read()
open_table(io.BytesIO(content), SourceOptions(read_sheet=module.read_in_child))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_dies_with_its_parent() -> None:
    """Also while it reads what has no end."""
    rows = f"<row>{'<c/>' * 16_384}</row>" * 1_000
    xml = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    content = workbook([], replaced={SHEET: xml})
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(content)
        parent.stdin.close()
        child = Path("/proc", parent.stdout.readline().decode().strip())
        time.sleep(1)  # until it reads
        assert child.exists()
        parent.kill()
    ends = time.monotonic() + 30
    while child.exists() and time.monotonic() < ends:
        time.sleep(0.05)
    assert not child.exists()
