"""The end of a run: the results document (the commit point), then the status of the claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from lib.errors import RetryableError
from lib.model.outcomes import ChunkOutcomes, Tally
from lib.model.sent_requests import RequestSummary
from lib.results.document import (
    PAGE,
    DocumentMetadata,
    RunSummary,
    document_head,
    label_of,
    results_document,
)
from lib.results.findings import Findings
from lib.run.context import RunContext
from lib.state.claims import Lease
from lib.state.output import OVERVIEW, ResultsGenerations, report_name, results_name
from lib.state.pending_runs import PendingRun
from lib.state.run import Run

MOST_KEPT_BYTES = 64 << 10
"""Up to this size, the report of the only chunk is saved with the follow-up, which each sweep
reads. A larger one has a marker."""


def write_results(
    lease: Lease,
    summary: RunSummary,
    only: ChunkOutcomes | None,
    chunks: Iterable[ChunkOutcomes],
    pending: PendingRun,
    context: RunContext,
) -> None:
    """Write the first results document of a file, then record that the run is finished.

    The report for people comes first, so that no finished run lacks it: from the document on, the
    file is finished, and nobody looks at it again.

    `only` has the outcomes of a file with one chunk, `chunks` those of any other file, in order
    (`Ledger.read_chunks`). If `pending` has a follow-up, it is saved before, together with `only`.
    Then nothing is sent again after a crash, and the run needs no other record of its end.
    """
    lease.check()
    run = lease.run
    if pending.due is not None:
        pending = replace(pending, run=run, all_counted=summary.all_counted)
        if only is not None and len(msgspec.json.encode(only)) > MOST_KEPT_BYTES:
            context.ledger.write_chunk(run, only)
        else:
            pending = replace(pending, only=only)
        context.pending_runs.put(pending)
    lease.check()
    _write_report(summary, None, context)
    written = context.store.write_stream(
        context.settings.output_bucket,
        results_name(run.source.name, run.source.generation),
        results_document(summary, [only] if only is not None else chunks),
        if_generation_match=0,
        label=label_of(summary),
    )
    # If the document exists, an earlier attempt wrote it, or we did and the answer was lost.
    if written is None and not context.output.has_results(run.source):
        raise RetryableError(
            "STORAGE_UNAVAILABLE", "the results document could not be written, although none exists"
        )
    if pending.due is None:
        lease.finish("finished", all_counted=summary.all_counted)


@dataclass(slots=True)
class WrittenRun:
    """The content of a run's markers: its sums and its requests.

    `generations` are those of its results before the markers were read.
    """

    generations: ResultsGenerations
    findings: Findings = field(default_factory=Findings)
    numbers: list[int] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    request_ids: list[str] = field(default_factory=list)
    requests: RequestSummary = field(default_factory=RequestSummary)


def read_written(run: Run, chunks: int, context: RunContext) -> WrittenRun:
    """Sum up the markers of a run.

    Raises `RetryableError` if there are fewer than `chunks`: the results would lose their rows.
    """
    written = WrittenRun(context.output.generations(run.source))
    written.numbers = sorted(context.ledger.finished_chunks(run))
    if len(written.numbers) < chunks:
        raise RetryableError(
            "STORAGE_UNAVAILABLE",
            f"{len(written.numbers)} of {chunks} chunk markers exist; the results stay as they are",
        )
    with context.ledger.read_chunks(run, written.numbers) as found:
        for chunk in found:
            written.tally.add(chunk.tally)
            written.request_ids.extend(chunk.request_ids)
            written.requests.add(chunk.sent)
            written.findings.add(chunk)
    return written


def rewrite_results(
    lease: Lease, written: WrittenRun, metadata: DocumentMetadata, context: RunContext
) -> RunSummary:
    """Build the document and its report again from the markers, and replace them.

    The precondition is the generation that was read before the markers, so that two sweeps cannot
    undo each other's changes. Raises `RetryableError` if the precondition fails, even if only the
    answer to our own write was lost: the next sweep builds the same document again.
    """
    run = lease.run
    now = context.utc_now()
    summary = RunSummary(
        run, metadata, written.tally, tuple(written.request_ids), now, written.findings
    )
    lease.check()
    _write_report(summary, written.generations.report, context)
    with context.ledger.read_chunks(run, written.numbers) as chunks:
        replaced = context.store.write_stream(
            context.settings.output_bucket,
            results_name(run.source.name, run.source.generation),
            results_document(summary, chunks),
            if_generation_match=written.generations.document,
            label=label_of(summary),
        )
    if replaced is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the results document has changed meanwhile")
    return summary


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


def _write_report(summary: RunSummary, generation: int | None, context: RunContext) -> None:
    """Write the report for people. It replaces the one with this generation.

    None: there is none yet, unless an attempt crashed between the report and the document.
    """
    # jinja2 is imported here, while the rows are already sent: it would delay every cold start.
    from lib.results.page import bucket_address
    from lib.results.report import Links, render_report

    source, bucket = summary.run.source, context.settings.output_bucket
    document = results_name(source.name, source.generation)
    links = Links(bucket_address(bucket, document), bucket_address(bucket, OVERVIEW))
    page = render_report(document_head(summary), summary.findings, links).encode()

    def write(expected: int) -> int | None:
        return context.store.write(
            bucket, report_name(document), page, if_generation_match=expected, label=PAGE
        )

    written = write(generation or 0)
    if written is None and generation is None:
        written = write(context.output.generations(source).report)
    if written is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the report has changed meanwhile")
