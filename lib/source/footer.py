"""The footer of a report: totals, and lines about the report itself, below the last data row.

A Salesforce report ends with five lines of one cell each. Spreadsheets end with a row "Total".
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Final

LONGEST_FOOTER: Final = 10
"""Maximum number of records of a footer."""

_MAX_FILLED: Final = 1
"""A record of a footer has no more filled cells in the columns that are used."""


def footer_length(records: Sequence[Sequence[str]], used_columns: Set[int]) -> int:
    """Return how many of the last records of a file are its footer.

    `used_columns` are those that the profile names.
    """
    length = 0
    for cells in reversed(records[-LONGEST_FOOTER:]):
        filled = sum(bool(cells[at].strip()) for at in used_columns if at < len(cells))
        if filled > _MAX_FILLED:
            break
        length += 1
    return length
