"""One pass over a file: validates, sends and saves every chunk that has something to send.

    chunks_of ──▶ does the chunk have a marker? ──yes, nothing due──▶ pass over it
                   │ no                         └─yes, rows are due─┐
                   ▼                                                ▼
    prepare all its rows                            prepare those rows only
                   └──────────────┬─────────────────────────────────┘
                                  ▼
    in a separate thread: send ──▶ corrections ──▶ marker ──▶ collect, in file order

The next chunks are prepared meanwhile, at most window + 1 of them. The first chunk that is sent
goes alone until its answer is understood: what is wrong with all rows is found with the first ones.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Final

from lib.catalogue.codes import WAITS_A_DAY, lookup
from lib.destinations.base import MaybeSent, RowResult, UploadResult
from lib.errors import CHECKSUM_MISMATCH, RetryableError
from lib.model import retries
from lib.model.outcomes import COUNTED, UNLISTED, ChunkOutcomes, Outcome, Problem, RowOutcome
from lib.model.records import Adjustment, Conversion, Record, Row
from lib.model.sent_requests import ranges_of
from lib.run.attempt import AWAITS_CONVERSIONS, UNTERMINATED_LAST_LINE, Attempt
from lib.run.chunks import (
    Chunk,
    PreparedChunk,
    PreparedPart,
    Validated,
    chunks_of,
    not_attempted,
    outcomes,
    prepare,
)
from lib.run.plan import Part, Plan
from lib.run.statuses import ROWS_NOT_NAMED
from lib.source.table import Table
from lib.state.corrections import Correction, Corrections, Order
from lib.state.markers import Marker

MOST_BYTES: Final = 6 << 20
"""Seven times the request of 2,000 ordinary rows. In memory, a request of custom variables or cart
items needs four to six times its size (docs/performance.md)."""

_WINDOWS_AHEAD: Final = 4
"""While a chunk awaits its answer, later ones are sent, but only until this many times the window
are in flight: outcomes are collected in file order."""

_NOTHING_SENT: Final = UploadResult({}, ())


def upload_chunks(table: Table, plan: Plan | None, attempt: Attempt) -> None:
    """Give every row of the file an outcome, and send the deferred rows that are due.

    Without a plan, or once the run has a stop, nothing is sent: rows without an outcome are not
    attempted. Raises `RetryableError` when time is up or the platform ends the instance; requests
    in flight are then still answered and saved.
    """
    marked, due = frozenset(attempt.sums.numbers), attempt.due_chunks()
    corrections = plan.read_corrections(attempt.context.documents) if plan is not None else {}
    with _Uploads(attempt) as uploads:
        uploads.wait_for_memory()
        for chunk in chunks_of(_rows(table, plan, attempt), attempt.run.cut, table.width):
            attempt.check_time()
            stop = chunk.checksum_error or attempt.run.stop
            is_marked = chunk.number in marked
            if is_marked and (stop is not None or chunk.number not in due):
                continue
            if stop is None:
                assert plan is not None  # without one, the run has a stop
                before = attempt.markers.read(chunk.number) if is_marked else None
                sending = _Sending(attempt, plan, chunk.number, before, corrections)
                prepared = sending.prepare(chunk)
                if isinstance(prepared, PreparedChunk):
                    uploads.start(sending, prepared)
                    # Before the next chunk is read, so that its rows do not wait in memory.
                    del chunk, prepared, sending, before
                    uploads.wait_for_memory()
                    continue
                stop = prepared
            uploads.stop(stop)
            if not is_marked:
                uploads.skip(chunk)


def _rows(table: Table, plan: Plan | None, attempt: Attempt) -> Iterator[Row]:
    """Return the rows of the file. On the first pass, a last line that may be cut is held."""
    if plan is None:
        return table.records()
    is_first_pass = attempt.run.facts is None
    return plan.records(plan.hold() if is_first_pass else "never")


# ── one chunk ────────────────────────────────────────────────────────────────────────────────────


class _Sending:
    """A chunk whose rows are sent now: all of them, or those of its marker that are due.

    `before` is its marker, if it has one, and `_due` are the rows of it that are due, by line.
    `corrections` are those that were accepted before.
    """

    def __init__(
        self,
        attempt: Attempt,
        plan: Plan,
        number: int,
        before: Marker | None,
        corrections: Mapping[Order, int],
    ) -> None:
        self._attempt = attempt
        self._plan = plan
        self._before = before
        self._corrections = corrections
        self._due: dict[int, RowOutcome] = {}
        self._number = number
        if before is not None:
            self._due = {row.line: row for row in before.outcomes.listed if attempt.is_due(row)}

    def prepare(self, chunk: Chunk) -> PreparedChunk | Problem:
        """Validate and serialize the rows. Returns why the file must stop here, if it must."""
        if self._before is not None:
            chunk = chunk._replace(rows=[row for row in chunk.rows if row[0] in self._due])
        return prepare(self._plan, chunk, self._attempt.run.job_id, self._withhold)

    def _maybe_sent(self) -> MaybeSent:
        """Return which orders an earlier attempt may have sent: those of a chunk without a marker
        after an attempt that died, and those that are marked so."""
        if self._before is None:
            died = self._attempt.run.died
            return lambda order_id: died
        return {row.order_id for row in self._due.values() if row.maybe_sent}.__contains__

    def _withhold(self, validated: Validated) -> Mapping[int, RowOutcome]:
        """Return the rows that could be sent but are not sent now, with their outcomes."""
        awaits = self._plan.adjusts_own_conversions and not self._attempt.conversions_are_answered
        withheld: dict[int, RowOutcome] = {}
        if not (awaits or self._due or self._corrections):
            return withheld
        for part, rows in validated:
            for line, record in zip(rows.lines, rows.records, strict=True):
                reason = self._reason_not_to_send(part, line, record, awaits_conversions=awaits)
                if reason is not None:
                    outcome, errors = reason
                    withheld[line] = RowOutcome(
                        *(line, outcome, record.order_id, errors, record.warnings),
                        corrects=part.kind == "adjustment",
                    )
        return withheld

    def _reason_not_to_send(
        self, part: Part, line: int, record: Record, *, awaits_conversions: bool
    ) -> tuple[Outcome, tuple[Problem, ...]] | None:
        """Return the outcome and the errors of a row that is not sent now. None: it is sent."""
        before = self._due.get(line)
        has_waited = before is not None and before.has_error(AWAITS_CONVERSIONS)
        if awaits_conversions and part.kind == "adjustment" and not has_waited:
            return "deferred", (Problem(AWAITS_CONVERSIONS),)
        if before is not None and before.has_error(ROWS_NOT_NAMED):
            # The API may have counted it: only a row that it would recognize is sent again. The
            # others stay accepted (`_after_resend`).
            is_recognizable = not isinstance(record, Conversion) or record.is_recognizable
            return None if is_recognizable else ("rejected", ())
        if not self._corrections or record.order_id is None:
            return None
        rank = self._corrections.get(self._plan.order_of(record))
        if rank is None:
            return None
        if part.kind == "conversion":
            return "skipped", (Problem("OLDER_THAN_CORRECTION"),)
        compares_times = not part.destination.capabilities.last_value_counts
        if not isinstance(record, Adjustment) or compares_times or record.rank > rank:
            return None
        if record.rank < rank:
            return "skipped", (Problem("OLDER_THAN_CORRECTION"),)
        return "duplicate", (Problem("RESTATEMENT_ALREADY_EXISTS"),)

    def send(self, prepared: PreparedChunk) -> ChunkOutcomes:
        """Send the rows, save what the APIs answered, and return the outcomes of the chunk."""
        attempt, plan = self._attempt, self._plan
        answers = _send_parts(prepared, attempt, self._maybe_sent())
        # From here on, nothing is allowed to get lost: not even an answer that comes late.
        stop = next((answer.stop for answer in answers if answer.stop is not None), None)
        if stop is not None and plan.stops_at(stop):
            attempt.stop(stop)
        self._save_corrections(prepared, answers)
        return attempt.markers.save(self._outcomes(prepared, answers), self._generation).outcomes

    @property
    def _generation(self) -> int:
        return self._before.generation if self._before is not None else 0

    def _outcomes(self, prepared: PreparedChunk, answers: Sequence[UploadResult]) -> ChunkOutcomes:
        accepted: Outcome = "ok" if self._plan.validate_only else "uploaded"
        list_all = self._attempt.context.settings.list_all_rows
        chunk = outcomes(prepared, answers, accepted, list_all or self._before is not None)
        chunk = chunk.with_listed(self._settled)
        if any(answer.request_ids for answer in answers):
            chunk = replace(chunk, sent_at=self._attempt.context.utc_now())
        if self._before is not None:
            chunk = _merged(self._before.outcomes, chunk, list_all)
        return chunk

    def _settled(self, row: RowOutcome) -> RowOutcome:
        """Return a row with its time, if it is deferred. A check only waits for nothing.

        If the API has refused all rows of a chunk, but the file goes on, they have failed.
        """
        if row.outcome == "not_attempted" and self._attempt.run.stop is None:
            return row._replace(outcome="failed")
        if row.outcome != "deferred":
            return row
        if self._plan.validate_only:
            return row._replace(outcome="ok", errors=(), warnings=row.warnings + row.errors)
        return _with_due_time(row, self._attempt)

    def _save_corrections(self, prepared: PreparedChunk, answers: Sequence[UploadResult]) -> None:
        """Save which orders have another value now, before the marker says so."""
        accepted: list[Correction] = []
        for part, answer in zip(prepared.parts, answers, strict=True):
            for position, correction in enumerate(part.corrections):
                result = answer.row_results.get(position)
                if result is None or result.outcome in COUNTED:
                    accepted.append(correction)
        corrections = Corrections(self._attempt.context.documents, self._plan.customer_id)
        corrections.save(self._attempt.run, self._number, accepted)


def _send_parts(
    prepared: PreparedChunk, attempt: Attempt, maybe_sent: MaybeSent
) -> list[UploadResult]:
    """Send the parts of a chunk, and return the answer about each.

    If time or quota runs out after the first answer, the rest is deferred. Raises `RetryableError`
    if nothing was answered.
    """
    answers: list[UploadResult] = []
    for part in prepared.parts:
        if not part.lines:
            answers.append(_NOTHING_SENT)
            continue
        attempt.check_lease()
        attempt.has_sent = True
        try:
            answer = part.destination.send(part.requests, attempt.deadline, maybe_sent)
        except RetryableError as error:
            if not any(each is not _NOTHING_SENT for each in answers):
                raise
            answer = _all_deferred(part, error.code)
        answers.append(answer)
    return answers


def _all_deferred(part: PreparedPart, code: str) -> UploadResult:
    later = RowResult("deferred", (Problem(code),))
    return UploadResult(dict.fromkeys(range(len(part.lines)), later), ())


def _with_due_time(row: RowOutcome, attempt: Attempt) -> RowOutcome:
    """Return a deferred row with the time at which it is sent again; failed if it is too late.

    A row that is too recent is sent again after six hours (DEFER_HOURS), and a last time 72 hours
    after "now" (MAX_DEFER_HOURS).
    """
    run, settings, now = attempt.run, attempt.context.settings, attempt.context.utc_now()
    last = run.now + timedelta(hours=settings.max_defer_hours)
    if now >= last:
        return row._replace(outcome="failed", due=None)
    codes = {each.code for each in row.errors}
    is_transient = bool(codes) and all(lookup(code).scope == "transient" for code in codes)
    a_day_later = run.now + retries.ADJUSTMENT
    due = now + timedelta(hours=settings.defer_hours)
    if UNTERMINATED_LAST_LINE in codes:
        due = now + retries.LAST_LINE
    elif AWAITS_CONVERSIONS in codes:
        due = max(now, a_day_later)
    elif codes & WAITS_A_DAY:
        due = max(due, a_day_later)
    elif is_transient:
        due = now + retries.TRANSIENT_ROWS
    return row._replace(due=min(due, last), maybe_sent=is_transient)


def _merged(before: ChunkOutcomes, answer: ChunkOutcomes, list_all: bool) -> ChunkOutcomes:
    """Return the outcomes of a chunk, with the new outcomes of the rows that were sent again."""
    new = {row.line: row for row in answer.listed}
    listed: list[RowOutcome] = []
    unlisted = before.unlisted()
    for old in before.listed:
        row = _after_resend(old, new.get(old.line, old))
        if list_all or row.outcome not in UNLISTED or row.warnings or row.errors:
            listed.append(row)
        else:
            unlisted.count(row)
    request_ids = before.request_ids + answer.request_ids
    merged = before.with_rows(listed, unlisted, request_ids, before.sent + answer.sent)
    return replace(merged, sent_at=answer.sent_at or before.sent_at)


def _after_resend(old: RowOutcome, new: RowOutcome) -> RowOutcome:
    """Return the outcome of a row that was sent again. What was accepted before stays accepted."""
    if old.has_error(ROWS_NOT_NAMED) and new.outcome not in (*COUNTED, "deferred"):
        return _accepted_before(old)
    return new


def _accepted_before(row: RowOutcome) -> RowOutcome:
    """Return a row as the API accepted it, with the warning that it was not sent again."""
    warnings = (*row.warnings, Problem("NOT_SENT_AGAIN"))
    return row._replace(outcome="uploaded", errors=(), warnings=warnings, due=None)


def close_deferred(chunk: ChunkOutcomes, outcome: Outcome, problem: Problem) -> ChunkOutcomes:
    """Return a chunk whose deferred rows get their last outcome: nothing can be sent any more."""

    def closed(row: RowOutcome) -> RowOutcome:
        if row.outcome != "deferred":
            return row
        if row.has_error(ROWS_NOT_NAMED):
            return _accepted_before(row)
        # A held line is at fault for nothing, and its row comes again with the complete file.
        last = "not_attempted" if row.has_error(UNTERMINATED_LAST_LINE) else outcome
        return row._replace(outcome=last, errors=(*row.errors, problem), due=None)

    return chunk.with_listed(closed)


# ── the chunks in flight ─────────────────────────────────────────────────────────────────────────


class _Uploads:
    """The chunks in flight. On exit, it waits for their answers, even when time is up."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._window = attempt.context.settings.window
        self._in_flight: deque[Future[ChunkOutcomes]] = deque()
        self._has_started = False
        # A chunk stays in memory until it is answered: one more than can be in flight, so that the
        # next one is ready. Outcomes that wait for the marker or for a slow chunk have no rows.
        self._memory = MemoryBudget(self._window + 1)
        self._pool = ThreadPoolExecutor(self._window, "send")

    def __enter__(self) -> _Uploads:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._collect_all()
        finally:
            self._pool.shutdown()

    def wait_for_memory(self) -> None:
        """Wait until another chunk may be prepared, which must then be started or skipped."""
        self._memory.wait()
        while self._in_flight:
            is_answered = self._in_flight[0].done()
            if not is_answered and len(self._in_flight) < _WINDOWS_AHEAD * self._window:
                return
            self._collect()

    def start(self, sending: _Sending, prepared: PreparedChunk) -> None:
        """Send a chunk in a separate thread, if need be after all earlier chunks."""
        if prepared.follows_earlier_chunk:
            self._collect_all()
        requests = chain.from_iterable(part.requests for part in prepared.parts)
        request_bytes = sum(len(request.content) for request in requests)
        self._memory.fill(request_bytes)
        self._in_flight.append(self._pool.submit(self._send, sending, prepared, request_bytes))
        if not self._has_started:
            self._has_started = True
            self._collect_all()

    def stop(self, reason: Problem) -> None:
        """Stop the file, after all earlier chunks are answered."""
        self._collect_all()
        self._attempt.stop(with_sent_chunks(reason, self._attempt))

    def skip(self, chunk: Chunk) -> None:
        """Save that the rows of a chunk are not attempted, because the file was stopped."""
        self._add(self._attempt.markers.save(not_attempted(chunk)).outcomes)

    def _collect(self) -> None:
        self._add(self._in_flight.popleft().result())

    def _add(self, chunk: ChunkOutcomes) -> None:
        attempt = self._attempt
        attempt.has_changed = True
        if chunk.number in attempt.sums.numbers:
            attempt.must_sum_up = True  # it had other outcomes before
        else:
            attempt.sums.add(chunk)

    def _collect_all(self) -> None:
        while self._in_flight:
            self._collect()

    def _send(
        self, sending: _Sending, prepared: PreparedChunk, request_bytes: int
    ) -> ChunkOutcomes:
        context = self._attempt.context
        began = context.monotonic()
        try:
            chunk = sending.send(prepared)
        finally:
            self._memory.leave(request_bytes)
        seconds = round(context.monotonic() - began, 3)
        self._attempt.log.info("chunk_sent", chunk=prepared.number, seconds=seconds)
        return chunk


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
            for first, last in ranges_of(attempt.sums.sent)
        )
        uploaded = attempt.sums.tally.outcomes.get("uploaded", 0)
        sent = f"chunks sent before: {chunks} ({uploaded:,} rows uploaded)"
    return problem._replace(detail=f"{problem.detail}; {sent}")


# ── how many chunks are in memory at a time ──────────────────────────────────────────────────


class MemoryBudget:
    """Counts the chunks that are prepared or in flight, and the bytes of their requests.

    One chunk may exceed the bytes, because they are known only after it was prepared.
    """

    def __init__(self, chunks: int, most_bytes: int = MOST_BYTES) -> None:
        self._most_chunks = chunks
        self._most_bytes = most_bytes
        self._chunks = 0
        self._bytes = 0
        self._changed = threading.Condition()

    def wait(self) -> None:
        """Wait until another chunk may be prepared, and count it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._chunks < self._most_chunks and self._bytes < self._most_bytes
            )
            self._chunks += 1

    def fill(self, request_bytes: int) -> None:
        """Count the requests of a prepared chunk."""
        with self._changed:
            self._bytes += request_bytes

    def leave(self, request_bytes: int) -> None:
        """Forget a chunk that was answered."""
        with self._changed:
            self._chunks -= 1
            self._bytes -= request_bytes
            self._changed.notify()
