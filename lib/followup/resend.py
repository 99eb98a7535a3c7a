"""Sends deferred rows again, and only those.

The rows are read from the source object again, because no user data is stored. They are validated
as in the first attempt, and their outcomes are merged into the marker of their chunk. If a sweep
crashes between the answer and the marker, the rows are sent again: Google counts them once.

An API may say how many rows have an error without naming them (`lib.followup.final_statuses`). Then
all rows of the request are deferred, although most of them are counted. Only those that Google
would recognize are sent again: rows with an order ID (also a derived one), or with a gclid, time
and action. Google documents nothing similar for a gbraid or wbraid, or for a row with user
identifiers only. Such a row stays `uploaded`, with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lib.catalogue.codes import WAITS_A_DAY
from lib.destinations.base import UploadResult
from lib.errors import PermanentError
from lib.followup.final_statuses import ROWS_NOT_NAMED
from lib.model import retries
from lib.model.outcomes import COUNTED, UNLISTED, ChunkOutcomes, Outcome, Problem, RowOutcome
from lib.run.attempt import Attempt
from lib.run.chunks import (
    Chunk,
    PreparedChunk,
    Validated,
    chunks_of,
    outcomes,
    prepare,
    withheld_rows,
    without,
)
from lib.run.claim import claimed_profile
from lib.run.deliver import open_table
from lib.run.finish import UNTERMINATED_LAST_LINE
from lib.run.plan import Plan, plan_file
from lib.run.reading import read_header
from lib.run.upload import send_parts, stop_of
from lib.state.run import Run
from lib.state.store import live_version

_NOT_SENT_AGAIN: Final = Problem("NOT_SENT_AGAIN")


def send_again(attempt: Attempt, too_late: bool) -> None:
    """Send all deferred rows.

    If it is `too_late`, rows that would be deferred again fail. Raises `PermanentError` or
    `SourceError` if nothing can be sent now.
    """
    run, context = attempt.run, attempt.context
    ledger = context.ledger
    profile = claimed_profile(run)
    table = open_table(attempt, profile)
    header = read_header(table, profile)
    plan = plan_file(table, header, profile, run, context.connect, attempt.log, context.lookup)
    resend = _Resend(plan, run, attempt, too_late)
    written = ledger.finished_chunks(run)
    for chunk in chunks_of(table.records(), run.chunk_limits, table.width):
        attempt.lease.check()
        if chunk.number not in written or chunk.checksum_error is not None:
            continue
        before, generation = ledger.load_chunk(run, chunk.number)
        if any(map(resend.is_due, before.listed)):
            stop = resend.deferred(chunk, before, generation)
            if plan.stops_at(stop) and not too_late:
                return


@dataclass(frozen=True, slots=True)
class _Resend:
    """Sends rows of a chunk again, and replaces the chunk's marker."""

    plan: Plan
    run: Run
    attempt: Attempt
    too_late: bool

    def is_due(self, row: RowOutcome) -> bool:
        """Return whether a deferred row may be sent now. Some must wait for a day."""
        if row.outcome != "deferred":
            return False
        waits_a_day = any(problem.code in WAITS_A_DAY for problem in row.errors)
        age = self.attempt.context.utc_now() - self.run.now
        return not waits_a_day or self.too_late or age >= retries.ADJUSTMENT

    def deferred(self, chunk: Chunk, before: ChunkOutcomes, generation: int) -> Problem | None:
        """Send a chunk's deferred rows that are due again. Return why to stop, if so."""
        context = self.attempt.context
        rows = {row.line: row for row in before.listed if self.is_due(row)}
        deferred = chunk._replace(rows=[r for r in chunk.rows if r[0] in rows])
        accepted: Outcome = "ok" if self.plan.validate_only else "uploaded"
        list_all = context.settings.list_all_rows
        prepared = self._prepare(deferred, rows)

        def save(answers: Sequence[UploadResult], too_late: bool = False) -> None:
            nonlocal generation
            answer = outcomes(prepared, answers, accepted, list_all=True)
            merged = _merged(before, answer, too_late, list_all)
            generation = context.ledger.write_chunk(self.run, merged, generation)

        answers = send_parts(prepared, self.attempt, save)
        stop = stop_of(prepared, answers)
        if self.too_late or not self.plan.stops_at(stop):
            save(answers, self.too_late)
        return stop

    def _prepare(self, chunk: Chunk, rows: Mapping[int, RowOutcome]) -> PreparedChunk:
        def withhold(validated: Validated) -> dict[int, RowOutcome]:
            never = {
                line: RowOutcome(line, "rejected")
                for _, each in validated
                for line, record in zip(each.lines, each.records, strict=True)
                if _may_be_counted(rows[line]) and not record.is_recognizable
            }
            left = [(part, without(each, never)) for part, each in validated]
            return never | withheld_rows(self.plan, self.attempt, chunk.number, left)

        prepared = prepare(self.plan, chunk, self.run.job_id, maybe_sent=True, withhold=withhold)
        if isinstance(prepared, Problem):
            raise PermanentError(prepared.code, prepared.detail)
        return prepared


