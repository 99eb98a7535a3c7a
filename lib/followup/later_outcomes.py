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

from lib.adapters.logging import Log
from lib.config.settings import Settings
from lib.destinations.data_manager.diagnostics import (
    next_check,
    not_counted_in,
    reasons_in,
    transient_in,
)
from lib.model.outcomes import Problem
from lib.results.document import DocumentMetadata, RunSummary
from lib.run.finalize import RequestHistory
from lib.state.pending_runs import PendingRun

ALARMING_SHARE = 0.2
"""A larger part of a file's rows that isn't counted is an alert: as `failing_rows_ratio`, the share
of rejected and failed rows at which Terraform's own alert begins. A single row never is one."""

Processing = Mapping[str, Any]
"""The `processing` part of a results document (`data_manager_status.processing_of`)."""


def newest_entries(processing: Processing | None) -> list[Mapping[str, Any]]:
    """Its requests, without those whose rows were sent again."""
    entries = (processing or {}).get("requests", ())
    return [entry for entry in entries if not entry.get("superseded")]


def transient_requests(processing: Processing | None) -> Set[str]:
    """The requests some of whose events weren't counted for a reason that passes."""
    return {each["request_id"] for each in newest_entries(processing) if transient_in(each)}


def reschedule(
    pending: PendingRun,
    history: RequestHistory,
    processing: Processing | None,
    *,
    asked: bool,
    deferred: bool,
    settings: Settings,
    now: datetime,
) -> PendingRun:
    """When to ask and to send again, after all that was due has been done.

    It rests on what is written down alone: a sweep that died on the way is made up for by the next.
    """
    new = history.requests > pending.requests
    times = 0 if new else pending.asked + asked
    sent_at = now if new else pending.sent_at or pending.since
    ask_at = pending.ask_at
    if processing is None or processing["status"] == "finished":
        ask_at = None
    elif new or asked:
        ask_at = next_check(sent_at, times)
    resend_at = pending.resend_at
    if not deferred:
        last = pending.since + timedelta(hours=settings.max_defer_hours)
        resend_at = resend_at or sent_at + timedelta(hours=settings.defer_hours)
        if resend_at > last or transient_requests(processing) <= history.settled:
            resend_at = None
    return replace(
        pending,
        resend_at=resend_at,
        ask_at=ask_at,
        asked=times,
        requests=history.requests,
        sent_at=sent_at,
    )


def with_processing(
    metadata: DocumentMetadata,
    processing: Processing,
    resend_at: datetime | None,
    history: RequestHistory,
) -> DocumentMetadata:
    """The facts with that part and its notes, in the place of earlier ones."""
    entries = newest_entries(processing)
    again = [each for each in entries if each["request_id"] not in history.settled]
    transient = sum(map(transient_in, again))
    lost = sum(map(not_counted_in, entries))
    records = processing["counts"]["records"]
    notes = [note for note in metadata.notes if note.code not in _NOTES]
    if transient and resend_at is not None:
        detail = f"{transient} of {records} rows, not before {resend_at:%Y-%m-%d %H:%M} UTC"
        notes.append(Problem("COUNTED_LATER", "", detail))
        lost -= transient
    if lost:
        notes.append(Problem("NOT_COUNTED", "", f"{lost} of {records} rows"))
    if history.withheld:
        notes.append(Problem("NOT_SENT_AGAIN", "", f"{history.withheld} rows"))
    at = resend_at.isoformat() if transient and resend_at is not None else None
    return replace(metadata, notes=tuple(notes), processing={**processing, "resend_at": at})


_NOTES = frozenset({"COUNTED_LATER", "NOT_COUNTED", "NOT_SENT_AGAIN"})


def alarm(summary: RunSummary, log: Log) -> None:
    """Alert if a considerable part of the file's rows isn't counted in the end."""
    lost = summary.not_counted or 0
    records = summary.metadata.processing["counts"]["records"] if lost else 0
    if lost < 2 or lost <= ALARMING_SHARE * records:
        return
    reasons: Counter[str] = Counter()
    for entry in newest_entries(summary.metadata.processing):
        reasons.update(reasons_in(entry))
    code = reasons.most_common(1)[0][0]
    log.alert("rows_not_counted", code=code, not_counted=lost, records=records)
