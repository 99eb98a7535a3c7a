"""Changes the parts of workbooks, and reads them as the function does: in a child with limits.

What Excel could have written is read without an error, text by text. Whatever else a workbook is,
it ends with rows or with an error of the file, within the limits of CPU time and memory.
"""

from __future__ import annotations

import io
import random
import re
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final
from unittest.mock import patch

from lib.adapters import workbook as child
from lib.errors import SourceError
from lib.source.table import SourceOptions, open_table
from tests.fuzz.workbooks import ENTITIES, LINKS, SHEET, STYLES, TEXTS
from tests.workbooks import Cell, Number, workbook

CPU_SECONDS: Final = 2
WALL_SECONDS: Final = 30.0
"""Also on a busy machine."""
SLACK_SECONDS: Final = 1.0
"""The system ends a process at a full second, and other children start in the meantime."""

FOLDER: Final = Path(__file__).parents[2] / ".fuzz" / "workbooks"

_STRINGS: Final = (
    *("a", "0", "ada@example.com", "é漢😀", "\t\r\n", '"', "x" * 255, "x" * 32_767, "_x000D_"),
)
_VALUES: Final = (
    *(0, 1, -1, 59, 60, 61, 0.5, 0.999999999, 1e-300, 1e300, 46350.5, 46350.586805, 2**53),
    *(2958465, 2958465.99, 2958465.9999999, 2958466, 1e15, -0.0, 123456789012345678),
)
_FORMATS: Final = (
    *("General", "0", "0.00", "#,##0.00 [$€-407]", "yyyy-mm-dd hh:mm:ss", "m/d/yy", "h:mm"),
    *("[h]:mm:ss", "0%", '"' * 255, "[" * 255, "0" * 255, "\\" * 255, "[$" * 127, "_" * 255),
)
_EXTREMES: Final = ("-1", "0", "1048577", "4000000000", "9" * 400, "9" * 5_000, "1e308", "NaN", "")
_LENGTHS: Final = (1, 10, 1_000, 30_000, 300_000, 2_000_000, 5_000_000)
_MAX_BYTES: Final = 40 << 20
"""Of an unpacked part."""
_LARGE: Final = 1 << 20


def valid(rng: random.Random) -> tuple[bytes, list[list[Cell]]]:
    """Return a workbook that Excel could have written, and its rows."""
    rows: list[list[Cell]] = [
        ["x", *(_cell(rng) for _ in range(rng.randint(0, 5)))] for _ in range(rng.randint(1, 30))
    ]
    header: list[Cell] = [*"abcdef"]
    return workbook([header, *rows], shared=rng.random() < 0.5), rows


def _cell(rng: random.Random) -> Cell:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(_STRINGS)
    if kind == 1:
        return rng.choice((True, False, None))
    return Number(rng.choice(_VALUES), rng.choice(_FORMATS))


def mutated(rng: random.Random) -> bytes:
    """Return a workbook of which some parts are not as Excel writes them."""
    with zipfile.ZipFile(io.BytesIO(valid(rng)[0])) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(rng.randint(1, 3)):
        name = rng.choice((SHEET, SHEET, STYLES, TEXTS, LINKS, *parts))
        if len(parts[name]) < _LARGE:  # a large part is not changed again
            parts[name] = rng.choice(_MUTATIONS)(rng, parts[name], parts)[:_MAX_BYTES]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    content = packed.getvalue()
    return content if rng.random() < 0.9 else _damaged(rng, content, parts)


def _replaced(rng: random.Random, pattern: bytes, content: bytes, new: bytes) -> bytes:
    """Replace the group of one match, chosen at random."""
    found = [*re.finditer(pattern, content)]
    if not found:
        return content
    start, end = rng.choice(found).span(1)
    return content[:start] + new + content[end:]


