"""From the event of an object to its run: is it ours, and what does storage know about it?"""

from __future__ import annotations

from datetime import datetime, timedelta

from lib.errors import RetryableError
from lib.run.context import RunContext
from lib.run.ingest import Done, process_object
from lib.run.redelivery import log_redelivery
from lib.state.run import run_id
from lib.state.store import StoredObject

_CORRECT = "Ask the engineer who deployed the function to correct the setting or the trigger."


def process_arrival(source: StoredObject, event_time: datetime | None, context: RunContext) -> Done:
    """Process an object that an event has reported. `event_time` is None if it cannot be read.

    Returning acknowledges the event. `RetryableError` means that the event must be delivered again.
    """
    settings = context.settings
    log = context.log.bind(run_id=run_id(source))
    if source.bucket != settings.input_bucket:
        problem = f"INPUT_BUCKET: the trigger reports objects of the bucket {source.bucket}"
        log.alert("settings_invalid", detail=problem, action=_CORRECT)
        return "ignored"
    context.expect_connection()
    try:
        # An event omits what it does not know, and its copy of the size could be wrong. An object
        # that is gone is known only from its event.
        stored, stream = context.store.find_and_open(source) or (source, None)
    except RetryableError as error:
        now = context.utc_now()
        log_redelivery(error, _due(event_time, source, now), now, log)
        raise
    # The look-up has told the time of storage. Before it, a new instance knows only its own clock.
    return process_object(
        stored,
        _arrived(event_time, stored, context.utc_now()),
        context,
        time_limit_seconds=settings.time_limit_seconds,
        max_age=timedelta(hours=settings.max_event_age_hours),
        stream=stream,
    )


def _arrived(event_time: datetime | None, stored: StoredObject, now: datetime) -> datetime:
    """Return when the object arrived: not before it was created, and not later than now.

    An event can say anything. If its time counted, one of 1970 would end the file as STALE, and one
    of 2090 would hide for ever that the file is late.
    """
    created = stored.created or stored.updated
    arrived = min(event_time or created or now, now)
    return max(arrived, created) if created is not None else arrived


def _due(event_time: datetime | None, source: StoredObject, now: datetime) -> datetime:
    """Return when the work arrived, as far as the event says it: the object is not known yet.

    The earliest of its times counts, so that the alert is early rather than missing.
    """
    return min(each for each in (event_time, source.created, source.updated, now) if each)
