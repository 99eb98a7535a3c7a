"""Bytes → text. The content determines the encoding:

1. A byte order mark. It takes precedence over the profile, because nothing else starts with one.
2. Otherwise, the encoding in the profile.
3. Otherwise, NULs in every second byte mean UTF-16. Many NULs or a known magic number mean that the
   file is not text.
4. Otherwise, the first block with non-ASCII characters. It is Windows-1252 if most of its non-ASCII
   characters are not valid UTF-8, and UTF-8 if not. Both read ASCII the same way, so a file with
   its first accent in row 5,000 is read correctly.

Bytes that are not valid in the encoding become `UNDECODABLE`, so only their rows are affected.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from lib.source.errors import SourceError

UNDECODABLE = "\udcff"
"""Replaces undecodable bytes. It is a lone surrogate, which no encoding produces."""

_LONGEST_CUT = 3
"""Maximum number of bytes of an incomplete UTF-8 character."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, because its mark begins the same way
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "a spreadsheet (.xlsx, .ods) or a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet (.xls)"),
    (b"\x1f\x8b", "a file that is compressed twice"),
    (b"%PDF-", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"BZh", "a file compressed with bzip2"),
    (b"\xfd7zXZ", "a file compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return UNDECODABLE, error.end
    raise error


codecs.register_error("lib.source.mark", _mark)


class Decoder:
    """Decodes the blocks of one file. `encoding` is the encoding so far; it may still change."""

    def __init__(self, sample: bytes, wanted: str | None) -> None:
        """Choose the encoding. `sample` is the file's first block, `wanted` is from the profile.

        Raises `SourceError` with UNKNOWN_ENCODING or NOT_TEXT.
        """
        known = _codec_name(wanted) if wanted else None
        self.bom = b""
        for bom, encoding in _BYTE_ORDER_MARKS:
            if sample.startswith(bom):
                known, self.bom = encoding, bom
                break
        self.encoding = known or _utf_16_by_nulls(sample) or ""
        if not self.encoding:
            _refuse_binary(sample)
        self._decided = bool(self.encoding)
        self.guessed = False
        """Windows-1252 is assumed, because the text is not UTF-8. It may be a similar encoding."""
        self._held = b""
        self._choose(self.encoding or "utf-8")

    def _choose(self, encoding: str) -> None:
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("lib.source.mark")

    @property
    def is_decided(self) -> bool:
        """Whether the encoding is final. It is not as long as only ASCII was decoded."""
        return self._decided

    def decode(self, block: bytes, final: bool = False) -> str:
        """Return the next block's text. A character cut at its end is left for the next text."""
        if not self._decided:
            block = self._decide(self._held + block, final)
        return self._decoder.decode(block, final)

    def _decide(self, block: bytes, final: bool) -> bytes:
        """Choose the encoding at the first non-ASCII block. Return the bytes to decode now."""
        self._held = b""
        if block.isascii():
            return block
        if not final and block[:-_LONGEST_CUT].isascii():
            # This may be a character cut at the end of the block, so wait for the next block.
            self._held = block[-_LONGEST_CUT:]
            return block[:-_LONGEST_CUT]
        self._decided = True
        self.guessed = not _is_rather_utf_8(block, final)
        self._choose("cp1252" if self.guessed else "utf-8")
        return block

    def texts(self, blocks: Iterator[bytes]) -> Iterator[str]:
        """Decode all blocks. The last text contains the bytes that were held until the end."""
        bom = self.bom
        for block in blocks:
            yield self.decode(block[len(bom) :])
            bom = b""
        yield self.decode(b"", final=True)


def _codec_name(wanted: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), wanted)  # refuses codecs that are not for text, like "hex"
        name = codecs.lookup(wanted).name
    except (LookupError, ValueError):
        raise SourceError("UNKNOWN_ENCODING", "the encoding in the profile is unknown") from None
    return "utf-8" if name == "utf-8-sig" else name


def _utf_16_by_nulls(sample: bytes) -> str | None:
    """Detect UTF-16 without a byte order mark: Western text has a NUL in every second byte."""
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    most = 0.4 * len(sample) / 2
    few = 0.05 * len(sample) / 2
    if odd >= most and even <= few:
        return "utf-16-le"
    return "utf-16-be" if even >= most and odd <= few else None


def _refuse_binary(sample: bytes) -> None:
    for magic, kind in _NOT_TEXT:
        if sample.startswith(magic):
            raise SourceError("NOT_TEXT", f"it looks like {kind}; export it as CSV")
    if sample.count(0) > len(sample) / 10:
        raise SourceError("NOT_TEXT", "it looks like a binary file; export it as CSV")


def _is_rather_utf_8(block: bytes, final: bool) -> bool:
    """Return whether a block is UTF-8. Windows-1252 text is almost never valid UTF-8; damaged UTF-8
    mostly is."""
    text = codecs.getincrementaldecoder("utf-8")("lib.source.mark").decode(block, final)
    invalid = text.count(UNDECODABLE)
    valid = sum(not character.isascii() for character in text) - invalid
    return valid >= invalid
