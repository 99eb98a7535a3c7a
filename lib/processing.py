"""What the Data Manager API counted in the end: when it is asked, which rows are sent again, and
what the results document says of it.

       document            ask            ask             resend           ask
 ──send──▶│◀── 30 min ──▶│◀─ 39 min ─▶│ … │◀── defer ─────▶│◀── 30 min ──▶│ …
          since           │            too recent           sent_at        counted
                          PROCESSING   → resend_at          → asks begin anew

Rows are sent again until `max_defer_hours` after `since`; each time all asking begins anew, for a
day. So every run comes to an end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.destinations.data_manager_status import (
    next_check,
    not_counted_in,
    passing_in,
    reasons_in,
)
from lib.finish import Carried
from lib.logs import Log
from lib.report import Facts, Summary
from lib.rules.conversion import Problem
from lib.settings import Settings
from lib.waiting import Waiting

ALARMING_SHARE = 0.2
"""A larger part of a file's rows that isn't counted is an alert: as `failing_rows_ratio`, the share
of rejected and failed rows at which Terraform's own alert begins. A single row never is one."""

Processing = Mapping[str, Any]
"""The `processing` part of a results document (`data_manager_status.processing_of`)."""


def newest_entries(processing: Processing | None) -> list[Mapping[str, Any]]:
    """Its requests, without those whose rows were sent again."""
    entries = (processing or {}).get("requests", ())
    return [entry for entry in entries if not entry.get("superseded")]


def passing_requests(processing: Processing | None) -> Set[str]:
    """The requests some of whose events weren't counted for a reason that passes."""
    return {each["request_id"] for each in newest_entries(processing) if passing_in(each)}


def reschedule(
    waiting: Waiting,
    carried: Carried,
    processing: Processing | None,
    *,
    asked: bool,
    deferred: bool,
    settings: Settings,
    now: datetime,
) -> Waiting:
    """When to ask and to send again, after all that was due has been done.

    It rests on what is written down alone: a sweep that died on the way is made up for by the next.
    """
    new = carried.requests > waiting.requests
    times = 0 if new else waiting.asked + asked
    sent_at = now if new else waiting.sent_at or waiting.since
    ask_at = waiting.ask_at
    if processing is None or processing["status"] == "finished":
        ask_at = None
    elif new or asked:
        ask_at = next_check(sent_at, times)
    resend_at = waiting.resend_at
    if not deferred:
        last = waiting.since + timedelta(hours=settings.max_defer_hours)
        resend_at = resend_at or sent_at + timedelta(hours=settings.defer_hours)
        if resend_at > last or passing_requests(processing) <= carried.settled:
            resend_at = None
    return replace(
        waiting,
        resend_at=resend_at,
        ask_at=ask_at,
        asked=times,
        requests=carried.requests,
        sent_at=sent_at,
    )


def with_processing(
    facts: Facts, processing: Processing, resend_at: datetime | None, carried: Carried
) -> Facts:
    """The facts with that part and its notes, in the place of earlier ones."""
    entries = newest_entries(processing)
    again = [each for each in entries if each["request_id"] not in carried.settled]
    passing = sum(map(passing_in, again))
    lost = sum(map(not_counted_in, entries))
    records = processing["counts"]["records"]
    notes = [note for note in facts.notes if note.code not in _NOTES]
    if passing and resend_at is not None:
        detail = f"{passing} of {records} rows, not before {resend_at:%Y-%m-%d %H:%M} UTC"
        notes.append(Problem("COUNTED_LATER", "", detail))
        lost -= passing
    if lost:
        notes.append(Problem("NOT_COUNTED", "", f"{lost} of {records} rows"))
    if carried.kept_back:
        notes.append(Problem("NOT_SENT_AGAIN", "", f"{carried.kept_back} rows"))
    at = resend_at.isoformat() if passing and resend_at is not None else None
    return replace(facts, notes=tuple(notes), processing={**processing, "resend_at": at})


_NOTES = frozenset({"COUNTED_LATER", "NOT_COUNTED", "NOT_SENT_AGAIN"})


def alarm(summary: Summary, log: Log) -> None:
    """Alert if a considerable part of the file's rows isn't counted in the end."""
    lost = summary.not_counted or 0
    records = summary.facts.processing["counts"]["records"] if lost else 0
    if lost < 2 or lost <= ALARMING_SHARE * records:
        return
    reasons: Counter[str] = Counter()
    for entry in newest_entries(summary.facts.processing):
        reasons.update(reasons_in(entry))
    code = reasons.most_common(1)[0][0]
    log.alert("rows_not_counted", code=code, not_counted=lost, records=records)
