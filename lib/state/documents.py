"""State documents: JSON objects in one bucket, below one prefix, each with its format number.

Deployments overlap: two versions of the function run at once, and each meets what the other has
saved. A higher format is unknown to this version, so it leaves the document as it is and raises
`NewerFormat`: the file is retried until it comes to an instance of the newer version.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec

from lib.errors import NewerFormat, UnreadableState
from lib.state.store import INTERNAL, ListedObject, ObjectMetadata, Store, StoredObject

FORMAT: Final = 1
"""The format of all state documents. What an older version would misread has a higher one."""

_READ_AHEAD: Final = 8
"""Number of documents that are read ahead; a marker has some kilobytes."""

T = TypeVar("T")
U = TypeVar("U")

_making_decoder: Final = threading.Lock()
_decoders: Final[dict[type, msgspec.json.Decoder[Any]]] = {}


def decoder_of(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type, which one thread makes before any other uses it.

    Until it is made, msgspec's description of the type is incomplete, and another thread that
    decodes the type crashes the process (msgspec 0.22).
    """
    with _making_decoder:
        if kind not in _decoders:
            _decoders[kind] = msgspec.json.Decoder(kind)
        return _decoders[kind]


class _Format(msgspec.Struct):
    format: int


class Documents:
    """The state documents of a deployment. All names are relative to the prefix.

    Every method that reads raises `NewerFormat` for a document of a newer version, and
    `UnreadableState` for one that this function cannot have written. Types are checked, also that
    each time has a time zone (`SavedTime`) and no count is negative (`Count`).
    """

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix

    def read(
        self, name: str, kind: type[T], is_sound: Callable[[T], bool] = lambda document: True
    ) -> tuple[T, int] | None:
        """Return a document and its generation, or None if there is none.

        `is_sound`: whether the parts of the document belong together, and to its name.
        """
        stored = self._store.read(self._bucket, self._prefix + name)
        if stored is None:
            return None
        content, generation = stored
        number = self._decoded(name, content, _Format).format
        if number > FORMAT:
            detail = f"{self.where(name)} has format {number}; this version knows {FORMAT}"
            raise NewerFormat(detail)
        document = self._decoded(name, content, kind)
        if not is_sound(document):
            raise UnreadableState(f"{self.where(name)}: its parts contradict each other")
        return document, generation

    def write(
        self,
        name: str,
        document: Any,
        *,
        if_generation_match: int,
        metadata: ObjectMetadata = INTERNAL,
    ) -> int | None:
        """Write a document if its generation is this one (0: none exists), as `Store.write` does.

        Returns the new generation, or None if the precondition failed.
        """
        # The format stands before the keys of the document.
        content = b'{"format":%d,' % FORMAT + msgspec.json.encode(document).removeprefix(b"{")
        return self._store.write(
            self._bucket,
            self._prefix + name,
            content,
            if_generation_match=if_generation_match,
            metadata=metadata,
        )

    def list(self, folder: str) -> Iterator[tuple[str, StoredObject]]:
        """Yield name and object of each document below `folder`, in the order of their names."""
        for found in self._store.list(self._bucket, self._prefix + folder):
            yield found.name.removeprefix(self._prefix), found

    def list_with_metadata(self, folder: str) -> Iterator[ListedObject]:
        """Yield the documents below `folder`, with their metadata."""
        for found in self._store.list_with_metadata(self._bucket, self._prefix + folder):
            yield found._replace(name=found.name.removeprefix(self._prefix))

    def where(self, name: str) -> str:
        """Return the bucket and the whole name of a document, for a person."""
        return f"{self._bucket}/{self._prefix}{name}"

    def _decoded(self, name: str, content: bytes, kind: type[T]) -> T:
        """Return what a document contains. Keys that this version does not know are passed over."""
        try:
            return decoder_of(kind).decode(content)
        except (ValueError, RecursionError) as error:
            # msgspec's messages name keys and types, no values.
            why = str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__
            raise UnreadableState(f"{self.where(name)}: {why}") from None


@contextmanager
def read_ahead(read: Callable[[T], U], items: Iterable[T]) -> Iterator[Iterator[U]]:
    """Return what `read` makes of each item, in their order. Some are read ahead.

    The threads end with the `with` block, however it ends: the garbage collector would wait for
    them wherever it happens to run.
    """

    def in_order(pool: ThreadPoolExecutor) -> Iterator[U]:
        ahead: deque[Future[U]] = deque()
        for item in items:
            ahead.append(pool.submit(read, item))
            if len(ahead) == _READ_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

    with ThreadPoolExecutor(_READ_AHEAD, "documents") as pool:
        yield in_order(pool)
