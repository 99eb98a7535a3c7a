"""The story of a run, from the event of an object to its results document.

event ──▶ is it ours? what does storage know of it?                       process_arrival
      ──▶ ignored? ──▶ claim: take the run, or skip a finished one        process_object
      ──▶ table ──▶ header ──▶ plan: parts, account, rules                (lib.run.plan)
      ──▶ for every chunk: validate ──▶ serialize ──▶ send ──▶ save       (lib.run.upload)
      ──▶ notes ──▶ report, results document ──▶ finished                 (lib.run.finish)
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lib.catalogue.codes import lookup
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.errors import (
    CHECKSUM_MISMATCH,
    LeaseHeld,
    LeaseLost,
    NothingDone,
    PermanentError,
    RetryableError,
)
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.results.document import RunSummary
from lib.run.alerts import alert_if_rows_fail, log_redelivery
from lib.run.attempt import Attempt
from lib.run.claim import Claim, claim_run, no_progress, too_old
from lib.run.context import RunContext
from lib.run.finish import finish_run
from lib.run.plan import Plan, plan_file
from lib.run.reading import Header, read_header, read_table
from lib.run.upload import upload_chunks
from lib.source.errors import SourceError
from lib.source.names import IgnoreRules, ignored, name_problem
from lib.source.table import Table
from lib.state.claims import Lease
from lib.state.generations import superseded_by
from lib.state.output import report_path
from lib.state.run import run_id
from lib.state.store import Readable, StoredObject

Done = str
"""The result of a delivery: `ignored`, `skipped` (finished before), or the document's status."""

_WRONG_BUCKET: Final = (
    "Ask the engineer who deployed the function to correct the setting or the trigger."
)


def process_arrival(source: StoredObject, event_time: datetime | None, context: RunContext) -> Done:
    """Process an object that an event has reported. `event_time` is None if it cannot be read.

    Returning acknowledges the event. `RetryableError` means that the event must be delivered again.
    """
    settings = context.settings
    log = context.log.bind(run_id=run_id(source))
    if source.bucket != settings.input_bucket:
        problem = f"INPUT_BUCKET: the trigger reports objects of the bucket {source.bucket}"
        log.alert("settings_invalid", detail=problem, action=_WRONG_BUCKET)
        return "ignored"
    try:
        # An event omits what it does not know, and its copy of the size could be wrong. An object
        # that is gone is known only from its event.
        stored, stream = context.store.find_and_open(source) or (source, None)
    except RetryableError as error:
        # The object is not known yet: an alert should be early rather than missing.
        times = filter(None, (event_time, source.created, source.updated))
        log_redelivery(error, min(times, default=None), context, log)
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


def process_object(
    source: StoredObject,
    event_time: datetime,
    context: RunContext,
    *,
    time_limit_seconds: float,
    max_age: timedelta,
    stream: Readable | None = None,
) -> Done:
    """Process an object that an event has reported. `stream`: its content, if it is open.

    Returning acknowledges the event. `RetryableError` means that the event must be delivered again.
    A file that is still unfinished `max_age` after `event_time` ends as STALE. A file that waits
    for the daily quota may be older: up to `sweep_max_age_days`.
    """
    started = context.monotonic()
    settings = context.settings
    log = context.log.bind(run_id=run_id(source), report=report_path(source))
    if reason := ignored(source.name, source.size, ignore_rules(settings)):
        log.info("object_ignored", reason=reason)
        return "ignored"

    try:
        claim = claim_run(source, event_time, max_age, context, is_read=stream is not None)
    except LeaseHeld:
        raise
    except RetryableError as error:
        log_redelivery(error, event_time, context, log)
        raise
    run = claim.run
    if run.status != "running":
        log.info("run_skipped", status=run.status)
        return "skipped"
    log.info("claim_taken", attempts=run.attempts)
    if claim.stop is None:
        claim = replace(claim, stop=too_old(run, event_time, max_age, context))

    deadline = context.deadline(started + time_limit_seconds)
    attempt = Attempt(context.lease(run), deadline, context, log)
    try:
        with attempt.lease:
            summary = _deliver(attempt, claim, stream)
    except RetryableError as error:
        if not isinstance(error, LeaseLost):
            _release(attempt.lease, error, context)
        log_redelivery(
            error,
            event_time,
            context,
            log,
            progressed=attempt.progress.saved > 0,
            attempts=run.attempts,
        )
        raise
    seconds = context.monotonic() - started
    _log_summary(summary, context, log, seconds, event_time)
    return summary.status


