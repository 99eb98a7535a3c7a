"""What a text from a file or from Google becomes where a program would obey it.

A name or a cell may contain anything: an escape sequence for the terminal, a quote that ends an
argument of a shell, a formula for a spreadsheet.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]+|[+-][\d\s.,()]*")
"""An amount or a phone number with a sign, or a dash: a spreadsheet calculates nothing from it.
But from `+1-212-555-0100`, it calculates -866.
"""
_TEXT: Final = re.compile(r'="[^"]*"')
"""How spreadsheets keep leading zeros: a formula, but one that only says a text."""


def on_terminal(text: str) -> str:
    """Return the text on one line, with control characters and direction marks written out.

    They could move the cursor, change the title of the window, or turn what follows around.
    """
    text = text.replace("\u00a0", " ")  # as between an amount and its currency
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def in_shell(text: str) -> str:
    """Return the text as one argument of a POSIX shell, for a command to copy."""
    return shlex.quote(on_terminal(text))


def in_spreadsheet(text: str) -> str:
    """Return the text as a cell that no spreadsheet takes for a formula.

    Spreadsheets write the same apostrophe, so `lib.model.spelling.unwrap` removes it.
    """
    bare = text.strip(" ")
    if not bare.startswith(_FORMULA) or _NUMBER.fullmatch(bare) or _TEXT.fullmatch(bare):
        return text
    return f"'{text}"
