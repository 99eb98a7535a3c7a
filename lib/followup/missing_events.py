"""Notices that events no longer start files: the sweep would finish them later, and in silence.

The trigger needs several permissions outside of this function. If one of them is lost, no event
arrives, and nothing fails. But then a file has no claim `LATE_AFTER` its upload. During a burst,
files wait as long; then others are finished meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from lib.run.context import RunContext
from lib.run.redelivery import LATE_AFTER
from lib.state.run import run_key
from lib.state.store import StoredObject

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
    unstarted = [each for each in late[-MOST_FILES:] if context.ledger.load(run_key(each)) is None]
    if unstarted:
        context.log.alert("events_missing", files=len(unstarted), action=_ACTION)
