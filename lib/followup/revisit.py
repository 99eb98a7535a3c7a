"""Runs looked at again: rows that were too early are sent once more when their time has come
(`lib.followup.resend`), and the Data Manager API is asked what became of the requests (`lib.followup.later_outcomes`).

Then the results document is put together anew from the chunk markers. A crash in between leaves the
run waiting, and Google's dedupe keeps its conversions single.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.adapters.logging import Log
from lib.destinations.data_manager.diagnostics import processing_of
from lib.errors import LeaseLost, PermanentError, RetryableError
from lib.followup.later_outcomes import alarm, reschedule, transient_requests, with_processing
from lib.followup.resend import fail_deferred_rows, send_again
from lib.model.outcomes import Problem
from lib.results.chunk_report import Tally
from lib.results.document import DocumentMetadata, RunSummary
from lib.run.context import RunContext
from lib.run.finalize import RequestHistory, announce, rewrite_results
from lib.source.errors import SourceError
from lib.state.lease import Lease
from lib.state.pending_runs import PendingRun
from lib.state.run import run_id


def revisit(pending: PendingRun, context: RunContext, deadline: float) -> bool:
    """Do what is due of a waiting run. Returns whether nothing of it is open any more.

    Raises `LeaseHeld` if somebody else works on it, `RetryableError` to try at the next sweep.
    """
    ledger = context.ledger
    run = ledger.load(pending.key)
    if run is None or run.status == "finished":
        context.pending_runs.clear(pending.key)
        return True
    run = ledger.reopen(run, context.utc_now(), context.new_token())
    log = context.log.bind(run_id=run_id(run.source))
    lease = Lease(ledger, run, context.settings.lease_seconds, context.utc_now)
    try:
        with lease:
            summary, still = _revisit_claimed(lease, pending, context, deadline, log)
    except LeaseLost:
        raise
    except RetryableError:
        # Nobody works on it now: the next sweep needn't wait for the lease to run out.
        with suppress(RetryableError):
            ledger.finish(lease.run, "waiting")
        raise
    if still is not None:
        return False
    context.pending_runs.clear(run.key)
    log.info(
        "run_updated",
        status=summary.status,
        not_counted=summary.not_counted,
        counts=summary.tally.counts(),
    )
    announce(summary, context)
    return True


def _revisit_claimed(
    lease: Lease, pending: PendingRun, context: RunContext, deadline: float, log: Log
) -> tuple[RunSummary, datetime | None]:
    """Do what is due of a waiting run: the new document's summary, and when to look again."""
    ledger = context.ledger
    settings = context.settings
    now = context.utc_now()
    metadata = DocumentMetadata.from_json(pending.metadata)
    if pending.resend_at is not None and pending.resend_at <= now:
        too_late = now - pending.since > timedelta(hours=settings.max_defer_hours)
        transient = transient_requests(metadata.processing)
        try:
            send_again(lease, transient, context, deadline, too_late, log)
        except (PermanentError, SourceError) as error:
            # The source is gone, or the account doesn't work now: wait on, but not for ever.
            if too_late or error.code == "SOURCE_GONE":
                fail_deferred_rows(lease, transient, Problem(error.code, "", error.detail), context)
        pending = replace(pending, resend_at=now + timedelta(hours=settings.defer_hours))
    asked = pending.ask_at is not None and pending.ask_at <= now

    def facts_of(tally: Tally, history: RequestHistory) -> DocumentMetadata:
        nonlocal pending
        processing = None
        if metadata.destination == "data_manager" and history.newest and not metadata.validate_only:
            processing = _renewed(
                history.newest, metadata.processing, asked, context, deadline, log
            )
        pending = reschedule(
            pending,
            history,
            processing,
            asked=asked,
            deferred=bool(tally.outcomes.get("deferred")),
            settings=settings,
            now=now,
        )
        if processing is None:
            return metadata
        return with_processing(metadata, processing, pending.resend_at, history)

    summary = rewrite_results(lease, facts_of, context)
    pending = replace(pending, metadata=summary.metadata.to_json())
    if pending.due is not None:
        context.pending_runs.put(pending)
    else:
        # Before it is written down that nothing is open: an alert may come twice, but not never.
        alarm(summary, log)
    lease.update(lambda run: ledger.finish(run, "waiting" if pending.due else "finished"))
    return summary, pending.due


def _renewed(
    request_ids: Sequence[str],
    before: Mapping[str, Any] | None,
    ask: bool,
    context: RunContext,
    deadline: float,
    log: Log,
) -> Mapping[str, Any]:
    """The `processing` part for those requests, after asking Google if it is time to."""
    if ask:
        try:
            return context.renew_processing(request_ids, before, context.utc_now(), deadline, log)
        except PermanentError as error:
            # The credentials, perhaps; asked again when it is due again, not for ever.
            log.warning("processing_unknown", code=error.code)
    return processing_of(request_ids, (), None, before)
