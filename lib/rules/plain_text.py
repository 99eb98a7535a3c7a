"""The text in a cell: unwrapped, and empty for a placeholder.

Every rule reads a cell that is not plain with `plain_text`, so placeholders and the additions of
spreadsheets are the same in every column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from lib.model.fields import ValueKind, base_name
from lib.rules.fields import BY_NAME
from lib.rules.values.cells import is_placeholder, unwrap


def plain_text(cell: str, column: str, with_placeholders: set[str]) -> str | None:
    """Return the text in a cell of `column`, unwrapped and trimmed. None: it is a placeholder.

    Adds the column of a placeholder to `with_placeholders`.
    """
    kind = _kind_of(column)
    text = unwrap(cell, kind)
    if is_placeholder(kind, text):
        with_placeholders.add(column)
        return None
    return text


@lru_cache
def _kind_of(column: str) -> ValueKind:
    return BY_NAME[base_name(column)].kind


def count_placeholders(
    columns: Iterable[tuple[str, Sequence[str]]], with_placeholders: set[str]
) -> dict[str, int]:
    """Return the number of placeholders in each of the columns `with_placeholders`, if any."""
    counts = {}
    for name, cells in columns:
        if name in with_placeholders:
            distinct = Counter(cells).items()
            count = sum(n for cell, n in distinct if plain_text(cell, name, set()) is None)
            if count:
                counts[name] = count
    return counts
