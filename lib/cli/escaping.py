"""What a text from a file or from Google becomes where a program would obey it.

A name or a cell may contain anything: an escape sequence for the terminal, or a quote that ends an
argument of a shell. (A formula: `lib.results.spreadsheet`.)
"""

from __future__ import annotations

import shlex


def on_terminal(text: str) -> str:
    """Return the text on one line, with control characters and direction marks written out.

    They could move the cursor, change the title of the window, or turn what follows around.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def in_shell(text: str) -> str:
    """Return the text as one argument of a POSIX shell, for a command that somebody copies."""
    return shlex.quote(on_terminal(text))
