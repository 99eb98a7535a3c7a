"""The end of a run: the results document (the commit point), and then the claim's status."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lib.errors import RetryableError
from lib.results.chunk_report import ChunkReport, Tally
from lib.results.document import DocumentMetadata, RunSummary, results_document, results_name
from lib.run.context import RunContext
from lib.state.lease import Lease
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRun
from lib.state.run import Run

MARKERS_AHEAD = 8
"""Markers fetched ahead of their reader; each is some kilobytes."""


def write_results(
    lease: Lease,
    summary: RunSummary,
    only: ChunkReport | None,
    numbers: Sequence[int],
    pending: PendingRun,
    context: RunContext,
) -> None:
    """Write the document of a file's first run, and that the run is finished.

    `only` is the report of a file of one chunk; others are read from the markers `numbers`. If
    `pending` has anything due, the run is left for the sweep to look at again.
    """
    ledger = context.ledger
    run = lease.run
    if pending.due is not None:
        if only is not None:
            ledger.write_chunk(run, 0, only.to_marker())
        context.pending_runs.put(pending)
    lease.check()
    reports = [only] if only is not None else read_reports(run, numbers, ledger)
    written = context.store.write_stream(
        context.settings.output_bucket,
        results_name(run.source.name, run.source.generation),
        results_document(summary, reports),
        if_generation_match=0,
    )
    # If the document exists, an earlier attempt (or a write of ours whose answer was lost) made it.
    if written is None and not results_exist(run, context):
        raise RetryableError("STORAGE_UNAVAILABLE", "the document was refused, yet there is none")
    lease.update(lambda run: ledger.finish(run, "waiting" if pending.due else "finished"))


@dataclass(slots=True)
class RequestHistory:
    """The requests that carried a file's rows, as the markers tell.

    `newest` are those that no later one superseded, `settled` those of them whose rows can't be
    sent again, `withheld` the rows that later requests left out. `requests` counts all.
    """

    requests: int = 0
    newest: list[str] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    withheld: int = 0

    def add(self, report: ChunkReport) -> None:
        """Add the requests of a chunk."""
        newest = report.newest
        self.requests += len(report.request_ids)
        self.newest += newest
        self.withheld += report.withheld
        if not report.repeatable:
            self.settled.update(newest)


def rewrite_results(
    lease: Lease, facts_of: Callable[[Tally, RequestHistory], DocumentMetadata], context: RunContext
) -> RunSummary:
    """Put the document together again from the markers, and replace it.

    `facts_of` gives the rest of the document, from the sums of the rows and from the requests.

    The generation read before the markers is the precondition: two sweeps can't undo each other.
    Raises `RetryableError` when it didn't hold, also when the cause is a lost answer of our own: the
    next sweep makes the same document again.
    """
    ledger = context.ledger
    run = lease.run
    bucket = context.settings.output_bucket
    name = results_name(run.source.name, run.source.generation)
    generation = next(
        (found.generation for found in context.store.list(bucket, name) if found.name == name), 0
    )
    numbers = sorted(ledger.finished_chunks(run))
    tally = Tally()
    request_ids: list[str] = []
    history = RequestHistory()
    for report in read_reports(run, numbers, ledger):
        tally.add(report.tally)
        request_ids.extend(report.request_ids)
        history.add(report)
    metadata = facts_of(tally, history)
    summary = RunSummary(run, metadata, tally, tuple(request_ids), context.utc_now())
    lease.check()
    written = context.store.write_stream(
        bucket,
        name,
        results_document(summary, read_reports(run, numbers, ledger)),
        if_generation_match=generation,
    )
    if written is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the results document was changed meanwhile")
    return summary


def read_reports(run: Run, numbers: Iterable[int], ledger: Ledger) -> Iterator[ChunkReport]:
    """The reports of those chunks from their markers, some of them fetched ahead."""
    ahead: deque[Future[dict[str, Any]]] = deque()
    with ThreadPoolExecutor(MARKERS_AHEAD, "markers") as pool:
        for number in numbers:
            ahead.append(pool.submit(ledger.read_chunk, run, number))
            if len(ahead) == MARKERS_AHEAD:
                yield ChunkReport.from_marker(ahead.popleft().result())
        while ahead:
            yield ChunkReport.from_marker(ahead.popleft().result())


def announce(summary: RunSummary, context: RunContext) -> None:
    """A message for those who want to react to finished files."""
    source = summary.run.source
    context.announce(
        {
            "bucket": context.settings.output_bucket,
            "name": results_name(source.name, source.generation),
            "status": summary.status,
            "counts": summary.tally.counts(),
            "not_counted": summary.not_counted,
        }
    )


def results_exist(run: Run, context: RunContext) -> bool:
    """Whether the commit point was reached, by an attempt that may have died right after it."""
    name = results_name(run.source.name, run.source.generation)
    found = context.store.list(context.settings.output_bucket, name)
    return any(each.name == name for each in found)
