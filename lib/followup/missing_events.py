"""Notices that events no longer start files: the sweep would finish them later, and in silence.

The trigger needs several permissions outside of this function. If one of them is lost, no event
arrives, and nothing fails. But then a file has no claim `LATE_AFTER` its upload. During a burst,
files wait as long; then others are finished meanwhile.

A single lost event is noticed later, when the sweep processes its file: other files may have been
finished all the time. During a burst, instances work on files as old.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from lib.errors import NewerVersion
from lib.run.alerts import LATE_AFTER
from lib.run.context import RunContext
from lib.state.run import Run, run_id
from lib.state.store import StoredObject

FOUND_BY_SWEEP_AFTER: Final = timedelta(minutes=30)

MOST_FILES: Final = 20
"""Number of claims that are read for this."""

_ACTION: Final = (
    "Ask the engineer who deployed the function to restore its trigger and the permissions of the "
    "trigger (pubsub.publisher for the storage agent, eventarc.eventReceiver, run.invoker), for "
    "example with terraform apply. Meanwhile the sweep processes the files."
)


def alert_if_unstarted(
    files: Sequence[StoredObject], newest_results: datetime | None, context: RunContext
) -> None:
    """Log an alert if one of these `files` without results was never started by an event.

    `newest_results`: when the newest results document was written.
    """
    now = context.utc_now()
    if newest_results is not None and now - newest_results < LATE_AFTER:
        return
    late = [each for each in files if now - (each.updated or now) >= LATE_AFTER]
    _alert([f for f in late[-MOST_FILES:] if not _is_started(f, context)], context)


def _is_started(file: StoredObject, context: RunContext) -> bool:
    try:
        return context.claims.of(file) is not None
    except (ValueError, NewerVersion):
        return True  # by a claim that cannot be read: the sweep says so when it comes to the file


def alert_if_found_by_sweep(
    claims: Sequence[tuple[StoredObject, Run | None]], context: RunContext
) -> None:
    """Log an alert if only the sweep has found one of these files, oldest first, with their claims.

    As long as a claim is alive, an instance works on a file as old: the others wait for it.
    """
    now = context.utc_now()
    if any(run.status == "running" and run.expires > now for _, run in claims if run is not None):
        return
    old = [file for file, run in claims if run is None]
    _alert([f for f in old if now - (f.updated or now) >= FOUND_BY_SWEEP_AFTER], context)


def _alert(unstarted: Sequence[StoredObject], context: RunContext) -> None:
    if unstarted:
        oldest = unstarted[0]
        log = context.log.bind(run_id=run_id(oldest))
        detail = f"uploaded {oldest.updated:%Y-%m-%d %H:%M} UTC, and no event has started it"
        log.alert("events_missing", detail=detail, action=_ACTION, files=len(unstarted))
