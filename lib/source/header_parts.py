"""The parts of a header name: `Amount (USD)` is the name `Amount` and the part `USD`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_BRACKETS: Final = re.compile(r"([^()\[\]{}]*[^\s()\[\]{}])\s*[(\[{]\s*([^()\[\]{}]+?)\s*[)\]}]\W*")
_LAST_WORD: Final = re.compile(r"(.*?[^\W_])(?:[\W_]+in)?[\s_,/-]+([^\s_,/()-]+)", re.IGNORECASE)
_LONGEST: Final = 100


class HeaderParts(NamedTuple):
    """A name and the text after it, which may be a unit."""

    name: str
    part: str
    in_brackets: bool


def header_parts(header: str) -> HeaderParts | None:
    """Split `Amount (USD)`, `Amount [USD]`, `Amount in USD`, `amount_usd`. None: one word only."""
    if len(header) > _LONGEST:
        return None
    if match := _BRACKETS.fullmatch(header.strip()):
        return HeaderParts(match[1], match[2], True)
    if match := _LAST_WORD.fullmatch(header.strip()):
        return HeaderParts(match[1], match[2], False)
    return None
