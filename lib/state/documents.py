"""State documents: JSON objects in one bucket, below one prefix, each with its format number.

Deployments overlap: two versions of the function run at once, and each meets what the other has
saved. A newer one reads what an older one has written. An older one cannot know what a newer number
means, so it touches nothing: it raises `NewerVersion`, and the file is retried until it comes to an
instance of the newer version. So before an attempt changes anything, it looks at everything that it
will read (`check`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import msgspec

from lib.errors import NewerVersion
from lib.state.store import Store, StoredObject

FORMAT: Final = 1
"""The format of all state documents. A document that an older version would misread makes a new
one, and is still read in its older format until no run of that version can be in progress."""

_READ_AT_ONCE: Final = 8

T = TypeVar("T")


_describing: Final = threading.Lock()
_decoders: Final[dict[type, msgspec.json.Decoder[Any]]] = {}


def decoder_of(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type, which one thread makes before any other uses it.

    Until it is made, msgspec's description of the type is incomplete, and another thread that
    decodes the type crashes the process (msgspec 0.22).
    """
    with _describing:
        if kind not in _decoders:
            _decoders[kind] = msgspec.json.Decoder(kind)
        return _decoders[kind]


class _Format(msgspec.Struct):
    format: int


class _Rules(msgspec.Struct):
    """The rules of a claim. A pending run has its claim in `run`."""

    rules_version: int = 0
    run: _Rules | None = None

    @property
    def newest(self) -> int:
        return max(self.rules_version, self.run.newest if self.run is not None else 0)


class Documents:
    """The state documents of a deployment. All names are relative to the prefix.

    `rules_version` is that of this version of the function (`RULES_VERSION`). Every method that
    reads raises `NewerVersion` for a newer document, and `ValueError` for a damaged one.
    """

    def __init__(self, store: Store, bucket: str, prefix: str, rules_version: int) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._rules_version = rules_version

    def read(self, name: str, kind: type[T]) -> tuple[T, int] | None:
        """Return a document and its generation, or None if there is none."""
        found = self._read(name)
        if found is None:
            return None
        content, generation = found
        return decoder_of(kind).decode(content), generation

    def exists(self, name: str) -> bool:
        """Return whether there is an object of this name, whatever it contains."""
        return self._store.read(self._bucket, self._prefix + name) is not None

    def read_all(self, names: Iterable[str], kind: type[T]) -> Iterator[T]:
        """Return those of these documents that exist."""
        wanted = list(names)
        if len(wanted) <= 1:
            yield from (found[0] for name in wanted if (found := self.read(name, kind)))
            return
        with ThreadPoolExecutor(_READ_AT_ONCE, "read") as pool:
            for found in pool.map(lambda name: self.read(name, kind), wanted):
                if found is not None:
                    yield found[0]

    def check(self, names: Iterable[str]) -> None:
        """Check that this version can read these documents, as far as they exist."""
        for _ in self.read_all(names, _Format):
            pass

    def write(self, name: str, document: Any, *, if_generation_match: int) -> int | None:
        """Write a document if its generation is this one (0: none exists), as `Store.write` does.

        Returns the new generation, or None if the precondition failed.
        """
        content = b'{"format":%d,' % FORMAT + msgspec.json.encode(document).removeprefix(b"{")
        return self._store.write(
            self._bucket, self._prefix + name, content, if_generation_match=if_generation_match
        )

    def list(self, folder: str) -> Iterator[tuple[str, StoredObject]]:
        """Return name and object of each document in a folder, in the order of their names."""
        for found in self._store.list(self._bucket, self._prefix + folder):
            yield found.name.removeprefix(self._prefix), found

    def delete(self, name: str) -> None:
        """Delete a document that was read, if it still exists."""
        self._store.delete(self._bucket, self._prefix + name)

    def _read(self, name: str) -> tuple[bytes, int] | None:
        found = self._store.read(self._bucket, self._prefix + name)
        if found is not None:
            number = decoder_of(_Format).decode(found[0]).format
            if number > FORMAT:
                raise self._newer(name, f"format {number}", FORMAT)
            version = decoder_of(_Rules).decode(found[0]).newest
            if version > self._rules_version:
                raise self._newer(name, f"version {version} of the rules", self._rules_version)
        return found

    def _newer(self, name: str, what: str, known: int) -> NewerVersion:
        where = f"{self._bucket}/{self._prefix}{name}"
        return NewerVersion(f"{where} has {what}; this version of the function knows {known}")
