"""Markers: what is saved of a chunk as soon as all its rows have an outcome.

    chunks/<run>/000042.json     the outcomes of chunk 42

A row has an outcome if its chunk has a marker, and only then. A marker is created once. It is
replaced by compare-and-swap when some of its rows get other outcomes: a deferred row was sent
again, or the API has reported a final status. Of two attempts that save the same chunk, the first
one wins, and the other one goes on with what the first one saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import NamedTuple

from lib.errors import RetryableError, UnreadableState
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.state.documents import Documents, read_ahead
from lib.state.runs import Run


class Marker(NamedTuple):
    """The outcomes of a chunk, and the generation of the object that has them."""

    outcomes: ChunkOutcomes
    generation: int


class Markers:
    """The markers of one run. Every method raises `RetryableError` if storage is not there."""

    def __init__(self, documents: Documents, run: Run) -> None:
        self._documents = documents
        self._folder = f"chunks/{run.key}/"
        self._last: Marker | None = None
        """What was saved last. Most files have one chunk: its results need no further read."""

    def numbers(self) -> list[int]:
        """Return the numbers of the chunks that have a marker, in ascending order."""
        return sorted(self._generations())

    def check_numbers(self, numbers: Iterable[int], chunks: int) -> None:
        """Raise `UnreadableState` if one of these markers is beyond the last chunk of the file,
        which has so many `chunks`."""
        if beyond := [number for number in numbers if number >= chunks]:
            where = self._documents.where(self._name(beyond[0]))
            raise UnreadableState(f"{where}: the file has only {chunks} chunks")

    def version_of_all(self) -> str:
        """Return a text that changes whenever a marker is saved."""
        saved = sorted(self._generations().items())
        return blake2b(repr(saved).encode(), digest_size=8).hexdigest() if saved else ""

    def _generations(self) -> dict[int, int]:
        """Return the generation of each chunk's marker."""
        found = {}
        for name, marker in self._documents.list(self._folder):
            number = name.removeprefix(self._folder).removesuffix(".json")
            if number.isdecimal():
                found[int(number)] = marker.generation
        return found

    def read(self, number: int) -> Marker:
        """Return the marker of a chunk. Raises `RetryableError` if it is gone."""
        saved = self._documents.read(
            self._name(number),
            ChunkOutcomes,
            lambda outcomes: outcomes.is_sound and outcomes.number == number,
        )
        if saved is None:
            detail = f"the marker of chunk {number} no longer exists"
            raise RetryableError("STORAGE_UNAVAILABLE", detail)
        return Marker(*saved)

    def read_all(self, numbers: Iterable[int]) -> AbstractContextManager[Iterator[Marker]]:
        """Return the markers of these chunks in their order (`read_ahead`)."""
        return read_ahead(self._saved_or_read, numbers)

    def save(self, outcomes: ChunkOutcomes, replaced_generation: int) -> Marker:
        """Save the outcomes of a chunk, and return what is saved now.

        `replaced_generation` is that of the marker with its earlier outcomes; 0: it has none yet.
        If another attempt was faster, what it has saved is returned.
        """
        name = self._name(outcomes.number)
        generation = self._documents.write(name, outcomes, if_generation_match=replaced_generation)
        if generation is None:
            marker = self.read(outcomes.number)
        else:
            marker = Marker(outcomes, generation)
        self._last = marker
        return marker

    def _saved_or_read(self, number: int) -> Marker:
        """Return the marker of a chunk, without reading it if this attempt has saved it last."""
        last = self._last
        return last if last and last.outcomes.number == number else self.read(number)

    def _name(self, number: int) -> str:
        return f"{self._folder}{number:06d}.json"
