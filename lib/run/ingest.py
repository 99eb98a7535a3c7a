"""The whole story of a run, top to bottom: the one place that knows the order.

ignore? → claim → open → header → account → plan                     (lib.run.preflight)
        → for every chunk: judge → serialize → send → write down     (lib.run.upload)
        → results document → finished                                (lib.run.finalize)
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.adapters.logging import Log
from lib.config.profile import Profile, choose_profile
from lib.config.settings import Settings
from lib.destinations.data_manager.diagnostics import next_check, processing_of
from lib.errors import LeaseHeld, LeaseLost, PermanentError, RetryableError
from lib.model.outcomes import Problem
from lib.results.chunk_report import Tally
from lib.results.document import DocumentMetadata, RunSummary
from lib.run.context import RunContext
from lib.run.finalize import announce, read_reports, results_exist, write_results
from lib.run.preflight import (
    Header,
    UploadJob,
    claimed_profile,
    notes_of,
    prepare_job,
    read_header,
    read_table,
)
from lib.run.upload import Progress, send_chunks
from lib.source.errors import SourceError
from lib.source.names import IgnoreRules, ignored
from lib.state.lease import Lease
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRun
from lib.state.run import Run, run_id
from lib.state.store import StoredObject

Done = str
"""What a delivery did: `ignored`, `skipped` (finished before), or the document's status."""


def process_object(
    source: StoredObject,
    event_time: datetime,
    context: RunContext,
    *,
    time_limit_seconds: float,
    max_age: timedelta,
) -> Done:
    """Do what an event about an object asks for.

    Returning means: acknowledge the event. `RetryableError` means: don't, so that it comes again.
    A file still unfinished `max_age` after `event_time` is given up as STALE; one that waits for
    the day's quota may be as old as the sweep looks back.
    """
    started = context.monotonic()
    settings = context.settings
    log = context.log.bind(run_id=run_id(source))
    reason = ignored(source.name, source.size, ignore_rules(settings))
    if reason is not None:
        log.info("object_ignored", reason=reason)
        return "ignored"

    try:
        run, profile, stop = _claim(source, context)
    except LeaseHeld:
        raise
    except RetryableError as error:
        log.warning("run_redelivered", code=error.code, detail=error.detail)
        raise
    if run.status != "running":
        log.info("run_skipped", status=run.status)
        return "skipped"
    log.info("claim_taken", attempts=run.attempts)
    age = context.utc_now() - event_time
    if run.cause == "DAILY_QUOTA":
        # Nothing is wrong: the sweep takes it up when the quota's window opens again.
        max_age = max(max_age, timedelta(days=settings.sweep_max_age_days))
    if stop is None and age > max_age:
        stop = Problem("STALE", "", f"{age.total_seconds() / 3600:.0f} hours old")

    ledger = context.ledger
    deadline = started + time_limit_seconds - settings.deadline_margin_seconds
    lease = Lease(ledger, run, settings.lease_seconds, context.utc_now)
    try:
        with lease:
            summary = _work(lease, profile, stop, context, deadline, log)
    except LeaseLost:
        log.warning("run_redelivered", code="LEASE_LOST", attempts=run.attempts)
        raise
    except RetryableError as error:
        _release(ledger, lease.run, context.utc_now(), error.code)
        if error.code == "DAILY_QUOTA":
            log.alert("quota_exhausted", code=error.code, detail=error.detail)
        if error.code == "STORAGE_FORBIDDEN":
            log.alert("settings_invalid", problems=[f"{error.code}: {error.detail}"])
        log.warning("run_redelivered", code=error.code, detail=error.detail, attempts=run.attempts)
        raise
    _log_and_publish(summary, context, log, context.monotonic() - started)
    return summary.status


def _claim(source: StoredObject, context: RunContext) -> tuple[Run, Profile | None, Problem | None]:
    """Claim the run; its profile, or why there is none. `run.status` tells if there is work.

    Profile and "now" are those of the first attempt.
    """
    ledger = context.ledger
    stop: Problem | None = None
    profile: Profile | None = None
    name = ""
    try:
        name, profile = choose_profile(context.profiles(), source.name)
    except PermanentError as error:
        stop = Problem(error.code, "", error.detail)
    fixed = profile.model_dump(mode="json") if profile is not None else None
    run = ledger.claim(source, context.utc_now(), context.new_token(), name, fixed)
    if run.attempts > 1 and run.status == "running":
        if results_exist(run, context):
            waits = context.pending_runs.get(run.key) is not None
            run = ledger.finish(run, "waiting" if waits else "finished")
        try:
            profile, stop = claimed_profile(run), None
        except PermanentError as error:
            profile, stop = None, stop or Problem(error.code, "", error.detail)
    return run, profile, stop


