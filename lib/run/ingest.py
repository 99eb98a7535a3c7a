"""All steps of a run, in their order.

ignore? → same upload? → claim                      (lib.run.claim, lib.state.generations)
        → open → header → account → engine                            (lib.run.preflight)
        → for every chunk: validate → serialize → send → save outcomes   (lib.run.upload)
        → results document → finished                                 (lib.run.finalize)
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

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
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.results.document import DocumentMetadata, RunSummary
from lib.run.claim import Claim, claim_run, no_progress, too_old
from lib.run.context import RunContext
from lib.run.failing_rows import alert_if_rows_fail
from lib.run.filtering import notes_on_selection
from lib.run.finalize import announce_results, write_results
from lib.run.follow_up import plan_follow_up
from lib.run.header import Header, read_header
from lib.run.notes import notes_on_runtime
from lib.run.preflight import UploadJob, notes_of, prepare_job
from lib.run.progress import Progress
from lib.run.reading import TimeCheck, read_table
from lib.run.redelivery import log_redelivery
from lib.run.unterminated_line import hold_of
from lib.run.upload import upload_chunks
from lib.source.errors import SourceError
from lib.source.names import IgnoreRules, ignored, name_problem
from lib.state.claims import Lease
from lib.state.generations import superseded_by
from lib.state.output import report_path
from lib.state.run import Run, run_id
from lib.state.store import Readable, StoredObject

Done = str
"""The result of a delivery: `ignored`, `skipped` (finished before), or the document's status."""


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
        claim = claim_run(source, event_time, max_age, context)
    except LeaseHeld:
        raise
    except RetryableError as error:
        log_redelivery(error, event_time, context.utc_now(), log)
        raise
    run = claim.run
    if run.status != "running":
        log.info("run_skipped", status=run.status)
        return "skipped"
    log.info("claim_taken", attempts=run.attempts)
    if claim.stop is None:
        claim = replace(claim, stop=too_old(run, event_time, max_age, context))

    deadline = context.deadline(started + time_limit_seconds)
    lease = context.lease(run)
    progress = Progress()
    try:
        with lease:
            summary = _process(lease, claim, stream, progress, context, deadline, log)
    except RetryableError as error:
        if not isinstance(error, LeaseLost):
            _release(lease, error, context)
        log_redelivery(
            error,
            event_time,
            context.utc_now(),
            log,
            progressed=progress.saved > 0,
            attempts=run.attempts,
        )
        raise
    seconds = context.monotonic() - started
    _log_and_announce(summary, context, log, seconds, event_time)
    return summary.status


def _process(
    lease: Lease,
    claim: Claim,
    stream: Readable | None,
    progress: Progress,
    context: RunContext,
    deadline: Deadline,
    log: Log,
) -> RunSummary:
    """Do everything from the claim to the end of the run."""
    run = lease.run
    if run.same_as:
        return _finish(lease, progress, None, None, claim.profile, context, log)
    refused = no_progress(run, context) or _refused_by_name(run.source, context.settings)
    time_check = TimeCheck(lease, deadline, context.monotonic)
    progress.stop = refused or claim.stop or run.stop
    header: Header | None = None
    job: UploadJob | None = None
    try:
        if refused is not None:
            raise PermanentError(refused.code, refused.detail)  # without opening the object
        stream = stream or context.store.open(run.source)
        most = context.settings.max_file_bytes, context.settings.max_file_lines
        table = read_table(stream, claim.profile, *most, time_check)
        if claim.profile is not None:
            try:
                header = read_header(table, claim.profile)
                if progress.stop is None:
                    job = prepare_job(table, header, claim.profile, run, context.connect, log)
                    table.hold_unterminated_line(hold_of(table, job, claim.profile))
            except (SourceError, PermanentError) as error:
                # Nothing can be sent, but the rows are still read, so that each has its outcome.
                progress.stop = progress.stop or Problem(error.code, "", error.detail)
        upload_chunks(table, job, lease, progress, context, deadline, time_check, log)
    except (SourceError, PermanentError) as error:
        if progress.stop is None and error.code in ("SOURCE_GONE", "EMPTY_FILE"):
            progress.superseded_by = superseded_by(run.source, context.store)
        if not progress.superseded_by:
            progress.stop = progress.stop or Problem(error.code, "", error.detail)
        _add_earlier_chunks(lease.run, progress, context)
        if progress.stop is not None and progress.stop.code == CHECKSUM_MISMATCH:
            progress.stop = progress.name_sent_chunks(progress.stop)
    if progress.stop is None:
        progress.stop = progress.refusal_of_all()
    return _finish(lease, progress, header, job, claim.profile, context, log)


def _finish(
    lease: Lease,
    progress: Progress,
    header: Header | None,
    job: UploadJob | None,
    profile: Profile | None,
    context: RunContext,
    log: Log,
) -> RunSummary:
    """Write the results document, with the follow-up that the run needs."""
    run = lease.run
    now = context.utc_now()
    metadata = _metadata(header, job, profile, progress, run, log)
    metadata, pending = plan_follow_up(run, metadata, progress, context.settings, now)
    pending = replace(pending, metadata=msgspec.to_builtins(metadata))
    summary = RunSummary(
        run, metadata, progress.tally, tuple(progress.request_ids), now, progress.findings
    )
    numbers, kept = sorted(progress.numbers), progress.kept_outcomes
    with context.ledger.read_chunks(run, numbers, kept) as chunks:
        write_results(lease, summary, progress.only, chunks, pending, context)
    return summary


def _add_earlier_chunks(run: Run, progress: Progress, context: RunContext) -> None:
    """Add the chunks that an earlier attempt could read, after the file has become unreadable."""
    ledger = context.ledger
    rest = ledger.finished_chunks(run) - set(progress.numbers)
    if rest and progress.only is not None:
        # The file has more chunks than the one that could be read now.
        ledger.write_chunk(run, progress.only)
        progress.only = None
    with ledger.read_chunks(run, sorted(rest)) as chunks:
        for chunk in chunks:
            progress.add(chunk, is_only=False)


def _metadata(
    header: Header | None,
    job: UploadJob | None,
    profile: Profile | None,
    progress: Progress,
    run: Run,
    log: Log,
) -> DocumentMetadata:
    notes = [*notes_of(header, job, progress.tally), *notes_on_runtime(run.now)]
    if run.same_as:
        notes.append(Problem("SAME_AS", "", f"generation {run.same_as}"))
    if progress.superseded_by:
        notes.append(Problem("SUPERSEDED", "", f"generation {progress.superseded_by}"))
    elif job is not None:
        is_complete = progress.stop is None
        notes += notes_on_selection(job.row_filter, progress.selection, is_complete, log)
    rows_remain = progress.stop is not None and progress.tally.outcomes.get("not_attempted")
    was_lost = progress.stop is not None and progress.stop.code == "NO_PROGRESS" and run.died
    if was_lost or (rows_remain and run.attempts > 1):
        # An attempt that crashed between Google's answer and its marker has left no record of it.
        notes.append(Problem("MAYBE_SENT"))
    configured = profile.customer_id or "" if profile is not None else ""
    return DocumentMetadata(
        customer_id=job.customer_id if job is not None else configured,
        destination=profile.destination if profile is not None else "",
        validate_only=bool(profile and profile.validate_only),
        headers=dict(header.names) if header is not None else {},
        notes=tuple(notes),
        file_error=progress.stop,
        superseded_by=progress.superseded_by,
    )


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


def _log_and_announce(
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
        action = lookup(error.code).action
        log.alert(event, code=error.code, detail=error.detail, action=action, **fields)
    announce_results(summary, context)
