"""Characters that spreadsheets and web pages add to a value, without being part of it."""

from typing import Final

from lib.model.fields import ValueKind

# Inside a name, some scripts need joiners (Persian, Sinhala, emoji).
_JOINERS: Final = "\u200c\u200d"
INVISIBLE: Final = (
    "\u00ad\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
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


def unwrap(cell: str, kind: ValueKind) -> str:
    """Return the value in a cell, trimmed: `="000125"` and `'000125` -> `000125`.

    Spreadsheets write both to keep leading zeros. Zero-width characters are removed, and no-break
    spaces become spaces.
    """
    text = cell
    if not cell.isascii():
        text = cell.translate(_IN_NAMES if kind == "name" else _IN_OTHERS)
        if kind == "name":
            text = text.strip(_JOINERS)
    text = text.strip()
    if text[:2] == '="' and text[-1] == '"' and len(text) > 2:
        return text[2:-1].replace('""', '"').strip()
    # A name may begin with an apostrophe ('t Hooft), and quotation marks come in pairs.
    if text[:1] == "'" and text[-1] != "'" and (kind != "name" or text[1:].isdecimal()):
        return text[1:].lstrip()
    return text
