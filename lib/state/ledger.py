"""The chunk markers: what is saved of a run as soon as a chunk has been answered.

    runs/<run key>/chunks/000042.json  the outcomes of chunk 42

A marker is written once, and never changed by another attempt of the same delivery. Only the sweep
replaces it, when some of its rows have got other outcomes.

Not guaranteed: a process that was frozen past its lease and then resumes may still send a chunk
that its successor also sends. It detects the loss of its lease at its next write. Google counts
these conversions once, because it deduplicates them (click ID + time + action; order ID + action).
For this reason, rows without gclid and order ID get a derived order ID.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec

from lib.errors import LeaseLost, RetryableError
from lib.model.outcomes import ChunkOutcomes
from lib.state.documents import Documents
from lib.state.run import Run

_MARKERS_AHEAD: Final = 8
"""Number of markers that are fetched ahead; each has some kilobytes."""

_NOTHING_KEPT: Final[Mapping[int, bytes]] = {}

_KEPT: Final = msgspec.msgpack.Decoder(ChunkOutcomes)
"""Made before there are threads (`lib.state.documents.decoder_of`)."""


@dataclass(frozen=True, slots=True)
class ChunkMarker:
    """The saved outcomes of a chunk, and the attempt that saved them."""

    owner: str
    outcomes: ChunkOutcomes


class Ledger:
    """The chunk markers of all runs."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def finished_chunks(self, run: Run) -> set[int]:
        """Return the numbers of the chunks whose outcomes are saved."""
        found = (name.rpartition("/")[2].removesuffix(".json") for name in self.names(run))
        return {int(number) for number in found if number.isdecimal()}

    def names(self, run: Run) -> list[str]:
        """Return the names of all markers of a run."""
        return [name for name, _ in self._documents.list(f"runs/{run.key}/chunks/")]

    def read_chunk(self, run: Run, number: int) -> ChunkOutcomes:
        """Return the outcomes of a finished chunk."""
        return self.load_chunk(run, number)[0]

    def load_chunk(self, run: Run, number: int) -> tuple[ChunkOutcomes, int]:
        """Return the outcomes of a finished chunk, and its generation for `write_chunk`."""
        marker, generation = self._load(run, number)
        return marker.outcomes, generation

    @contextmanager
    def read_chunks(
        self, run: Run, numbers: Iterable[int], kept: Mapping[int, bytes] = _NOTHING_KEPT
    ) -> Iterator[Iterator[ChunkOutcomes]]:
        """Return the outcomes of these chunks in their order. Some markers are fetched ahead.

        `kept` are those that this attempt has written and still has, in msgpack. The threads end
        with the `with` block, however it ends: the garbage collector would wait for them wherever
        it happens to run.
        """

        def read(number: int) -> ChunkOutcomes:
            if number in kept:
                return _KEPT.decode(kept[number])
            return self.read_chunk(run, number)

        def in_order(pool: ThreadPoolExecutor) -> Iterator[ChunkOutcomes]:
            ahead: deque[Future[ChunkOutcomes]] = deque()
            for number in numbers:
                ahead.append(pool.submit(read, number))
                if len(ahead) == _MARKERS_AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

        with ThreadPoolExecutor(_MARKERS_AHEAD, "markers") as pool:
            yield in_order(pool)

    def write_chunk(self, run: Run, outcomes: ChunkOutcomes, replaced: int = 0) -> int:
        """Save the outcomes of a chunk, and return the generation of its marker.

        `replaced` is the generation of the marker with its earlier outcomes; 0: it has none. Raises
        `LeaseLost` if another attempt or sweep has saved outcomes meanwhile: one that was frozen
        must not overwrite new outcomes with old ones.
        """
        written = self._documents.write(
            _name(run, outcomes.number),
            ChunkMarker(run.owner, outcomes),
            if_generation_match=replaced,
        )
        if written is not None:
            return written
        current, its_generation = self._load(run, outcomes.number)
        if current.owner != run.owner:
            raise LeaseLost(f"chunk {outcomes.number} was saved by another attempt")
        return its_generation

    def _load(self, run: Run, number: int) -> tuple[ChunkMarker, int]:
        found = self._documents.read(_name(run, number), ChunkMarker)
        if found is None:
            raise RetryableError(
                "STORAGE_UNAVAILABLE", f"the marker of chunk {number} no longer exists"
            )
        return found


def _name(run: Run, number: int) -> str:
    return f"runs/{run.key}/chunks/{number:06d}.json"
