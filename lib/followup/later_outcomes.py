"""Final outcomes that an API reports later: when to ask, and what to report.

      document          ask             ask    ask           resend           ask
 ──send──▶│◀ first wait ▶│◀ longer wait ▶│ … ──▶│◀ defer_hours ▶│◀ first wait ▶│ …
        since       PROCESSING           too recent:         sent_at:       counted
                                         sets resend_at      schedule restarts

Rows are sent again until `max_defer_hours` after `since`. Each time, the destination's schedule
(`Capabilities.reports_later`) starts again. Every schedule ends, and so every run ends too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from lib.catalogue.codes import lookup
from lib.config.settings import Settings
from lib.destinations.base import PolledDestination, RequestStatus
from lib.destinations.registry import capabilities_of
from lib.errors import LeaseLost, PermanentError, RetryableError
from lib.followup.final_statuses import apply_final_statuses
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.results.document import DocumentMetadata, processing_of
from lib.run.alerts import log_blocked_follow_up, log_redelivery, many_fail
from lib.run.claim import claimed_profile
from lib.run.context import RunContext
from lib.run.finalize import WrittenRun
from lib.run.follow_up import poll_schedule
from lib.state.claims import Lease
from lib.state.match_history import MatchedRows
from lib.state.pending_runs import PendingRun
from lib.state.run import Run

_NOTES: Final = frozenset({"NOT_COUNTED", "NEARLY_NO_MATCHES", "FEWER_MATCHES"})


Asked = Literal["answered", "refused", "later"]
"""Whether the API was asked: `refused` counts as a check, after `later` the next sweep asks."""


def ask_about_requests(
    lease: Lease, pending: PendingRun, context: RunContext, deadline: Deadline, log: Log
) -> Asked:
    """Ask the API about all open requests, and save the outcomes of their rows in the markers.

    Every marker is saved before the next requests are asked about. After a crash, only the open
    requests are asked about again.
    """
    try:
        _ask(lease, pending, context, deadline, log)
    except PermanentError as error:
        # Perhaps the credentials are refused. The schedule decides if the API is asked again.
        log_blocked_follow_up(error, log)
        log.warning("processing_unknown", code=error.code)
        return "refused"
    except LeaseLost:
        raise
    except RetryableError as error:
        now = context.utc_now()
        log_redelivery(error, pending.ask_at or now, now, log)
        schedule = capabilities_of(claimed_profile(lease.run).destination).reports_later
        assert schedule is not None
        is_last = now - (pending.sent_at or pending.since) > schedule.stop_after
        return "refused" if is_last else "later"
    return "answered"


def _ask(
    lease: Lease, pending: PendingRun, context: RunContext, deadline: Deadline, log: Log
) -> None:
    ledger, run = context.ledger, lease.run
    rows_can_wait = can_defer(pending, context.settings)
    destination = context.connect(claimed_profile(run), log)
    assert isinstance(destination, PolledDestination)
    for number in sorted(ledger.finished_chunks(run)):
        before, generation = ledger.load_chunk(run, number)
        still_open = [each.request_id for each in before.sent if each.is_open]
        if not still_open:
            continue
        if context.monotonic() >= deadline.last_start:
            break
        statuses: dict[str, list[RequestStatus]] = {}
        for status in destination.request_statuses(still_open, deadline):
            statuses.setdefault(status.request_id, []).append(status)
        outcomes = apply_final_statuses(before, statuses, rows_can_wait)
        if outcomes != before:
            lease.check()
            ledger.write_chunk(run, outcomes, generation)


def can_defer(pending: PendingRun, settings: Settings) -> bool:
    """Return whether rows can be sent again before it is too late."""
    return _next_resend(pending, settings) <= _last_resend(pending, settings)


def _next_resend(pending: PendingRun, settings: Settings) -> datetime:
    sent_at = pending.sent_at or pending.since
    return pending.resend_at or sent_at + timedelta(hours=settings.defer_hours)


def _last_resend(pending: PendingRun, settings: Settings) -> datetime:
    return pending.since + timedelta(hours=settings.max_defer_hours)


def reschedule(
    pending: PendingRun,
    written: WrittenRun,
    destination: str,
    *,
    asked: bool,
    settings: Settings,
    now: datetime,
) -> PendingRun:
    """Return the run with its next times to ask and to send, after everything due has been done.

    The times depend only on saved data. So if a sweep crashes, the next one continues correctly.
    """
    has_new_requests = len(written.request_ids) > pending.requests
    sent_at = now if has_new_requests else pending.sent_at or pending.since
    checks = 0 if has_new_requests else pending.asked + asked
    ask_at = pending.ask_at
    if not written.requests.open:
        ask_at = None
    elif has_new_requests or asked:
        schedule = capabilities_of(destination).reports_later
        assert schedule is not None
        ask_at = schedule.next_check(sent_at, checks)
    resend_at = None
    if written.tally.outcomes.get("deferred"):
        resend_at = _next_resend(pending, settings)
    return replace(
        pending,
        resend_at=resend_at,
        ask_at=ask_at,
        asked=checks,
        requests=len(written.request_ids),
        sent_at=sent_at,
    )


def with_processing(
    metadata: DocumentMetadata,
    written: WrittenRun,
    asked_at: datetime | None,
    on_matches: Problem | None,
) -> DocumentMetadata:
    """Return the metadata with the `processing` part and its notes, which replace earlier ones.

    `asked_at` is None if the API was not asked now. `on_matches` is the note on rows without an ad
    click. The metadata of a destination that reports no final outcomes stays the same.
    """
    if poll_schedule(metadata) is None or not written.requests.requests:
        return metadata
    notes = [note for note in metadata.notes if note.code not in _NOTES]
    notes += [on_matches] if on_matches is not None else []
    if written.requests.unnamed:
        uploaded = written.tally.outcomes.get("uploaded", 0)
        notes.append(Problem("NOT_COUNTED", "", f"{written.requests.unnamed} of {uploaded} rows"))
    processing = processing_of(written.requests, asked_at, metadata.processing)
    return replace(metadata, notes=tuple(notes), processing=processing)


def matched_rows(run: Run, written: WrittenRun) -> MatchedRows | None:
    """Return how many rows without a click ID matched. None: some await their final status."""
    requests = written.requests
    if requests.open or not requests.matchable or written.tally.outcomes.get("deferred"):
        return None
    return MatchedRows(run.key, requests.matchable, requests.matchable - requests.unmatched)


def alert_if_not_counted(written: WrittenRun, settings: Settings, log: Log) -> None:
    """Log an alert if many of the rows that the API accepted are not counted for a reason one can
    correct."""
    reasons = {
        reason: count
        for reason, count in written.requests.not_counted.items()
        if lookup(reason).needs_action
    }
    lost = sum(reasons.values())
    named = written.requests.not_counted.total() - written.requests.unnamed
    accepted = written.tally.outcomes.get("uploaded", 0) + named
    if not many_fail(lost, accepted, settings):
        return
    code = max(reasons, key=lambda reason: reasons[reason])
    log.alert(
        "rows_not_counted",
        code=code,
        detail=f"{lost} of {accepted} rows",
        action=lookup(code).action,
        not_counted=lost,
        records=accepted,
    )
