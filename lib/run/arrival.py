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


def process_arrival(source: StoredObject, event_time: datetime, context: RunContext) -> Done:
    """Process an object that an event has reported.

    Returning acknowledges the event. `RetryableError` means that the event must be delivered again.
    """
    settings = context.settings
    log = context.log.bind(run_id=run_id(source))
    if source.bucket != settings.input_bucket:
        problem = f"INPUT_BUCKET: the trigger reports objects of the bucket {source.bucket}"
        log.alert("settings_invalid", problems=[f"{problem}. {_CORRECT}"])
        return "ignored"
    try:
        # An event omits what it does not know, and its copy of the size could be wrong. An object
        # that is gone is known only from its event.
        stored = context.store.find(source) or source
    except RetryableError as error:
        log_redelivery(error, event_time, context.utc_now(), log)
        raise
    return process_object(
        stored,
        event_time,
        context,
        time_limit_seconds=settings.time_limit_seconds,
        max_age=timedelta(hours=settings.max_event_age_hours),
    )
