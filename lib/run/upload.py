"""Every chunk of a file: judged, sent, written down. While some fly, the next are prepared.

cut ──▶ marker there? ──yes──────────────────────────────▶ add its report
             │ no
             ▼
prepare ──▶ a thread of its own: send ──▶ write the marker ──▶ land, in file order
(waits for room: window + 1 chunks are held)
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from lib.adapters.logging import Log
from lib.errors import RetryableError
from lib.model.outcomes import Outcome, Problem
from lib.results.chunk_report import ChunkReport, Tally
from lib.run.chunks import Prepared, Unsendable, not_attempted, outcomes, prepare, split_into_chunks
from lib.run.context import RunContext
from lib.run.finalize import read_reports
from lib.run.preflight import UploadJob
from lib.source.table import Table
from lib.state.lease import Lease
from lib.state.ledger import Ledger


@dataclass(slots=True)
class Progress:
    """What a run has so far; grows by sums, not by rows."""

    tally: Tally = field(default_factory=Tally)
    numbers: list[int] = field(default_factory=list)
    only: ChunkReport | None = None
    request_ids: list[str] = field(default_factory=list)
    stop: Problem | None = None

    def add(self, report: ChunkReport, *, is_only: bool) -> None:
        """Count a finished chunk; keep its report only if no marker holds it."""
        self.tally.add(report.tally)
        self.request_ids.extend(report.request_ids)
        self.numbers.append(report.number)
        if is_only:
            self.only = report


def send_chunks(
    table: Table,
    job: UploadJob | None,
    lease: Lease,
    progress: Progress,
    context: RunContext,
    deadline: float,
    log: Log,
) -> None:
    """Judge, send and write down every chunk that isn't yet; add all of them to `progress`.

    While up to `window` requests are in flight, the next chunks are read and prepared; answers are
    taken in file order. Raises `RetryableError` when time is up: what was answered is written down.
    """
    ledger = context.ledger
    run = lease.run
    window = context.settings.window
    done = ledger.finished_chunks(run) if run.attempts > 1 else set()
    done_reports = read_reports(run, sorted(done), ledger)
    flying: deque[tuple[Future[tuple[ChunkReport, Problem | None]], bool]] = deque()

    def land() -> None:
        answer, is_only = flying.popleft()
        report, stop = answer.result()
        progress.add(report, is_only=is_only)
        progress.stop = progress.stop or stop

    # A chunk is held in memory until it's answered: one more than fly, so that the next is ready.
    # Reports, on their way into the ledger or behind that of a slow chunk, are small.
    room = threading.Semaphore(window + 1)
    with ThreadPoolExecutor(2 * window, "send") as pool:
        try:
            for chunk in split_into_chunks(table.records()):
                lease.check()
                if chunk.number in done:
                    progress.add(next(done_reports), is_only=False)
                    continue
                if context.monotonic() >= deadline:
                    raise RetryableError("DEADLINE", f"before chunk {chunk.number}")
                room.acquire()
                while flying and (flying[0][0].done() or len(flying) >= 4 * window):
                    land()
                prepared = None
                if job is not None and progress.stop is None:
                    batch = job.destination.batch(run.job_id)
                    prepared = prepare(chunk.number, chunk.records, job.plan, batch)
                if not isinstance(prepared, Prepared):
                    while flying:
                        land()
                    lines: list[int] = []
                    if isinstance(prepared, Unsendable):
                        lines, progress.stop = prepared.lines, progress.stop or prepared.problem
                    report = not_attempted(chunk.number, chunk.records, lines)
                    is_only = chunk.is_only()
                    _skip(report, is_only, lease, progress.stop, ledger)
                    progress.add(report, is_only=is_only)
                    room.release()
                    continue
                assert job is not None
                is_only = chunk.is_only()
                sending = pool.submit(
                    _send, prepared, is_only, job, lease, context, deadline, log, room
                )
                flying.append((sending, is_only))
        finally:
            # Also when time is up: an answer that comes back now is written down.
            while flying:
                land()


def _send(
    prepared: Prepared,
    is_only: bool,
    job: UploadJob,
    lease: Lease,
    context: RunContext,
    deadline: float,
    log: Log,
    room: threading.Semaphore,
) -> tuple[ChunkReport, Problem | None]:
    """Send a chunk and write its outcomes down at once: its report, and why to stop, if so."""
    ledger = context.ledger
    try:
        lease.check()
        began = context.monotonic()
        sent = job.destination.send(prepared.batch, deadline)
        seconds = context.monotonic() - began
    finally:
        room.release()
    accepted: Outcome = "ok" if job.validate_only else "uploaded"
    report = outcomes(prepared, sent, accepted, context.settings.list_all_rows)
    stop = sent.stop if job.stops_at(sent.stop) else None
    if not is_only:
        if stop is not None:
            lease.update(lambda run: ledger.stop(run, stop))
        ledger.write_chunk(lease.run, prepared.number, report.to_marker())
    log.info(
        "chunk_sent",
        chunk=prepared.number,
        requests=len(sent.request_ids),
        seconds=round(seconds, 3),
    )
    return report, stop


def _skip(
    report: ChunkReport, is_only: bool, lease: Lease, stop: Problem | None, ledger: Ledger
) -> None:
    """Write down that the file was stopped before this chunk.

    The stop is written down before the first marker that speaks of it: the next attempt might
    find the account mended, and would leave rows not attempted without a reason.
    """
    if is_only:
        return
    if stop is not None and lease.run.stop is None:
        lease.update(lambda run: ledger.stop(run, stop))
    ledger.write_chunk(lease.run, report.number, report.to_marker())
