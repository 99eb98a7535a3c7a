"""How many rows of a profile's recent files led to an ad click, for comparison.

There is one small object for each profile. If a write is lost, or two runs write at the same time,
a file may be missing: that makes the comparison less exact, and no row depends on it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from lib.state.documents import Documents

_FILES_KEPT = 10


class MatchedRows(NamedTuple):
    """Rows of a file without a click ID: those with a final status, and those that matched."""

    run_key: str
    matchable: int
    matched: int


@dataclass(frozen=True, slots=True)
class _RecentFiles:
    files: list[MatchedRows]


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
        files = _RecentFiles([*kept, rows][-_FILES_KEPT:])
        self._documents.write(history_name(profile), files, if_generation_match=generation)

    def _read(self, profile: str) -> tuple[list[MatchedRows], int]:
        found = self._documents.read(history_name(profile), _RecentFiles)
        return (found[0].files, found[1]) if found is not None else ([], 0)


def history_name(profile: str) -> str:
    """Return the name of the document of a profile."""
    return f"matches/{hashlib.sha256(profile.encode()).hexdigest()[:32]}.json"
