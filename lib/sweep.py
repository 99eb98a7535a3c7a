"""What events missed, found and finished without a person.

A sweep is idempotent and safe beside running functions: whatever it works on it claims first, as an
event does. It stops by itself before its time limit; the next one goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lib.deferred import look_again
from lib.errors import LeaseHeld, Redeliver
from lib.ledger import run_key
from lib.pipeline import ignore_rules, work_on
from lib.ports import Ports
from lib.source.names import ignored
from lib.store import StoredObject


@dataclass(slots=True)
class Found:
    """What a sweep did, for its log line and its answer."""

    objects: int = 0
    unfinished: int = 0
    waiting: int = 0
    finished: int = 0
    again: int = 0
    oldest_unfinished_seconds: float = 0.0
    out_of_time: bool = False


def sweep_once(ports: Ports, time_limit_seconds: float) -> dict[str, Any]:
    """Finish what events missed. Returns the counts of what was found and done.

    In this order: waiting runs that are due (`lib.deferred`), then input objects without a finished
    run: event lost, retries used up, or a lease left by a dead run.
    """
    ends = ports.monotonic() + time_limit_seconds - ports.settings.deadline_margin_seconds
    found = Found()
    _waiting_runs(ports, ends, found)
    _unfinished_objects(ports, ends, found)
    report = {
        "objects": found.objects,
        "unfinished": found.unfinished,
        "waiting": found.waiting,
        "finished": found.finished,
        "again": found.again,
        "oldest_unfinished_seconds": round(found.oldest_unfinished_seconds),
        "out_of_time": found.out_of_time,
    }
    ports.log.info("sweep_finished", **report)
    return report


def _waiting_runs(ports: Ports, ends: float, found: Found) -> None:
    for waiting in ports.ledger.all_waiting():
        if waiting.due is None or waiting.due > ports.utc_now():
            continue
        if ports.monotonic() >= ends:
            found.out_of_time = True
            return
        found.waiting += 1
        try:
            found.finished += look_again(waiting, ports, ends)
        except LeaseHeld:
            continue
        except Redeliver as error:
            ports.log.warning("run_redelivered", code=error.code, detail=error.detail)
            found.again += 1
        except Exception as error:
            _go_past(error, ports, found)


def _unfinished_objects(ports: Ports, ends: float, found: Found) -> None:
    settings = ports.settings
    rules = ignore_rules(settings)
    max_age = timedelta(days=settings.sweep_max_age_days)
    for each in ports.store.list(settings.input_bucket, ""):
        now = ports.utc_now()
        created = each.updated or each.created or now
        age = now - created
        # A day more than the age of STALE: so that a file is given up once, and aloud.
        if age < timedelta(minutes=settings.sweep_grace_minutes) or age > max_age + _DAY:
            continue
        if ignored(each.name, each.size, rules) is not None:
            continue
        found.objects += 1
        if _is_finished(each, now, ports):
            continue
        if ports.monotonic() >= ends:
            found.out_of_time = True
            return
        found.unfinished += 1
        found.oldest_unfinished_seconds = max(found.oldest_unfinished_seconds, age.total_seconds())
        try:
            work_on(
                each,
                created,
                ports,
                time_limit_seconds=ends - ports.monotonic() + settings.deadline_margin_seconds,
                max_age=max_age,
            )
            found.finished += 1
        except LeaseHeld:
            continue
        except Redeliver:
            # Already logged; the next sweep tries again.
            found.again += 1
        except Exception as error:
            _go_past(error, ports, found)


def _go_past(error: Exception, ports: Ports, found: Found) -> None:
    """One file that our code can't take must not keep the sweep from all files behind it."""
    ports.log.unexpected(error)
    found.again += 1


_DAY = timedelta(days=1)


def _is_finished(each: StoredObject, now: datetime, ports: Ports) -> bool:
    """Finished, waiting (the other half of the sweep's work), or in the hands of a live run."""
    run = ports.ledger.load(run_key(each))
    return run is not None and (run.status != "running" or run.expires > now)
