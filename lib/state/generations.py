"""The claim of a run, and the other generations of its object: which of them sends the rows?

    claims/<name key>/0.json   does not exist ──▶ create it: the run is ours        (most files)
                               exists ──▶ read places 0, 1, 2, … of the name until one is free
                                          ├─ one of them is ours ──▶ take it over, if nobody works
                                          ├─ we have results ──────▶ nothing is left to do
                                          └─ others ──▶ may we run? ──▶ claim the first place that
                                                        is free, or whose run is over

A place is taken by a compare-and-swap, after all claims of the name were read. If another
generation is faster, they are read again. So of two generations that claim, the second meets the
claim of the first, unless a run of the name ends between their reads, so that they choose different
places (docs/recovery.md). A run that is over needs no claim: its results document says that it is.

A gateway that sets the time of a file copies the object onto itself, and a broken upload is
repeated under the same name. Cloud Storage then has two generations of one upload, with an event
for each. But a newer generation can also be the file of another day, or the file that somebody
uploads again after a correction. So they are one upload only if they were created within ten
minutes, with the same content and terms (docs/recovery.md has all cases). Everything else runs,
also a replaced generation that can be read: it is a file of its own.

The second one decides before its claim, and the claim records `same_as`: a later attempt ends in
the same way. The one that claimed first never waits, so the two cannot block each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lib.errors import LeaseHeld, RetryableError
from lib.state.claims import Claims
from lib.state.output import StoredResults
from lib.state.pending_runs import PendingRuns
from lib.state.run import Run
from lib.state.store import EMPTY, Store, StoredObject, live_version

_ATTEMPTS: Final = 5

WITHIN: Final = timedelta(minutes=10)
"""Two generations of one upload are created within this time."""


@dataclass(frozen=True, slots=True)
class Generations:
    """What is saved about the generations of all objects.

    Content is compared as storage reports it, never as an event does.
    """

    store: Store
    claims: Claims
    pending_runs: PendingRuns
    output: StoredResults

    def claim(self, fresh: Run, now: datetime, *, is_read: bool = False) -> Run:
        """Claim a run, or take it over. `fresh` is its claim if this is its first attempt.
        `is_read`: its content is here already, so it can be sent even if it is replaced.

        Returns the run with our lease, or a run that is over: check its `status`. Raises
        `LeaseHeld` while another attempt has a live lease, or another generation of the same upload
        works.
        """
        if created := self.claims.create(fresh, 0):
            return created
        for _ in range(_ATTEMPTS):
            known = self.claims.of_name(fresh.source)
            own = next((run for run in known if run.key == fresh.key), None)
            if own is not None:
                return self._resume(own, now, fresh.owner)
            if self.output.has_results(fresh.source):
                # Another generation has got the place of our claim.
                return replace(fresh, status="finished")
            run = replace(fresh, same_as=self._same_as(fresh, known, now, is_read=is_read))
            place, old = next(
                (
                    (place, other)
                    for place, other in enumerate(known)
                    if self._is_replaceable(other, fresh.source, now)
                ),
                (len(known), None),
            )
            if created := self.claims.create(run, place, old):
                return created
        raise RetryableError("STORAGE_UNAVAILABLE", "the run could not be claimed")

    def _resume(self, run: Run, now: datetime, owner: str) -> Run:
        """Take over a run that has a claim, unless it is over."""
        if run.owner == owner or run.status != "running":
            return run
        if self.output.has_results(run.source):
            return replace(run, status="finished")
        return self.claims.take_over(run, now, owner)

    def _same_as(self, fresh: Run, others: Sequence[Run], now: datetime, *, is_read: bool) -> int:
        """Return the other generation that has sent the rows of this one, or 0.

        Raises `LeaseHeld` while the run of the other generation is working.
        """
        near = any(_within(other.source, fresh.source) for other in others)
        here = self.store.find(fresh.source) if near else None
        if near and here is None and is_read:
            here = fresh.source  # replaced since storage described it with its content
        for other in reversed(others):
            if here is None or not _is_same(other.source, here):
                continue
            if other.terms != fresh.terms or other.same_as:
                continue
            counted = self._all_counted(other) if self._is_over(other) else None
            if counted:
                return other.source.generation
            if counted is None and other.expires > now:
                raise LeaseHeld(f"generation {other.source.generation} of the same upload")
        return 0

    def _is_replaceable(self, other: Run, source: StoredObject, now: datetime) -> bool:
        """Return whether the claim of this run may be replaced: no upload will be compared to it,
        and nobody works on it."""
        if _within(other.source, source) or other.source.created is None:
            return False
        is_leased = other.status == "running" and other.expires > now
        return not is_leased and self._is_over(other)

    def _is_over(self, run: Run) -> bool:
        return run.status != "running" or self.output.has_results(run.source)

    def _all_counted(self, run: Run) -> bool | None:
        """Return whether the rows of a run need not be sent again, or still can be.

        An API that reports later may not have counted them yet. None: the run has written its
        results, but its claim does not say yet whether all rows count.
        """
        if run.status == "finished":
            return run.all_counted
        pending = self.pending_runs.get(run.key)
        if pending is None:
            return run.all_counted if run.status != "running" else None
        if not pending.all_counted:
            return False
        return pending.rows_due is None or self.store.find(run.source) is not None


def superseded_by(source: StoredObject, store: Store) -> int:
    """Return the newer generation that replaces one that is gone or empty, or 0."""
    newer = live_version(store, source.bucket, source.name)
    if newer is None or newer.generation <= source.generation:
        return 0
    is_empty = EMPTY.equals(source.content) and _within(source, newer)
    return newer.generation if is_empty or _is_same(source, newer) else 0


def _is_same(one: StoredObject, other: StoredObject) -> bool:
    return _within(one, other) and one.content.equals(other.content)


def _within(one: StoredObject, other: StoredObject) -> bool:
    if one.created is None or other.created is None:
        return False
    return abs(other.created - one.created) <= WITHIN
