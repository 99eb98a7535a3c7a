"""Placeholders that databases, spreadsheets and web analytics write instead of a missing value."""

from typing import Final

_WORDS: Final = frozenset(
    {
        *("-", "--", "---", "\u2013", "\u2014", "0", "?", "."),
        *("null", "none", "nil", "nan", "na", "n/a", "n.a.", "#n/a", "#na", "#null!", "#ref!"),
        *("#value!", "#name?", "undefined", "unknown", "notset", "empty", "blank", "tbd", "tba"),
    }
)
LONGEST: Final = 12
"""No placeholder is longer, including brackets."""


def is_placeholder(value: str) -> bool:
    """Return whether the cell is a placeholder: `N/A`, `(not set)`, `null`, `--`, `0`."""
    if len(value) > LONGEST or (value[-1:].isdecimal() and value != "0"):
        return False
    word = value.strip().lower()
    return word in _WORDS or word.strip("()[]<>").replace("_", "").replace(" ", "") in _WORDS
