"""Files made to keep the reader busy: it can be interrupted in all of them, and it ends."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable

import pytest

from lib.errors import SourceError
from lib.model.records import Row
from lib.source.table import SourceOptions, open_table
from lib.source.text import BLOCK_BYTES

HEAD = b"gclid,conversion_date_time\n"
MIB = 1 << 20


class Interrupted(Exception):
    """Raised by a time_check."""


def bomb(content: bytes, times: int) -> bytes:
    """Compress HEAD and then `content`, a number of times, as one gzip member."""
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(HEAD)
    packed += b"".join(packer.compress(content) for _ in range(times))
    return packed + packer.flush()


EMPTY_MEMBER = gzip.compress(b"", mtime=0)
POISON: dict[str, Callable[[], bytes]] = {
    "line ends": lambda: bomb(b"\n" * MIB, 64),
    "Windows line ends": lambda: bomb(b"\r\n" * MIB, 32),
    "blank rows": lambda: bomb(b",\n" * MIB, 2),
    "one endless line": lambda: bomb(b"x" * MIB, 64),
    "one endless cell": lambda: bomb(b'"' + b"x," * MIB, 32),
    "quotes that stay open": lambda: bomb(b'"' + b"x\n" * (MIB // 64), 32),
    "empty members": lambda: gzip.compress(HEAD) + EMPTY_MEMBER * 200_000,
    "padding between members": lambda: gzip.compress(HEAD) + bytes(8 * MIB),
}


@pytest.mark.parametrize("kind", POISON)
def test_the_reader_can_be_interrupted_in_every_poison(kind: str) -> None:
    """There is a point of progress for every few blocks of bytes, with or without rows."""
    left = 4

    def countdown() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Interrupted

    stream = io.BytesIO(POISON[kind]())
    with pytest.raises(Interrupted):
        for _ in open_table(stream, SourceOptions(on_block=countdown)).records():
            pass


def test_blank_lines_are_skipped_without_making_lines_of_them() -> None:
    """The line numbers behind 100 million blank lines are right, whatever their line ends."""
    blank = b"\n" * (25 << 20) + b"\r\n" * (25 << 20)
    stream = io.BytesIO(HEAD + blank + b"Cj0,2026\n")
    table = open_table(stream, SourceOptions(max_lines=1 << 30))
    assert [record[:2] for record in table.records()] == [(2 + (50 << 20), ["Cj0", "2026"])]


def test_blank_lines_count_towards_the_limit_of_lines() -> None:
    """Rows before the limit are read; the error comes when the limit is reached."""
    stream = io.BytesIO(HEAD + b"Cj0,2026\n" + b"\n" * (4 * BLOCK_BYTES) + b"Cj1,2026\n")
    seen: list[Row] = []
    with pytest.raises(SourceError, match="FILE_TOO_LARGE: more than 1000 lines"):
        seen.extend(open_table(stream, SourceOptions(max_lines=1_000)).records())
    assert [record[0] for record in seen] == [2]


def test_a_file_of_as_many_lines_as_allowed_is_read() -> None:
    """The limit is inclusive, and rows without content count."""
    content = HEAD + b",\n" * 99_999 + b"Cj1,2026\n"
    table = open_table(io.BytesIO(content), SourceOptions(max_lines=100_000))
    assert [record[0] for record in table.records()] == [100_001]
    rest = b"Cj2,2026\n" * 100_000
    with pytest.raises(SourceError, match="FILE_TOO_LARGE"):
        list(open_table(io.BytesIO(content + rest), SourceOptions(max_lines=100_000)).records())