def _may_be_counted(row: RowOutcome) -> bool:
    """Return whether the API accepted the row, and may have counted it."""
    return any(problem.code == ROWS_NOT_NAMED for problem in row.errors)


def _merged(
    before: ChunkOutcomes, answer: ChunkOutcomes, too_late: bool, list_all: bool
) -> ChunkOutcomes:
    """Return the outcomes of a chunk, with the new outcomes of its deferred rows."""
    new = {row.line: row for row in answer.listed}
    listed: list[RowOutcome] = []
    unlisted = before.unlisted()
    for old in before.listed:
        row = _after_resend(old, new.get(old.line, old), too_late)
        if list_all or row.outcome not in UNLISTED or row.warnings or row.errors:
            listed.append(row)
        else:
            unlisted.count(row)
    request_ids = before.request_ids + answer.request_ids
    return before.with_rows(listed, unlisted, request_ids, before.sent + answer.sent)


def _after_resend(old: RowOutcome, new: RowOutcome, too_late: bool) -> RowOutcome:
    if old.outcome != "deferred" or new.outcome not in ("deferred", "not_attempted"):
        if _may_be_counted(old) and new.outcome not in COUNTED:
            # It was not sent, or it was refused now. The API accepted it before.
            return _kept(old)
        return new
    # Not attempted: its account refuses all rows now, but may accept them next time.
    if _may_be_counted(old):
        return _kept(old) if too_late else old
    return new._replace(outcome="failed" if too_late else "deferred")


def _kept(row: RowOutcome) -> RowOutcome:
    """Return the row as the API accepted it, with the warning that it was not sent again."""
    return row._replace(outcome="uploaded", errors=(), warnings=(*row.warnings, _NOT_SENT_AGAIN))


def close_deferred_rows(attempt: Attempt, outcome: Outcome, problem: Problem) -> int:
    """Give the deferred rows this outcome, because nothing can be sent any more.

    Returns how many rows have got it. A row that the API may have counted keeps its outcome.
    """
    closed = 0
    for number in sorted(attempt.context.ledger.finished_chunks(attempt.run)):
        closed += _change_rows(attempt, number, outcome, lambda row: _closed(row, outcome, problem))
    return closed


def _change_rows(
    attempt: Attempt, number: int, outcome: Outcome, change: Callable[[RowOutcome], RowOutcome]
) -> int:
    """Change the listed rows of a finished chunk. Return how many more have the outcome now."""
    run, ledger = attempt.run, attempt.context.ledger
    before, generation = ledger.load_chunk(run, number)
    listed = [change(row) for row in before.listed]
    if listed == [*before.listed]:
        return 0
    after = before.with_rows(listed, before.unlisted(), before.request_ids, before.sent)
    ledger.write_chunk(run, after, generation)
    return after.tally.outcomes.get(outcome, 0) - before.tally.outcomes.get(outcome, 0)


def _closed(row: RowOutcome, outcome: Outcome, problem: Problem) -> RowOutcome:
    if row.outcome != "deferred":
        return row
    if _may_be_counted(row):
        return _kept(row)
    return row._replace(outcome=outcome, errors=(*row.errors, problem))


def close_replaced_line(attempt: Attempt) -> None:
    """Give a held last row the outcome `not_attempted` if a newer upload has replaced the file.

    The newer generation is a file of its own, which contains the whole row.
    """
    run, context = attempt.run, attempt.context
    live = live_version(context.store, run.source.bucket, run.source.name)
    newest = live.generation if live is not None else 0
    numbers = context.ledger.finished_chunks(run)
    if newest <= run.source.generation or not numbers:
        return
    problem = Problem("LAST_LINE_REPLACED", "", f"generation {newest}")

    def closed(row: RowOutcome) -> RowOutcome:
        is_held = any(each.code == UNTERMINATED_LAST_LINE for each in row.errors)
        if row.outcome != "deferred" or not is_held:
            return row
        return row._replace(outcome="not_attempted", errors=(problem,))

    _change_rows(attempt, max(numbers), "not_attempted", closed)
