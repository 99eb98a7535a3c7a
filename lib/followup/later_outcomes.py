"""Final outcomes that an API reports later: when to ask, what to send again, what to report.

      document          ask             ask    ask           resend           ask
 ──send──▶│◀ first wait ▶│◀ longer wait ▶│ … ──▶│◀ defer_hours ▶│◀ first wait ▶│ …
        since       PROCESSING           too recent:         sent_at:       counted
                                         sets resend_at      schedule restarts

Rows are sent again until `max_defer_hours` after `since`. Each time, the destination's schedule
(`Capabilities.settles_later`) starts again. Every schedule ends, and so every run ends too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.config.settings import Settings
from lib.destinations.base import SettlingDestination
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.results.document import DocumentMetadata, RunSummary
from lib.results.processing import (
    Processing,
    newest_entries,
    not_counted_in,
    open_requests,
    processing_of,
    reasons_in,
    transient_in,
    transient_requests,
)
from lib.run.context import RunContext
from lib.run.finalize import RequestHistory
from lib.run.ingest import settles_later
from lib.run.preflight import claimed_profile
from lib.state.pending_runs import PendingRun
from lib.state.run import Run

ALERT_SHARE = 0.2
"""If a larger share of a file's rows is not counted, an alert is logged. A single row never causes
one. The alert on rejected and failed rows has the same default (`failing_rows_ratio`)."""

_NOTES = frozenset({"COUNTED_LATER", "NOT_COUNTED", "NOT_SENT_AGAIN"})


def updated_processing(
    run: Run,
    request_ids: Sequence[str],
    metadata: DocumentMetadata,
    must_ask: bool,
    context: RunContext,
    deadline: Deadline,
    log: Log,
) -> dict[str, Any] | None:
    """Return the `processing` part for these requests, after asking the API if that is due.

    Returns None if the destination does not report final outcomes later.
    """
    if not settles_later(metadata) or not request_ids:
        return None
    before = metadata.processing
    if must_ask:
        try:
            destination = context.connect(claimed_profile(run), log)
            assert isinstance(destination, SettlingDestination)
            to_ask = open_requests(request_ids, before)
            statuses = destination.request_statuses(to_ask, deadline)
            return processing_of(request_ids, statuses, context.utc_now(), before)
        except PermanentError as error:
            # Perhaps the credentials are refused. The schedule decides if the API is asked again.
            log.warning("processing_unknown", code=error.code)
    return processing_of(request_ids, (), None, before)


def reschedule(
    pending: PendingRun,
    history: RequestHistory,
    destination: str,
    processing: Processing | None,
    *,
    asked: bool,
    deferred: bool,
    settings: Settings,
    now: datetime,
) -> PendingRun:
    """Return the run with its next times to ask and to send, after everything due has been done.

    The times depend only on saved data. So if a sweep crashes, the next one continues correctly.
    """
    has_new_requests = history.requests > pending.requests
    checks = 0 if has_new_requests else pending.asked + asked
    sent_at = now if has_new_requests else pending.sent_at or pending.since
    ask_at = pending.ask_at
    if processing is None or processing["status"] == "finished":
        ask_at = None
    elif has_new_requests or asked:
        schedule = capabilities_of(destination).settles_later
        ask_at = schedule.next_check(sent_at, checks) if schedule is not None else None
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
        asked=checks,
        requests=history.requests,
        sent_at=sent_at,
    )


def with_processing(
    metadata: DocumentMetadata,
    processing: Processing,
    resend_at: datetime | None,
    history: RequestHistory,
) -> DocumentMetadata:
    """Return the metadata with the `processing` part and its notes, which replace earlier ones."""
    entries = newest_entries(processing)
    again = [each for each in entries if each["request_id"] not in history.settled]
    transient = sum(map(transient_in, again))
    lost = sum(map(not_counted_in, entries))
    records = processing["counts"]["records"]
    notes = [note for note in metadata.notes if note.code not in _NOTES]
    if transient and resend_at is not None:
        detail = f"{transient} of {records} rows, sent again after {resend_at:%Y-%m-%d %H:%M} UTC"
        notes.append(Problem("COUNTED_LATER", "", detail))
        lost -= transient
    if lost:
        notes.append(Problem("NOT_COUNTED", "", f"{lost} of {records} rows"))
    if history.withheld:
        notes.append(Problem("NOT_SENT_AGAIN", "", f"{history.withheld} rows"))
    at = resend_at.isoformat() if transient and resend_at is not None else None
    return replace(metadata, notes=tuple(notes), processing={**processing, "resend_at": at})


def alert_if_not_counted(summary: RunSummary, log: Log) -> None:
    """Log an alert if a large share of the file's rows is permanently not counted."""
    processing = summary.metadata.processing
    lost = summary.not_counted or 0
    records = processing["counts"]["records"] if processing is not None else 0
    if lost < 2 or lost <= ALERT_SHARE * records:
        return
    reasons: Counter[str] = Counter()
    for entry in newest_entries(processing):
        reasons.update(reasons_in(entry))
    code = reasons.most_common(1)[0][0]
    log.alert("rows_not_counted", code=code, not_counted=lost, records=records)
