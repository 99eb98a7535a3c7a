"""The bytes of the file in blocks of equal size, unpacked if the content is gzip.

The content determines whether it is gzip, not the file name. The block size does not depend on the
stream: decisions that later modules make per block (for example, the encoding of a file that begins
in plain ASCII) are the same in every attempt.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from lib.source.errors import SourceError

BLOCK_BYTES = 1 << 17
GZIP_MAGIC = b"\x1f\x8b"
MAX_GZIP_MEMBERS = 1_000_000
"""More than a log shipper writes that compresses every row separately."""

_PACKED_BYTES = 1 << 13
"""Packed bytes are unpacked in pieces of this size: zlib copies the rest of a piece at the end of
each member, which can have 20 bytes."""


class ByteStream(Protocol):
    """A source of bytes. It may return fewer bytes than requested; `b""` is the end."""

    def read(self, size: int, /) -> bytes: ...


class ByteBlocks(NamedTuple):
    """The unpacked bytes in blocks of `BLOCK_BYTES`. Only the last block may be shorter."""

    blocks: Iterator[bytes]
    is_gzip: bool


def byte_blocks(stream: ByteStream, max_bytes: int, on_block: Callable[[], None]) -> ByteBlocks:
    """Read the first bytes of a file, and return its blocks.

    `on_block` is called for every block, packed or not: bytes that are no content take time too.
    The blocks raise `SourceError` with CORRUPT_GZIP, TOO_MANY_MEMBERS, or FILE_TOO_LARGE for more
    than `max_bytes` unpacked bytes.
    """
    start = stream.read(BLOCK_BYTES)
    while len(start) < len(GZIP_MAGIC) and (more := stream.read(BLOCK_BYTES)):
        start += more
    is_gzip = start.startswith(GZIP_MAGIC)
    pieces = _pieces(stream, start, on_block)
    return ByteBlocks(
        _in_blocks(_gunzip(pieces, on_block) if is_gzip else pieces, max_bytes), is_gzip
    )


def _in_blocks(pieces: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    total = 0
    block = bytearray()
    for piece in pieces:
        total += len(piece)
        if total > max_bytes:
            raise SourceError("FILE_TOO_LARGE", f"more than {max_bytes} bytes after unpacking")
        block += piece
        while len(block) >= BLOCK_BYTES:
            yield bytes(block[:BLOCK_BYTES])
            del block[:BLOCK_BYTES]
    if block:
        yield bytes(block)


def _pieces(stream: ByteStream, piece: bytes, on_block: Callable[[], None]) -> Iterator[bytes]:
    while piece:
        on_block()
        yield piece
        piece = stream.read(BLOCK_BYTES)


def _gunzip(pieces: Iterator[bytes], on_block: Callable[[], None]) -> Iterator[bytes]:
    """Unpack one or more gzip members, at most one block at a time for any compression ratio."""
    member = _new_member()
    members = 1
    for piece in _smaller(pieces):
        full = False
        while piece or full:
            if member.eof:
                piece = piece.lstrip(b"\0")  # padding between and after members is allowed
                if not piece:
                    break
                member = _new_member()
                members += 1
                if members > MAX_GZIP_MEMBERS:
                    raise SourceError("TOO_MANY_MEMBERS", f"more than {MAX_GZIP_MEMBERS}")
            try:
                unpacked = member.decompress(piece, BLOCK_BYTES)
            except zlib.error:
                raise SourceError("CORRUPT_GZIP", "the gzip data is damaged") from None
            yield unpacked
            full = len(unpacked) == BLOCK_BYTES and not member.eof
            if full:
                on_block()
            piece = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise SourceError("CORRUPT_GZIP", "the gzip data ends too early: the file was cut short")


def _smaller(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _PACKED_BYTES):
            yield piece[start : start + _PACKED_BYTES]


def _new_member() -> zlib._Decompress:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
