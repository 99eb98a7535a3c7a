"""What all parsers share.

is_placeholder               what programs write instead of a missing value
plain_name, without_accents  texts that are the same in spite of their spelling
parse_json                   a cell that contains JSON
Memo                         cells that occur many times are read once
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar
from unicodedata import combining, normalize

from lib.model.fields import ValueKind

V = TypeVar("V")

MemoKey = str | tuple[str, ...]
"""A cell, or several cells of a row."""

# Each kind of value has its own placeholders, because a placeholder in one column is a value in
# another: `0` is an amount, Null is a surname, NA is Namibia, and a consent can be unknown.
_ZERO_TIMES: Final = ("0000-00-00", "0001-01-01")
"""What databases write for a missing time (MySQL, .NET), often with midnight."""
_ABSENT: Final = frozenset(
    {
        *_ZERO_TIMES,
        *("-", "--", "---", "\u2013", "\u2014", "n/a", "n.a.", "\\n", "undefined"),
        *("notset", "novalue"),
    }
)
"""No value of any kind is written like these."""
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
"""Including brackets, and without a time of day."""

_MAX_REMEMBERED: Final = 1_024
_LONGEST_REMEMBERED: Final = 256


def is_placeholder(kind: ValueKind, cell: str) -> bool:
    """Return whether a cell of this kind is a placeholder: `N/A`, `(not set)`, `null`, `--`, and
    `0000-00-00`, with a time of day or without."""
    if len(cell) > LONGEST_PLACEHOLDER:
        return cell.startswith(_ZERO_TIMES)
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
