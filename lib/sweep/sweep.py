"""The sweep: advances every run that is due, finds what events missed, and says what is open.

    list the runs and the input ──▶ log the open problems, overview ──▶ advance what is due
    ──▶ start files without a run ──▶ overview

A sweep is safe while other instances run: it takes each run as an event does. It says what is open
before it sends anything, so that a file that kills it is told all the same. Its attempts end when
the sweep must, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, Final

import msgspec

from lib.catalogue.open_problems import OpenProblem, plain
from lib.catalogue.texts import number_of
from lib.errors import LeaseHeld, PermanentError, RetryableError
from lib.model.log import Log
from lib.model.outcomes import Problem, SavedTime
from lib.results.document import PAGE
from lib.results.names import OVERVIEW
from lib.run.context import RunContext
from lib.run.deliver import alert_if_a_person_must_act, deliver, ignore_rules, resume
from lib.source.names import reason_to_ignore
from lib.state.runs import RunEntry, UnreadableRun, entry_of, run_id, run_key
from lib.state.store import ObjectMetadata, StoredObject
from lib.sweep.problems import View, open_problems, parsed_profiles

_OVERVIEW_SECONDS: Final = 60.0
"""Attempts end so long before the sweep must, because it still writes the overview."""

DAY_BEGINS: Final = time(6, 0)
"""In UTC. The digest of the open problems is written once in each day that begins so."""

MAX_WAITING_NAMES: Final = 40
MAX_WAITING_BYTES: Final = 4 << 10
_WITHOUT_RUN_KEY: Final = "waiting"
"""The key of the page's metadata that has the files without a run."""

SEEN_FOR: Final = timedelta(weeks=5)
"""Runs of older files that are settled are only counted: no problem and no page is about them."""


@dataclass(slots=True)
class SweepCounts:
    """What a sweep found and did, for its log line and its answer.

    Its attempts were at `due` runs and at `started` files without a run. Of these, `finished` ended
    regularly, and `again` must be made again. `out_of_time`: others are left to the next sweep.
    """

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
    now = context.utc_now()
    attempts_end = context.elapsed_seconds() + time_limit_seconds - _OVERVIEW_SECONDS
    runs = _list_runs(context, now)
    files = _input_files(context)
    without_run = _without_run(files, runs)
    waiting_since, entries = _waiting_since(context), [*runs.entries.values()]
    view = View(now, entries, runs.unreadable, files, without_run, waiting_since=waiting_since)
    view = _with_profiles(view, context)
    problems = open_problems(view)
    counts = SweepCounts(len(runs.keys), len(runs.unreadable), len(problems))
    # Before anything is sent: a file that kills each sweep must not hide the problems of others.
    for problem in problems:
        # Cloud Monitoring remembers since when it is there.
        tell = context.log.alert if problem.kind.severity == "ERROR" else context.log.warning
        tell("open_problem", **problem.log_fields())
    _write_overview(context, view, problems)
    touched = set[str]()  # the keys of the runs of which the page must say something else
    in_turn = _in_turn(view.entries, now)
    blocked = [entry for entry in in_turn if entry.blocked]
    grace = timedelta(minutes=context.settings.sweep_grace_minutes)
    # A younger file is left to its event.
    to_start = [
        file
        for file in without_run
        if view.can_start(file) and now - view.waits_since(file) >= grace
    ]
    # What waits for a person comes last, because each sweep asks again.
    others = [entry for entry in in_turn if not entry.blocked]
    to_do: list[RunEntry | StoredObject] = [*others, *to_start, *blocked]
    for work in to_do:
        if context.elapsed_seconds() >= context.deadline(attempts_end).last_start:
            counts.out_of_time = True  # or the platform ends the instance
            break
        if isinstance(work, RunEntry):
            counts.due += 1
            touched.add(work.key)
            run = work.run_id(context.settings.input_bucket)
            attempt: Callable[[RunContext, float], str] = partial(resume, work)
        else:
            counts.started += 1
            touched.add(run_key(work))
            run, attempt = run_id(work), partial(deliver, work)
        log = context.log.bind(run_id=run)
        _work_on(partial(attempt, context, attempts_end), log, counts)
    if touched:
        view = _view_after(view, touched, context)
        _write_overview(context, view, open_problems(view))
    report = asdict(counts)
    context.log.info("sweep_finished", **report)
    return report


# ── what there is ────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Runs:
    """What a listing shows of the runs: the keys of all, the entries of those that matter by key,
    and those whose entry cannot be read."""

    keys: set[str]
    entries: dict[str, RunEntry]
    unreadable: list[UnreadableRun]


def _list_runs(context: RunContext, now: datetime) -> _Runs:
    """List the runs. Of 150,000 runs of a year, the entries of a few thousand
    stay in memory."""
    runs = _Runs(set(), {}, [])
    for each in context.runs.entries():
        # Also the keys of settled runs: their files are not started again.
        runs.keys.add(each.key)
        if isinstance(each, UnreadableRun):
            runs.unreadable.append(each)
        elif not each.is_settled or now - each.arrived <= SEEN_FOR:
            runs.entries[each.key] = each
    return runs


def _input_files(context: RunContext) -> dict[str, StoredObject]:
    """Return the live files of the input bucket that are to be processed, by the key of their run,
    whether or not there is one."""
    settings = context.settings
    rules = ignore_rules(settings)
    return {
        run_key(file): file
        for file in context.store.list(settings.input_bucket, "")
        if not reason_to_ignore(file.name, file.size, rules)
    }


