"""Two generations of one upload: which of them sends the rows, and how the other one ends.

A gateway that sets the time of a file copies the object onto itself, and a broken upload is
repeated under the same name. Cloud Storage then has two generations of one upload, with an event
for each. But a newer generation can also be the file of another day, or the file that somebody
uploads again after a correction. So this is decided narrowly:

                                          ┌─ the first run works ──▶ LeaseHeld: comes again
 claimed second, same content and         │
 terms, created within 10 minutes ────────┼─ all of its rows count ▶ same_as: nothing is sent
                                          └─ otherwise ────────────▶ it runs
 gone or empty ──┬─ newer one within 10 minutes, same content ─────▶ superseded
                 └─ otherwise ─────────────────────────────────────▶ stopped: SOURCE_GONE, alert
 everything else, also a replaced generation that can be read ─────▶ it runs: a file of its own

The second one decides before its claim, and the claim records `same_as`: a later attempt ends in
the same way. The one that claimed first never waits, so the two cannot block each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from lib.config.settings import Settings
from lib.errors import LeaseHeld
from lib.run.context import RunContext
from lib.run.finalize import results_exist
from lib.state.run import Run, Terms
from lib.state.store import EMPTY, StoredObject, live_version

WITHIN = timedelta(minutes=10)
"""Two generations of one upload are created within this time."""


def settings_digest(settings: Settings) -> str:
    """Return a digest of all settings: after a change, a file may have other outcomes."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Generations:
    """What the claim of a generation must know about the others (`KnownGenerations`).

    Content is compared as storage reports it, never as an event does.
    """

    source: StoredObject
    terms: Terms
    context: RunContext

    def has_results(self, source: StoredObject) -> bool:
        """Return whether this generation has a results document."""
        return results_exist(source, self.context)

    def same_as(self, others: Sequence[Run]) -> int:
        """Return the other generation that has sent the rows of this one, or 0.

        Raises `LeaseHeld` while the run of the other generation is working.
        """
        near = any(_within(other.source, self.source) for other in others)
        here = self.context.store.find(self.source) if near else None
        for other in reversed(others):
            if here is None or not _is_same(other.source, here):
                continue
            if other.terms != self.terms or other.same_as:
                continue
            if self._is_over(other):
                if self._all_counted(other):
                    return other.source.generation
            elif other.expires > self.context.utc_now():
                raise LeaseHeld(f"generation {other.source.generation} of the same upload")
        return 0

    def is_replaceable(self, other: Run) -> bool:
        """Return whether the claim of this run may be replaced: no upload will be compared to it,
        and nobody works on it."""
        if _within(other.source, self.source) or other.source.created is None:
            return False
        is_leased = other.status == "running" and other.expires > self.context.utc_now()
        return not is_leased and self._is_over(other)

    def _is_over(self, run: Run) -> bool:
        return run.status != "running" or self.has_results(run.source)

    def _all_counted(self, run: Run) -> bool:
        """Return whether the rows of a run need not be sent again, or still can be.

        An API that reports later may not have counted them yet.
        """
        if run.status == "finished":
            return run.all_counted
        pending = self.context.pending_runs.get(run.key)
        if pending is None:
            return run.all_counted
        if not pending.all_counted:
            return False
        return pending.rows_due is None or self.context.store.find(run.source) is not None


def superseded_by(source: StoredObject, context: RunContext) -> int:
    """Return the newer generation that replaces one that is gone or empty, or 0."""
    newer = live_version(context.store, source.bucket, source.name)
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
