"""The story of a run, from the event of an object to its results. Begin here.

    event ──▶ is it ours?                                                     deliver
          ──▶ take the run: create it, or take it over if it is due           lib.run.take
          ──▶ advance: ask, send, publish, save                               lib.run.advance
          ──▶ an attempt that cannot finish says when the next one is due     _postpone

Returning acknowledges the event. A `RetryableError` means that it must come again. If the
run waits and is not due then, it is `skipped`, and a sweep goes on with the run (`resume`).
`log.alert` writes a line that Cloud Monitoring mails to a person. The words, such as lease, try and
marker, are in docs/architecture.md, by an example.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from lib.catalogue.codes import lookup
from lib.catalogue.open_problems import FILE_STOPPED, NO_PROFILE, Found, OpenProblem, action_in
from lib.catalogue.texts import dated, for_engineer
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.errors import LeaseHeld, LeaseLost, RetryableError
from lib.model import retries
from lib.model.log import Log
from lib.model.money import micros_by_currency
from lib.results.document import RunSummary, Status
from lib.results.names import report_path
from lib.run.advance import advance
from lib.run.attempt import Attempt
from lib.run.context import RunContext
from lib.run.take import take, take_over
from lib.source.names import IgnoreRules, reason_to_ignore
from lib.state.runs import Run, RunEntry, SavedRun, entry_of, run_id
from lib.state.store import StoredObject

DeliveryResult = Literal["ignored", "skipped"] | Status
"""What became of a delivery: the object is no input file of ours (`ignored`), no results were
written (`skipped`: there was nothing to do, nothing new to say, or the run ended without any), or
the status of the results."""

_WRONG_BUCKET: Final = for_engineer("Correct the setting or the trigger.")
_QUOTA_ZONE: Final = ZoneInfo("America/Los_Angeles")
"""Daily quotas begin anew at midnight in this zone."""


def deliver(
    source: StoredObject, context: RunContext, must_end: float | None = None
) -> DeliveryResult:
    """Process an object that an event or a listing names.

    `must_end`: the attempts of the sweep end then (by `context.elapsed_seconds`, a clock that never
    goes back). None: an event has brought the object, and the attempt has the time of its lease.
    """
    settings, log = context.settings, context.log.bind(run_id=run_id(source))
    started = context.elapsed_seconds()
    if source.bucket != settings.input_bucket:
        problem = f"INPUT_BUCKET: the trigger reports objects of the bucket {source.bucket}"
        log.alert("settings_invalid", detail=problem, action=_WRONG_BUCKET)
        return "ignored"
    if reason := reason_to_ignore(source.name, source.size, ignore_rules(settings)):
        log.info("object_ignored", reason=reason)
        return "ignored"
    try:
        saved = take(source, context)
        if saved is None:
            log.info("run_skipped")
            return "skipped"
        return _make_attempt(saved, context, started, must_end)
    except RetryableError as error:
        _log_retry(error, log)
        raise


def resume(entry: RunEntry, context: RunContext, must_end: float) -> DeliveryResult:
    """Advance a run that was due when a sweep listed it. The attempt ends at `must_end`."""
    started = context.elapsed_seconds()
    try:
        saved = context.runs.read(entry.key)
        if saved is None or not saved.run.is_due(context.utc_now()):
            return "skipped"
        return _make_attempt(take_over(saved, context), context, started, must_end)
    except RetryableError as error:
        _log_retry(error, context.log.bind(run_id=entry.run_id(context.settings.input_bucket)))
        raise


# ── the attempt ──────────────────────────────────────────────────────────────────────────────────


def _make_attempt(
    saved: SavedRun, context: RunContext, started: float, must_end: float | None
) -> DeliveryResult:
    """Advance a run that this attempt has taken. It `started` before it took the run, so that its
    own time is over no later than the lease that was saved then."""
    taken, settings = saved.run, context.settings
    log = context.log.bind(run_id=run_id(taken.source), report=report_path(taken.source))
    log.info("attempt_started", attempts=taken.attempts)
    # Others may take the run when the lease ends. Requests stop before that, at the deadline.
    lease_ends = started + settings.time_limit_seconds
    ends = lease_ends if must_end is None else min(must_end, lease_ends)
    deadline = context.deadline(ends)
    attempt = Attempt(saved, _saved_profile(taken), context, deadline, log, lease_ends)
    try:
        summary = advance(attempt)
    except RetryableError as error:
        _postpone(attempt, error, is_cut_short=ends < lease_ends)
        raise
    if summary is None:
        return "skipped"
    seconds = round(context.elapsed_seconds() - started, 3)
    _log_end(attempt, taken, summary, seconds)
    return summary.status


def _saved_profile(run: Run) -> Profile | None:
    """Return the profile that the first attempt saved, so that all attempts decide alike. None:
    there is none, or this version cannot read it; nothing more is sent then."""
    try:
        return Profile.model_validate(run.profile) if run.profile is not None else None
    except ValidationError:
        return None


def _postpone(attempt: Attempt, error: RetryableError, *, is_cut_short: bool) -> None:
    """Save when the next attempt is due. If that fails, this attempt counts as one that has died,
    and the next one begins a wait after its lease (`Run.next_attempt`).

    `is_cut_short`: the attempt had less time than its lease, because a sweep ends.
    """
    if isinstance(error, LeaseLost):
        return  # another attempt may own the run now
    run, now = attempt.run, attempt.context.utc_now()
    # Only if time was up may the file be at fault: nothing else is a try.
    due, tries = now + retries.OUTAGE, run.tries
    if error.code == "DAILY_QUOTA":
        due = _quota_reset(now)
    elif error.code == "SHUTDOWN":  # the platform ends the instance
        due = now
    elif error.code == "DEADLINE":
        if attempt.has_saved:  # the file advances, however slowly
            due, tries = now, 0
        elif is_cut_short:  # the sweep had no more time, which says nothing of the file
            due = now
        else:  # it had all its time, and not one chunk was saved: the file may be at fault
            tries += 1
            due = now + retries.wait_after_try(tries)
    maybe_sent = run.maybe_sent or attempt.has_sent
    try:
        attempt.save(state="waiting", due=due, tries=tries, cause=error.code, maybe_sent=maybe_sent)
    except RetryableError:
        return


def _quota_reset(now: datetime) -> datetime:
    """Return when a quota that is used up now begins anew, and five minutes more."""
    tomorrow = now.astimezone(_QUOTA_ZONE) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=5, second=0, microsecond=0).astimezone(now.tzinfo)


def ignore_rules(settings: Settings) -> IgnoreRules:
    """Return the rules for objects that are not processed, from the settings."""
    prefixes = settings.ignored_prefixes
    if settings.bucket_of_state == settings.output_bucket:
        # Results are named after their file: those of a file below this prefix would be written
        # among the objects of the state.
        prefixes = (*prefixes, settings.state_prefix)
    return IgnoreRules(settings.ignored_suffixes, prefixes)


# ── what people hear at once ─────────────────────────────────────────────────────────────────────


def _log_retry(error: RetryableError, log: Log) -> None:
    """Log why no results were written now, and the alert if a person must act on it."""
    if isinstance(error, LeaseHeld):
        log.info("lease_held", detail=error.detail)
        return
    alert_if_a_person_must_act(error, log)
    log.warning("run_redelivered", code=error.code, detail=error.detail)


def alert_if_a_person_must_act(error: RetryableError, log: Log) -> None:
    """Log the alert `settings_invalid` if a person must correct something, whatever it is."""
    code = lookup(error.code)
    if code.needs_action:
        detail = f"{error.code}: {error.detail}"
        log.alert("settings_invalid", code=error.code, detail=detail, action=code.action)


def _log_end(attempt: Attempt, taken: Run, summary: RunSummary, seconds: float) -> None:
    """Log the end of the attempt, and that the file was stopped, if it was stopped now. `taken` is
    the run as the attempt has taken it."""
    run = attempt.run
    attempt.log.info(
        "run_finished",
        status=summary.status,
        attempts=run.attempts,
        counts=summary.counts,
        seconds=seconds,
        since_arrival_seconds=round((summary.finished_at - run.arrived).total_seconds(), 3),
    )
    # A stop is logged by the attempt that first publishes results with it: if results were
    # published after the stop, an earlier attempt has logged it.
    stopped_at, told_at = taken.stopped_at, taken.published_at
    was_told = stopped_at is not None and told_at is not None and stopped_at <= told_at
    if run.stop is not None and not was_told:
        found = stopped_file(entry_of(run))
        # In the labels of the sweep (`lib.sweep.problems`), so that both are one incident. A file's
        # first folder names its profile; all folders without one are one problem.
        profile = found.profile if found.code != "UNKNOWN_PROFILE" else NO_PROFILE
        action = found.action
        if attempt.profile is not None:
            action = action_in(profile, attempt.profile.customer_id, action)
        problem = OpenProblem(FILE_STOPPED, profile, found.code, action, [found])
        attempt.log.alert("open_problem", **problem.log_fields())


def stopped_file(entry: RunEntry) -> Found:
    """Return what is told of a stopped file, at once and by each sweep: the cause, the money of the
    rows that should count and do not, and who must do what, the upload after it included."""
    action = lookup(entry.stop).advice_with_upload()
    text = dated(entry.name, entry.arrived, entry.stop_detail)
    money = micros_by_currency(entry.totals.lost_money())
    return Found(entry.profile, entry.stop, text, money, entry.key, action)
