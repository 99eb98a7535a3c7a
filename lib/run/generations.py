"""Two generations of one upload: which of them sends the rows, and how the other one ends.

A gateway that sets the time of a file copies the object onto itself, and a broken upload is
repeated under the same name. Cloud Storage then has two generations of one upload, with an event
for each. But a newer generation can also be the file of another day, or the file that somebody
uploads again after a correction. So this is decided narrowly:

                                        ┌─ the earlier run works ──▶ LeaseHeld: comes again
 newer generation, within 10 minutes,   │
 same content and same terms ───────────┼─ all of its rows count ──▶ same_as: nothing is sent
                                        └─ otherwise ─────────────▶ it runs
 older generation ──┬─ can be read ──▶ it runs: it is a file of its own
                    └─ cannot ──┬─ newer one within 10 minutes, same content ──▶ superseded
                                └─ otherwise ─────────────────────▶ stopped: SOURCE_GONE, alert

The newer generation decides before its claim, and the claim records `same_as`: a later attempt ends
in the same way. The older one never waits for the newer one, so they cannot block each other.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from lib.config.settings import Settings
from lib.errors import LeaseHeld
from lib.run.context import RunContext
from lib.state.run import Run, Terms, run_key
from lib.state.store import EMPTY, StoredObject

WITHIN = timedelta(minutes=10)
"""Two generations of one upload are created within this time."""


def settings_digest(settings: Settings) -> str:
    """Return a digest of all settings: after a change, a file may have other outcomes."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16]


def same_upload(source: StoredObject, terms: Terms, context: RunContext) -> int:
    """Return the earlier generation that has sent the rows of this one, or 0 if this one must run.

    Raises `LeaseHeld` while the run of the earlier generation is working. Content is compared as
    storage reports it, never as an event does.
    """
    others = context.uploads.register(source, WITHIN)
    earlier = [each for each in others if each.generation < source.generation]
    if not earlier or context.ledger.load(run_key(source)) is not None:
        return 0
    here = context.store.find(source)
    for each in earlier:
        run = context.ledger.load(run_key(each))
        if here is None or run is None or run.same_as or run.terms != terms:
            continue
        if not (_within(run.source, here) and run.source.content.equals(here.content)):
            continue
        if run.status == "running" and run.expires > context.utc_now():
            raise LeaseHeld(f"generation {each.generation} of the same upload")
        if run.all_counted and _is_settled(run, context):
            return each.generation
    return 0


def superseded_by(source: StoredObject, context: RunContext) -> int:
    """Return the newer generation that replaces one that is gone or empty, or 0."""
    newer = live_version(source, context)
    if newer is None or newer.generation <= source.generation or not _within(source, newer):
        return 0
    is_same = EMPTY.equals(source.content) or source.content.equals(newer.content)
    return newer.generation if is_same else 0


def live_version(source: StoredObject, context: RunContext) -> StoredObject | None:
    """Return the live generation of the object's name; None: it was deleted."""
    listed = context.store.list(source.bucket, source.name)
    return next((found for found in listed if found.name == source.name), None)


def _within(earlier: StoredObject, newer: StoredObject) -> bool:
    if earlier.created is None or newer.created is None:
        return False
    return newer.created - earlier.created <= WITHIN


def _is_settled(run: Run, context: RunContext) -> bool:
    """Return whether the rows need not be sent again, or still can be.

    An API that reports later may not have counted them yet.
    """
    if run.status == "finished" or context.store.find(run.source) is not None:
        return True
    pending = context.pending_runs.get(run.key)
    return pending is None or pending.rows_due is None
