"""The sweep: advances every run that is due, finds what events missed, and says what is open.

    list the runs and the input ──▶ log the open problems ──▶ advance what is due ──▶ start files
    without a run ──▶ overview

A sweep is safe while other instances run: it takes each run as an event does. It logs what is open
before it sends anything, so that a file that kills it is told all the same. It stops before its
time limit, and the next one goes on: those with the fewest tries first, then those due longest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from lib.errors import LeaseHeld, PermanentError, RetryableError
from lib.model.log import Log
from lib.results.document import PAGE
from lib.results.names import OVERVIEW
from lib.run.advance import STALE_AFTER
from lib.run.context import RunContext
from lib.run.deliver import deliver, ignore_rules, resume
from lib.source.names import ignored
from lib.state.runs import RunEntry, run_id, run_key
from lib.state.store import StoredObject
from lib.sweep.problems import OpenProblem, View, open_problems

_LONGEST_ENDING_SECONDS: Final = 60.0
"""What an attempt may take after its last request, and the overview."""


@dataclass(slots=True)
class SweepCounts:
    """What a sweep found and did, for its log line and its answer."""

    runs: int
    unreadable: int
    problems: int
    due: int = 0
    started: int = 0
    finished: int = 0
    again: int = 0
    out_of_time: bool = False


def sweep_once(context: RunContext, time_limit_seconds: float) -> dict[str, Any]:
    """Sweep once. Return the counts of what was found and done.

    Raises `RetryableError` if storage cannot be listed.
    """
    ends = context.monotonic() + time_limit_seconds
    now = context.utc_now()
    entries, unreadable = _runs(context)
    files = _input_files(context)
    without_run = _without_run(files, entries, unreadable)
    profiles = _profiles(context)
    view = View(now, entries, unreadable, files, without_run, profiles)
    problems = open_problems(view)
    counts = SweepCounts(len(entries), len(unreadable), len(problems))
    for problem in problems:
        _log(problem, context.log)
    for entry in _in_turn(entries, now):
        if not _has_time(context, ends, counts):
            break
        counts.due += 1
        log = context.log.bind(run_id=entry.run_id(context.settings.input_bucket))
        _attempt(partial(resume, entry, context), log, counts)
    grace = timedelta(minutes=context.settings.sweep_grace_minutes)
    for file in without_run:
        if not grace <= _age(file, now) <= STALE_AFTER:
            continue
        if not _has_time(context, ends, counts):
            break
        counts.started += 1
        log = context.log.bind(run_id=run_id(file))
        _attempt(partial(deliver, file, context), log, counts)
    _write_overview(context, problems)
    report = asdict(counts)
    context.log.info("sweep_finished", **report)
    return report


# ── what there is ────────────────────────────────────────────────────────────────────────────────


def _runs(context: RunContext) -> tuple[list[RunEntry], set[str]]:
    """Return what the listing shows of all runs, and the keys of those that it does not show."""
    entries: list[RunEntry] = []
    unreadable: set[str] = set()
    for each in context.runs.entries():
        if isinstance(each, RunEntry):
            entries.append(each)
        else:
            unreadable.add(each)
    return entries, unreadable


def _input_files(context: RunContext) -> dict[str, StoredObject]:
    """Return the live files of the input bucket by the key of their run."""
    settings = context.settings
    rules = ignore_rules(settings)
    return {
        run_key(file): file
        for file in context.store.list(settings.input_bucket, "")
        if not ignored(file.name, file.size, rules)
    }


def _without_run(
    files: Mapping[str, StoredObject], entries: Sequence[RunEntry], unreadable: set[str]
) -> list[StoredObject]:
    """Return the files that no attempt has begun with, oldest first."""
    known = unreadable.union(entry.key for entry in entries)
    missing = [file for key, file in files.items() if key not in known]
    return sorted(missing, key=lambda file: (str(file.updated), file.name))


def _profiles(context: RunContext) -> Mapping[str, Any]:
    """Return the profiles document; empty if it cannot be read: each run says so itself."""
    try:
        return context.profiles()
    except (PermanentError, RetryableError):
        return {}


# ── do what is due ───────────────────────────────────────────────────────────────────────────────


def _in_turn(entries: Sequence[RunEntry], now: datetime) -> list[RunEntry]:
    """Return the runs that are due: those with the fewest tries first, then those due longest."""
    due = [entry for entry in entries if entry.due is not None and entry.due <= now]
    return sorted(due, key=lambda entry: (entry.tries, entry.due))


def _has_time(context: RunContext, ends: float, counts: SweepCounts) -> bool:
    """Return whether another attempt can end before the sweep must."""
    latest = ends - _LONGEST_ENDING_SECONDS - context.settings.deadline_margin_seconds
    counts.out_of_time = context.monotonic() >= latest
    return not counts.out_of_time


def _attempt(work: Callable[[], object], log: Log, counts: SweepCounts) -> None:
    """Make an attempt at one file, which must not stop the sweep for all other files."""
    try:
        work()
        counts.finished += 1
    except LeaseHeld:
        return
    except RetryableError:
        counts.again += 1  # already logged; the next sweep tries again
    except Exception as error:
        log.unexpected(error)
        counts.again += 1


def _age(file: StoredObject, now: datetime) -> timedelta:
    arrived = file.updated or file.created
    return now - arrived if arrived is not None else timedelta()


# ── what people see ──────────────────────────────────────────────────────────────────────────────


def _log(problem: OpenProblem, log: Log) -> None:
    """Log one line for an open problem. Cloud Monitoring remembers since when it is there."""
    log.tell(
        problem.kind.severity,
        "open_problem",
        kind=problem.kind.name,
        profile=problem.profile,
        detail=problem.detail,
        at_stake=problem.at_stake,
        action=problem.kind.action,
    )


def _write_overview(context: RunContext, problems: Sequence[OpenProblem]) -> None:
    """Write the page of all files, as they are after this sweep. A failure costs only the page."""
    from lib.results.overview import render_overview

    bucket = context.settings.output_bucket
    try:
        entries, _ = _runs(context)
        page = render_overview(bucket, entries, _shown(problems)).encode()
        live = context.store.find_live(bucket, OVERVIEW)
        generation = live.generation if live is not None else 0
        context.store.write(bucket, OVERVIEW, page, if_generation_match=generation, label=PAGE)
    except RetryableError as error:
        context.log.warning("overview_not_written", code=error.code, detail=error.detail)
    except Exception as error:
        context.log.unexpected(error)


def _shown(problems: Sequence[OpenProblem]) -> Iterator[Mapping[str, str]]:
    for problem in problems:
        yield {
            "title": problem.kind.title,
            "kind": problem.kind.name,
            "severity": problem.kind.severity,
            "profile": problem.profile,
            "detail": problem.detail,
            "at_stake": problem.at_stake,
            "action": problem.kind.action,
        }
