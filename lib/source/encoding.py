"""Bytes → text: which encoding, decided by the content.

1. A byte order mark decides (it wins over the profile: nothing else starts with one).
2. Else the profile's encoding, when it sets one.
3. Else NULs in every second byte are UTF-16; many NULs or a known magic number are no text.
4. Else the first block that isn't plain ASCII decides between UTF-8 and Windows-1252: the
   latter when most of what isn't ASCII is invalid as UTF-8. Until then both read the same,
   so a file whose first accent comes in row 5,000 is read rightly.

Bytes that the encoding doesn't know become `UNDECODABLE`, so that only their rows suffer.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from lib.source.errors import SourceError

UNDECODABLE = "\udcff"
"""Stands for undecodable bytes: a lone surrogate, which no encoding yields on its own."""

_LONGEST_CUT = 3
"""Most bytes of an unfinished UTF-8 character."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "a spreadsheet (.xlsx, .ods) or a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet (.xls)"),
    (b"\x1f\x8b", "compressed twice"),
    (b"%PDF-", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
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
    """Decodes the blocks of one file; `encoding` is the name of what it reads (so far)."""

    def __init__(self, sample: bytes, wanted: str | None) -> None:
        """Decide by `sample`, the file's first block, and the profile's encoding.

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
        """Windows-1252, because it isn't UTF-8: any other of its kind would look the same."""
        self._held = b""
        self._choose(self.encoding or "utf-8")

    def _choose(self, encoding: str) -> None:
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("lib.source.mark")

    def decode(self, block: bytes, final: bool = False) -> str:
        """The next block's text; a character cut at the end of the block waits for the next."""
        if not self._decided:
            block = self._decide(self._held + block, final)
        return self._decoder.decode(block, final)

    def _decide(self, block: bytes, final: bool) -> bytes:
        """Choose by the first block that isn't ASCII; returns what of it can be decoded now."""
        self._held = b""
        if block.isascii():
            return block
        if not final and block[:-_LONGEST_CUT].isascii():
            # Perhaps a character cut by the end of the block: wait for what follows.
            self._held = block[-_LONGEST_CUT:]
            return block[:-_LONGEST_CUT]
        self._decided = True
        self.guessed = not _is_rather_utf_8(block, final)
        self._choose("cp1252" if self.guessed else "utf-8")
        return block

    def texts(self, blocks: Iterator[bytes]) -> Iterator[str]:
        """Decode all blocks; the last text is what the end of the file leaves undecided."""
        bom = self.bom
        for block in blocks:
            yield self.decode(block[len(bom) :])
            bom = b""
        yield self.decode(b"", final=True)


def _codec_name(wanted: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), wanted)  # refuses what is no text encoding, such as "hex"
        name = codecs.lookup(wanted).name
    except (LookupError, ValueError):
        raise SourceError("UNKNOWN_ENCODING", "the profile's encoding isn't known") from None
    return "utf-8" if name == "utf-8-sig" else name


def _utf_16_by_nulls(sample: bytes) -> str | None:
    """UTF-16 without a mark: Western text has a NUL in every second byte."""
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
            raise SourceError("NOT_TEXT", f"this looks like {kind}; export it as CSV")
    if sample.count(0) > len(sample) / 10:
        raise SourceError("NOT_TEXT", "this looks like a binary file; export it as CSV")


def _is_rather_utf_8(block: bytes, final: bool) -> bool:
    """Windows-1252 text almost never forms valid UTF-8 sequences; damaged UTF-8 mostly does."""
    text = codecs.getincrementaldecoder("utf-8")("lib.source.mark").decode(block, final)
    invalid = text.count(UNDECODABLE)
    valid = sum(not character.isascii() for character in text) - invalid
    return valid >= invalid
