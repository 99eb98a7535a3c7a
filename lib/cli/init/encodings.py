"""The encoding that a file probably has, although nothing in it says so. Only `init` asks: a run
reads a file as its profile says, or as Windows-1252.

charset-normalizer tells scripts apart, such as Cyrillic and Japanese. Between the code pages of
Latin letters it guesses if a file has only a few names, so there the alphabets of languages decide:
no language has the letters of `Dvoøák` and `Èermák`.
"""

from __future__ import annotations

import gzip
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from typing import IO, Final

_MOST_BYTES: Final = 1 << 20
_MOST_LINES: Final = 200
_GZIP: Final = b"\x1f\x8b"
_MARKS: Final = (BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE)
_WORDS: Final = re.compile(rb"(?=.[A-Za-z\x80-\xff])[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_ACCENTS: Final = re.compile(
    r"[^\W\d_\x00-\x7f]|(?<=[^\W\d_])[^\x00-\x7f\u2019](?=[^\W\d_])"
    r"|[^\x00-\x7f\xa0«»\u2010-\u2026](?=[^\W\d_])"
)
"""Letters with accents, and other signs in a word or before it: they show a wrong code page."""
_FEWEST_OF_A_SCRIPT: Final = 0.45
"""Share of the bytes in words with foreign bytes that are foreign. Of Latin letters, few have
accents; half of the bytes of Katakana are ASCII."""

_OTHER_SCRIPTS: Final = (
    *("cp1251", "cp1253", "cp1255", "cp1256", "koi8_r", "cp866"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_WESTERN: Final = (
    *("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúüºª", "àèéìíîòóùú", "ãáàâçéêíóôõúüºª", "éëïóöüèáê"),
    *("åäöé", "æøåéö", "áðéíóúýþæö"),
)
_EASTERN: Final = (
    *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"),
)
_ALPHABETS: Final[Mapping[str, Sequence[str]]] = {
    "cp1252": _WESTERN,
    "cp1250": _EASTERN,
    "cp1254": ("çğıöşüâî\u0307",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äöõüšž"),
    "iso8859_2": _EASTERN,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _EASTERN,
}
"""Encoding → the letters beside a to z of each language that is written with it. If several fit
equally, the first one counts."""


def likely_encoding(stream: IO[bytes]) -> str | None:
    """Return the likely encoding of a text file, by Python's name.

    None: the file states it, is UTF-8 or ASCII, or nothing is likely.
    """
    start = stream.read(_MOST_BYTES)
    if start.startswith(_GZIP):
        stream.seek(0)
        start = gzip.GzipFile(fileobj=stream).read(_MOST_BYTES)
    if start.startswith(_MARKS) or b"\0" in start:
        return None
    lines = [line for line in start.splitlines() if not line.isascii()][:_MOST_LINES]
    content = b"\n".join(lines)
    if not content:
        return None
    try:
        content.decode()
    except UnicodeDecodeError:
        pass
    else:
        return None
    words = b"".join(_WORDS.findall(content))
    foreign = sum(byte >= 0x80 for byte in words)
    if foreign <= _FEWEST_OF_A_SCRIPT * len(words):
        return _code_page(content)
    from charset_normalizer import from_bytes  # only this file needs its time to import

    best = from_bytes(content, cp_isolation=list(_OTHER_SCRIPTS)).best()
    return best.encoding if best else None


def _code_page(content: bytes) -> str | None:
    shares = {encoding: _share(content, encoding) for encoding in _ALPHABETS}
    best = max(shares, key=lambda each: shares[each])
    return best if shares[best] else None


def _share(content: bytes, encoding: str) -> float:
    """Return which share of the letters with accents the best fitting language has."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    accents = _ACCENTS.findall(text.lower())
    if not accents:
        return 1.0
    return max(sum(map(letters.count, accents)) for letters in _ALPHABETS[encoding]) / len(accents)
