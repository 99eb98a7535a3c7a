"""Advances a run: asks what is due, sends what is left, publishes what has changed.

    ask       final statuses and diagnostics ──▶ markers
    send      the rows that have no marker yet, or are deferred and due ──▶ markers
    publish   markers ──▶ report ──▶ results document
    save      waiting until something is due again, or done

A first delivery, a delivery after a crash, and a resend days later are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from lib.errors import PermanentError
from lib.model import retries
from lib.model.outcomes import Problem, RowOutcome
from lib.model.totals import Totals
from lib.results.document import RunSummary
from lib.results.names import NO_RESULTS, generations_of
from lib.run.attempt import Attempt
from lib.run.diagnostics import ask_for_diagnostics, next_diagnosis
from lib.run.finish import codes_to_look_at, digest_of, publish
from lib.run.plan import Plan, notes_of, plan_file
from lib.run.reading import Header, read_header, read_table
from lib.run.resend import (
    UNTERMINATED_LAST_LINE,
    Ending,
    end_deferred_rows,
    end_rows_that_waited_too_long,
)
from lib.run.sending import send_chunks, with_sent_chunks
from lib.run.statuses import ask_for_statuses, next_poll
from lib.run.take import STALE_AFTER
from lib.source.names import name_problem
from lib.state.runs import FileFacts
from lib.state.store import Readable, StoredObject

_PASSES: Final = 2
"""The second one sends the adjustments for an API that must know the sale first: they are deferred
(`AWAITS_CONVERSIONS`) until all sales of the file are answered."""

_UNREADABLE_PROFILE: Final = Problem(
    "INVALID_PROFILE",
    "",
    "this version cannot read the profile saved for this file; upload the file again",
)


class _File(NamedTuple):
    """The file of the run, as storage has it.

    `replaced_at`: when a newer file of its name came; None: it is live. `stream`: its bytes; None:
    it must be opened.
    """

    source: StoredObject
    replaced_at: datetime | None = None
    stream: Readable | None = None


def advance(attempt: Attempt) -> RunSummary | None:
    """Do everything that is due for the run, and return its results if they were written.

    Raises `RetryableError` if another attempt must continue.
    """
    context, source, tries = attempt.context, attempt.run.source, attempt.run.tries
    if tries > retries.MAX_TRIES:
        # Even the attempt that only writes the results has died. Older results, if there are any,
        # do not say what became of the rows. Google is not asked any more, so nothing is blocked.
        attempt.stop(_no_progress(tries))
        attempt.save(state="done", due=None, cause="", blocked="", published_at=None)
        return None
    expected = NO_RESULTS
    if not attempt.is_first:
        # The results that `publish` may replace. They are looked up before the markers are read, so
        # that two attempts cannot undo each other's results.
        expected = generations_of(source, context.store, context.settings.output_bucket)
        attempt.sum_up()
    if tries == retries.MAX_TRIES:
        _end_sending(attempt, Ending("failed", _no_progress(tries)))
    else:
        if not attempt.is_first:
            ask_for_statuses(attempt)
            ask_for_diagnostics(attempt)
            end_rows_that_waited_too_long(attempt)
        _send_what_is_due(attempt)
    stop, summary = attempt.run.stop, None
    if stop is not None:
        end_deferred_rows(attempt, lambda row: Ending("not_attempted", stop))
    # The report may be what kills the attempts.
    with_report = tries < retries.MAX_TRIES
    # Without a document, there was none yet, or somebody has deleted it.
    if attempt.has_changed or not expected.document:
        summary = publish(attempt, expected, with_report=with_report)
    _save(attempt, is_published=summary is not None)
    return summary


def _no_progress(tries: int) -> Problem:
    return Problem("NO_PROGRESS", "", f"{tries} attempts in a row")


def _send_what_is_due(attempt: Attempt) -> None:
    """Read the file, and send its rows that have no marker yet, or are due."""
    for _ in range(_PASSES):
        if not _needs_file(attempt):
            return
        if attempt.profile is None and attempt.run.stop is None:
            attempt.stop(_UNREADABLE_PROFILE)
        file = _reason_not_to_read(attempt) or _find_file(attempt)
        if isinstance(file, Ending):
            _end_sending(attempt, file)
            return
        # When the file came: an event may not have said so, or was wrong.
        arrived = min(file.source.created or attempt.run.arrived, attempt.run.now)
        attempt.keep(source=file.source, arrived=arrived)
        if file.replaced_at is not None:
            _end_held_line(attempt, file.replaced_at)
        _send_file(attempt, file.stream)


def _needs_file(attempt: Attempt) -> bool:
    """Return whether rows have no outcome yet, or can be sent again now.

    After the first pass, rows lack an outcome only if somebody has deleted a marker.
    """
    if attempt.run.facts is None or len(attempt.sums.chunk_numbers) < attempt.run.facts.chunks:
        return True
    return attempt.run.stop is None and bool(attempt.due_chunks())


def _save(attempt: Attempt, *, is_published: bool) -> None:
    """Save when there is something to do again, if ever."""
    run, sums, now = attempt.run, attempt.sums, attempt.context.utc_now()
    times = (
        sums.next_due,
        next_poll(run, sums),
        next_diagnosis(run, sums, attempt.context.settings),
    )
    due = min((each for each in times if each is not None), default=None)
    looks = codes_to_look_at(run, sums)
    totals = digest_of(run, sums, looks)
    news = _bad_news(totals, looks)
    attempt.save(
        state="waiting" if due is not None else "done",
        due=due,
        late_since=None,
        tries=0,
        cause="",
        # No request is without its reply now. A stopped file keeps it: rows without a marker may
        # have been sent.
        maybe_sent=run.maybe_sent and run.stop is not None,
        totals=totals,
        looks=looks,
        changed_at=run.changed_at if news == _bad_news(run.totals, run.looks) else now,
        published_at=now if is_published else run.published_at,
    )


def _bad_news(totals: Totals, looks: Sequence[str]) -> object:
    """Return what somebody must know of a file. If Google takes more rows, that is no bad news: a
    loss that was mended must not be told again for it."""
    return totals.lost, totals.lost_money(), totals.unknown, looks


# ── is the file sent? ────────────────────────────────────────────────────────────────────────────


def _reason_not_to_read(attempt: Attempt) -> Ending | None:
    """Return why nothing of the file is sent any more, whatever storage has. None: the rest
    is still sent.

    The setting of accepted names may have changed since the first attempt.
    """
    run, context = attempt.run, attempt.context
    if refused := name_problem(run.source.name, context.settings.accepted_suffixes):
        return Ending("not_attempted", Problem("FILE_NAME_NOT_ACCEPTED", "", refused))
    if run.facts is None and context.utc_now() - run.arrived > STALE_AFTER:
        return Ending("failed", Problem("STALE", "", f"{STALE_AFTER.days} days old"))
    return None


def _find_file(attempt: Attempt) -> _File | Ending:
    """Return the file of the run, or why nothing of it is sent any more.

    A newer file of its name replaces it only if their bytes are equal and no row has an outcome:
    the run notes the generation of the newer one then, and forgets a stop, which the newer file may
    not have. A file that was deleted is not sent, although the bucket may keep old versions.
    """
    store, source = attempt.context.store, attempt.run.source
    # A new file is usually live: one call finds and opens it. Later, it may be replaced.
    if attempt.is_first and (opened := store.open_live(source)) is not None:
        return _File(opened.source, stream=opened.stream)
    gone = Ending("failed", Problem("SOURCE_GONE", "", f"generation {source.generation}"))
    live = store.find_live(source.bucket, source.name)
    if live is None:
        return gone
    if live.generation == source.generation:
        return _File(live)
    version, replaced_at = store.find(source), live.created or attempt.run.now
    if live.has_bytes_of(version or source):
        if attempt.sums.chunk_numbers:
            # Its rows have their own time limits, which a newer run would begin again.
            return _File(source, replaced_at, store.open(live))
        attempt.keep(superseded_by=live.generation, stop=None, stopped_at=None)
        superseded = Problem("SUPERSEDED", "", f"generation {live.generation}")
        return Ending("not_attempted", superseded)
    return gone if version is None else _File(version, replaced_at)


def _end_sending(attempt: Attempt, ending: Ending) -> None:
    """End the sending of a file that is not read any more. The run may still wait for statuses.

    If no pass over it was ever complete, nobody knows its number of rows: the results tell of those
    that have a marker, and why the others are missing.
    """
    if attempt.run.facts is None:
        if not attempt.run.superseded_by:
            attempt.stop(ending.problem)
        attempt.keep(facts=FileFacts(len(attempt.sums.chunk_numbers)))
    end_deferred_rows(attempt, lambda row: ending)
    attempt.has_changed = True


def _end_held_line(attempt: Attempt, replaced_at: datetime) -> None:
    """Give a last row its last outcome if its file was replaced while it was held: the newer
    generation is a file of its own, which contains the whole row. A row that nobody replaced in
    that time is whole, however long the outage lasts in which it waits."""
    replaced = Problem("SUPERSEDED", "", f"generation {attempt.run.source.generation} was replaced")

    def ending_of(row: RowOutcome) -> Ending | None:
        is_held = row.has_error(UNTERMINATED_LAST_LINE) and row.due and replaced_at < row.due
        return Ending("not_attempted", replaced) if is_held else None

    if UNTERMINATED_LAST_LINE in attempt.sums.totals.codes:
        end_deferred_rows(attempt, ending_of)


# ── send ─────────────────────────────────────────────────────────────────────────────────────────


def _send_file(attempt: Attempt, stream: Readable | None) -> None:
    """Make one pass over the file. Afterwards, each of its rows has an outcome."""
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
            except PermanentError as error:
                # Nothing can be sent, but the rows are still read, so that each has its outcome.
                attempt.stop(Problem(error.code, "", error.detail))
        send_chunks(table, plan, attempt)
    except PermanentError as error:
        # The rest of the file cannot be read. Of damaged bytes, the reason names what was sent.
        attempt.stop(with_sent_chunks(Problem(error.code, "", error.detail), attempt))
    if attempt.must_sum_up:
        attempt.sum_up()
    attempt.keep(facts=_facts(attempt, header, plan))


def _facts(attempt: Attempt, header: Header | None, plan: Plan | None) -> FileFacts:
    """Return the facts of the file: those of its first complete pass, which may be this one."""
    if attempt.run.facts is not None:
        return attempt.run.facts
    sums = attempt.sums
    empty: tuple[str, ...] = ()
    if plan is not None and attempt.run.stop is None:
        empty = tuple(plan.empty_columns)
    return FileFacts(
        chunks=len(sums.chunk_numbers),
        customer_id=plan.account.conversion_customer_id if plan is not None else "",
        columns=dict(header.names) if header is not None else {},
        notes=tuple(notes_of(header, plan, sums.totals)),
        empty_columns=empty,
    )