def _without_run(files: Mapping[str, StoredObject], runs: _Runs) -> list[StoredObject]:
    """Return the files that no attempt has begun with, oldest first."""
    missing = [file for key, file in files.items() if key not in runs.keys]
    return sorted(missing, key=lambda file: (str(file.created), file.name))


def _with_profiles(view: View, context: RunContext) -> View:
    """Return the view with the profiles, or with why their document cannot be read."""
    try:
        changed_at = context.profiles_changed_at()
        profiles = parsed_profiles(context.profiles())
        return replace(view, profiles=profiles, profiles_changed_at=changed_at)
    except (PermanentError, RetryableError) as error:
        return replace(view, profiles_problem=Problem(error.code, "", error.detail))


# ── do what is due ───────────────────────────────────────────────────────────────────────────────


def _in_turn(entries: Iterable[RunEntry], now: datetime) -> list[RunEntry]:
    """Return the runs that are due: those with the fewest tries first, then those that have been
    due for longest."""
    due = [entry for entry in entries if entry.due is not None and entry.due <= now]
    # A file that kills its attempts comes after those that have never failed.
    return sorted(due, key=lambda entry: (entry.tries, entry.due))


def _work_on(work: Callable[[], object], log: Log, counts: SweepCounts) -> None:
    """Make an attempt at one file, which must not stop the sweep for all other files."""
    try:
        work()
        counts.finished += 1
    except LeaseHeld:
        return  # an event's attempt works on it
    except RetryableError:
        counts.again += 1  # already logged; the next sweep tries again
    except Exception as error:
        log.unexpected(error)
        counts.again += 1


# ── what people see ──────────────────────────────────────────────────────────────────────────────


def _view_after(view: View, touched: Iterable[str], context: RunContext) -> View:
    """Return what the sweep sees after its attempts at some runs. `touched` are their keys."""
    entries = {entry.key: entry for entry in view.entries}
    for key in touched:
        with suppress(RetryableError):  # one that cannot be read must not hide the others
            if (saved := context.runs.read(key)) is not None:
                entries[key] = entry_of(saved.run)
    without_run = [file for file in view.without_run if run_key(file) not in entries]
    now = context.utc_now()
    return replace(view, now=now, entries=[*entries.values()], without_run=without_run)


def _write_overview(context: RunContext, view: View, problems: Sequence[OpenProblem]) -> None:
    """Write the page of all files, and log the digest if this is the first page of the day.

    A failure costs only the page: the next sweep writes it, and the digest.
    """
    from lib.results.overview import render_overview

    bucket = context.settings.output_bucket
    try:
        unreadable = {view.file_name_of(run): run.code for run in view.unreadable}
        page = render_overview(bucket, view.entries, problems, view.now, unreadable).encode()
        live = context.store.find_live(bucket, OVERVIEW)
        generation = live.generation if live is not None else 0
        written = context.store.write(
            bucket, OVERVIEW, page, if_generation_match=generation, metadata=_metadata_of(view)
        )
        # If nothing was written, another sweep was faster, and it logs the digest. (Or the answer
        # got lost: then the digest of this day is lost too, but not the lines of its problems.)
        written_before = live.created if live is not None else None
        if written is not None and problems and _is_first_of_day(written_before, view.now):
            text, count = digest(problems), len(problems)
            context.log.warning("open_problems_digest", text=text, count=count)
    except RetryableError as error:
        alert_if_a_person_must_act(error, context.log)
        context.log.warning("overview_not_written", code=error.code, detail=error.detail)
    except Exception as error:
        context.log.unexpected(error)


def _metadata_of(view: View) -> ObjectMetadata:
    """Return the metadata of the page, which has the files without a run for the next sweep."""
    since = {file.name: view.waits_since(file) for file in view.without_run if view.can_start(file)}
    waiting = sorted(since.items(), key=lambda each: each[1])[:MAX_WAITING_NAMES]
    # The youngest are dropped first: a file that waits long must not lose its time.
    while len(content := msgspec.json.encode(dict(waiting))) > MAX_WAITING_BYTES:
        waiting.pop()
    return PAGE._replace(custom={_WITHOUT_RUN_KEY: content.decode()})


def _waiting_since(context: RunContext) -> Mapping[str, datetime]:
    """Return since when files have no run, by their names, as the last sweep saw it."""
    for page in context.store.list_with_metadata(context.settings.output_bucket, OVERVIEW):
        if page.name == OVERVIEW and (content := page.custom.get(_WITHOUT_RUN_KEY)):
            with suppress(msgspec.DecodeError):  # somebody has changed it
                return msgspec.json.decode(content, type=dict[str, SavedTime])
    return {}


def _is_first_of_day(written_before: datetime | None, now: datetime) -> bool:
    """Return whether no page was written since the last time at which a day begins."""
    moment = now.astimezone(UTC)
    begins = datetime.combine(moment.date(), DAY_BEGINS, UTC)
    if begins > moment:
        begins -= timedelta(days=1)
    return written_before is None or written_before < begins


def digest(problems: Sequence[OpenProblem]) -> str:
    """Return all open problems as plain text: the most costly first, with every file."""
    order = ", the most costly first" if len(problems) > 1 else ""
    parts = [f"{number_of(len(problems), 'open problem')}{order}."]
    for number, problem in enumerate(problems, 1):
        at_stake = f" At stake: {problem.at_stake}." if problem.at_stake else ""
        kind = problem.kind
        lines = [
            f"{number}. {problem.title}.{at_stake}",
            f"   Profile: {plain(problem.profile)}",
            f"   What to do: {problem.action}",
            *(f"   - {plain(line)}" for line in problem.lines),
            f"   {kind.severity}. For your engineer: {kind.name} {problem.code}".rstrip(),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