def _deliver(attempt: Attempt, claim: Claim, stream: Readable | None) -> RunSummary:
    """Do everything from the claim to the end of the run."""
    run, progress, context = attempt.run, attempt.progress, attempt.context
    profile = claim.profile
    if run.same_as:
        return finish_run(attempt, profile, None, None)
    refused = no_progress(run, context) or _refused_by_name(run.source, context.settings)
    progress.stop = refused or claim.stop or run.stop
    header: Header | None = None
    plan: Plan | None = None
    try:
        if refused is not None:
            raise PermanentError(refused.code, refused.detail)  # without opening the object
        table = open_table(attempt, profile, stream)
        if profile is not None:
            try:
                header = read_header(table, profile)
                if progress.stop is None:
                    plan = plan_file(
                        table, header, profile, run, context.connect, attempt.log, context.lookup
                    )
                    table.hold_unterminated_line(plan.hold())
            except (SourceError, PermanentError) as error:
                # Nothing can be sent, but the rows are still read, so that each has its outcome.
                progress.stop = progress.stop or Problem(error.code, "", error.detail)
        upload_chunks(table, plan, attempt)
    except (SourceError, PermanentError) as error:
        _stop_at(error, attempt)
    if progress.stop is None:
        progress.stop = progress.refusal_of_all()
    return finish_run(attempt, profile, header, plan)


def open_table(attempt: Attempt, profile: Profile | None, stream: Readable | None = None) -> Table:
    """Open the file of an attempt. `stream`: its content, if it is open."""
    settings = attempt.context.settings
    stream = stream or attempt.context.store.open(attempt.run.source)
    limits = settings.max_file_bytes, settings.max_file_lines
    return read_table(stream, profile, *limits, attempt.check, attempt.context.read_sheet)


def _stop_at(error: SourceError | PermanentError, attempt: Attempt) -> None:
    """Record why the rest of the file cannot be read, and add what was sent of it before."""
    progress, context = attempt.progress, attempt.context
    if progress.stop is None and error.code in ("SOURCE_GONE", "EMPTY_FILE"):
        progress.superseded_by = superseded_by(attempt.run.source, context.store)
    if not progress.superseded_by:
        progress.stop = progress.stop or Problem(error.code, "", error.detail)
    _add_earlier_chunks(attempt)
    if progress.stop is not None and progress.stop.code == CHECKSUM_MISMATCH:
        progress.stop = progress.name_sent_chunks(progress.stop)


def _add_earlier_chunks(attempt: Attempt) -> None:
    """Add the chunks that an earlier attempt could read, after the file has become unreadable."""
    run, progress, ledger = attempt.run, attempt.progress, attempt.context.ledger
    rest = ledger.finished_chunks(run) - set(progress.numbers)
    with ledger.read_chunks(run, sorted(rest)) as chunks:
        for chunk in chunks:
            progress.add(chunk)


def _arrived(event_time: datetime | None, stored: StoredObject, now: datetime) -> datetime:
    """Return when the object arrived: not before it was created, and not later than now.

    An event can say anything. If its time counted, one of 1970 would end the file as STALE, and one
    of 2090 would hide for ever that the file is late.
    """
    created = stored.created or stored.updated
    arrived = min(event_time or created or now, now)
    return max(arrived, created) if created is not None else arrived


def _refused_by_name(source: StoredObject, settings: Settings) -> Problem | None:
    detail = name_problem(source.name, settings.accepted_suffixes)
    return Problem("FILE_NAME_NOT_ACCEPTED", "", detail) if detail else None


def ignore_rules(settings: Settings) -> IgnoreRules:
    """Return the rules for objects that are not processed, from the settings."""
    prefixes = settings.ignored_prefixes
    if settings.ledger_bucket == settings.output_bucket:
        # Results documents of files below this prefix would be written among the ledger's objects.
        prefixes = (*prefixes, settings.state_prefix)
    return IgnoreRules(settings.ignored_suffixes, prefixes)


def _release(lease: Lease, error: RetryableError, context: RunContext) -> None:
    """Release the lease, so that the next delivery can continue at once."""
    without_progress = isinstance(error, NothingDone)
    try:
        lease.release(error.code, without_progress=without_progress)
    except LeaseLost:
        pass
    except RetryableError:
        # Storage cannot be reached: the lease expires instead, as if this attempt had died.
        if not without_progress:
            context.unreleased.add(lease.run.owner)


def _log_summary(
    summary: RunSummary, context: RunContext, log: Log, seconds: float, event_time: datetime
) -> None:
    """Log one summary line for the run, and publish a message about it."""
    run = summary.run
    fields = {
        "status": summary.status,
        "attempts": run.attempts,
        "counts": summary.counts,
        "seconds": round(seconds, 3),
        "age_seconds": round((summary.finished_at - run.now).total_seconds(), 3),
        # The objective of Terraform's alerts is about this number.
        "since_arrival_seconds": round((summary.finished_at - event_time).total_seconds(), 3),
        "requests": len(summary.request_ids),
    }
    error = summary.metadata.file_error
    if error is None:
        log.info("run_finished", **fields)
        alert_if_rows_fail(summary.tally, context.settings, log)
    else:
        event = "run_stale" if error.code == "STALE" else "run_stopped"
        action = lookup(error.code).action_if_stopped
        log.alert(event, code=error.code, detail=error.detail, action=action, **fields)
