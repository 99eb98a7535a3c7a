"""Texts that mean the same although they are spelled differently: what spreadsheets, chats and web
pages add to a cell or to the name of a column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from unicodedata import normalize

from lib.model.fields import ValueKind

# Inside a name, some scripts need joiners (Persian, Sinhala, emoji).
_JOINERS: Final = "\u200c\u200d"
INVISIBLE: Final = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff" + _JOINERS
)
"""Characters in text copied from spreadsheets, chats and web pages: soft hyphen, zero-width spaces
and joiners, direction marks, byte order mark. They are not part of a value, but they would change
its digest."""
_NO_BREAK_SPACES: Final = "\u00a0\u2007\u202f"
_IN_OTHERS: Final = {
    **dict.fromkeys(map(ord, INVISIBLE)),
    **dict.fromkeys(map(ord, _NO_BREAK_SPACES), " "),
}
_IN_NAMES: Final = {char: to for char, to in _IN_OTHERS.items() if chr(char) not in _JOINERS}
FULL_WIDTH: Final = {
    **{0xFF01 + each: chr(0x21 + each) for each in range(94)},
    0xFFE0: "\u00a2",
    0xFFE1: "\u00a3",
    0xFFE5: "\u00a5",
    0xFFE6: "\u20a9",
}
"""Full-width digits, letters and signs -> plain ones. In numbers and times they mean the same."""
# Beside a number, some programs write the soft hyphen for a minus.
_IN_NUMBERS: Final = _IN_OTHERS | FULL_WIDTH | {0xAD: "-"}
_WHOLE: Final = re.compile(r"([0-9]+)[.,]00?")
_IN_KINDS: Final[dict[ValueKind, Mapping[int, str | None]]] = {
    "name": _IN_NAMES,
    "number": _IN_NUMBERS,
}


def unwrap(cell: str, kind: ValueKind) -> str:
    """Return the value in a cell, trimmed: `="000125"` and `'000125` -> `000125`.

    Spreadsheets write both to keep leading zeros, and the apostrophe also before what they would
    calculate: `'-basic` -> `-basic`. Zero-width characters are removed, no-break spaces become
    spaces, and in numbers, full-width characters become plain ones.
    """
    text = cell
    if not cell.isascii():
        text = cell.translate(_IN_KINDS.get(kind, _IN_OTHERS))
        if kind == "name":
            text = text.strip(_JOINERS)
    text = text.strip()
    if text[:2] == '="' and text[-1] == '"' and len(text) > 2:
        return text[2:-1].replace('""', '"').strip()
    # A name may begin with an apostrophe ('t Hooft), and quotation marks come in pairs.
    if text[:1] == "'" and text[-1] != "'":
        inner = text[1:].lstrip()
        if kind != "name" or inner.isdecimal() or inner[0] in "=+-@":
            return inner
    return text


def comparable(text: str) -> str:
    """Return a name, or a value that a profile lists, as it is compared: unwrapped, in NFKC,
    without case and double spaces.

    `" Deal  Stage"` and `"deal stage"` are the same, and so are `"'@mail"` and `"@mail"`, and the
    numbers `1.0`, `1.00` and `1`: an empty cell, or another currency, makes some programs write
    other decimals.
    """
    plain = " ".join(normalize("NFKC", unwrap(text, "word")).split()).casefold()
    whole = _WHOLE.fullmatch(plain) if plain[-1:] == "0" else None
    return whole[1] if whole else plain
