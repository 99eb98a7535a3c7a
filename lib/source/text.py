"""The bytes of a file → its text, in blocks of complete lines.

Bytes are read in blocks of equal size, and unpacked if they are gzip. The content decides about
that, not the file name. The size of a block does not depend on the stream, so whatever is decided
block by block is the same in every attempt.

The content determines the encoding:

1. A byte order mark. It takes precedence over the profile, because nothing else starts with one.
2. Otherwise, the encoding in the profile.
3. Otherwise, NULs in every second byte mean UTF-16. Many NULs mean that the file is not text.
4. Otherwise, the first block with non-ASCII characters. It is Windows-1252 if most of its non-ASCII
   characters are not valid UTF-8, and UTF-8 if not. Both read ASCII the same way, so a file with
   its first accent in row 5,000 is read correctly.

Bytes that are not valid in the encoding become `UNDECODABLE`, so only their rows are affected.

Lines are those that an editor counts: `\\r\\n`, `\\n` and `\\r` end a line, but not the other
separators of `str.splitlines`. The length of a line is limited.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from operator import contains
from typing import BinaryIO, NamedTuple, Protocol, cast

from lib.errors import SourceError
from lib.source.formats import format_of_content

BLOCK_BYTES = 1 << 17
MAX_LINE_CHARS = 1 << 20
"""A longer line is cut here, and its rest is dropped: no row of eleven cells is that long."""
MAX_CELL_CHARS = 32_767
"""Excel's limit for a cell."""
MAX_COLUMNS = 1_000
HEAD_LINES = 50
HEAD_CHARS = 1 << 20
"""The header, including its quoted newlines, must end within these limits."""
UNDECODABLE = "\udcff"
"""Replaces undecodable bytes. It is a lone surrogate, which no encoding produces."""

_GZIP_MAGIC = b"\x1f\x8b"
_PACKED_BYTES = 1 << 13
"""Packed bytes are unpacked in pieces of this size: the rest of a piece is copied at the end of
each member, which can have 20 bytes."""
_LONGEST_CUT = 3
"""Maximum number of bytes of an incomplete UTF-8 character."""

_MIN_SHARE_OF_NULS = 0.4
"""Of the bytes in odd or in even places, for UTF-16."""
_MAX_SHARE_OF_OTHER_NULS = 0.05
"""Of the bytes in the other places."""
_MAX_SHARE_OF_NULS = 0.1
"""Of all bytes. With more, a file is not text."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, because its mark begins the same way
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class ByteStream(Protocol):
    """A source of bytes. It may return fewer bytes than requested; `b""` is the end."""

    def read(self, size: int, /) -> bytes: ...


class Pieces:
    """Pieces of any length as a stream of bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = filter(None, pieces)  # an empty piece would be taken for the end
        self._piece = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        piece = self._piece or next(self._pieces, b"")
        self._piece = piece[size:]
        return piece[:size]


