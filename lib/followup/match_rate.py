"""Notes a file in which surprisingly few rows led to an ad click.

Only rows without a click ID are looked at: Google finds their clicks by the hashed email address
or phone number. With a wrong default country, or wrong hashes in the file, every row is accepted,
and nearly none matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lib.model.outcomes import Problem
from lib.state.match_history import MatchedRows

MATCHABLE_ROWS: Final = 500
"""From this number of rows, a share near zero cannot be chance."""
NEARLY_NONE: Final = 0.01

RECENT_FILES: Final = 3
EXPECTED_ROWS: Final = 20
FAR_FEWER: Final = 0.5
"""At least this many recent files must lead one to expect at least this many rows, and less than
this share of them match. With 20 expected rows, chance makes it less than 10 once in 200 files."""


def note_on_matches(rows: MatchedRows, recent: Sequence[MatchedRows]) -> Problem | None:
    """Return the note about a file, compared with the recent files of its profile."""
    if rows.matchable >= MATCHABLE_ROWS and rows.matched <= NEARLY_NONE * rows.matchable:
        return Problem("NEARLY_NO_MATCHES", "", f"{rows.matched} of {rows.matchable} rows")
    others = [each for each in recent if each.run_key != rows.run_key]
    matchable = sum(each.matchable for each in others)
    if len(others) < RECENT_FILES or not matchable:
        return None
    share = sum(each.matched for each in others) / matchable
    expected = share * rows.matchable
    if expected < EXPECTED_ROWS or rows.matched >= FAR_FEWER * expected:
        return None
    detail = f"{rows.matched} of {rows.matchable} rows; {share:.0%} in the last {len(others)} files"
    return Problem("FEWER_MATCHES", "", detail)
