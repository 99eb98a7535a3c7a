"""The sweep: automatically finds and finishes what events missed.

A sweep is idempotent and safe while other functions run: it claims every file that it processes, as
an event does. It stops before its time limit, and the next sweep continues. It does not begin with
the same files each time: those that have been tried most often come last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from lib.errors import DamagedState, LeaseHeld, NewerVersion, PermanentError, RetryableError
from lib.followup.concerns import Line
from lib.followup.diagnostics import DiagnosticsOfAccounts
from lib.followup.revisit import revisit
from lib.followup.rhythm import LEARNED_FROM
from lib.followup.watch import (
    BlockedFollowUp,
    LeftFile,
    Seen,
    UnfinishedFile,
    Watch,
    watch,
)
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.results.document import PAGE
from lib.results.overview import Overview, labelled_files, render_overview
from lib.run.alerts import LATE_AFTER, log_redelivery
from lib.run.context import RunContext
from lib.run.deliver import ignore_rules, process_object
from lib.source.names import HIDDEN, INCOMPLETE, ignored
from lib.state.concerns import KnownConcern
from lib.state.output import OVERVIEW, RESULTS, results_name
from lib.state.pending_runs import PendingRun
from lib.state.run import Run, run_id, run_key
from lib.state.store import LabelledObject, StoredObject

_DAY = timedelta(days=1)
FOUND_BY_SWEEP_AFTER: Final = timedelta(minutes=30)
UNFINISHED_AFTER: Final = timedelta(hours=1)
LEFT_AFTER: Final = timedelta(hours=1)
LEFT_UNTIL: Final = timedelta(days=7)
_MOST_FILES: Final = 20
"""So many files are looked up to find out what does not come."""
_EVENTS_OF_THEIR_OWN: Final = ("no_file", "file_ignored", "events_missing", "file_unfinished")
"""Concerns that have a log line of their own, too, for those who filter by it."""
_DIGEST = "digest"  # of the overview, in its label


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
    objects without a finished run: an event was lost, its retries ran out, or a run crashed. At the
    end, `post` tells people.
    """
    started = context.monotonic()
    deadline = context.deadline(started + time_limit_seconds)
    counts = SweepCounts()
    # Half of the time for each, so that neither can block the other permanently.
    half = deadline.starting_until((started + deadline.starts_until) / 2)
    seen = Seen()
    _revisit_pending_runs(context, half, counts, seen)
    _process_unfinished_objects(context, deadline, counts, seen)
    overview, found = _list_results(context, seen)
    try:
        overview.concerns = _watch(context, seen)
    except RetryableError:
        raise
    except Exception as error:
        _log_and_continue(error, context.log, counts)
    finally:
        _write_overview(overview, found, context, seen)
    report = counts.as_json()
    context.log.info("sweep_finished", **report)
    return report


def _revisit_pending_runs(
    context: RunContext, deadline: Deadline, counts: SweepCounts, seen: Seen
) -> None:
    accounts = DiagnosticsOfAccounts(context)
    due = list(_due(context, deadline, counts, seen))
    for pending, _ in sorted(due, key=lambda each: _turn(each[1])):
        if context.monotonic() >= deadline.last_start:
            counts.out_of_time = True
            return
        log = context.log.bind(run_id=run_id(pending.run.source))
        after = pending
        try:
            counts.waiting += 1
            after = revisit(pending, accounts, context, deadline)
            counts.finished += after.due is None
        except LeaseHeld:
            continue
        except RetryableError as error:
            log_redelivery(error, pending.due, context, log)
            counts.again += 1
        except Exception as error:
            _log_and_continue(error, log, counts)
        if after.due is not None and after.blocked:
            seen.blocked.append(BlockedFollowUp(after.run.source, after.blocked))


def _due(
    context: RunContext, deadline: Deadline, counts: SweepCounts, seen: Seen
) -> Iterator[tuple[PendingRun, Run]]:
    """Yield the pending runs that are due, with their claims. Others may still be blocked."""
    for key, saved_at in context.pending_runs.list():
        if context.monotonic() >= deadline.last_start:
            counts.out_of_time = True
            return
        try:
            pending = context.pending_runs.get(key)
            if pending is None or not pending.due:
                continue
            if pending.due <= context.utc_now():
                yield pending, context.claims.for_follow_up(pending.run)
            elif pending.blocked:
                seen.blocked.append(BlockedFollowUp(pending.run.source, pending.blocked))
        except RetryableError as error:
            due = saved_at if isinstance(error, NewerVersion) else None
            log_redelivery(error, due, context, context.log)
            counts.again += 1
        except Exception as error:
            _log_and_continue(error, context.log, counts)


