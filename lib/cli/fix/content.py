"""Compares a file with what the results say about it, by its size and a checksum."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import IO, Final

from lib.results.reading import WrittenSource

_BLOCK_BYTES: Final = 1 << 20


def difference(file: IO[bytes], source: WrittenSource) -> str:
    """Return how the content of the file differs from that of `source`; "" if it does not.

    The whole file is read. Without a checksum in the results, only the size is compared.
    """
    size = 0
    add, checksum = _checksum(source)
    while block := file.read(_BLOCK_BYTES):
        size += len(block)
        add(block)
    if source.size is not None and size != source.size:
        return f"it has {size:,} bytes, and the results are about a file of {source.size:,} bytes"
    if checksum() not in ("", source.md5, source.crc32c):
        return "its content is not that of the file in the results"
    return ""


def _checksum(source: WrittenSource) -> tuple[Callable[[bytes], object], Callable[[], str]]:
    """Return what adds bytes to a checksum that the source has, and what returns it in base64."""
    if source.md5:
        md5 = hashlib.md5(usedforsecurity=False)
        return md5.update, lambda: base64.b64encode(md5.digest()).decode()
    if source.crc32c:
        return _crc32c()
    return lambda block: None, lambda: ""


def _crc32c() -> tuple[Callable[[bytes], object], Callable[[], str]]:
    """Objects that were composed of parts have no MD5."""
    from fastcrc import crc32  # only the results of composed objects need it

    value = 0

    def add(block: bytes) -> None:
        nonlocal value
        value = crc32.iscsi(block, value)

    return add, lambda: base64.b64encode(value.to_bytes(4, "big")).decode()
