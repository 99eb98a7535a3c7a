"""Two generations of one upload: which of them sends the rows, and how the other one ends.

A gateway that sets the time of a file copies the object onto itself, and a broken upload is
repeated under the same name. Cloud Storage then has two generations of one upload, with an event
for each. But a newer generation can also be the file of another day, or the file that somebody
uploads again after a correction. So this is decided narrowly:

                                          ┌─ the first run works ──▶ LeaseHeld: comes again
 registered second, same content and      │
 terms, created within 10 minutes ────────┼─ all of its rows count ▶ same_as: nothing is sent
                                          └─ otherwise ────────────▶ it runs
 gone or empty ──┬─ newer one within 10 minutes, same content ─────▶ superseded
                 └─ otherwise ─────────────────────────────────────▶ stopped: SOURCE_GONE, alert
 everything else, also a replaced generation that can be read ─────▶ it runs: a file of its own

The second one decides before its claim, and the claim records `same_as`: a later attempt ends in
the same way. The one that registered first never waits, so the two cannot block each other.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from lib.config.settings import Settings
from lib.errors import LeaseHeld
from lib.run.context import RunContext
from lib.state.run import Run, Terms, run_key
from lib.state.store import EMPTY, StoredObject, live_version

WITHIN = timedelta(minutes=10)
"""Two generations of one upload are created within this time."""


def settings_digest(settings: Settings) -> str:
    """Return a digest of all settings: after a change, a file may have other outcomes."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16]


def same_upload(source: StoredObject, terms: Terms, context: RunContext) -> int:
    """Return the other generation that has sent the rows of this one, or 0 if this one must run.

    Raises `LeaseHeld` while the run of the other generation is working, or about to be claimed.
    Content is compared as storage reports it, never as an event does.
    """
    now = context.utc_now()
    others = context.uploads.register(source, now, WITHIN)
    if not others or context.ledger.load(run_key(source)) is not None:
        return 0
    here = context.store.find(source)
    lease = timedelta(seconds=context.settings.lease_seconds)
    for other, registered in reversed(others):
        if here is None or not _is_same(other, here):
            continue
        run = context.ledger.load(run_key(other))
        if run is not None and (run.terms != terms or run.same_as):
            continue
        works_until = registered + lease if run is None else run.expires
        if (run is None or run.status == "running") and works_until > now:
            raise LeaseHeld(f"generation {other.generation} of the same upload")
        if run is not None and run.all_counted and _is_settled(run, context):
            return other.generation
    return 0


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


def _is_settled(run: Run, context: RunContext) -> bool:
    """Return whether the rows need not be sent again, or still can be.

    An API that reports later may not have counted them yet.
    """
    if run.status == "finished" or context.store.find(run.source) is not None:
        return True
    pending = context.pending_runs.get(run.key)
    return pending is None or pending.rows_due is None