def count_line_ends(text: str) -> int:
    """Return the number of line ends in a text."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class Block(NamedTuple):
    """Complete lines, with their line ends."""

    text: str
    damaged: bool
    """At least one line contains NULs or undecodable bytes."""
    overlong: bool = False
    """The block is one line, cut at `MAX_LINE_CHARS`."""
    is_open: bool = False
    """The block is the last line of the file, and this line has no line end."""

    def count_lines(self) -> int:
        """Return the number of line ends. A thousand times faster than `lines`."""
        return count_line_ends(self.text)

    def lines(self) -> list[str]:
        """Return the lines with their line ends."""
        return io.StringIO(self.text, newline="").readlines()

    def bare_lines(self) -> list[str]:
        """Return the lines without their line ends. This takes half the time."""
        text = self.text
        end = "\r\n" if "\r" in text else "\n"
        lines = text.split(end)
        if end != "\n" and any(any(map(contains, lines, repeat(mark))) for mark in ("\r", "\n")):
            # Some lines end in another way. Looking takes less time than replacing.
            lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if not lines[-1]:
            lines.pop()
        return lines


class DecodedText:
    """The text of one file.

    `encoding` is Python's name of the encoding so far: "utf-8" as long as only ASCII was read.
    `encoding_guessed`: nothing states it, and it is not UTF-8, so the text is read as Windows-1252,
    but it may be a similar encoding.
    """

    def __init__(
        self,
        stream: ByteStream,
        encoding: str | None,
        max_bytes: int,
        on_block: Callable[[], None],
    ) -> None:
        """Read the first block. `encoding` is the one in the profile.

        `on_block` is called for every block of bytes, packed or not: bytes that are no content take
        time too. Raises `SourceError` with EMPTY_FILE, INVALID_PROFILE or NOT_TEXT. `blocks`
        raises it with CORRUPT_FILE, or with FILE_TOO_LARGE for more than `max_bytes` unpacked
        bytes.
        """
        start = stream.read(BLOCK_BYTES)
        while len(start) < len(_GZIP_MAGIC) and (more := stream.read(BLOCK_BYTES)):
            start += more
        self.is_gzip = start.startswith(_GZIP_MAGIC)
        pieces = _pieces(stream, start, on_block)
        blocks = _in_blocks(_gunzip(pieces, on_block) if self.is_gzip else pieces, max_bytes)
        first = next(blocks, b"")
        if not first:
            raise SourceError("EMPTY_FILE", "the file contains no bytes")
        if other := format_of_content(first):
            raise SourceError("NOT_TEXT", f"it looks like {other}")
        known = _codec_name(encoding) if encoding else None
        self._byte_order_mark = b""
        for mark, marked in _BYTE_ORDER_MARKS:
            if first.startswith(mark):
                known, self._byte_order_mark = marked, mark
                break
        known = known or _utf_16_by_nulls(first)
        if not known and first.count(0) > _MAX_SHARE_OF_NULS * len(first):
            raise SourceError("NOT_TEXT", "it looks like a binary file; export the data as CSV")
        self._encoding_is_final = known is not None
        self.encoding_guessed = False
        self._use_encoding(known or "utf-8")
        self._held = b""
        self._bytes = chain([first], blocks)

    def blocks(self) -> Iterator[Block]:
        """Yield the text. For one caller only."""
        # If it were kept here, it would be a cycle: the process of a workbook would not end.
        return _line_blocks(self._decoded(self._bytes))

    def _use_encoding(self, encoding: str) -> None:
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("lib.source.mark")

    def _decoded(self, blocks: Iterator[bytes]) -> Iterator[str]:
        """Decode all blocks. A character that the end of a block cuts comes with the next one."""
        yield self._decode(next(blocks)[len(self._byte_order_mark) :])
        yield from map(self._decode, blocks)
        yield self._decode(b"", final=True)

    def _decode(self, block: bytes, final: bool = False) -> str:
        if not self._encoding_is_final:
            block = self._decide_encoding(self._held + block, final)
        return self._decoder.decode(block, final)

    def _decide_encoding(self, block: bytes, final: bool) -> bytes:
        """Choose the encoding at the first block with a non-ASCII character. Return the bytes to
        decode now: those of a character that the end of the block may cut wait for the next one."""
        self._held = b""
        if block.isascii():
            return block
        if not final and block[:-_LONGEST_CUT].isascii():
            # This may be a character cut at the end of the block, so wait for the next block.
            self._held = block[-_LONGEST_CUT:]
            return block[:-_LONGEST_CUT]
        self._encoding_is_final = True
        self.encoding_guessed = not _is_rather_utf_8(block, final)
        self._use_encoding("cp1252" if self.encoding_guessed else "utf-8")
        return block


def _pieces(stream: ByteStream, piece: bytes, on_block: Callable[[], None]) -> Iterator[bytes]:
    while piece:
        on_block()
        yield piece
        piece = stream.read(BLOCK_BYTES)


def _in_blocks(pieces: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield blocks of `BLOCK_BYTES`. Only the last one may be shorter."""
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


