"""The story of a run, from the event of an object to its results. Begin here.

    event ──▶ is it ours?                                                     deliver
          ──▶ take the run: create it, or take it over if it is due           _taken
          ──▶ advance: ask, send, publish, save                               lib.run.advance
          ──▶ an attempt that cannot finish says when the next one is due     _postpone

Returning acknowledges the event. A `RetryableError` means that it must come again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from lib.catalogue.codes import lookup
from lib.config.profile import Profile, choose_profile, profile_name
from lib.config.settings import Settings
from lib.errors import LeaseHeld, LeaseLost, PermanentError, RetryableError
from lib.model import retries
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.results.document import RunSummary
from lib.results.names import generations_of, report_path
from lib.run.advance import advance
from lib.run.attempt import Attempt
from lib.run.chunks import cut_of
from lib.run.context import RunContext
from lib.source.names import IgnoreRules, ignored
from lib.state.markers import Markers
from lib.state.runs import Run, RunEntry, SavedRun, run_id, run_key
from lib.state.store import StoredObject

Done = str
"""The result of a delivery: `ignored`, `skipped`, or the status of the results document."""

_WRONG_BUCKET: Final = (
    "Ask the engineer who deployed the function to correct the setting or the trigger."
)
_QUOTA_ZONE: Final = ZoneInfo("America/Los_Angeles")
"""Daily quotas begin anew at midnight in this zone."""


def deliver(source: StoredObject, context: RunContext) -> Done:
    """Process an object that an event or a listing names."""
    settings, log = context.settings, context.log.bind(run_id=run_id(source))
    started = context.monotonic()
    if source.bucket != settings.input_bucket:
        problem = f"INPUT_BUCKET: the trigger reports objects of the bucket {source.bucket}"
        log.alert("settings_invalid", detail=problem, action=_WRONG_BUCKET)
        return "ignored"
    if reason := ignored(source.name, source.size, ignore_rules(settings)):
        log.info("object_ignored", reason=reason)
        return "ignored"
    try:
        saved = _created(source, context) or _taken(source, context)
        if saved is None:
            log.info("run_skipped")
            return "skipped"
        return _work(saved, context, started)
    except RetryableError as error:
        _log_retry(error, log)
        raise


def resume(entry: RunEntry, context: RunContext) -> Done:
    """Advance a run that is due, as a sweep finds it in a listing."""
    started = context.monotonic()
    try:
        saved = context.runs.read(entry.key)
        if saved is None or not saved.run.is_due(context.utc_now()):
            return "skipped"
        return _work(_taken_over(saved, context), context, started)
    except RetryableError as error:
        _log_retry(error, context.log.bind(run_id=entry.run_id(context.settings.input_bucket)))
        raise


# ── take the run ─────────────────────────────────────────────────────────────────────────────────


def _created(source: StoredObject, context: RunContext) -> SavedRun | None:
    """Save a new run, which fixes "now", the profile and the cut. None: there is one already."""
    now, settings = context.utc_now(), context.settings
    profile, stop = None, None
    try:
        profile = choose_profile(context.profiles(), source.name)
    except PermanentError as error:
        stop = Problem(error.code, "", error.detail)
    arrived = source.updated or source.created or now
    run = Run(
        source=source,
        arrived=min(arrived, now),
        now=now,
        profile_name=profile_name(source.name),
        profile=profile.document() if profile is not None else None,
        cut=cut_of(profile),
        state="working",
        owner=context.new_token(),
        due=now + timedelta(seconds=settings.time_limit_seconds),
        stop=stop,
    )
    return context.runs.create(run)


def _taken(source: StoredObject, context: RunContext) -> SavedRun | None:
    """Take over the run of an object. None: there is nothing to do now.

    Raises `LeaseHeld` if another attempt works on it.
    """
    saved = context.runs.read(run_key(source))
    if saved is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the run was there, and is gone")
    run = saved.run
    if run.state == "done":
        results = generations_of(source, context.store, context.settings.output_bucket)
        return None if results.document else _taken_over(saved, context)
    if run.is_due(context.utc_now()):
        return _taken_over(saved, context)
    if run.state == "working":
        raise LeaseHeld(f"until {run.due and run.due.isoformat()}")
    return None


def _taken_over(saved: SavedRun, context: RunContext) -> SavedRun:
    """Save that this attempt works on the run now, and how the last one ended.

    Raises `LeaseHeld` if another attempt was faster.
    """
    run, now = saved.run, context.utc_now()
    marked = len(Markers(context.documents, run).numbers())
    has_died = run.state == "working"
    try:
        return context.runs.save(
            saved,
            state="working",
            owner=context.new_token(),
            due=now + timedelta(seconds=context.settings.time_limit_seconds),
            attempts=run.attempts + 1,
            cause="DIED" if has_died else run.cause,
            tries=(0 if marked > run.marked else run.tries) + has_died,
            marked=marked,
            died=run.died or has_died,
        )
    except LeaseLost:
        raise LeaseHeld("another attempt took over the run first") from None


# ── the attempt ──────────────────────────────────────────────────────────────────────────────────


def _work(saved: SavedRun, context: RunContext, started: float) -> Done:
    """Advance a run that this attempt has taken."""
    run, settings = saved.run, context.settings
    log = context.log.bind(run_id=run_id(run.source), report=report_path(run.source))
    log.info("attempt_started", attempts=run.attempts)
    profile = _fixed_profile(run)
    ends = started + settings.time_limit_seconds
    attempt = Attempt(saved, profile, context, context.deadline(ends), log, lease_until=ends)
    try:
        summary = advance(attempt)
    except RetryableError as error:
        _postpone(attempt, error)
        raise
    if summary is None:
        return "skipped"
    seconds = round(context.monotonic() - started, 3)
    _tell(attempt, summary, log, seconds, was_stopped=run.facts is not None and bool(run.stop))
    return summary.status


def _fixed_profile(run: Run) -> Profile | None:
    """Return the profile that the first attempt fixed. None: there is none, or this version cannot
    read it."""
    try:
        return Profile.model_validate(run.profile) if run.profile is not None else None
    except ValidationError:
        return None


def _postpone(attempt: Attempt, error: RetryableError) -> None:
    """Save when the next attempt is due. If that is not possible, the lease ends instead."""
    if isinstance(error, LeaseLost):
        return
    run, now = attempt.run, attempt.context.utc_now()
    due, tries = now + retries.OUTAGE, run.tries
    if error.code in ("SHUTDOWN", "DEADLINE"):
        due = now
        tries += error.code == "DEADLINE" and not attempt.has_sent
    elif error.code == "DAILY_QUOTA":
        due = _quota_reset(now)
    try:
        attempt.save(state="waiting", due=due, tries=tries, cause=error.code)
    except RetryableError:
        return


def _quota_reset(now: datetime) -> datetime:
    tomorrow = now.astimezone(_QUOTA_ZONE) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=5, second=0, microsecond=0).astimezone(now.tzinfo)


def ignore_rules(settings: Settings) -> IgnoreRules:
    """Return the rules for objects that are not processed, from the settings."""
    prefixes = settings.ignored_prefixes
    if settings.bucket_of_state == settings.output_bucket:
        # Results documents of files below this prefix would be written among the state's objects.
        prefixes = (*prefixes, settings.state_prefix)
    return IgnoreRules(settings.ignored_suffixes, prefixes)


# ── what people hear at once ─────────────────────────────────────────────────────────────────────


def _log_retry(error: RetryableError, log: Log) -> None:
    """Log why an attempt ends without results, as an alert if a person must correct something."""
    if isinstance(error, LeaseHeld):
        log.info("lease_held", detail=error.detail)
        return
    action = lookup(error.code).action
    if lookup(error.code).needs_action:
        detail = f"{error.code}: {error.detail}"
        log.alert("settings_invalid", code=error.code, detail=detail, action=action)
    log.warning("run_redelivered", code=error.code, detail=error.detail)


def _tell(
    attempt: Attempt, summary: RunSummary, log: Log, seconds: float, *, was_stopped: bool
) -> None:
    """Log the end of the attempt, and that the file was stopped, if it was stopped now."""
    run = attempt.run
    log.info(
        "run_finished",
        status=summary.status,
        attempts=run.attempts,
        counts=summary.counts,
        seconds=seconds,
        since_arrival_seconds=round((summary.finished_at - run.arrived).total_seconds(), 3),
    )
    if run.stop is not None and not was_stopped:
        log.alert(
            "open_problem",
            kind="file_stopped",
            profile=run.profile_name,
            code=run.stop.code,
            detail=f"{run.stop.code}: {run.stop.detail}",
            action=lookup(run.stop.code).action_if_stopped,
        )
