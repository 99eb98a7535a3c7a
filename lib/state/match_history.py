"""How many rows of a profile's recent files led to an ad click, for comparison.

There is one small object for each profile. If a write is lost, or two runs write at the same time,
a file may be missing: that makes the comparison less exact, and no row depends on it.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from lib.state.store import Store

_FILES_KEPT = 10


class MatchedRows(NamedTuple):
    """Rows of a file without a click ID: those with a final status, and those that matched."""

    run_key: str
    matchable: int
    matched: int


class MatchHistory:
    """The recent files of every profile, in one bucket, below one prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = f"{prefix}matches/"

    def recent(self, profile: str) -> list[MatchedRows]:
        """Return the recent files of a profile, oldest first."""
        return self._read(profile)[0]

    def add(self, profile: str, rows: MatchedRows) -> None:
        """Add a file, or replace what was recorded about it."""
        recent, generation = self._read(profile)
        kept = [each for each in recent if each.run_key != rows.run_key]
        body = msgspec.json.encode([*kept, rows][-_FILES_KEPT:])
        name = self._name(profile)
        self._store.write(self._bucket, name, body, if_generation_match=generation)

    def _read(self, profile: str) -> tuple[list[MatchedRows], int]:
        found = self._store.read(self._bucket, self._name(profile))
        if found is None:
            return [], 0
        return msgspec.json.decode(found[0], type=list[MatchedRows]), found[1]

    def _name(self, profile: str) -> str:
        return f"{self._prefix}{hashlib.sha256(profile.encode()).hexdigest()[:32]}.json"
