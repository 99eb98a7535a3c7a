"""Text → blocks of physical lines, as an editor counts them. The length of a line is limited.

`\\r\\n`, `\\n` and `\\r` end a line. The other separators of `str.splitlines` do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

from lib.source.encoding import UNDECODABLE

MAX_LINE_CHARS = 1 << 20
"""A longer line is cut here, and its rest is dropped: no row of eleven cells is that long."""


class Block(NamedTuple):
    """Complete lines, with their line ends."""

    text: str
    damaged: bool
    """At least one line contains NULs or undecodable bytes."""
    overlong: bool = False
    """The block is one line, cut at `MAX_LINE_CHARS`."""
    is_open: bool = False
    """The block is the last line of the file, and this line has no line end."""

    @property
    def is_blank(self) -> bool:
        """Whether the block has nothing but line ends."""
        return not self.text.strip("\r\n")

    def count_lines(self) -> int:
        """Return the number of line ends. A thousand times faster than `lines`."""
        text = self.text
        return text.count("\n") + text.count("\r") - text.count("\r\n")

    def lines(self) -> list[str]:
        """Return the lines with their line ends."""
        return StringIO(self.text, newline="").readlines()

    def bare_lines(self) -> list[str]:
        """Return the lines without their line ends. This takes half the time."""
        lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if not lines[-1]:
            lines.pop()
        return lines


def line_blocks(texts: Iterator[str]) -> Iterator[Block]:
    """Split texts, which may end at any character, into blocks of complete lines."""
    rest = ""
    dropping = False
    for text in texts:
        text = rest + text
        if dropping:
            end = _end_of_first_line(text)
            if not end:
                rest = text[-1:] if text.endswith("\r") else ""
                continue
            text = text[end:]
            dropping = False
        cut = _end_of_last_line(text)
        if cut:
            yield _block(text[:cut])
        rest = text[cut:]
        if len(rest) > MAX_LINE_CHARS:
            yield Block(rest[:MAX_LINE_CHARS], damaged=False, overlong=True)
            dropping = True
            rest = rest[-1:] if rest.endswith("\r") else ""
    if rest and not dropping:
        yield _block(rest)._replace(is_open=not rest.endswith("\r"))


# In both functions, a \r at the end of the text may be the first half of a \r\n, so it waits for
# the next text. The result 0 means that no line ends in this text.


def _end_of_first_line(text: str) -> int:
    newline = text.find("\n")
    other = text.find("\r", 0, len(text) - 1 if newline < 0 else newline)
    return newline + 1 if other < 0 or other == newline - 1 else other + 1


def _end_of_last_line(text: str) -> int:
    newline = text.rfind("\n")
    return max(newline, text.rfind("\r", newline + 1, len(text) - 1)) + 1


def _block(text: str) -> Block:
    return Block(text, damaged="\0" in text or UNDECODABLE in text)
