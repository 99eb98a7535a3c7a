"""Placeholders that databases, spreadsheets and web analytics write instead of a missing value.

Each kind of value has its own list, because a placeholder in one column is a value in another: `0`
is an amount, Null is a surname, NA is Namibia, and a consent can be unknown.
"""

from typing import Final

from lib.model.fields import ValueKind

# No value of any kind is written like this.
_SIGNS: Final = frozenset(
    {
        *("-", "--", "---", "\u2013", "\u2014", "n/a", "n.a.", "#n/a", "#na", "\\n", "undefined"),
        *("#null!", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#error!"),
        *("notset", "notprovided", "notavailable", "novalue"),
    }
)
_WORDS: Final = _SIGNS | {
    *("?", ".", "null", "none", "nil", "nan", "na", "unknown", "empty", "blank", "tbd", "tba"),
}
_BRACKETS: Final = "()[]<>"
_BY_KIND: Final[dict[ValueKind, frozenset[str]]] = {
    "text": _WORDS | {"0"},
    "number": _WORDS,
    "name": _SIGNS,
    "word": _WORDS - {"unknown"},
    "country": (_WORDS | {"0"}) - {"na"},
}
LONGEST: Final = 15
"""No placeholder is longer, including brackets."""


def is_placeholder(kind: ValueKind, cell: str) -> bool:
    """Return whether a cell of this kind is a placeholder: `N/A`, `(not set)`, `null`, `--`."""
    if len(cell) > LONGEST:
        return False
    word = cell.strip().lower()
    if word in _BY_KIND[kind]:
        return True
    inner = word.strip(_BRACKETS)
    bare = inner.replace("_", "").replace(" ", "")
    return bare in _BY_KIND[kind] or (inner != word and bare in _WORDS)
