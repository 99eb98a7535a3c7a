"""A results document → its head and, as a stream, its rows: what `lib.results.document` writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final, TypeVar

import msgspec

from lib.errors import NotResults
from lib.results.document import SCHEMA_VERSION, ResultsHead, ResultsRow

_START_OF_ROWS: Final = b' "rows": [\n'
_END: Final = b" ]\n}\n"


T = TypeVar("T")


class _Version(msgspec.Struct, frozen=True):
    schema_version: int


class _Rows(msgspec.Struct, frozen=True):
    rows: tuple[ResultsRow, ...]


def read_results(stream: IO[bytes]) -> tuple[ResultsHead, Iterator[ResultsRow]]:
    """Return the document and its rows, which are read when they are needed.

    A document that another program has formatted is read as a whole. Raises `NotResults`, also
    while the rows are read.
    """
    start = bytearray()
    for line in stream:
        start += line
        if line == _START_OF_ROWS:
            return _head(bytes(start) + _END), _rows(stream)
    return _head(bytes(start)), iter(_decode(bytes(start), _Rows).rows)


def _head(text: bytes) -> ResultsHead:
    version = _decode(text, _Version).schema_version
    if version != SCHEMA_VERSION:
        raise NotResults(
            f"it has version {version} of the format, and this program reads version "
            f"{SCHEMA_VERSION}; use a program of the same version"
        )
    return _decode(text, ResultsHead)


def _rows(lines: Iterator[bytes]) -> Iterator[ResultsRow]:
    for line in lines:
        row = line.strip().removesuffix(b",")
        if row == b"]":
            break
        if row:
            yield _decode(row, ResultsRow)
    else:
        raise NotResults("it ends in the middle: it was not copied completely")
    if any(line.strip() not in (b"", b"}") for line in lines):
        raise NotResults("it has the results of several files; use those of one file")


def _decode(text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError):
        raise NotResults("it is not a results document (its name ends in .results.json)") from None
