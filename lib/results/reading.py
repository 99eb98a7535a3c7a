"""A results document → its parts and, as a stream, its rows: what `lib.results.document` writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Final, TypeVar

import msgspec

from lib.model.outcomes import Outcome
from lib.results.document import SCHEMA_VERSION

_ROWS: Final = b'\n "rows": ['
_END: Final = b" ]\n}\n"
_BLOCK_BYTES: Final = 1 << 20


class NotResults(Exception):
    """The text is not a results document that this program can read. The message says why."""


T = TypeVar("T")


class _Version(msgspec.Struct, frozen=True):
    schema_version: int | None = None  # rows have none


class WrittenSource(msgspec.Struct, frozen=True):
    """The file that the results are about, with its checksums in base64, if they are known."""

    bucket: str
    name: str
    generation: str
    size: int | None = None
    md5: str = ""
    crc32c: str = ""


class WrittenCode(msgspec.Struct, frozen=True):
    """What a code means, what to do, and whether a person must do it."""

    meaning: str
    action: str
    needs_action: bool
    count: int = 0


class WrittenProblem(msgspec.Struct, frozen=True):
    """A problem of a row or of the file. `detail` is what is particular to it."""

    code: str
    detail: str
    field: str = ""  # of a row


class WrittenRow(msgspec.Struct, frozen=True):
    """A row as it is listed."""

    line: int
    outcome: Outcome
    errors: tuple[WrittenProblem, ...]
    warnings: tuple[WrittenProblem, ...]
    record: int


class WrittenHead(msgspec.Struct, frozen=True):
    """The parts of the document that `fix` needs, except its rows.

    `profile_keys`: the profile with which the file was read, if one could be used.
    """

    schema_version: int
    source: WrittenSource
    profile: str
    status: str
    counts: dict[str, int]
    codes: dict[str, WrittenCode]
    file_error: WrittenProblem | None
    columns: dict[str, str]
    other_generation: str = ""
    profile_keys: dict[str, Any] | None = None


class _Whole(WrittenHead, frozen=True):
    rows: tuple[WrittenRow, ...] = ()


def read_results(stream: IO[bytes]) -> tuple[WrittenHead, Iterator[WrittenRow]]:
    """Return the document and its rows, which are read when they are needed.

    A document that another program has formatted is read as a whole. Raises `NotResults`, also
    while the rows are read.
    """
    start = bytearray()
    while _ROWS not in start and (block := stream.read(_BLOCK_BYTES)):
        start += block
    head, found, rest = bytes(start).partition(_ROWS)
    if not found:
        whole = _decode(head, _Whole)
        return whole, iter(whole.rows)
    read = _decode(head + _ROWS + _END, WrittenHead)
    return read, _rows(_lines(rest, stream))


def _lines(rest: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream of which `rest` has been read, without their line ends."""
    while block := stream.read(_BLOCK_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    yield from rest.split(b"\n")


def _rows(lines: Iterator[bytes]) -> Iterator[WrittenRow]:
    for line in lines:
        row = line.strip().removesuffix(b",")
        if row == b"]":
            break
        if row:
            yield _decode(row, WrittenRow)
    else:
        raise NotResults("it ends in the middle: it was not copied completely")
    if any(line.strip() not in (b"", b"}") for line in lines):
        raise NotResults("it has the results of several files; use those of one file")


def _decode(text: bytes, kind: type[T]) -> T:
    try:
        version = msgspec.json.decode(text, type=_Version).schema_version
        if version in (None, SCHEMA_VERSION):
            return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError):
        raise NotResults("it is not a results document (its name ends in .results.json)") from None
    raise NotResults(
        f"it has version {version} of the format, and this program reads version {SCHEMA_VERSION}; "
        "use a program of the same version"
    )
