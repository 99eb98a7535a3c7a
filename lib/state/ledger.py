"""Claim, lease, chunk markers, completion: the state that survives a crash.

Layout, below `<state bucket>/<state prefix>`:

    claims/<name key>/0.json           the claim: owner and end of the lease, profile, time, status
    runs/<run key>/chunks/000042.json  the outcomes of data rows [42 × 2000, 43 × 2000)
    waiting/<run key>.json             for the sweep: when and why to revisit this run
    runs/<run key>/run.json            the claim of a follow-up, if the first one is gone

All generations of an object have their claims in one folder: one that finds place 0 taken claims
the next one (`lib.state.claims`). So of two generations, the second always meets the first.

Timeline of a lease (L = lease_seconds; it is renewed every L / 3):

    claim──renew──renew──renew──╳ crashes     ┌── one delivery wins the compare-and-swap and takes
    │←──────── L ───────→│                    │   over: attempts + 1, finished chunks are skipped;
    │                    │←──────── L ───────→│   the other deliveries still get LeaseHeld
    │
    ├─ other deliveries get LeaseHeld: not a 2xx, because after a crash one of them saves the file
    │
    └─ follow-up saved ── results document written ── later deliveries: 2xx, file skipped

The results document is the commit point. A run that has a follow-up ends with it: what remains to
be done was saved before, and the lease may expire. Otherwise, the claim becomes "finished".

`if_generation_match` alone guarantees this: at most one attempt holds a lease that it believes to
be live. A marker is written once and never changed by another attempt of the same delivery.

Not guaranteed: a process that was frozen past its lease and then resumes may still send a chunk
that its successor also sends. It detects the loss of its lease at its next write. Google counts
these conversions once, because it deduplicates them (click ID + time + action; order ID + action).
For this reason, rows without gclid and order ID get a derived order ID.

If the answer to a successful write gets lost, the client sends the write again, and then the
precondition fails. So after every failed precondition, the ledger reads the object and checks whose
content it has.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from lib.errors import LeaseHeld, LeaseLost, RetryableError
from lib.model.outcomes import ChunkOutcomes, Problem
from lib.state.run import Run, RunStatus, name_key, run_key
from lib.state.store import Store, StoredObject


@dataclass(frozen=True, slots=True)
class ChunkMarker:
    """The saved outcomes of a chunk, and the attempt that saved them."""

    owner: str
    outcomes: ChunkOutcomes


class Ledger:
    """The ledger in one bucket, below one prefix."""

    def __init__(
        self,
        store: Store,
        bucket: str,
        prefix: str,
        lease_seconds: float,
        unreleased: Set[str] = frozenset(),
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._lease = timedelta(seconds=lease_seconds)
        self._unreleased = unreleased

    # ── the claim ────────────────────────────────────────────────────────────────────────────

    def create(self, run: Run, place: int, instead_of: Run | None = None) -> Run | None:
        """Save a first claim at this place of its name, and return it. None: another was faster.

        `instead_of`: the claim of a run that is over, and has this place.
        """
        run = replace(run, place=f"{self._claims_prefix(run.source)}{place}.json")
        generation = self._write(run, instead_of.object_generation if instead_of else 0)
        return replace(run, object_generation=generation) if generation is not None else None

    def claims(self, source: StoredObject) -> list[Run]:
        """Return the claims of all generations of an object, in the order of their places."""
        found: list[Run] = []
        while run := self._read(f"{self._claims_prefix(source)}{len(found)}.json"):
            found.append(run)
        return found

    def claim_of(self, source: StoredObject) -> Run | None:
        """Return the claim of this generation, or None."""
        key = run_key(source)
        return next((run for run in self.claims(source) if run.key == key), None) or self.load(key)

    def take_over(self, run: Run, now: datetime, owner: str) -> Run:
        """Take over a run that no other attempt works on. Raises `LeaseHeld` if one does."""
        if run.status == "running" and run.expires > now:
            raise LeaseHeld(f"until {run.expires.isoformat()}")
        taken = replace(
            self._counted(run),
            owner=owner,
            attempts=run.attempts + 1,
            expires=now + self._lease,
            status="running",
            released=False,
        )
        generation = self._write(taken, run.object_generation)
        if generation is None:
            current = self._read(run.place)
            if current is None or current.key != run.key or current.owner != owner:
                raise LeaseHeld("another delivery took over the run first")
            return current
        return replace(taken, object_generation=generation)

    def claim_for_follow_up(self, key: str, planned_by: Run | None) -> Run | None:
        """Return the claim of a run that has a follow-up, or None.

        `planned_by` is the claim of the attempt that has saved the follow-up as its end. If a newer
        generation has got the place of this claim, the run may have one of its own.
        """
        run = self._read(planned_by.place) if planned_by is not None else None
        if run is None or run.key != key:
            run = self.load(key)
        if run is None or planned_by is None or run.owner != planned_by.owner:
            return run
        return replace(run, status="waiting") if run.status == "running" else run

    def claim_follow_up(self, planned_by: Run) -> Run:
        """Save another claim of a run for its follow-up, because the first one is gone."""
        run = replace(planned_by, status="waiting", place=self._run_name(planned_by.key))
        generation = self._write(run, 0)
        if generation is None:
            raise RetryableError("STORAGE_UNAVAILABLE", "the claim could not be written")
        return replace(run, object_generation=generation)

    def _counted(self, run: Run) -> Run:
        """Count how the last attempt ended, before the next one works.

        One that released its lease has counted itself, if that was its fault (`release`). One that
        did not died: it was killed, or ran out of memory or time. Progress is a new chunk marker.
        If this instance knows that only storage kept it from releasing its lease, it is not blamed.
        """
        if run.status != "running":
            return run
        done = len(self.finished_chunks(run))
        is_blamed = not run.released and run.owner not in self._unreleased
        without_progress = 0 if done > run.chunks_done else run.without_progress + is_blamed
        died = run.died or not run.released
        return replace(run, chunks_done=done, without_progress=without_progress, died=died)

    def renew(self, run: Run, now: datetime) -> Run:
        """Extend our lease. Raises `LeaseLost` if it is no longer ours."""
        return self._update(run, expires=now + self._lease)

    def release(
        self, run: Run, now: datetime, cause: str, *, without_progress: bool = False
    ) -> Run:
        """End the lease of an unfinished run, so that the next delivery can continue at once.

        `without_progress`: the attempt achieved nothing, and only the file can be the reason.
        """
        count = run.without_progress + without_progress
        return self._update(run, expires=now, cause=cause, released=True, without_progress=count)

    def stop(self, run: Run, problem: Problem) -> Run:
        """Record that the rest of the file must not be sent, before its rows are reported."""
        return self._update(run, stop=problem)

    def fix_integer_order_ids(self, run: Run) -> Run:
        """Record that order IDs such as 1001.0 are sent as 1001, before the first one is sent."""
        return self._update(run, integer_order_ids=True)

    def finish(self, run: Run, status: RunStatus, *, all_counted: bool = False) -> Run:
        """Record that the results document is complete ("finished") or needs a follow-up."""
        return self._update(run, status=status, all_counted=all_counted, without_progress=0)

    def _update(self, run: Run, **changes: Any) -> Run:
        updated = replace(run, **changes)
        generation = self._write(updated, run.object_generation)
        if generation is None:
            current = self._read(run.place)
            if current is None or current.key != run.key or current.owner != run.owner:
                raise LeaseLost()
            if replace(updated, object_generation=current.object_generation) == current:
                return current
            # An earlier write of ours, whose answer was lost: overwrite it.
            generation = self._write(updated, current.object_generation)
            if generation is None:
                raise LeaseLost()
        return replace(updated, object_generation=generation)

    def load(self, key: str) -> Run | None:
        """Return the claim of this run that has a place of its own, or None."""
        return self._read(self._run_name(key))

    def _read(self, name: str) -> Run | None:
        found = self._store.read(self._bucket, name)
        if found is None:
            return None
        content, generation = found
        run = msgspec.json.decode(content, type=Run)
        return replace(run, object_generation=generation, place=name)

    def _write(self, run: Run, if_generation_match: int) -> int | None:
        return self._store.write(
            self._bucket,
            run.place,
            msgspec.json.encode(run),
            if_generation_match=if_generation_match,
        )

    def _claims_prefix(self, source: StoredObject) -> str:
        return f"{self._prefix}claims/{name_key(source)}/"

    def _run_name(self, key: str) -> str:
        return f"{self._prefix}runs/{key}/run.json"

    # ── chunk markers ────────────────────────────────────────────────────────────────────────

    def finished_chunks(self, run: Run) -> set[int]:
        """Return the numbers of the chunks whose outcomes are saved."""
        prefix = f"{self._prefix}runs/{run.key}/chunks/"
        return {
            int(found.name[len(prefix) : -5]) for found in self._store.list(self._bucket, prefix)
        }

    def restore_chunk(self, run: Run, only: ChunkOutcomes | None) -> None:
        """Write the marker of the only chunk, whose outcomes were saved with the follow-up."""
        if only is not None and only.number not in self.finished_chunks(run):
            self.write_chunk(run, only)

    def read_chunk(self, run: Run, index: int) -> ChunkOutcomes:
        """Return the outcomes of a finished chunk."""
        return self.load_chunk(run, index)[0].outcomes

    def load_chunk(self, run: Run, index: int) -> tuple[ChunkMarker, int]:
        """Return the marker of a finished chunk, and its generation for `write_chunk`."""
        found = self._store.read(self._bucket, self._chunk_name(run, index))
        if found is None:
            raise RetryableError(
                "STORAGE_UNAVAILABLE", f"the marker of chunk {index} no longer exists"
            )
        return msgspec.json.decode(found[0], type=ChunkMarker), found[1]

    def write_chunk(self, run: Run, outcomes: ChunkOutcomes, replaced: int = 0) -> int:
        """Save the outcomes of a chunk, and return the generation of its marker.

        `replaced` is the generation of the marker with its earlier outcomes; 0: it has none. Raises
        `LeaseLost` if another attempt or sweep has saved outcomes meanwhile: one that was frozen
        must not overwrite new outcomes with old ones.
        """
        written = self._store.write(
            self._bucket,
            self._chunk_name(run, outcomes.number),
            msgspec.json.encode(ChunkMarker(run.owner, outcomes)),
            if_generation_match=replaced,
        )
        if written is not None:
            return written
        current, its_generation = self.load_chunk(run, outcomes.number)
        if current.owner != run.owner:
            raise LeaseLost(f"chunk {outcomes.number} was saved by another attempt")
        return its_generation

    def _chunk_name(self, run: Run, index: int) -> str:
        return f"{self._prefix}runs/{run.key}/chunks/{index:06d}.json"