def _work(
    lease: Lease,
    profile: Profile | None,
    stop: Problem | None,
    context: RunContext,
    deadline: float,
    log: Log,
) -> RunSummary:
    """Everything between the claim and the end of the run."""
    run = lease.run
    earlier = Problem(run.stop[0], "", run.stop[1]) if run.stop else None
    progress = Progress(stop=stop or earlier)
    header: Header | None = None
    job: UploadJob | None = None
    try:
        table = read_table(context.store.open(run.source), profile, context.settings.max_file_bytes)
        if profile is not None:
            try:
                header = read_header(table, profile)
                if progress.stop is None:
                    job = prepare_job(table, header, profile, run.now, context.destination, log)
            except (SourceError, PermanentError) as error:
                # Nothing can be sent; the rows are still read, so that each has its outcome.
                progress.stop = progress.stop or Problem(error.code, "", error.detail)
        send_chunks(table, job, lease, progress, context, deadline, log)
    except (SourceError, PermanentError) as error:
        # The file can't be read (any further); the rows up to there have their outcomes, and so
        # have those behind it that an earlier attempt could still read.
        progress.stop = progress.stop or Problem(error.code, "", error.detail)
        rest = context.ledger.finished_chunks(run) - set(progress.numbers)
        if rest and progress.only is not None:
            # Alone in what could be read now, but not in what an earlier attempt could.
            context.ledger.write_chunk(lease.run, 0, progress.only.to_marker())
            progress.only = None
        for report in read_reports(run, sorted(rest), context.ledger):
            progress.add(report, is_only=False)
    if progress.stop is None:
        progress.stop = _nothing_attempted(progress.tally)

    now = context.utc_now()
    request_ids = tuple(progress.request_ids)
    metadata = _facts(header, job, profile, progress, run.attempts)
    pending = PendingRun(run.key, run_id(run.source), now, {}, requests=len(request_ids))
    if progress.tally.outcomes.get("deferred"):
        pending = replace(pending, resend_at=now + timedelta(hours=context.settings.defer_hours))
    if metadata.destination == "data_manager" and request_ids and not metadata.validate_only:
        # That API has only taken the events; what becomes of them it knows later.
        metadata = replace(metadata, processing=processing_of(request_ids, (), None))
        pending = replace(pending, ask_at=next_check(now, 0))
    pending = replace(pending, metadata=metadata.to_json())
    summary = RunSummary(run, metadata, progress.tally, request_ids, now)
    write_results(lease, summary, progress.only, sorted(progress.numbers), pending, context)
    return summary


def _nothing_attempted(tally: Tally) -> Problem | None:
    """If every account that the rows name was refused, that is the file's error too."""
    if not tally.rows or tally.outcomes.get("not_attempted") != tally.rows:
        return None
    code = max(tally.codes, key=lambda code: tally.codes[code], default="")
    return Problem(code, "", "for every row") if code else None


def _facts(
    header: Header | None,
    job: UploadJob | None,
    profile: Profile | None,
    progress: Progress,
    attempts: int,
) -> DocumentMetadata:
    notes = notes_of(header, job)
    if progress.stop is not None and attempts > 1 and progress.tally.outcomes.get("not_attempted"):
        # An attempt that died between Google's answer and its marker left no trace of it.
        notes.append(Problem("MAYBE_SENT"))
    configured = profile.customer_id or "" if profile is not None else ""
    return DocumentMetadata(
        customer_id=job.customer_id if job is not None else configured,
        destination=profile.destination if profile is not None else "",
        validate_only=bool(profile and profile.validate_only),
        headers=header.names if header is not None else {},
        notes=tuple(notes),
        file_error=progress.stop,
    )


def ignore_rules(settings: Settings) -> IgnoreRules:
    """The settings' names of objects that aren't files to work on."""
    prefixes = settings.ignored_prefixes
    if settings.ledger_bucket == settings.output_bucket:
        # Its results document would land among the ledger's own objects.
        prefixes = (*prefixes, settings.state_prefix)
    return IgnoreRules(settings.accepted_suffixes, settings.ignored_suffixes, prefixes)


def _release(ledger: Ledger, run: Run, now: datetime, cause: str) -> None:
    """Give the lease back; if storage can't be reached for that, it runs out by itself."""
    try:
        ledger.release(run, now, cause)
    except RetryableError:
        return


def _log_and_publish(summary: RunSummary, context: RunContext, log: Log, seconds: float) -> None:
    """One summary line a run, and a message for those who want to react."""
    run = summary.run
    counts = summary.tally.counts()
    fields: dict[str, Any] = {
        "status": summary.status,
        "attempts": run.attempts,
        "counts": counts,
        "seconds": round(seconds, 3),
        "age_seconds": round((summary.finished_at - run.now).total_seconds(), 3),
        "requests": len(summary.request_ids),
    }
    error = summary.metadata.file_error
    if error is None:
        log.info("run_finished", **fields)
    else:
        event = "run_stale" if error.code == "STALE" else "run_stopped"
        log.alert(event, code=error.code, detail=error.detail, **fields)
    announce(summary, context)
