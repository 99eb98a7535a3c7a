"""Validates, sends and saves every chunk of a file, and prepares the next ones meanwhile.

chunks_of ──▶ is there a marker? ──yes──────────────────────▶ replay it: add its outcomes
               │ no
               ▼
prepare ──▶ in a separate thread: send ──▶ write the marker ──▶ collect, in file order
(waits for memory: it holds at most window + 1 chunks)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final, NamedTuple

from lib.destinations.base import RowResult, UploadResult
from lib.errors import RetryableError
from lib.model.outcomes import ChunkOutcomes, Outcome, Problem
from lib.run.attempt import Attempt
from lib.run.chunks import (
    Chunk,
    PreparedChunk,
    PreparedPart,
    chunks_of,
    not_attempted,
    outcomes,
    prepare,
    withheld_rows,
)
from lib.run.newer_values import record_answer
from lib.run.plan import Plan
from lib.source.table import Table

_WINDOWS_AHEAD: Final = 4
"""While a chunk awaits its answer, later ones are sent, but only until this many times the window
are in flight: outcomes are collected in file order."""

MOST_BYTES: Final = 6 << 20
"""Seven times the request of 2,000 ordinary rows. In memory, a request of custom variables or cart
items needs four to six times its size (docs/performance.md)."""

_NOTHING_SENT: Final = UploadResult({}, ())


def upload_chunks(table: Table, plan: Plan | None, attempt: Attempt) -> None:
    """Validate and send every chunk that has no marker yet, and add all chunks to the progress.

    Without a plan, nothing is sent and every row is not attempted. Raises `RetryableError` when
    time is up or the platform ends the instance; requests in flight are then still answered and
    saved.
    """
    lease, progress = attempt.lease, attempt.progress
    run, ledger = attempt.run, attempt.context.ledger
    is_first = run.attempts == 1
    done = set() if is_first else ledger.finished_chunks(run)
    earlier = ledger.read_chunks(run, sorted(done))
    with earlier as finished, _Uploads(attempt) as uploads:
        uploads.wait_for_memory()
        for chunk in chunks_of(table.records(), run.chunk_limits, table.width):
            lease.check()
            if chunk.number in done:
                if plan is not None:
                    plan.replay(chunk.rows)
                progress.add(next(finished))
                continue
            attempt.check()
            attempt.has_sent = True
            prepared: PreparedChunk | Problem | None = chunk.checksum_error
            if plan is not None and progress.stop is None and prepared is None:
                withhold = partial(withheld_rows, plan, attempt, chunk.number)
                prepared = prepare(
                    plan, chunk, run.job_id, maybe_sent=not is_first, withhold=withhold
                )
            if plan is not None and isinstance(prepared, PreparedChunk):
                uploads.start(prepared, chunk.characters, plan)
                # Before the next chunk is read, so that its rows don't wait in memory.
                del chunk, prepared
                uploads.wait_for_memory()
            else:
                uploads.skip(chunk, prepared)


class _Uploads:
    """The chunks in flight. On exit, it waits for their answers, even when time is up."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._window = attempt.context.settings.window
        self._in_flight: deque[Future[tuple[ChunkOutcomes, Problem | None]]] = deque()
        # A chunk stays in memory until it is answered: one more than can be in flight, so that the
        # next one is ready. Outcomes that wait for the ledger or for a slow chunk have no rows.
        # While the API is slow, more requests than `window` may be in flight (`UnknownQuota`).
        self._memory = MemoryBudget(self._window + 1, more=self._window // 2)
        self._kept_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(2 * self._window, "send")

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

    def start(self, prepared: PreparedChunk, characters: int, plan: Plan) -> None:
        """Send a chunk in a separate thread, if need be after all earlier chunks."""
        if prepared.follows_earlier_chunk:
            self._collect_all()
        request_bytes = sum(part.batch.close() for part in prepared.parts)
        held = ChunkMemory(request_bytes, characters)
        self._memory.fill(held)
        self._in_flight.append(self._pool.submit(self._send, prepared, held, plan))

    def skip(self, chunk: Chunk, reason: Problem | PreparedChunk | None) -> None:
        """Record that the file was stopped before this chunk.

        The stop is saved before the first marker that depends on it. Otherwise the next attempt
        could find the account corrected, and rows would be not attempted without a reason.
        """
        self._collect_all()
        progress, lease = self._attempt.progress, self._attempt.lease
        if isinstance(reason, Problem):
            progress.stop = progress.stop or reason
        skipped = not_attempted(chunk)
        if progress.stop is not None and lease.run.stop is None:
            lease.stop(progress.stop)
        self._attempt.context.ledger.write_chunk(lease.run, skipped)
        progress.add(skipped)
        progress.saved += 1

    def _collect(self) -> None:
        found, stop = self._in_flight.popleft().result()
        progress = self._attempt.progress
        progress.add(found)
        progress.saved += 1
        progress.stop = progress.stop or stop

    def _collect_all(self) -> None:
        while self._in_flight:
            self._collect()

    def _send(
        self, prepared: PreparedChunk, held: ChunkMemory, plan: Plan
    ) -> tuple[ChunkOutcomes, Problem | None]:
        """Send a chunk and save its outcomes at once. Return them, and why to stop, if so."""
        attempt, lease = self._attempt, self._attempt.lease
        context, progress = attempt.context, attempt.progress
        ledger, list_all = context.ledger, context.settings.list_all_rows
        accepted: Outcome = "ok" if plan.validate_only else "uploaded"
        saved = 0

        def save(answers: Sequence[UploadResult]) -> None:
            nonlocal saved
            so_far = outcomes(prepared, answers, accepted, list_all)
            saved = ledger.write_chunk(lease.run, so_far, saved)

        try:
            lease.check()
            began = context.monotonic()
            answers = send_parts(prepared, attempt, save)
            seconds = context.monotonic() - began
        finally:
            self._memory.leave(held)
        found = outcomes(prepared, answers, accepted, list_all)
        stop = stop_of(prepared, answers)
        stop = stop if plan.stops_at(stop) else None
        if stop is not None:
            lease.stop(stop)
        ledger.write_chunk(lease.run, found, saved)
        with self._kept_lock:
            progress.findings.add(found)
            found = progress.keep(found)
        attempt.log.info(
            "chunk_sent",
            chunk=prepared.number,
            requests=sum(len(answer.request_ids) for answer in answers),
            seconds=round(seconds, 3),
        )
        return found, stop


def send_parts(
    prepared: PreparedChunk, attempt: Attempt, save: Callable[[Sequence[UploadResult]], None]
) -> list[UploadResult]:
    """Send the parts of a chunk, in their order, and return the answer about each.

    Before a later part is sent, `save` gets the answers so far, with that part deferred: if the
    attempt dies, no conversion is sent again after its adjustment, which would restore its value.
    If time or quota runs out then, the later part is deferred, because the first one is answered.
    """
    answers: list[UploadResult] = []
    for at, part in enumerate(prepared.parts):
        if not part.lines:
            answers.append(_NOTHING_SENT)
            continue
        is_first = not any(each.lines for each in prepared.parts[:at])
        if not is_first:
            rest = (_deferred(each, "SHUTDOWN") for each in prepared.parts[at:])
            save([*answers, *rest])
        try:
            answer = part.destination.send(part.batch, attempt.deadline)
            if part.order_values is not None:
                record_answer(part.order_values, answer, attempt, prepared.number)
        except RetryableError as error:
            if is_first:
                raise
            answer = _deferred(part, error.code)
        answers.append(answer)
    return answers


def _deferred(part: PreparedPart, code: str) -> UploadResult:
    later = RowResult("deferred", (Problem(code),))
    return UploadResult(dict.fromkeys(range(len(part.lines)), later), ())


def stop_of(prepared: PreparedChunk, answers: Sequence[UploadResult]) -> Problem | None:
    """Return why the file's own destination refuses more chunks, if it does.

    If another API refuses the account, only its part is not attempted.
    """
    own = prepared.parts[0].destination
    found = zip(prepared.parts, answers, strict=True)
    return next((each.stop for part, each in found if part.destination is own and each.stop), None)


# ── how many chunks are in memory at a time ──────────────────────────────────────────────────


class ChunkMemory(NamedTuple):
    """What a chunk has in memory: the bytes of its requests, and the characters of its rows.

    Rows that were refused are in no request, but their outcomes need memory too.
    """

    request_bytes: int
    characters: int


class MemoryBudget:
    """Counts the chunks that are prepared or in flight, and what they have in memory.

    There are at most `chunks`, and `more` of them if all are light. One chunk may exceed the bytes,
    because they are known only after it was prepared.
    """

    def __init__(self, chunks: int, more: int = 0, most_bytes: int = MOST_BYTES) -> None:
        self._most_chunks = chunks
        self._more = more
        self._most_bytes = most_bytes
        self._chunks = 0
        self._bytes = 0
        self._weight = 0
        self._changed = threading.Condition()

    def wait(self) -> None:
        """Wait until another chunk may be prepared, and count it."""
        with self._changed:
            self._changed.wait_for(self._is_free)
            self._chunks += 1

    def _is_free(self) -> bool:
        is_light = self._weight < self._most_bytes
        most = self._most_chunks + (self._more if is_light else 0)
        return self._chunks < most and self._bytes < self._most_bytes

    def fill(self, held: ChunkMemory) -> None:
        """Count what a prepared chunk holds."""
        with self._changed:
            self._bytes += held.request_bytes
            self._weight += max(held)

    def leave(self, held: ChunkMemory) -> None:
        """Forget a chunk that was answered."""
        with self._changed:
            self._chunks -= 1
            self._bytes -= held.request_bytes
            self._weight -= max(held)
            self._changed.notify()
