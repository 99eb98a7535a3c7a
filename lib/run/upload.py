"""Validates, sends and saves every chunk of a file, and prepares the next ones meanwhile.

split ──▶ is there a marker? ──yes──────────────────────────▶ add its outcomes
               │ no
               ▼
prepare ──▶ in a separate thread: send ──▶ write the marker ──▶ collect, in file order
(waits for memory: it holds at most window + 1 chunks)
"""

from __future__ import annotations

import gc
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Final

from lib.destinations.base import UploadResult
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import ChunkOutcomes, Outcome, Problem
from lib.run.chunks import (
    Chunk,
    PreparedChunk,
    not_attempted,
    outcomes,
    split_into_chunks,
)
from lib.run.context import RunContext
from lib.run.memory_budget import ChunkMemory, MemoryBudget
from lib.run.newer_values import known_before, record_answer
from lib.run.preflight import UploadJob
from lib.run.progress import Progress
from lib.run.reading import TimeCheck
from lib.run.two_destinations import TwoBatches
from lib.source.table import Table
from lib.state.claims import Lease

_MOST_IN_FLIGHT: Final = 4
"""Chunks from the first unanswered one on, times the window: no later chunk is sent."""

_CHUNKS_OF_A_COLLECTION: Final = 100
"""The storage library leaves 8 KB a chunk in reference cycles. The garbage collector, which counts
objects, would come after thousands of chunks. It takes 10 ms; a hundred chunks take 2 seconds."""


def upload_chunks(
    table: Table,
    job: UploadJob | None,
    lease: Lease,
    progress: Progress,
    context: RunContext,
    deadline: Deadline,
    time_check: TimeCheck,
    log: Log,
) -> None:
    """Validate and send every chunk that has no marker yet, and add all chunks to `progress`.

    Without a job, nothing is sent and every row is not attempted. Raises `RetryableError` when time
    is up or the platform ends the instance; requests in flight are then still answered and saved.
    """
    run = lease.run
    ledger = context.ledger
    done = ledger.finished_chunks(run) if run.attempts > 1 else set()
    first_open = next(number for number in count() if number not in done)
    in_flight = _MOST_IN_FLIGHT * context.settings.window
    maybe_sent_until = first_open + in_flight if run.attempts > 1 else 0
    earlier = ledger.read_chunks(run, sorted(done))
    with earlier as replayed, _Uploads(lease, progress, context, deadline, log) as uploads:
        uploads.wait_for_memory()
        for chunk in split_into_chunks(table.records(), run.chunk_limits):
            lease.check()
            if job is not None and job.decides_integer_order_ids(chunk):
                lease.fix_integer_order_ids()
            if chunk.number in done:
                if job is not None:
                    job.replay(chunk.rows)
                progress.add(next(replayed), is_only=False)
                continue
            time_check()
            time_check.has_sent = True
            prepared: PreparedChunk | Problem | None = chunk.checksum_error
            if job is not None and progress.stop is None and prepared is None:
                batch = job.destination.batch(run.job_id, maybe_sent=run.attempts > 1)
                if chunk.number < maybe_sent_until:
                    prepared = job.prepare_again(chunk, batch, context.newer_values.since(run.now))
                else:
                    prepared = job.prepare(chunk, batch)
            if job is not None and isinstance(prepared, PreparedChunk):
                uploads.start(prepared, chunk.characters, chunk.is_only, job)
                # Before the next chunk is read, so that its rows don't wait in memory.
                del chunk, prepared
                uploads.wait_for_memory()
            else:
                uploads.skip(chunk, prepared)