def _repeated(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    tag = rng.choice([b"row", b"c", b"c", b"si", b"xf", b"sheet", rb"\w+"])
    found = [*re.finditer(rb"<(%s)\b[^<>]*?(?:/>|>.*?</\1>)" % tag, content)]
    if not found:
        return content
    match = rng.choice(found)
    piece, times = match[0], rng.choice(_LENGTHS)
    if rng.random() < 0.5:
        piece = re.sub(rb' r="[^"]*"', b"", piece)  # its place follows from that of the one before
    times = min(times, _MAX_BYTES // max(len(piece), 1))
    return content[: match.start()] + piece * times + content[match.end() :]


def _long_value(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    piece = rng.choice([b"[", b"0", b"x", b"\\", b"&quot;", b"_", "😀".encode(), b"../"])
    return _replaced(rng, rb'="([^"]*)"', content, piece * rng.choice(_LENGTHS))


def _long_text(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    piece = rng.choice([b"9", b"x", "😀".encode(), b"<x>", b"<r><t>ab</t></r>"])
    return _replaced(rng, rb">([^<>]*)<", content, piece * rng.choice(_LENGTHS))


def _extreme(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    return _replaced(rng, rb'[">](-?\d[\d.]*)["<]', content, rng.choice(_EXTREMES).encode())


def _with_entities(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    body = _replaced(rng, rb">([^<>]*)</", content, b"&i;").partition(b"?>\n")[2]
    encoding = rng.choice(["utf-8", "utf-16"])
    return (ENTITIES + body.decode("utf-8", "replace")).encode(encoding)


def _of_another_part(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    return parts[rng.choice([*parts])]


def _elsewhere(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    return _replaced(rng, rb'Target="([^"]*)"', content, b"/" + rng.choice([*parts]).encode())


def _damaged(rng: random.Random, content: bytes, parts: dict[str, bytes]) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice([b"", rng.randbytes(4)]) + content[at + rng.randrange(9) :]


_MUTATIONS: Final[tuple[Callable[[random.Random, bytes, dict[str, bytes]], bytes], ...]] = (
    *(_repeated, _repeated, _long_value, _long_text, _long_text, _long_text, _extreme),
    *(_with_entities, _of_another_part, _elsewhere, _damaged),
)


@patch.multiple(child, CPU_SECONDS=CPU_SECONDS, CPU_SECONDS_PER_MEBIBYTE=0)
def check_workbook(content: bytes, rows: list[list[Cell]] | None = None) -> str:
    """Read a workbook within the limits, and return the code of its error.

    `rows`: those of one that Excel could have written."""
    before = _child_seconds()
    # A child begins as a copy of its parent, and other children may have needed more.
    others = max(_peak(resource.RUSAGE_CHILDREN), _peak(resource.RUSAGE_SELF))
    most = max(child.MEMORY_BYTES, others)
    began = time.monotonic()

    def on_block() -> None:
        assert time.monotonic() - began < WALL_SECONDS, "it takes too long"

    options = SourceOptions(read_sheet=child.read_in_child, on_block=on_block)
    lines: list[int] = []
    found: list[list[str]] = []
    code = ""
    try:
        table = open_table(io.BytesIO(content), options)
        for line, cells, _, _ in table.records():
            lines.append(line)
            found.append(cells)
    except SourceError as error:
        code = error.code
    assert not (code and rows), f"a valid workbook ends with {code}"
    assert lines == sorted(set(lines)), "each row has a line of its own"
    assert all(len(cell) <= 32_767 for cells in found for cell in cells)
    assert _child_seconds() - before <= CPU_SECONDS + SLACK_SECONDS, "it takes too long"
    most = max(most, _peak(resource.RUSAGE_SELF))  # the parent grew until the child began
    assert _peak(resource.RUSAGE_CHILDREN) <= most, "it needs too much memory"
    for row, cells in zip(rows or (), found, strict=rows is not None):
        for cell, text in zip(row, cells, strict=False):
            if isinstance(cell, str):
                shown = re.sub(r"[\t\r\n]|_x000D_", " ", cell)
                assert text.rstrip() == shown.rstrip(), "a text is another one"
    return code


def _peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss << 10


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fuzz(seconds: float, seed: int, folder: Path = FOLDER) -> int:
    """Try workbooks for some time. One that breaks a promise is written to the folder."""
    ends = time.monotonic() + seconds
    number = 0
    while time.monotonic() < ends:
        rng = random.Random(f"{seed} {number}")
        number += 1
        rows = None
        if number % 3 == 0:
            content, rows = valid(rng)
        else:
            content = mutated(rng)
        try:
            check_workbook(content, rows)
        except Exception:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"crash-{seed}-{number}.xlsx"
            path.write_bytes(content)
            print(f"FAILED. To repeat: python -m tests.fuzz --replay {path}")
            raise
    return number
