"""The recent generations of every object name: so a run finds an earlier run of the same upload.

There is one small object per name. A run adds its generation with a compare-and-swap before it
claims it. So of two runs for one name, the one that registers second finds the first one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from lib.errors import RetryableError
from lib.state.store import Store, StoredObject

_ATTEMPTS = 5


class Upload(NamedTuple):
    """A generation, and when its first delivery registered it."""

    source: StoredObject
    registered: datetime


class Uploads:
    """The recent generations, in one bucket, below one prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = f"{prefix}uploads/"

    def register(self, source: StoredObject, now: datetime, keep: timedelta) -> list[Upload]:
        """Add a generation. Return the recent generations of its name that were added before.

        Generations that were created more than `keep` before the newest one are forgotten. One
        without a time of creation is not added and finds no others. Raises `RetryableError` if it
        could not be added.
        """
        if source.created is None:
            return []
        name = self._name(source)
        own = Upload(source, now)
        if self._write(name, [own], 0):
            return []
        for _ in range(_ATTEMPTS):
            found = self._store.read(self._bucket, name)
            content, generation = found or (b"[]", 0)
            known = msgspec.json.decode(content, type=list[Upload])
            for place, each in enumerate(known):
                if each.source.generation == source.generation:
                    return known[:place]
            if self._write(name, _recent([*known, own], keep), generation):
                return known
        raise RetryableError("STORAGE_UNAVAILABLE", "the upload could not be registered")

    def _write(self, name: str, known: Sequence[Upload], generation: int) -> bool:
        body = msgspec.json.encode(known)
        return (
            self._store.write(self._bucket, name, body, if_generation_match=generation) is not None
        )

    def _name(self, source: StoredObject) -> str:
        digest = hashlib.sha256(f"{source.bucket}/{source.name}".encode()).hexdigest()
        return f"{self._prefix}{digest[:32]}.json"


def _recent(known: Sequence[Upload], keep: timedelta) -> list[Upload]:
    dated = [(each, each.source.created) for each in known if each.source.created is not None]
    newest = max(created for _, created in dated)
    return [each for each, created in dated if newest - created <= keep]
