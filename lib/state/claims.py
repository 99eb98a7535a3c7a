"""Claim and lease: which attempt works on a run, until when, and what the first one has fixed.

    claims/<name key>/0.json   the claim: owner and end of the lease, profile, time, status
    runs/<run key>/run.json    the claim of a follow-up, if the first one is gone

All generations of an object have their claims in one folder: one that finds place 0 taken claims
the next one (`lib.state.generations`). So of two generations, the second always meets the first.

A lease is renewed every third of its length (docs/recovery.md has the timeline). Meanwhile other
deliveries get `LeaseHeld`: not a 2xx, because after a crash one of them saves the file.

The results document is the commit point. A run that has a follow-up ends with it: what remains to
be done was saved before, and the lease may expire. Otherwise, the claim becomes "finished".

`if_generation_match` alone guarantees this: at most one attempt holds a lease that it believes to
be live. If the answer to a successful write gets lost, the client sends the write again, and then
the precondition fails. So after every failed precondition, the claim is read: whose is it?
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.errors import LeaseHeld, LeaseLost, NewerVersion, RetryableError
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.state.documents import Documents
from lib.state.ledger import Ledger
from lib.state.newer_values import NewerValues
from lib.state.pending_runs import pending_name
from lib.state.run import Run, RunStatus, name_key, run_key
from lib.state.store import StoredObject

_CHECK_SECONDS = 0.5


class Claims:
    """The claims of all runs. `unreleased`: attempts that only storage kept from releasing one."""

    def __init__(
        self, documents: Documents, lease_seconds: float, unreleased: Set[str] = frozenset()
    ) -> None:
        self._documents = documents
        self._ledger = Ledger(documents)
        self._newer_values = NewerValues(documents)
        self._lease = timedelta(seconds=lease_seconds)
        self._unreleased = unreleased

    def create(self, run: Run, place: int, instead_of: Run | None = None) -> Run | None:
        """Save a first claim at this place of its name, and return it. None: another was faster.

        `instead_of`: the claim of a run that is over, and has this place.
        """
        run = replace(run, place=_place(run.source, place))
        generation = self._write(run, instead_of.object_generation if instead_of else 0)
        return replace(run, object_generation=generation) if generation is not None else None

    def of_name(self, source: StoredObject) -> list[Run]:
        """Return the claims of all generations of an object, in the order of their places."""
        found: list[Run] = []
        while run := self._read(_place(source, len(found))):
            found.append(run)
        return found

    def of(self, source: StoredObject) -> Run | None:
        """Return the claim of this generation, or None."""
        key = run_key(source)
        known = next((run for run in self.of_name(source) if run.key == key), None)
        return known or self._read(_own_place(key))

    def take_over(self, run: Run, now: datetime, owner: str) -> Run:
        """Take over a run that no other attempt works on. Raises `LeaseHeld` if one does.

        Raises `NewerVersion` if a newer version has saved something that may be read later.
        """
        if run.status == "running" and run.expires > now:
            raise LeaseHeld(f"until {run.expires.isoformat()}")
        markers, newer_values = self._ledger.names(run), self._newer_values.names_since(run.now)
        self._documents.check([pending_name(run.key), *markers, *newer_values])
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

    def for_follow_up(self, planned_by: Run) -> Run:
        """Return the claim of a run that has a follow-up.

        `planned_by` is the claim of the attempt that has saved the follow-up as its end. If a newer
        generation has got the place of this claim, the follow-up has a claim of its own, which
        `take_over` creates.
        """
        run = self._read(planned_by.place)
        if run is None or run.key != planned_by.key:
            own_place = _own_place(planned_by.key)
            run = self._read(own_place) or replace(planned_by, place=own_place, object_generation=0)
        if run.owner == planned_by.owner and run.status == "running":
            return replace(run, status="waiting")
        return run

    def renew(self, run: Run, now: datetime) -> Run:
        """Extend our lease. Raises `LeaseLost` if it is no longer ours."""
        return self.update(run, expires=now + self._lease)

    def update(self, run: Run, **changes: Any) -> Run:
        """Change our claim. Raises `LeaseLost` if it is no longer ours."""
        updated = replace(run, **changes)
        generation = self._write(updated, run.object_generation)
        if generation is None:
            current = self._ours(run)
            if replace(updated, object_generation=current.object_generation) == current:
                return current
            # An earlier write of ours, whose answer was lost: overwrite it.
            generation = self._write(updated, current.object_generation)
            if generation is None:
                raise LeaseLost()
        return replace(updated, object_generation=generation)

    def _ours(self, run: Run) -> Run:
        try:
            current = self._read(run.place)
        except NewerVersion:
            raise LeaseLost("a newer version has taken over the run") from None
        if current is None or current.key != run.key or current.owner != run.owner:
            raise LeaseLost()
        return current

    def _counted(self, run: Run) -> Run:
        """Count how the last attempt ended, before the next one works.

        One that released its lease has counted itself, if that was its fault (`Lease.release`). One
        that did not died: it was killed, or ran out of memory or time. Progress is a new chunk
        marker. If this instance knows that only storage kept it from releasing its lease, it is not
        blamed.
        """
        if run.status != "running":
            return run
        done = len(self._ledger.finished_chunks(run))
        is_blamed = not run.released and run.owner not in self._unreleased
        without_progress = 0 if done > run.chunks_done else run.without_progress + is_blamed
        died = run.died if run.released else run.attempts
        return replace(run, chunks_done=done, without_progress=without_progress, died=died)

    def _read(self, name: str) -> Run | None:
        found = self._documents.read(name, Run)
        if found is None:
            return None
        run, generation = found
        return replace(run, object_generation=generation, place=name)

    def _write(self, run: Run, generation: int) -> int | None:
        return self._documents.write(run.place, run, if_generation_match=generation)


def _place(source: StoredObject, number: int) -> str:
    return f"claims/{name_key(source)}/{number}.json"


def _own_place(key: str) -> str:
    return f"runs/{key}/run.json"


class Lease:
    """The lease of the run that this attempt works on, and the only way to change its claim.

    It is renewed every third of its length, in a separate thread, because one slow answer of an API
    can take longer than the lease. If the platform freezes the process, the thread freezes too, and
    the lease expires as it should.

    As soon as `is_ending` returns true, the thread gives the lease back, whatever the run waits
    for: the platform is about to kill the process, and the next delivery must not wait.
    """

    def __init__(
        self,
        claims: Claims,
        run: Run,
        lease_seconds: float,
        clock: Callable[[], datetime],
        is_ending: Callable[[], bool],
        log: Log,
    ) -> None:
        self._claims = claims
        self._run = run
        self._interval = lease_seconds / 3
        self._clock = clock
        self._is_ending = is_ending
        self._log = log
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def run(self) -> Run:
        """The claim as it was last written."""
        return self._run

    def check(self) -> None:
        """Raise `LeaseLost` if another attempt has taken over the run.

        A lease that has expired (the process was frozen, or storage could not be reached) is
        renewed before the run continues. This write fails if another attempt has taken over.
        """
        if self._lost:
            raise LeaseLost()
        if self._clock() >= self._run.expires:
            self._renew()

    def stop(self, problem: Problem) -> None:
        """Record that the rest of the file must not be sent, before its rows are reported."""
        self._update(stop=problem)

    def finish(self, status: RunStatus, *, all_counted: bool = False) -> None:
        """Record that the results document is complete ("finished") or needs a follow-up."""
        self._update(status=status, all_counted=all_counted, without_progress=0)

    def release(self, cause: str, *, without_progress: bool = False) -> None:
        """End the lease of an unfinished run, so that the next delivery can continue at once.

        `without_progress`: the attempt achieved nothing, and only the file can be the reason.
        """
        count = self._run.without_progress + without_progress
        self._update(expires=self._clock(), cause=cause, released=True, without_progress=count)

    def _update(self, **changes: Any) -> None:
        """Change the claim without colliding with a renewal."""
        with self._lock:
            self._run = self._claims.update(self._run, **changes)

    def _renew(self) -> None:
        with self._lock:
            self._run = self._claims.renew(self._run, self._clock())

    def _keep(self) -> None:
        step = min(self._interval, _CHECK_SECONDS)
        since_renewal = 0.0
        while not self._done.wait(step):
            since_renewal += step
            try:
                if self._is_ending():
                    self.release("SHUTDOWN")
                    raise LeaseLost()
                if since_renewal >= self._interval:
                    since_renewal = 0.0
                    self._renew()
            except LeaseLost:
                self._lost = True
                return
            except RetryableError:
                # Storage cannot be reached: the next round tries again, or the lease expires.
                continue
            except Exception as error:
                # Otherwise the thread ends, and Python prints the error as it is.
                self._log.unexpected(error)
