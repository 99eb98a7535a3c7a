"""What events missed, found and finished without a person.

A sweep is idempotent and safe beside running functions: whatever it works on it claims first, as an
event does. It stops by itself before its time limit; the next one goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lib.adapters.logging import Log
from lib.errors import LeaseHeld, RetryableError
from lib.followup.revisit import revisit
from lib.results.document import results_name
from lib.run.context import RunContext
from lib.run.ingest import ignore_rules, process_object
from lib.source.names import ignored
from lib.state.run import run_id, run_key
from lib.state.store import StoredObject


@dataclass(slots=True)
class Found:
    """What a sweep did, for its log line and its answer."""

    objects: int = 0
    unfinished: int = 0
    pending: int = 0
    finished: int = 0
    again: int = 0
    oldest_unfinished_seconds: float = 0.0
    out_of_time: bool = False


def sweep_once(context: RunContext, time_limit_seconds: float) -> dict[str, Any]:
    """Finish what events missed. Returns the counts of what was found and done.

    In this order: waiting runs that are due (`lib.followup.revisit`), then input objects without a finished
    run: event lost, retries used up, or a lease left by a dead run.
    """
    ends = context.monotonic() + time_limit_seconds - context.settings.deadline_margin_seconds
    found = Found()
    # Half of the time for each, so that neither keeps the other from its turn for ever.
    _waiting_runs(context, (context.monotonic() + ends) / 2, found)
    _unfinished_objects(context, ends, found)
    report = {
        "objects": found.objects,
        "unfinished": found.unfinished,
        "waiting": found.pending,
        "finished": found.finished,
        "again": found.again,
        "oldest_unfinished_seconds": round(found.oldest_unfinished_seconds),
        "out_of_time": found.out_of_time,
    }
    context.log.info("sweep_finished", **report)
    return report


def _waiting_runs(context: RunContext, ends: float, found: Found) -> None:
    for key in context.pending_runs.list_keys():
        if context.monotonic() >= ends:
            found.out_of_time = True
            return
        log = context.log
        try:
            pending = context.pending_runs.get(key)
            if pending is None or pending.due is None or pending.due > context.utc_now():
                continue
            log = log.bind(run_id=pending.run_id)
            found.pending += 1
            found.finished += revisit(pending, context, ends)
        except LeaseHeld:
            continue
        except RetryableError as error:
            log.warning("run_redelivered", code=error.code, detail=error.detail)
            found.again += 1
        except Exception as error:
            _go_past(error, log, found)


def _unfinished_objects(context: RunContext, ends: float, found: Found) -> None:
    settings = context.settings
    max_age = timedelta(days=settings.sweep_max_age_days)
    for each in _without_results(context, found):
        if context.monotonic() >= ends:
            found.out_of_time = True
            return
        now = context.utc_now()
        created = each.updated or each.created or now
        try:
            if _is_taken_care_of(each, now, context):
                continue
            found.unfinished += 1
            age = (now - created).total_seconds()
            found.oldest_unfinished_seconds = max(found.oldest_unfinished_seconds, age)
            process_object(
                each,
                created,
                context,
                time_limit_seconds=ends - context.monotonic() + settings.deadline_margin_seconds,
                max_age=max_age,
            )
            found.finished += 1
        except LeaseHeld:
            continue
        except RetryableError:
            # Already logged; the next sweep tries again.
            found.again += 1
        except Exception as error:
            _go_past(error, context.log.bind(run_id=run_id(each)), found)


def _without_results(context: RunContext, found: Found) -> list[StoredObject]:
    """Recent files of ours that have no results document, by two listings and no more calls.

    Oldest first, so that none waits behind an endless supply of newer ones.
    """
    settings = context.settings
    rules = ignore_rules(settings)
    youngest = timedelta(minutes=settings.sweep_grace_minutes)
    # A day more than the age of STALE: so that a file is given up once, and aloud.
    oldest = timedelta(days=settings.sweep_max_age_days) + _DAY
    now = context.utc_now()
    missing: dict[str, StoredObject] = {}
    for each in context.store.list(settings.input_bucket, ""):
        age = now - (each.updated or each.created or now)
        if youngest <= age <= oldest and ignored(each.name, each.size, rules) is None:
            missing[results_name(each.name, each.generation)] = each
    found.objects = len(missing)
    if missing:
        for results in context.store.list(settings.output_bucket, ""):
            missing.pop(results.name, None)
    return sorted(missing.values(), key=lambda each: each.updated or each.created or now)


def _go_past(error: Exception, log: Log, found: Found) -> None:
    """One file that our code can't take must not keep the sweep from all files behind it."""
    log.unexpected(error)
    found.again += 1


_DAY = timedelta(days=1)


def _is_taken_care_of(each: StoredObject, now: datetime, context: RunContext) -> bool:
    """In the hands of a live run, or finished between the listings and now."""
    run = context.ledger.load(run_key(each))
    return run is not None and (run.status != "running" or run.expires > now)