class _Uploads:
    """The chunks in flight. On exit, it waits for their answers, even when time is up."""

    def __init__(
        self, lease: Lease, progress: Progress, context: RunContext, deadline: Deadline, log: Log
    ) -> None:
        self._lease = lease
        self._progress = progress
        self._context = context
        self._deadline = deadline
        self._log = log
        self._window = context.settings.window
        self._in_flight: deque[tuple[Future[tuple[ChunkOutcomes, Problem | None]], bool]] = deque()
        # A chunk stays in memory until it is answered: one more than can be in flight, so that the
        # next one is ready. Reports that wait for the ledger or for a slow chunk have no rows.
        # While the API is slow, more requests than `window` may be in flight (`UnknownQuota`).
        self._memory = MemoryBudget(self._window + 1, more=self._window // 2)
        self._kept_lock = threading.Lock()
        self._started = 0
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
            is_answered = self._in_flight[0][0].done()
            if not is_answered and len(self._in_flight) < _MOST_IN_FLIGHT * self._window:
                return
            self._collect()

    def start(
        self, prepared: PreparedChunk, characters: int, is_only: bool, job: UploadJob
    ) -> None:
        """Send a chunk in a separate thread, if need be after all earlier chunks."""
        if prepared.follows_earlier_chunk:
            self._collect_all()
        is_only = is_only and not _has_both(prepared)
        load = ChunkMemory(prepared.batch.close(), characters)
        self._memory.fill(load)
        future = self._pool.submit(self._send, prepared, load, is_only, job)
        self._in_flight.append((future, is_only))
        self._started += 1
        if self._started % _CHUNKS_OF_A_COLLECTION == 0:
            gc.collect()

    def skip(self, chunk: Chunk, reason: Problem | PreparedChunk | None) -> None:
        """Record that the file was stopped before this chunk.

        The stop is saved before the first marker that depends on it. Otherwise the next attempt
        could find the account corrected, and rows would be not attempted without a reason.
        """
        self._collect_all()
        progress, lease = self._progress, self._lease
        if isinstance(reason, Problem):
            progress.stop = progress.stop or reason
        skipped = not_attempted(chunk)
        if not chunk.is_only:
            if progress.stop is not None and lease.run.stop is None:
                lease.stop(progress.stop)
            self._context.ledger.write_chunk(lease.run, skipped)
        progress.add(skipped, is_only=chunk.is_only)
        progress.saved += 1

    def _collect(self) -> None:
        answer, is_only = self._in_flight.popleft()
        found, stop = answer.result()
        self._progress.add(found, is_only=is_only)
        self._progress.saved += 1
        self._progress.stop = self._progress.stop or stop

    def _collect_all(self) -> None:
        while self._in_flight:
            self._collect()

    def _send(
        self, prepared: PreparedChunk, load: ChunkMemory, is_only: bool, job: UploadJob
    ) -> tuple[ChunkOutcomes, Problem | None]:
        """Send a chunk and save its outcomes at once. Return them, and why to stop, if so."""
        context, lease = self._context, self._lease
        ledger, list_all = context.ledger, context.settings.list_all_rows
        accepted: Outcome = "ok" if job.validate_only else "uploaded"
        saved = 0

        def save(conversions: UploadResult) -> None:
            nonlocal saved
            saved = ledger.write_chunk(
                lease.run, outcomes(prepared, conversions, accepted, list_all)
            )

        try:
            lease.check()
            if isinstance(prepared.batch, TwoBatches):
                prepared.batch.save = save
            began = context.monotonic()
            result = self._send_and_record(prepared, job)
            seconds = context.monotonic() - began
        finally:
            self._memory.leave(load)
        found = outcomes(prepared, result, accepted, list_all)
        stop = result.stop if job.stops_at(result.stop) else None
        if not is_only:
            if stop is not None:
                lease.stop(stop)
            ledger.write_chunk(lease.run, found, saved)
            with self._kept_lock:
                self._progress.findings.add(found)
                found = self._progress.keep(found)
        self._log.info(
            "chunk_sent",
            chunk=prepared.number,
            requests=len(result.request_ids),
            seconds=round(seconds, 3),
        )
        return found, stop

    def _send_and_record(self, prepared: PreparedChunk, job: UploadJob) -> UploadResult:
        """Send a chunk, and record its adjustments: no older value may be sent after them."""
        run, recorded = self._lease.run, self._context.newer_values
        values = () if job.validate_only else prepared.new_values
        if before := known_before(values):
            recorded.record(run.key, prepared.number, before)
        result = job.destination.send(prepared.batch, self._deadline)
        record_answer(values, result, run, prepared.number, recorded)
        return result


def _has_both(prepared: PreparedChunk) -> bool:
    return isinstance(prepared.batch, TwoBatches) and prepared.batch.has_both