def _process_unfinished_objects(
    context: RunContext, deadline: Deadline, counts: SweepCounts, seen: Seen
) -> None:
    settings = context.settings
    max_age = timedelta(days=settings.sweep_max_age_days)
    waiting = _without_results(context, counts, seen)
    unfinished = {run_key(each): each for each in waiting}
    for each in _in_turn(waiting, context, counts, seen):
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
    seen.unfinished += _unfinished([*unfinished.values()], context)


def _in_turn(
    objects: Iterable[StoredObject], context: RunContext, counts: SweepCounts, seen: Seen
) -> list[StoredObject]:
    """Return the objects that no live run has, and none has finished since the listings."""
    now = context.utc_now()
    claims: list[tuple[StoredObject, Run | None]] = []
    for each in objects:
        log = context.log.bind(run_id=run_id(each))
        try:
            claims.append((each, context.claims.of(each)))
        except RetryableError as error:
            log_redelivery(error, _arrival(each, now), context, log)
            counts.again += 1
        except Exception as error:
            _log_and_continue(error, log, counts)
    seen.unstarted += _found_by_sweep(claims, now)
    turns = [
        (_turn(run), each)
        for each, run in claims
        if run is None or (run.status == "running" and run.expires <= now)
    ]
    return [each for _, each in sorted(turns, key=lambda turn: turn[0])]


def _turn(run: Run | None) -> tuple[bool, int, int]:
    """Return the place of a run in a sweep. A sort by it keeps the order of equals.

    A run that has died, or that nothing came of, may end this sweep too: it comes last. Of the
    others, those with more attempts come later, so that no file takes the time of all others.
    """
    if run is None:
        return False, 0, 0
    died = run.status == "running" and not run.released
    return died or run.without_progress > 0, run.without_progress, run.attempts


def _without_results(context: RunContext, counts: SweepCounts, seen: Seen) -> list[StoredObject]:
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
    for each in context.store.list(settings.input_bucket, "", versions=True):
        age = now - _arrival(each, now)
        if reason := ignored(each.name, each.size, rules):
            if len(seen.left) < _MOST_FILES and _is_left(
                each, reason, age, settings.accepted_suffixes
            ):
                seen.left.append(LeftFile(each, reason))
            continue
        seen.add_arrival(each)
        if age > oldest:
            continue
        if each.is_live:
            live.add(each.name)
        if age >= min(youngest, LATE_AFTER):
            missing[results_name(each.name, each.generation)] = each
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
    seen.unstarted += _unstarted([each for _, each in found], newest, context)
    return [each for name, each in found if name in old]


def _arrival(each: StoredObject, now: datetime) -> datetime:
    return each.updated or each.created or now


def _log_and_continue(error: Exception, log: Log, counts: SweepCounts) -> None:
    """Log a bug and continue: one file must not stop the sweep for all other files."""
    log.unexpected(error)
    counts.again += 1


# ── what does not come ───────────────────────────────────────────────────────────────────────


def _is_left(file: StoredObject, reason: str, age: timedelta, suffixes: tuple[str, ...]) -> bool:
    """Return whether an ignored object is a file of data that should not be there any more.

    A gateway renames a file when it is complete. If it dies, or the name was a mistake, the file
    stays, and its rows are never sent.
    """
    if not file.is_live or not file.size or not LEFT_AFTER <= age < LEFT_UNTIL:
        return False
    last = file.name.rsplit("/", 1)[-1].lower()
    # `~$` is the lock file of an open workbook, `._` what macOS adds to a file.
    is_data = not last.startswith(("~$", "._")) and any(suffix in last for suffix in suffixes)
    return reason == INCOMPLETE or (reason == HIDDEN and is_data)


def _unstarted(
    files: Sequence[StoredObject], newest_results: datetime | None, context: RunContext
) -> list[StoredObject]:
    """Return those of these `files` without results that no event has started.

    The trigger needs several permissions outside of this function. If one of them is lost, no event
    arrives, and nothing fails. Files that wait in a burst look the same, but then others are
    finished meanwhile: `newest_results` is when the newest results document was written.
    """
    now = context.utc_now()
    if newest_results is not None and now - newest_results < LATE_AFTER:
        return []
    late = [each for each in files if now - _arrival(each, now) >= LATE_AFTER]
    return [f for f in late[-_MOST_FILES:] if not _is_started(f, context)]


