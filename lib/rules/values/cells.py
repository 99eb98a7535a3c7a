"""What all parsers share: how a cell is unwrapped and compared.

unwrap                       what spreadsheets and web pages add to a value
is_placeholder               what programs write instead of a missing value
plain_name, without_accents  texts that are the same in spite of their spelling
parse_json                   a cell that contains JSON
Memo                         cells that occur many times are read once
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar
from unicodedata import combining, normalize

from lib.model.fields import ValueKind

V = TypeVar("V")

MemoKey = str | tuple[str, ...]
"""A cell, or several cells of a row."""

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
FULL_WIDTH: Final = {
    **{0xFF01 + each: chr(0x21 + each) for each in range(94)},
    0xFFE0: "\u00a2",
    0xFFE1: "\u00a3",
    0xFFE5: "\u00a5",
    0xFFE6: "\u20a9",
}
"""Full-width digits, letters and signs -> plain ones. In numbers and times they mean the same."""
_IN_NUMBERS: Final = _IN_OTHERS | FULL_WIDTH
_IN_KINDS: Final[dict[ValueKind, Mapping[int, str | None]]] = {
    "name": _IN_NAMES,
    "number": _IN_NUMBERS,
}

# Each kind of value has its own placeholders, because a placeholder in one column is a value in
# another: `0` is an amount, Null is a surname, NA is Namibia, and a consent can be unknown.
# No value of any kind is written like these signs.
_ABSENT: Final = frozenset(
    {
        *("-", "--", "---", "\u2013", "\u2014", "n/a", "n.a.", "\\n", "undefined"),
        *("notset", "novalue"),
    }
)
_SIGNS: Final = _ABSENT | {
    *("#n/a", "#na", "#null!", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#error!"),
    *("notprovided", "notavailable"),
}
# What decides about money and time is absent only where the cell says so. An error of a spreadsheet
# and an undecided word (TBD, ?, unknown) are errors of the row: a default would hide that the value
# is missing.
_STRICT: Final[frozenset[ValueKind]] = frozenset({"number", "unit"})
_NOTHING: Final = _ABSENT | {"null", "none", "nil", "nan", "na", "empty", "blank"}
_WORDS: Final = _SIGNS | {
    *("?", ".", "null", "none", "nil", "nan", "na", "unknown", "empty", "blank", "tbd", "tba"),
}
PLACEHOLDERS: Final[dict[ValueKind, frozenset[str]]] = {
    "text": _WORDS | {"0"},
    "number": _NOTHING,
    "unit": _NOTHING | {"0"},
    "name": _SIGNS,
    "word": _WORDS - {"unknown"},
    "country": (_WORDS | {"0"}) - {"na"},
}
_BRACKETS: Final = "()[]<>"
LONGEST_PLACEHOLDER: Final = 15
"""Including brackets."""

_MAX_REMEMBERED: Final = 1_024
_LONGEST_REMEMBERED: Final = 256


def unwrap(cell: str, kind: ValueKind) -> str:
    """Return the value in a cell, trimmed: `="000125"` and `'000125` -> `000125`.

    Spreadsheets write both to keep leading zeros, and the apostrophe also before what they would
    calculate: `'-basic` -> `-basic`. Zero-width characters are removed, no-break
    spaces become spaces, and in numbers, full-width characters become plain ones.
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


def is_placeholder(kind: ValueKind, cell: str) -> bool:
    """Return whether a cell of this kind is a placeholder: `N/A`, `(not set)`, `null`, `--`."""
    if len(cell) > LONGEST_PLACEHOLDER:
        return False
    word = cell.strip().lower()
    if word in PLACEHOLDERS[kind]:
        return True
    inner = word.strip(_BRACKETS)
    bare = inner.replace("_", "").replace(" ", "")
    if bare in PLACEHOLDERS[kind]:
        return True
    return inner != word and kind not in _STRICT and bare in _WORDS


def plain_name(name: str) -> str:
    """Normalize a name: case, accents, types of apostrophe, `&` and spaces make no difference."""
    text = without_accents(name.replace("\u2019", "'").replace("&", " and "))
    return " ".join(text.split()).lower()


def without_accents(text: str) -> str:
    """Return the text with plain letters. Ligatures and full-width letters become plain too."""
    if text.isascii():
        return text
    return "".join(each for each in normalize("NFKD", text) if not combining(each))


def parse_json(text: str) -> Any:
    """Return the decoded value.

    Raises ValueError or RecursionError, also for a text that no message can contain: half a
    character (`"\\ud83d"`, the rest of a cut-off emoji).
    """
    decoded = json.loads(text)
    json.dumps(decoded, ensure_ascii=False).encode()
    return decoded


class Memo(dict[MemoKey, V], Generic[V]):
    """`memo[cell]` is what `read` returns for a cell, or for a tuple of cells.

    `read` gets `more` after the cells. The size is limited for any file: when the memo is full, it
    is cleared.
    """

    def __init__(self, read: Callable[..., V], *more: object) -> None:
        super().__init__()
        self._read = read
        self._more = more

    def __missing__(self, cells: MemoKey) -> V:
        together = isinstance(cells, tuple)
        answer = self._read(*(cells if together else (cells,)), *self._more)
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        if (sum(map(len, cells)) if together else len(cells)) <= _LONGEST_REMEMBERED:
            self[cells] = answer
        return answer