def _gunzip(pieces: Iterator[bytes], on_block: Callable[[], None]) -> Iterator[bytes]:
    """Unpack one or more gzip members, at most one block at a time for any compression ratio."""
    file = gzip.GzipFile(fileobj=cast("BinaryIO", _PackedBytes(pieces)), mode="rb")
    try:
        # Not `read`: what stands before some damage is returned.
        while block := file.read1(BLOCK_BYTES):
            yield block
            on_block()
    except (gzip.BadGzipFile, zlib.error):
        raise SourceError("CORRUPT_FILE", "the gzip data is damaged") from None
    except EOFError:
        detail = "the gzip data ends too early: the file was cut short"
        raise SourceError("CORRUPT_FILE", detail) from None


class _PackedBytes:
    """The bytes of these pieces, as a file that can only be read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return up to so many bytes."""
        self._rest = self._rest or next(self._pieces, b"")
        size = min(size, _PACKED_BYTES)
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Let a decoder write `UNDECODABLE` for the bytes that it cannot decode, and go on behind
    them."""
    if isinstance(error, UnicodeDecodeError):
        return UNDECODABLE, error.end
    raise error


codecs.register_error("lib.source.mark", _mark_undecodable)


def _codec_name(wanted: str) -> str:
    """Return Python's name of an encoding. Raises `SourceError` (INVALID_PROFILE)."""
    try:
        io.TextIOWrapper(io.BytesIO(), wanted)  # refuses codecs that are not for text, like "hex"
        name = codecs.lookup(wanted).name
    except (LookupError, ValueError):
        raise SourceError("INVALID_PROFILE", "the encoding in the profile is unknown") from None
    return "utf-8" if name == "utf-8-sig" else name  # `_decoded` removes the byte order mark


def _utf_16_by_nulls(sample: bytes) -> str | None:
    """Return "utf-16-le" or "utf-16-be" for UTF-16 without a byte order mark, otherwise None: of
    Western text in UTF-16, every second byte is a NUL."""
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd >= _MIN_SHARE_OF_NULS * half and even <= _MAX_SHARE_OF_OTHER_NULS * half:
        return "utf-16-le"
    if even >= _MIN_SHARE_OF_NULS * half and odd <= _MAX_SHARE_OF_OTHER_NULS * half:
        return "utf-16-be"
    return None


def _is_rather_utf_8(block: bytes, final: bool) -> bool:
    """Return whether a block is UTF-8. Windows-1252 text is almost never valid UTF-8; damaged UTF-8
    mostly is."""
    text = codecs.getincrementaldecoder("utf-8")("lib.source.mark").decode(block, final)
    invalid = text.count(UNDECODABLE)
    valid = sum(not character.isascii() for character in text) - invalid
    return valid >= invalid


def _line_blocks(texts: Iterator[str]) -> Iterator[Block]:
    """Split texts, which may end at any character, into blocks of complete lines."""
    rest = ""  # the beginning of a line whose end has not come yet
    dropping = False  # whether the rest of a line that is too long is being dropped
    for text in texts:
        text = rest + text
        if dropping:
            end = _end_of_first_line(text)
            if not end:
                rest = text[-1:] if text.endswith("\r") else ""
                continue
            text = text[end:]
            dropping = False
        cut = _end_of_last_line(text)
        if cut:
            yield _block(text[:cut])
        rest = text[cut:]
        if len(rest) > MAX_LINE_CHARS:
            yield Block(rest[:MAX_LINE_CHARS], damaged=False, overlong=True)
            dropping = True
            rest = rest[-1:] if rest.endswith("\r") else ""
    if rest and not dropping:
        yield _block(rest)._replace(is_open=not rest.endswith("\r"))


# In both functions, a \r at the end of the text may be the first half of a \r\n, so it waits for
# the next text. The result 0 means that no line ends in this text.


def _end_of_first_line(text: str) -> int:
    newline = text.find("\n")
    other = text.find("\r", 0, len(text) - 1 if newline < 0 else newline)
    return newline + 1 if other < 0 or other == newline - 1 else other + 1


def _end_of_last_line(text: str) -> int:
    newline = text.rfind("\n")
    return max(newline, text.rfind("\r", newline + 1, len(text) - 1)) + 1


def _block(text: str) -> Block:
    return Block(text, damaged="\0" in text or UNDECODABLE in text)