def _is_started(file: StoredObject, context: RunContext) -> bool:
    try:
        return context.claims.of(file) is not None
    except (DamagedState, NewerVersion):
        return True  # by a claim that cannot be read: the sweep says so when it comes to the file


def _found_by_sweep(
    claims: Sequence[tuple[StoredObject, Run | None]], now: datetime
) -> list[StoredObject]:
    """Return the files that the sweep has found before an event started them.

    This notices a single lost event, while other files are finished. The files come oldest first,
    with their claims. If one of the claims is alive, an instance works on a file as old, and the
    others may wait for it.
    """
    if any(run.status == "running" and run.expires > now for _, run in claims if run is not None):
        return []
    old = [file for file, run in claims if run is None]
    return [each for each in old if now - _arrival(each, now) >= FOUND_BY_SWEEP_AFTER]


def _unfinished(files: Sequence[StoredObject], context: RunContext) -> list[UnfinishedFile]:
    """Return those of these files that should have results. They come oldest first.

    Known reasons have alerts of their own (`lib.run.alerts`). This needs no reason: an instance
    that dies each time leaves no word, and a sweep that runs out of time does not come to all
    files. Files that wait for the daily quota have had their alert, and nobody needs to act.
    """
    now = context.utc_now()
    old = [each for each in files if now - _arrival(each, now) >= UNFINISHED_AFTER]
    found = []
    for each in old[:_MOST_FILES]:
        try:
            run = _claim(each, context)
            has_results = context.output.has_results(each)
        except RetryableError:
            break  # the sweep has logged it
        if not has_results and (run is None or run.cause != "DAILY_QUOTA"):
            found.append(UnfinishedFile(each, run.cause if run is not None else ""))
    return found


def _claim(file: StoredObject, context: RunContext) -> Run | None:
    try:
        return context.claims.of(file)
    except (DamagedState, NewerVersion):
        return None  # the sweep has logged it


def _watch(context: RunContext, seen: Seen) -> Mapping[str, KnownConcern]:
    """Tell the concerns that somebody must know of now, and return those that hold.

    Of two sweeps at once, only the one that has saved what it tells tells it.
    """
    log, known, now = context.log, context.known_concerns, context.utc_now()
    try:
        state, generation = known.read()
    except (DamagedState, NewerVersion) as error:
        log_redelivery(error, None, context, log)
        return {}
    seen.drill = known.asks_for_drill()
    lines, after = watch(Watch(seen, _profiles(context), context.settings, state, now))
    if after != state and not known.replace(after, generation):
        return after.concerns
    for line in lines:
        _tell(line, log)
    return after.concerns


def _profiles(context: RunContext) -> Mapping[str, Any] | None:
    try:
        return context.profiles()
    except (PermanentError, RetryableError):
        return None  # a run says so, and nothing is over meanwhile


def _tell(line: Line, log: Log) -> None:
    log.tell(line.severity, "concern", **line.fields)
    kind, told = line.fields["kind"], line.told
    if kind in _EVENTS_OF_THEIR_OWN and told != "over":
        log.alert(kind, detail=line.fields["detail"], action=line.fields["action"])


# ── the overview ─────────────────────────────────────────────────────────────────────────────


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


def _list_results(context: RunContext, seen: Seen) -> tuple[Overview, _FoundOverview]:
    """List all results, for the overview and for the concerns."""
    overview, found = Overview(), _FoundOverview()
    objects = found.met_in(context.store.list_labelled(context.settings.output_bucket))
    oldest = (context.utc_now() - LEARNED_FROM - _DAY).isoformat(timespec="seconds")
    for each in labelled_files(objects):
        overview.add(each)
        if max(each.finished_at, each.arrived_at) >= oldest:
            seen.files.append(each)
    return overview, found


def _write_overview(
    overview: Overview, found: _FoundOverview, context: RunContext, seen: Seen
) -> None:
    """Write the overview, if it has changed.

    It is made of one listing, and replaces only the version that this listing has met. So if two
    sweeps write, the one with the older listing is refused. A failure costs no file anything: the
    next sweep writes the overview.
    """
    bucket = context.settings.output_bucket
    try:
        page = render_overview(bucket, overview).encode()
        digest = hashlib.sha256(page).hexdigest()
        if digest == found.digest or not overview.files:
            return
        label = PAGE._replace(metadata={_DIGEST: digest})
        context.store.write(
            bucket, OVERVIEW, page, if_generation_match=found.generation, label=label
        )
    except RetryableError as error:
        context.log.warning("overview_not_written", code=error.code, detail=error.detail)
