"""State documents: JSON objects in one bucket, below one prefix, each with its format number.

Deployments overlap: two versions of the function run at once, and each meets what the other has
saved. A newer one reads what an older one has written. An older one cannot know what a newer number
means, so it touches nothing: it raises `NewerVersion`, and the file is retried until it comes to an
instance of the newer version. So before an attempt changes anything, it looks at everything that it
will read (`check`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeVar

import msgspec

from lib.errors import DamagedState, NewerVersion
from lib.state.store import Store, StoredObject

FORMAT: Final = 1
"""The format of all state documents. A document that an older version would misread makes a new
one, and is still read in its older format until no run of that version can be in progress."""

_AT_ONCE: Final = 8

T = TypeVar("T")
U = TypeVar("U")


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


def at_once(work: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Return what some work of storage, such as reading a document, makes of each item."""
    wanted = list(items)
    if len(wanted) <= 1:
        return [work(each) for each in wanted]
    with ThreadPoolExecutor(_AT_ONCE, "documents") as pool:
        return list(pool.map(work, wanted))


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
    reads raises `NewerVersion` for a newer document, and `DamagedState` for one that nobody has
    written like this. Types are checked, also that each time has a time zone (`SavedTime`).
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
        return self._decoded(name, content, kind), generation

    def exists(self, name: str) -> bool:
        """Return whether there is an object of this name, whatever it contains."""
        return self._store.read(self._bucket, self._prefix + name) is not None

    def read_all(
        self, names: Iterable[str], kind: type[T], take: Callable[[str, T, int], U]
    ) -> list[U]:
        """Return what `take` makes of those of these documents that exist: of their names, contents
        and generations. So few documents are in memory at once."""

        def taken(name: str) -> list[U]:
            found = self.read(name, kind)
            return [] if found is None else [take(name, *found)]

        return [each for found in at_once(taken, names) for each in found]

    def check(self, names: Iterable[str]) -> None:
        """Check that no newer version has written one of these documents.

        One that is damaged only stops who needs it.
        """

        def check(name: str) -> None:
            with suppress(DamagedState):
                self._read(name)

        at_once(check, names)

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
            number = self._decoded(name, found[0], _Format).format
            if number > FORMAT:
                raise self._newer(name, f"format {number}", FORMAT)
            version = self._decoded(name, found[0], _Rules).newest
            if version > self._rules_version:
                raise self._newer(name, f"version {version} of the rules", self._rules_version)
        return found

    def _decoded(self, name: str, content: bytes, kind: type[T]) -> T:
        try:
            return decoder_of(kind).decode(content)
        except (ValueError, RecursionError) as error:
            raise self.damaged(name, error) from None

    def damaged(self, name: str, error: Exception) -> DamagedState:
        """Return the error about a document. msgspec's messages name keys and types, no values."""
        why = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
        return DamagedState(f"{self._where(name)}: {why}")

    def _where(self, name: str) -> str:
        return f"{self._bucket}/{self._prefix}{name}"

    def _newer(self, name: str, what: str, known: int) -> NewerVersion:
        return NewerVersion(
            f"{self._where(name)} has {what}; this version of the function knows {known}"
        )
