"""State documents: JSON objects in one bucket, below one prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from lib.state.store import Store, StoredObject

T = TypeVar("T")


class Documents:
    """The state documents of a deployment. All names are relative to the prefix."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix

    def read(self, name: str, kind: type[T]) -> tuple[T, int] | None:
        """Return a document and its generation, or None if there is none.

        Raises `ValueError` if it is damaged.
        """
        found = self._store.read(self._bucket, self._prefix + name)
        if found is None:
            return None
        content, generation = found
        return msgspec.json.decode(content, type=kind), generation

    def write(self, name: str, document: Any, *, if_generation_match: int) -> int | None:
        """Write a document if its generation is this one (0: none exists), as `Store.write` does.

        Returns the new generation, or None if the precondition failed.
        """
        return self._store.write(
            self._bucket,
            self._prefix + name,
            msgspec.json.encode(document),
            if_generation_match=if_generation_match,
        )

    def list(self, folder: str) -> Iterator[tuple[str, StoredObject]]:
        """Return name and object of each document in a folder, in the order of their names."""
        for found in self._store.list(self._bucket, self._prefix + folder):
            yield found.name.removeprefix(self._prefix), found

    def delete(self, name: str) -> None:
        """Delete a document, if it exists."""
        self._store.delete(self._bucket, self._prefix + name)
