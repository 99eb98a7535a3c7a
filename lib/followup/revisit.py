"""Revisits a pending run: sends deferred rows again, and polls the final statuses of others.

`lib.followup.resend` does the first, `lib.followup.final_statuses` the second. Afterwards the
results document is built again from the chunk markers. After a crash in between, the run is still
pending, and Google counts conversions that are sent again only once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import msgspec

from lib.catalogue.codes import lookup
from lib.errors import LeaseHeld, LeaseLost, PermanentError, RetryableError
from lib.followup.diagnostics import DiagnosticsOfAccounts, with_diagnostics
from lib.followup.final_statuses import (
    PollResult,
    alert_if_not_counted,
    poll_requests,
    reschedule,
    with_processing,
)
from lib.followup.resend import close_deferred_rows, close_replaced_line, send_again
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.results.document import DocumentMetadata, RunSummary
from lib.run.alerts import log_blocked_follow_up
from lib.run.attempt import Attempt
from lib.run.claim import no_progress
from lib.run.context import RunContext
from lib.run.finish import next_resend, read_written, rewrite_results
from lib.run.newer_values import with_note
from lib.source.errors import SourceError
from lib.state.generations import superseded_by
from lib.state.output import report_path
from lib.state.pending_runs import PendingRun, pending_name
from lib.state.run import RunStatus, run_id


def revisit(
    pending: PendingRun, accounts: DiagnosticsOfAccounts, context: RunContext, deadline: Deadline
) -> PendingRun:
    """Do what is due for a pending run. Return it as it is now: nothing may be due any more.

    Raises `LeaseHeld` if another process has the run, and `RetryableError` if the next sweep must
    try again.
    """
    claims = context.claims
    run = claims.for_follow_up(pending.run)
    if run.status == "finished":
        context.pending_runs.clear(run.key)
        return replace(pending, resend_at=None, poll_at=None, diagnose_at=None)
    if run.expires > context.utc_now() and not context.output.has_results(run.source):
        raise LeaseHeld("the attempt that planned the follow-up writes the results")
    run = claims.take_over(run, context.utc_now(), context.new_token())
    log = context.log.bind(run_id=run_id(run.source), report=report_path(run.source))
    lease = context.lease(run)
    attempt = Attempt(lease, deadline, context, log)
    try:
        with lease:
            summary, after = _revisit_claimed(attempt, pending, accounts)
    except LeaseLost:
        raise
    except RetryableError:
        # Release the run, so that the next sweep does not wait for the lease to expire.
        with suppress(RetryableError):
            lease.finish("waiting")
        raise
    if after.due is None:
        context.pending_runs.clear(run.key)
    if pending.rows_due is not None and after.rows_due is None:
        log.info(
            "run_updated",
            status=summary.status,
            not_counted=summary.not_counted,
            counts=summary.counts,
        )
    return after


def _revisit_claimed(
    attempt: Attempt, pending: PendingRun, accounts: DiagnosticsOfAccounts
) -> tuple[RunSummary, PendingRun]:
    """Do what is due. Return the new document's summary, and what remains to be done."""
    lease, context, log = attempt.lease, attempt.context, attempt.log
    settings, now = context.settings, context.utc_now()
    try:
        metadata = msgspec.convert(pending.metadata, DocumentMetadata)
    except (ValueError, RecursionError) as error:
        raise context.documents.damaged(pending_name(lease.run.key), error) from None
    rows_were_due = pending.rows_due is not None
    must_send = pending.resend_at is not None and pending.resend_at <= now
    if must_send:
        metadata = _resend(attempt, pending, metadata)
        pending = replace(pending, resend_at=now + timedelta(hours=settings.defer_hours))
    poll: PollResult = "later"
    awaited = pending.poll_at is not None
    if pending.poll_at is not None and pending.poll_at <= now:
        poll = poll_requests(attempt, pending)
    written = read_written(lease.run, pending.chunks, context)
    if must_send:
        at = next_resend(written.tally, pending.since, settings, now)
        pending = replace(pending, resend_at=at)
    metadata = with_processing(metadata, written, now if poll == "answered" else None)
    metadata = replace(metadata, notes=with_note(metadata.notes, written.tally))
    pending = reschedule(
        pending, written, metadata.destination, polled=poll != "later", settings=settings, now=now
    )
    if awaited and pending.poll_at is None:
        context.newer_values.close(lease.run)
    waits_for_resend = pending.resend_at is not None and not must_send
    pending = replace(
        pending, blocked=attempt.blocked or (pending.blocked if waits_for_resend else "")
    )
    metadata, pending = with_diagnostics(lease.run, metadata, pending, accounts, now, log)
    summary = rewrite_results(lease, written, metadata, context)
    pending = replace(pending, metadata=msgspec.to_builtins(metadata))
    if rows_were_due and pending.rows_due is None and not metadata.superseded_by:
        # Before this is recorded: an alert may come twice, but is never lost.
        alert_if_not_counted(written, settings, log)
    if pending.due is not None:
        pending = replace(pending, run=lease.run, all_counted=summary.all_counted)
        context.pending_runs.put(pending)
    status: RunStatus = "waiting" if pending.due else "finished"
    lease.finish(status, all_counted=summary.all_counted)
    return summary, pending


def _resend(attempt: Attempt, pending: PendingRun, metadata: DocumentMetadata) -> DocumentMetadata:
    """Send again what is due, or fail it if it is too late.

    If a newer generation of the same upload has replaced the file, the rows are left to it, and the
    metadata names it.
    """
    context, log = attempt.context, attempt.log
    if dead := no_progress(attempt.run, context):
        rows = close_deferred_rows(attempt, "failed", dead)
        _alert_on_lost_rows(dead.code, rows, log)
        return metadata
    max_age = timedelta(hours=context.settings.max_defer_hours)
    too_late = context.utc_now() - pending.since > max_age
    close_replaced_line(attempt)
    try:
        send_again(attempt, too_late)
    except (PermanentError, SourceError) as error:
        is_gone = error.code == "SOURCE_GONE"
        if is_gone and (newer := superseded_by(attempt.run.source, context.store)):
            note = Problem("SUPERSEDED", "", f"generation {newer}")
            close_deferred_rows(attempt, "not_attempted", note)
            return replace(metadata, notes=(*metadata.notes, note), superseded_by=newer)
        # If the account cannot be used now, wait until it is too late. Do not wait for a lost file.
        if not too_late and not is_gone:
            log_blocked_follow_up(error, log)
            attempt.blocked = error.code
        else:
            problem = Problem(error.code, "", error.detail)
            failed = close_deferred_rows(attempt, "failed", problem)
            if failed and is_gone:
                _alert_on_lost_rows(error.code, failed, log)
    return metadata


def _alert_on_lost_rows(code: str, rows: int, log: Log) -> None:
    action = lookup(code).action
    log.alert("deferred_rows_failed", code=code, detail=f"{rows} rows", action=action, rows=rows)
