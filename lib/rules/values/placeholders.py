"""What databases, spreadsheets and web analytics write where there is nothing."""

from typing import Final

_WORDS: Final = frozenset(
    {
        *("-", "--", "---", "\u2013", "\u2014", "0", "?", "."),
        *("null", "none", "nil", "nan", "na", "n/a", "n.a.", "#n/a", "#na", "#null!", "#ref!"),
        *("#value!", "#name?", "undefined", "unknown", "notset", "empty", "blank", "tbd", "tba"),
    }
)
LONGEST: Final = 12
"""No place holder is longer, brackets included."""


def is_placeholder(value: str) -> bool:
    """Whether the cell says that there's no value: `N/A`, `(not set)`, `null`, `--`, `0`."""
    if len(value) > LONGEST or (value[-1:].isdecimal() and value != "0"):
        return False
    word = value.strip().lower()
    return word in _WORDS or word.strip("()[]<>").replace("_", "").replace(" ", "") in _WORDS
