"""The end of a run: the results document (the commit point), then the status of the claim."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from lib.errors import RetryableError
from lib.model.chunk_report import ChunkReport, Tally
from lib.results.document import DocumentMetadata, RunSummary, results_document, results_name
from lib.results.processing import RequestSummary
from lib.run.context import RunContext
from lib.state.lease import Lease
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRun
from lib.state.run import Run, RunStatus
from lib.state.store import live_version

MARKERS_AHEAD = 8
"""Number of markers that are fetched ahead; each has some kilobytes."""


def write_results(
    lease: Lease,
    summary: RunSummary,
    only: ChunkReport | None,
    numbers: Sequence[int],
    pending: PendingRun,
    context: RunContext,
) -> None:
    """Write the first results document of a file, then record that the run is finished.

    `only` is the report of a file with one chunk. For other files, the reports are read from the
    markers `numbers`. If `pending` has a follow-up, the run stays pending for the sweep.
    """
    ledger = context.ledger
    run = lease.run
    if pending.due is not None:
        if only is not None:
            ledger.write_chunk(run, only)
        context.pending_runs.put(pending)
    lease.check()
    reports = [only] if only is not None else read_reports(run, numbers, ledger)
    written = context.store.write_stream(
        context.settings.output_bucket,
        results_name(run.source.name, run.source.generation),
        results_document(summary, reports),
        if_generation_match=0,
    )
    # If the document exists, an earlier attempt wrote it, or we did and the answer was lost.
    if written is None and not results_exist(run, context):
        raise RetryableError(
            "STORAGE_UNAVAILABLE", "the results document could not be written, although none exists"
        )
    status: RunStatus = "waiting" if pending.due else "finished"
    lease.update(lambda run: ledger.finish(run, status, all_counted=summary.all_counted))


@dataclass(slots=True)
class WrittenRun:
    """The content of a run's markers: its sums and its requests.

    `document_generation` is the generation of its results document before the markers were read.
    """

    document_generation: int
    numbers: list[int] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    request_ids: list[str] = field(default_factory=list)
    requests: RequestSummary = field(default_factory=RequestSummary)


def read_written(run: Run, context: RunContext) -> WrittenRun:
    """Sum up the markers of a run."""
    written = WrittenRun(_document_generation(run, context))
    written.numbers = sorted(context.ledger.finished_chunks(run))
    for report in read_reports(run, written.numbers, context.ledger):
        written.tally.add(report.tally)
        written.request_ids.extend(report.request_ids)
        written.requests.add(report.sent)
    return written


def rewrite_results(
    lease: Lease, written: WrittenRun, metadata: DocumentMetadata, context: RunContext
) -> RunSummary:
    """Build the document again from the markers, and replace it.

    The precondition is the generation that was read before the markers, so that two sweeps cannot
    undo each other's changes. Raises `RetryableError` if the precondition fails, even if only the
    answer to our own write was lost: the next sweep builds the same document again.
    """
    run = lease.run
    summary = RunSummary(
        run, metadata, written.tally, tuple(written.request_ids), context.utc_now()
    )
    lease.check()
    replaced = context.store.write_stream(
        context.settings.output_bucket,
        results_name(run.source.name, run.source.generation),
        results_document(summary, read_reports(run, written.numbers, context.ledger)),
        if_generation_match=written.document_generation,
    )
    if replaced is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the results document has changed meanwhile")
    return summary


def read_reports(run: Run, numbers: Iterable[int], ledger: Ledger) -> Iterator[ChunkReport]:
    """Return the reports of these chunks from their markers. Some are fetched ahead."""
    ahead: deque[Future[ChunkReport]] = deque()
    with ThreadPoolExecutor(MARKERS_AHEAD, "markers") as pool:
        for number in numbers:
            ahead.append(pool.submit(ledger.read_chunk, run, number))
            if len(ahead) == MARKERS_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def announce_results(summary: RunSummary, context: RunContext) -> None:
    """Publish a message about a finished file."""
    source = summary.run.source
    context.announce(
        {
            "bucket": context.settings.output_bucket,
            "name": results_name(source.name, source.generation),
            "status": summary.status,
            "counts": summary.counts,
            "not_counted": summary.not_counted,
        }
    )


def results_exist(run: Run, context: RunContext) -> bool:
    """Return whether an attempt reached the commit point. It may have crashed right after it."""
    return _document_generation(run, context) != 0


def _document_generation(run: Run, context: RunContext) -> int:
    """Return the generation of the results document; 0: there is none."""
    name = results_name(run.source.name, run.source.generation)
    found = live_version(context.store, context.settings.output_bucket, name)
    return found.generation if found is not None else 0
