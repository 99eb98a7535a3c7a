"""The recent generations of every object name: so a run finds an earlier run of the same upload.

There is one small object per name. A run adds its generation with a compare-and-swap before it
claims it. So of two runs for one name, the one that comes second finds the first one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from lib.errors import RetryableError
from lib.state.store import Store, StoredObject

_ATTEMPTS = 5


class Uploads:
    """The recent generations, in one bucket, below one prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = f"{prefix}uploads/"

    def register(self, source: StoredObject, keep: timedelta) -> list[StoredObject]:
        """Add a generation. Return the other recent generations of its name, newest first.

        Generations that were created more than `keep` before the newest one are forgotten. One
        without a time of creation is not added and finds no others. Raises `RetryableError` if it
        could not be added.
        """
        if source.created is None:
            return []
        name = self._name(source)
        if self._write(name, [source], 0):
            return []
        for _ in range(_ATTEMPTS):
            found = self._store.read(self._bucket, name)
            content, generation = found or (b"[]", 0)
            known = msgspec.json.decode(content, type=list[StoredObject])
            others = [each for each in known if each.generation != source.generation]
            is_known = len(others) < len(known)
            if is_known or self._write(name, _recent([*others, source], keep), generation):
                return sorted(others, key=lambda each: -each.generation)
        raise RetryableError("STORAGE_UNAVAILABLE", "the upload could not be registered")

    def _write(self, name: str, known: Sequence[StoredObject], generation: int) -> bool:
        body = msgspec.json.encode(known)
        return (
            self._store.write(self._bucket, name, body, if_generation_match=generation) is not None
        )

    def _name(self, source: StoredObject) -> str:
        digest = hashlib.sha256(f"{source.bucket}/{source.name}".encode()).hexdigest()
        return f"{self._prefix}{digest[:32]}.json"


def _recent(known: Sequence[StoredObject], keep: timedelta) -> list[StoredObject]:
    newest = max(each.created for each in known if each.created is not None)
    return [each for each in known if each.created is not None and newest - each.created <= keep]
