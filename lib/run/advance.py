"""Advances a run: asks what is due, sends what is left, publishes what has changed.

    ask       final statuses and diagnostics ──▶ markers
    send      the rows that have no marker yet, or are deferred and due ──▶ markers
    publish   markers ──▶ report ──▶ results document
    save      waiting until something is due again, or done

A first delivery, a delivery after a crash, and a resend days later are the same.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from lib.errors import PermanentError
from lib.model.outcomes import ChunkOutcomes, Outcome, Problem, RowOutcome
from lib.results.document import RunSummary
from lib.results.names import NO_RESULTS, generations_of
from lib.run.attempt import UNTERMINATED_LAST_LINE, Attempt
from lib.run.finish import publish, totals_of
from lib.run.plan import Plan, notes_of, plan_file
from lib.run.reading import Header, read_header, read_table
from lib.run.statuses import ask, followed_since, next_look
from lib.run.upload import close_deferred, upload_chunks, with_sent_chunks
from lib.source.errors import SourceError
from lib.source.names import name_problem
from lib.state.markers import Marker
from lib.state.runs import FileFacts
from lib.state.store import Readable, StoredObject

_PASSES: Final = 2
"""The second one sends the adjustments of the conversions that the first one has sent."""

MOST_TRIES: Final = 5
"""Attempts in a row that died, or only read the file."""

STALE_AFTER: Final = timedelta(days=7)
"""A file with rows that nobody could send for so long ends."""


_UNREADABLE_PROFILE: Final = Problem(
    "INVALID_PROFILE",
    "",
    "this version cannot read the profile saved for this file; upload the file again",
)


class Ending(NamedTuple):
    """Why nothing of the file is sent any more, and the outcome of its deferred rows."""

    problem: Problem
    outcome: Outcome


def advance(attempt: Attempt) -> RunSummary | None:
    """Do everything that is due for the run, and return its results if they were written.

    Raises `RetryableError` if another attempt must continue.
    """
    context, source = attempt.context, attempt.run.source
    results = NO_RESULTS
    if not attempt.is_first:
        results = generations_of(source, context.store, context.settings.output_bucket)
        ask(attempt)
    # The event of a new file says all about it except whether it is still the live one.
    stream = context.store.open_live(source) if attempt.is_first else None
    for _ in range(_PASSES):
        if not _needs_file(attempt):
            break
        if attempt.profile is None and attempt.run.stop is None:
            attempt.stop(_UNREADABLE_PROFILE)
        live = source if stream else context.store.find_live(source.bucket, source.name)
        is_live = live is not None and live.generation == source.generation
        if live is not None and is_live:
            attempt.keep(source=live)  # an event omits what it does not know
        ending = _ending_of(attempt, live, is_live=is_live)
        if ending is not None:
            _end(attempt, ending)
            break
        if not is_live:
            _close_replaced_line(attempt, live)
        _send(attempt, stream)
        stream = None
    if attempt.run.stop is not None:
        _close(attempt, Ending(attempt.run.stop, "not_attempted"))
    summary = None
    if attempt.has_changed or not results.document:
        summary = publish(attempt, results)
    _save(attempt)
    return summary


def _needs_file(attempt: Attempt) -> bool:
    """Return whether rows have no outcome yet, or can be sent again now.

    After the first pass, rows lack an outcome only if somebody has deleted a marker.
    """
    if attempt.run.facts is None or len(attempt.sums.numbers) < attempt.run.facts.chunks:
        return True
    return attempt.run.stop is None and bool(attempt.due_chunks())


def _ending_of(attempt: Attempt, live: StoredObject | None, *, is_live: bool) -> Ending | None:
    """Return why nothing of the file is sent any more. None: it goes on.

    `is_live`: the `live` generation of the object is that of the run.
    """
    run, context = attempt.run, attempt.context
    name = run.source.name
    if refused := name_problem(name, context.settings.accepted_suffixes):
        return Ending(Problem("FILE_NAME_NOT_ACCEPTED", "", refused), "not_attempted")
    if live is not None and not is_live and live.content.equals(run.source.content):
        problem = Problem("SUPERSEDED", "", f"generation {live.generation}")
        attempt.keep(superseded_by=live.generation, stop=None)
        return Ending(problem, "not_attempted")
    if run.tries >= MOST_TRIES:
        return Ending(Problem("NO_PROGRESS", "", f"{run.tries} attempts in a row"), "failed")
    if run.facts is None and context.utc_now() - run.arrived > STALE_AFTER:
        return Ending(Problem("STALE", "", f"{STALE_AFTER.days} days old"), "failed")
    if not is_live and context.store.find(run.source) is None:
        detail = f"generation {run.source.generation}"
        return Ending(Problem("SOURCE_GONE", "", detail), "failed")
    return None


def _end(attempt: Attempt, ending: Ending) -> None:
    """End a run whose file is not read any more. Rows without a marker are in no count."""
    if attempt.run.facts is None:
        if not attempt.run.superseded_by:
            attempt.stop(ending.problem)
        attempt.keep(facts=FileFacts(chunks=len(attempt.sums.numbers)))
    _close(attempt, ending)
    attempt.has_changed = True


def _save(attempt: Attempt) -> None:
    run, sums, settings = attempt.run, attempt.sums, attempt.context.settings
    times = (sums.next_due, next_look(run, sums, settings))
    due = min((each for each in times if each is not None), default=None)
    state = "waiting" if due is not None else "done"
    followed = followed_since(run, sums)
    totals = totals_of(run, sums)
    changed_at = run.changed_at if totals == run.totals else attempt.context.utc_now()
    attempt.save(
        state=state,
        due=due,
        tries=0,
        cause="",
        followed=followed,
        totals=totals,
        changed_at=changed_at,
    )


# ── send ─────────────────────────────────────────────────────────────────────────────────────────


def _send(attempt: Attempt, stream: Readable | None) -> None:
    """Make one pass over the file. Afterwards, each of its rows has an outcome.

    `stream`: the file, if it is open already.
    """
    context, profile = attempt.context, attempt.profile
    header: Header | None = None
    plan: Plan | None = None
    try:
        stream = stream or context.store.open(attempt.run.source)
        limits = context.settings.max_file_bytes, context.settings.max_file_lines
        table = read_table(stream, profile, *limits, attempt.check_time, context.read_sheet)
        if profile is not None and attempt.run.stop is None:
            try:
                header = read_header(table, profile)
                plan = plan_file(
                    table, header, profile, attempt.run.now, context.connect, attempt.log
                )
            except (SourceError, PermanentError) as error:
                # Nothing can be sent, but the rows are still read, so that each has its outcome.
                attempt.stop(Problem(error.code, "", error.detail))
        upload_chunks(table, plan, attempt)
    except (SourceError, PermanentError) as error:
        # The rest of the file cannot be read.
        attempt.stop(with_sent_chunks(Problem(error.code, "", error.detail), attempt))
    if attempt.must_sum_up:
        attempt.sum_up()
    attempt.keep(facts=_facts(attempt, header, plan))


def _facts(attempt: Attempt, header: Header | None, plan: Plan | None) -> FileFacts:
    """Return what the first pass has found out about the file."""
    if attempt.run.facts is not None:
        return attempt.run.facts
    sums = attempt.sums
    empty_columns: tuple[str, ...] = ()
    if plan is not None and attempt.run.stop is None and attempt.is_first:
        # A later attempt has not read all rows.
        empty_columns = tuple(plan.unseen)
    return FileFacts(
        customer_id=plan.customer_id if plan is not None else "",
        columns=dict(header.names) if header is not None else {},
        notes=tuple(notes_of(header, plan, sums.tally)),
        empty_columns=empty_columns,
        chunks=len(sums.numbers),
    )


# ── rows that are not sent any more ──────────────────────────────────────────────────────────────


def _close(attempt: Attempt, ending: Ending) -> None:
    """Give all deferred rows their last outcome."""
    for number in sorted(attempt.sums.due):
        marker = attempt.markers.read(number)
        closed = close_deferred(marker.outcomes, ending.outcome, ending.problem)
        _replace(attempt, marker, closed)
    if attempt.must_sum_up:
        attempt.sum_up()


def _close_replaced_line(attempt: Attempt, live: StoredObject | None) -> None:
    """Give a held last row its last outcome, because its file was replaced or deleted.

    The newer generation is a file of its own, which contains the whole row.
    """
    if UNTERMINATED_LAST_LINE not in attempt.sums.tally.codes:
        return
    marker = attempt.markers.read(max(attempt.sums.numbers))
    problem = Problem("SOURCE_GONE", "", f"generation {attempt.run.source.generation}")
    if live is not None:
        problem = Problem("SUPERSEDED", "", f"generation {live.generation}")

    def closed(row: RowOutcome) -> RowOutcome:
        if row.outcome != "deferred" or not row.has_error(UNTERMINATED_LAST_LINE):
            return row
        return row._replace(outcome="not_attempted", errors=(problem,), due=None)

    _replace(attempt, marker, marker.outcomes.with_listed(closed))
    attempt.sum_up()


def _replace(attempt: Attempt, marker: Marker, outcomes: ChunkOutcomes) -> None:
    if outcomes != marker.outcomes:
        attempt.markers.save(outcomes, marker.generation)
        attempt.has_changed = attempt.must_sum_up = True
