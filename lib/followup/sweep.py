"""The sweep: automatically finds and finishes what events missed.

A sweep is idempotent and safe while other functions run: it claims every file that it processes, as
an event does. It stops before its time limit, and the next sweep continues. It does not begin with
the same files each time: those that have been tried most often come last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from lib.errors import LeaseHeld, NewerVersion, RetryableError
from lib.followup.diagnostics import DiagnosticsOfAccounts
from lib.followup.missing import (
    LeftFiles,
    NewestFiles,
    alert_if_found_by_sweep,
    alert_if_left,
    alert_if_no_file,
    alert_if_unfinished,
    alert_if_unstarted,
)
from lib.followup.revisit import revisit
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.results.document import PAGE
from lib.results.overview import latest_files, render_overview
from lib.run.alerts import LATE_AFTER, log_redelivery
from lib.run.context import RunContext
from lib.run.deliver import ignore_rules, process_object
from lib.source.names import ignored
from lib.state.output import OVERVIEW, RESULTS, results_name
from lib.state.pending_runs import PendingRun
from lib.state.run import Run, run_id, run_key
from lib.state.store import LabelledObject, StoredObject

_DAY = timedelta(days=1)
_DIGEST = "digest"  # of the overview, in its label
_Turn: TypeAlias = tuple[bool, int, int]


@dataclass(slots=True)
class SweepCounts:
    """What a sweep found and did, for its log line and its response."""

    objects: int = 0
    unfinished: int = 0
    waiting: int = 0
    finished: int = 0
    again: int = 0
    oldest_unfinished_seconds: float = 0.0
    out_of_time: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        seconds = round(self.oldest_unfinished_seconds)
        return asdict(self) | {"oldest_unfinished_seconds": seconds}


def sweep_once(context: RunContext, time_limit_seconds: float) -> dict[str, Any]:
    """Finish what events missed. Return the counts of what was found and done.

    It first revisits pending runs that are due (`lib.followup.revisit`). Then it processes input
    objects without a finished run: an event was lost, its retries ran out, or a run crashed.
    """
    started = context.monotonic()
    deadline = context.deadline(started + time_limit_seconds)
    counts = SweepCounts()
    # Half of the time for each, so that neither can block the other permanently.
    half = deadline.starting_until((started + deadline.starts_until) / 2)
    _revisit_pending_runs(context, half, counts)
    _process_unfinished_objects(context, deadline, counts)
    _write_overview(context)
    report = counts.as_json()
    context.log.info("sweep_finished", **report)
    return report


def _revisit_pending_runs(context: RunContext, deadline: Deadline, counts: SweepCounts) -> None:
    accounts = DiagnosticsOfAccounts(context)
    due = list(_due(context, deadline, counts))
    for pending, _ in sorted(due, key=lambda each: _turn(each[1])):
        if context.monotonic() >= deadline.last_start:
            counts.out_of_time = True
            return
        log = context.log.bind(run_id=run_id(pending.run.source))
        try:
            counts.waiting += 1
            counts.finished += revisit(pending, accounts, context, deadline)
        except LeaseHeld:
            continue
        except RetryableError as error:
            now = context.utc_now()
            log_redelivery(error, pending.due or now, now, log)
            counts.again += 1
        except Exception as error:
            _log_and_continue(error, log, counts)


def _due(
    context: RunContext, deadline: Deadline, counts: SweepCounts
) -> Iterator[tuple[PendingRun, Run]]:
    """Yield the pending runs that are due, with their claims."""
    for key, saved_at in context.pending_runs.list():
        if context.monotonic() >= deadline.last_start:
            counts.out_of_time = True
            return
        try:
            pending = context.pending_runs.get(key)
            if pending is not None and pending.due and pending.due <= context.utc_now():
                yield pending, context.claims.for_follow_up(pending.run)
        except NewerVersion as error:
            now = context.utc_now()
            log_redelivery(error, saved_at or now, now, context.log)
            counts.again += 1
        except RetryableError as error:
            log_redelivery(error, context.utc_now(), context.utc_now(), context.log)
            counts.again += 1
        except Exception as error:
            _log_and_continue(error, context.log, counts)


def _process_unfinished_objects(
    context: RunContext, deadline: Deadline, counts: SweepCounts
) -> None:
    settings = context.settings
    max_age = timedelta(days=settings.sweep_max_age_days)
    waiting = _without_results(context, counts)
    unfinished = {run_key(each): each for each in waiting}
    for each in _in_turn(waiting, context, counts):
        if context.monotonic() >= deadline.last_start:
            counts.out_of_time = True
            break
        now = context.utc_now()
        created = _arrival(each, now)
        try:
            counts.unfinished += 1
            age = (now - created).total_seconds()
            counts.oldest_unfinished_seconds = max(counts.oldest_unfinished_seconds, age)
            process_object(
                each,
                created,
                context,
                time_limit_seconds=deadline.starts_until
                - context.monotonic()
                + settings.deadline_margin_seconds,
                max_age=max_age,
            )
            counts.finished += 1
            del unfinished[run_key(each)]
        except LeaseHeld:
            continue
        except RetryableError:
            # Already logged. The next sweep tries again.
            counts.again += 1
        except Exception as error:
            _log_and_continue(error, context.log.bind(run_id=run_id(each)), counts)
    alert_if_unfinished([*unfinished.values()], context)


def _in_turn(
    objects: Iterable[StoredObject], context: RunContext, counts: SweepCounts
) -> list[StoredObject]:
    """Return the objects that no live run has, and none has finished since the listings."""
    now = context.utc_now()
    claims: list[tuple[StoredObject, Run | None]] = []
    for each in objects:
        log = context.log.bind(run_id=run_id(each))
        try:
            claims.append((each, context.claims.of(each)))
        except RetryableError as error:
            log_redelivery(error, _arrival(each, now), now, log)
            counts.again += 1
        except Exception as error:
            _log_and_continue(error, log, counts)
    alert_if_found_by_sweep(claims, context)
    turns = [
        (_turn(run), each)
        for each, run in claims
        if run is None or (run.status == "running" and run.expires <= now)
    ]
    return [each for _, each in sorted(turns, key=lambda turn: turn[0])]


def _turn(run: Run | None) -> _Turn:
    """Return the place of a run in a sweep. A sort by it keeps the order of equals.

    A run that has died, or that nothing came of, may end this sweep too: it comes last. Of the
    others, those with more attempts come later, so that no file takes the time of all others.
    """
    if run is None:
        return False, 0, 0
    died = run.status == "running" and not run.released
    return died or run.without_progress > 0, run.without_progress, run.attempts


def _without_results(context: RunContext, counts: SweepCounts) -> list[StoredObject]:
    """Return recent input files without a results document. This takes only two listings.

    Oldest first. A version that a newer upload has replaced is a file of its own; a file that was
    deleted has been withdrawn.
    """
    settings = context.settings
    rules = ignore_rules(settings)
    youngest = timedelta(minutes=settings.sweep_grace_minutes)
    # One day more than the age limit for STALE, so that the end of a file is always reported.
    oldest = timedelta(days=settings.sweep_max_age_days) + _DAY
    now = context.utc_now()
    missing: dict[str, StoredObject] = {}
    live: set[str] = set()
    newest_files, left = NewestFiles(), LeftFiles()
    for each in context.store.list(settings.input_bucket, "", versions=True):
        age = now - _arrival(each, now)
        if reason := ignored(each.name, each.size, rules):
            left.add(each, reason, age, settings.accepted_suffixes)
            continue
        newest_files.add(each)
        if age > oldest:
            continue
        if each.is_live:
            live.add(each.name)
        if age >= min(youngest, LATE_AFTER):
            missing[results_name(each.name, each.generation)] = each
    alert_if_no_file(newest_files, context)
    alert_if_left(left, context)
    missing = {name: each for name, each in missing.items() if each.name in live}
    old = {name for name, each in missing.items() if now - _arrival(each, now) >= youngest}
    counts.objects = len(old)
    newest: datetime | None = None
    if missing:
        for results in context.store.list(settings.output_bucket, ""):
            missing.pop(results.name, None)
            if results.name.endswith(RESULTS) and results.updated is not None:
                newest = max(newest or results.updated, results.updated)
    found = sorted(missing.items(), key=lambda item: _arrival(item[1], now))
    alert_if_unstarted([each for _, each in found], newest, context)
    return [each for name, each in found if name in old]


def _arrival(each: StoredObject, now: datetime) -> datetime:
    return each.updated or each.created or now


def _log_and_continue(error: Exception, log: Log, counts: SweepCounts) -> None:
    """Log a bug and continue: one file must not stop the sweep for all other files."""
    log.unexpected(error)
    counts.again += 1


@dataclass(slots=True)
class _FoundOverview:
    """The overview that the listing has met. Its generation is 0 if there is none."""

    generation: int = 0
    digest: str = ""

    def met_in(self, objects: Iterator[LabelledObject]) -> Iterator[LabelledObject]:
        for each in objects:
            if each.name == OVERVIEW:
                self.generation, self.digest = each.generation, each.metadata.get(_DIGEST, "")
            yield each


def _write_overview(context: RunContext) -> None:
    """Write the overview, if it has changed.

    It is made of one listing, and replaces only the version that this listing has met. So if two
    sweeps write, the one with the older listing is refused. A failure costs no file anything: the
    next sweep writes the overview.
    """
    bucket = context.settings.output_bucket
    found = _FoundOverview()
    try:
        files = latest_files(found.met_in(context.store.list_labelled(bucket)))
        page = render_overview(bucket, files).encode()
        digest = hashlib.sha256(page).hexdigest()
        if digest == found.digest or not files:
            return
        label = PAGE._replace(metadata={_DIGEST: digest})
        context.store.write(
            bucket, OVERVIEW, page, if_generation_match=found.generation, label=label
        )
    except RetryableError as error:
        context.log.warning("overview_not_written", code=error.code, detail=error.detail)
