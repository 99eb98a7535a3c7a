"""One pass over a file: validates, sends and saves every chunk that has something to send.

    chunks_of ──▶ does the chunk have a marker? ──yes, nothing due──▶ pass over it
                   │ no                         └─yes, rows are due─┐
                   ▼                                                ▼
    validate all its rows                           validate all, keep those rows only
                   └──────────────┬─────────────────────────────────┘
                                  ▼
    in a separate thread: its corrections ──▶ send ──▶ marker       (`lib.run.window`)

Some rules compare rows, so a chunk is always validated whole. The next chunks are prepared
meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from lib.destinations.base import MaybeSent, RowResult, UploadResult
from lib.errors import CHECKSUM_MISMATCH, RetryableError
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.outcomes import Outcome, Problem, RowOutcome
from lib.model.records import Adjustment, Conversion, Record, Row
from lib.model.sent_requests import ranges_of
from lib.rules.assembly import ValidatedChunk
from lib.run.attempt import Attempt
from lib.run.chunks import (
    Chunk,
    PreparedChunk,
    PreparedPart,
    Validated,
    chunks_of,
    not_attempted,
    only,
    outcome_of_unsent,
    outcomes,
    prepare,
    without,
)
from lib.run.corrections import CorrectionsOfPass
from lib.run.plan import Plan
from lib.run.resend import (
    AWAITS_CONVERSIONS,
    ROWS_NOT_NAMED,
    is_due,
    merged,
    uncounted_before,
    was_sent,
    with_due_time,
)
from lib.run.window import Window
from lib.source.table import Table
from lib.state.corrections import Correction
from lib.state.markers import Marker

_NOTHING_SENT: Final = UploadResult({}, ())


def send_chunks(table: Table, plan: Plan | None, attempt: Attempt) -> None:
    """Give every row of the file an outcome, and send the deferred rows that are due.

    Without a plan, or once the run has a stop, nothing is sent: rows without an outcome are not
    attempted. Raises `RetryableError` when time is up or the platform ends the instance; requests
    in flight are then still answered and saved.
    """
    # As they are before this pass, which adds markers and changes what is due.
    marked, due = frozenset(attempt.sums.chunk_numbers), attempt.due_chunks()
    corrections = CorrectionsOfPass(attempt, plan) if plan is not None else None
    chunks = 0

    def collect(chunk: ChunkOutcomes) -> None:
        attempt.has_changed = True
        if chunk.number in attempt.sums.chunk_numbers:
            attempt.must_sum_up = True  # it had other outcomes before
        else:
            attempt.sums.add(chunk)

    with Window(attempt.context.settings.window, collect) as window:
        window.reserve_chunk()
        for chunk in chunks_of(_rows(table, plan, attempt), attempt.run.cut, table.width):
            attempt.check_time()
            chunks += 1
            stop = chunk.checksum_error or attempt.run.stop
            is_marked = chunk.number in marked
            if is_marked and plan is not None and attempt.run.facts is None:
                plan.look_at_cells(chunk.rows)
            if is_marked and (stop is not None or chunk.number not in due):
                continue
            if stop is None:
                assert plan is not None  # without one, the run has a stop
                assert corrections is not None
                before = attempt.markers.read(chunk.number) if is_marked else None
                upload = _ChunkUpload(attempt, plan, chunk.number, before, corrections)
                prepared = upload.prepare(chunk)
                if isinstance(prepared, PreparedChunk):
                    window.start(partial(upload.send, prepared), prepared.request_bytes)
                    # Before the next chunk is read, so that its rows do not wait in memory.
                    del chunk, prepared, upload, before
                    window.reserve_chunk()
                    continue
                stop = prepared
            window.collect_all()
            attempt.stop(with_sent_chunks(stop, attempt))
            if not is_marked:
                collect(attempt.save_marker(not_attempted(chunk)))
    attempt.markers.check_numbers(marked, chunks)


def _rows(table: Table, plan: Plan | None, attempt: Attempt) -> Iterator[Row]:
    """Return the rows of the file: with the cells that the plan reads, or all of them without a
    plan. On the first pass, a last line that may be cut is held."""
    if plan is None:
        return table.records()
    is_first_pass = attempt.run.facts is None
    return plan.records(plan.when_to_hold() if is_first_pass else "never")


# ── one chunk ────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _ChunkUpload:
    """A chunk whose rows are sent now: all of them, or those of its marker that are due.

    `before` is its marker, if it has one, and `due` are the rows of it that are due, by line.
    `corrections` are those of the account, and `made` those that its own rows make.
    """

    attempt: Attempt
    plan: Plan
    number: int
    before: Marker | None
    corrections: CorrectionsOfPass
    made: Sequence[Correction] = ()
    due: dict[int, RowOutcome] = field(init=False)

    def __post_init__(self) -> None:
        listed = self.before.outcomes.listed if self.before is not None else ()
        self.due = {row.line: row for row in listed if is_due(row, self.attempt)}

    def prepare(self, chunk: Chunk) -> PreparedChunk | Problem:
        """Validate all rows, and serialize those that are sent now. Returns why the file must stop
        here, if it must."""
        return prepare(self.plan, chunk, self.attempt.run.job_id, self._as_sent)

    def _as_sent(self, validated: Validated) -> Validated:
        """Return the rows that are sent now, with their newest values. Keeps the corrections that
        they make (`made`).

        On the first pass of most files, all rows are sent: then nothing is looked at row by row.
        """
        if self.before is not None:
            validated = [(part, only(rows, self.due)) for part, rows in validated]
        awaits = self.plan.adjusts_own_conversions and not self.attempt.conversions_are_answered
        if awaits or self.due:
            validated = [
                (part, without(rows, unsent))
                if (unsent := self._unsent(rows, awaits=awaits))
                else (part, rows)
                for part, rows in validated
            ]
        sent_before = {line for line, row in self.due.items() if was_sent(row)}
        self.made = self.corrections.made_by(validated, sent_before)
        return self.corrections.with_newest_values(validated, self.made)

    def _unsent(self, rows: ValidatedChunk, *, awaits: bool) -> dict[int, RowOutcome]:
        """Return the rows that could be sent but are not sent now, with their outcomes."""
        unsent = {}
        for position, (line, record) in enumerate(zip(rows.lines, rows.records, strict=True)):
            if awaits and isinstance(record, Adjustment):
                errors = (Problem(AWAITS_CONVERSIONS),)
                unsent[line] = outcome_of_unsent(rows, position, "deferred", errors)
            elif self._may_count_twice(line, record):
                # Whatever its outcome here: `resend.merged` leaves it accepted.
                unsent[line] = outcome_of_unsent(rows, position, "rejected", ())
        return unsent

    def _may_count_twice(self, line: int, record: Record) -> bool:
        """Return whether Google may have counted a row that it would not recognize: it has accepted
        its request, and has then counted errors without naming the rows."""
        before = self.due.get(line)
        was_accepted = before is not None and before.has_error(ROWS_NOT_NAMED)
        return was_accepted and isinstance(record, Conversion) and not record.is_recognizable

    def send(self, prepared: PreparedChunk) -> ChunkOutcomes:
        """Send the rows, save what the APIs answered, and return the outcomes of the chunk."""
        attempt, plan = self.attempt, self.plan
        began = attempt.context.elapsed_seconds()
        self.corrections.save(self.number, self.made)
        answers = _send_parts(prepared, attempt, self._maybe_sent())
        # From here on, nothing is allowed to get lost: not even an answer that comes late.
        stop = next((answer.stop for answer in answers if answer.stop is not None), None)
        if stop is not None and plan.stops_at(stop):
            attempt.stop(stop)
        saved = attempt.save_marker(self._outcomes(prepared, answers), self.before)
        seconds = round(attempt.context.elapsed_seconds() - began, 3)
        attempt.log.info("chunk_sent", chunk=prepared.number, seconds=seconds)
        return saved

    def _maybe_sent(self) -> MaybeSent:
        """Return which orders an earlier attempt may have sent: all, if one has begun a request and
        has not ended regularly since, or those of the rows that are marked so (`maybe_sent`)."""
        if self.attempt.run.maybe_sent:
            return lambda order_id: True
        return {row.order_id for row in self.due.values() if row.maybe_sent}.__contains__

    def _outcomes(self, prepared: PreparedChunk, answers: Sequence[UploadResult]) -> ChunkOutcomes:
        accepted: Outcome = "ok" if self.plan.validate_only else "uploaded"
        list_all = self.attempt.context.settings.list_all_rows
        chunk = outcomes(
            prepared,
            answers,
            accepted,
            self.attempt.context.utc_now(),
            self.plan.account.conversion_customer_id,
            uncounted_before(self.before.outcomes, self.due) if self.before is not None else {},
            list_all=list_all or self.before is not None,
        )
        chunk = chunk.with_listed(self._as_saved)
        if self.before is not None:
            chunk = merged(self.before.outcomes, chunk, list_all=list_all)
        return chunk

    def _as_saved(self, row: RowOutcome) -> RowOutcome:
        """Return a row as its marker has it: if it is deferred, with the time at which it is sent
        again. With validate_only, no row waits.

        If the API has refused all rows of a chunk, but the file goes on, they have failed.
        """
        if row.outcome == "not_attempted" and self.attempt.run.stop is None:
            return row._replace(outcome="failed")
        if row.outcome != "deferred":
            return row
        if self.plan.validate_only:
            return row._replace(outcome="ok", errors=(), warnings=row.warnings + row.errors)
        context = self.attempt.context
        return with_due_time(row, self.due.get(row.line), context.utc_now(), context.settings)


def _send_parts(
    prepared: PreparedChunk, attempt: Attempt, maybe_sent: MaybeSent
) -> list[UploadResult]:
    """Send the parts of a chunk, and return the answer about each.

    If a later part fails with a `RetryableError`, its rows are deferred, because the marker must
    keep the earlier answers. Raises that error if nothing was answered before, and `LeaseLost` at
    any time: no marker is saved then, and the next attempt knows that rows may have been sent.
    """
    answers: list[UploadResult] = []
    has_answer = False
    for part in prepared.parts:
        if not part.rows.lines:
            answers.append(_NOTHING_SENT)
            continue
        attempt.check_lease()
        attempt.has_sent = True
        try:
            answer = part.destination.send(part.requests, attempt.deadline, maybe_sent)
        except RetryableError as error:
            if not has_answer:
                raise
            answer = _all_deferred(part, error.code)
        has_answer = True
        answers.append(answer)
    return answers


def _all_deferred(part: PreparedPart, code: str) -> UploadResult:
    """Return an answer that defers all rows of a part, for the reason `code`."""
    later = RowResult("deferred", (Problem(code),))
    return UploadResult(dict.fromkeys(range(len(part.rows.lines)), later), ())


def with_sent_chunks(problem: Problem, attempt: Attempt) -> Problem:
    """Add which chunks were sent, if the bytes that were read may have been wrong.

    For example: `chunks sent before: 0 to 1 (4,000 rows uploaded)`.
    """
    if problem.code != CHECKSUM_MISMATCH:
        return problem
    sent = "no chunk was sent"
    if attempt.sums.sent:
        chunks = ", ".join(
            f"{first} to {last}" if first != last else f"{first}"
            for first, last in ranges_of(sorted(attempt.sums.sent))
        )
        uploaded = attempt.sums.totals.count("uploaded")
        sent = f"chunks sent before: {chunks} ({uploaded:,} rows uploaded)"
    return problem._replace(detail=f"{problem.detail}; {sent}")
