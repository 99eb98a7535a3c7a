"""How many rows of a profile's recent files led to an ad click, for comparison.

There is one small object for each profile. If a write is lost, or two runs write at the same time,
a file may be missing: that makes the comparison less exact, and no row depends on it.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from lib.state.documents import Documents

_FILES_KEPT = 10


class MatchedRows(NamedTuple):
    """Rows of a file without a click ID: those with a final status, and those that matched."""

    run_key: str
    matchable: int
    matched: int


class MatchHistory:
    """The recent files of every profile."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def recent(self, profile: str) -> list[MatchedRows]:
        """Return the recent files of a profile, oldest first."""
        return self._read(profile)[0]

    def add(self, profile: str, rows: MatchedRows) -> None:
        """Add a file, or replace what was recorded about it."""
        recent, generation = self._read(profile)
        kept = [each for each in recent if each.run_key != rows.run_key]
        files = [*kept, rows][-_FILES_KEPT:]
        self._documents.write(_name(profile), files, if_generation_match=generation)

    def _read(self, profile: str) -> tuple[list[MatchedRows], int]:
        return self._documents.read(_name(profile), list[MatchedRows]) or ([], 0)


def _name(profile: str) -> str:
    return f"matches/{hashlib.sha256(profile.encode()).hexdigest()[:32]}.json"
