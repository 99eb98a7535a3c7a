"""The end of a run: what remains to be done, the results document, the status of the claim.

notes, metadata ──▶ follow-up: what to send or to poll again, and when   (saved before the document)
                ──▶ report for people ──▶ results document: the commit point ──▶ claim: finished
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

import msgspec

from lib.catalogue.codes import WAITS_A_DAY
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.registry import capabilities_of
from lib.errors import RetryableError
from lib.model import retries
from lib.model.capabilities import CheckSchedule
from lib.model.outcomes import ChunkOutcomes, Problem, Tally
from lib.results.document import (
    PAGE,
    DocumentMetadata,
    RunSummary,
    document_head,
    label_of,
    processing_of,
    results_document,
)
from lib.run.attempt import Attempt, Progress
from lib.run.context import RunContext
from lib.run.newer_values import with_note
from lib.run.notes import notes_on_runtime, notes_on_skipped
from lib.run.plan import Plan, notes_of
from lib.run.reading import Header
from lib.state.claims import Lease
from lib.state.output import (
    NO_RESULTS,
    OVERVIEW,
    ResultsGenerations,
    report_name,
    results_name,
)
from lib.state.pending_runs import PendingRun
from lib.state.run import Run

ReadChunks: TypeAlias = Callable[[], AbstractContextManager[Iterable[ChunkOutcomes]]]
"""Return the outcomes of all chunks of a file, in order, for a `with` block."""

UNTERMINATED_LAST_LINE: Final = "UNTERMINATED_LAST_LINE"
"""The row in a last line without a line end, which may have been cut there by a broken upload
(docs/input.md). A cut value is worse than a late one: 1270.00 that arrives as 1 is counted as 1,
and the complete upload that follows is a duplicate."""


def finish_run(
    attempt: Attempt, profile: Profile | None, header: Header | None, plan: Plan | None
) -> RunSummary:
    """Write the results document, with the follow-up that the run needs."""
    run, progress, context = attempt.run, attempt.progress, attempt.context
    now = context.utc_now()
    metadata = _metadata(attempt, profile, header, plan)
    metadata, pending = plan_follow_up(run, metadata, progress, context.settings, now)
    pending = replace(pending, metadata=msgspec.to_builtins(metadata))
    summary = RunSummary(
        run, metadata, progress.tally, tuple(progress.request_ids), now, progress.findings
    )

    numbers = sorted(progress.numbers)
    read = partial(context.ledger.read_chunks, run, numbers, progress.kept_outcomes)
    write_results(attempt.lease, summary, read, pending, context)
    return summary


def _metadata(
    attempt: Attempt, profile: Profile | None, header: Header | None, plan: Plan | None
) -> DocumentMetadata:
    run, progress = attempt.run, attempt.progress
    notes = [*notes_of(header, plan, progress.tally), *notes_on_runtime(run.now)]
    if run.same_as:
        notes.append(Problem("SAME_AS", "", f"generation {run.same_as}"))
    if progress.superseded_by:
        notes.append(Problem("SUPERSEDED", "", f"generation {progress.superseded_by}"))
    elif plan is not None:
        if progress.stop is None:
            notes += notes_on_skipped(progress.tally, attempt.log)
        notes = [*with_note(notes, progress.tally)]
    rows_remain = progress.stop is not None and progress.tally.outcomes.get("not_attempted")
    was_lost = progress.stop is not None and progress.stop.code == "NO_PROGRESS" and run.died
    if was_lost or (rows_remain and run.attempts > 1):
        # An attempt that crashed between Google's answer and its marker has left no record of it.
        notes.append(Problem("MAYBE_SENT"))
    configured = profile.customer_id or "" if profile is not None else ""
    return DocumentMetadata(
        customer_id=plan.customer_id if plan is not None else configured,
        destination=profile.destination if profile is not None else "",
        validate_only=bool(profile and profile.validate_only),
        headers=dict(header.names) if header is not None else {},
        notes=tuple(notes),
        file_error=progress.stop,
        superseded_by=progress.superseded_by,
    )


# ── the follow-up ────────────────────────────────────────────────────────────────────────────


def plan_follow_up(
    run: Run, metadata: DocumentMetadata, progress: Progress, settings: Settings, now: datetime
) -> tuple[DocumentMetadata, PendingRun]:
    """Return the metadata with the `processing` part, if any, and when to revisit the run."""
    requests, chunks = len(progress.request_ids), len(progress.numbers)
    pending = PendingRun(run, now, {}, chunks, requests=requests)
    if progress.tally.outcomes.get("deferred"):
        is_held = UNTERMINATED_LAST_LINE in progress.tally.codes
        at = now + retries.LAST_LINE if is_held else next_resend(progress.tally, now, settings, now)
        pending = replace(pending, resend_at=at)
        outcomes = progress.tally.outcomes
        metadata = replace(
            metadata,
            waited=outcomes["deferred"],
            failed_at_first=outcomes.get("failed", 0),
        )
    if not progress.request_ids:
        return metadata, pending
    schedule = poll_schedule(metadata)
    # Without such a request nothing awaits: the adjustments went to a destination that answers.
    if schedule is not None and progress.requests.requests:
        # So far, the API has only accepted the records. It reports their final outcomes later.
        metadata = replace(metadata, processing=processing_of(progress.requests, None))
        pending = replace(pending, poll_at=schedule.next_check(now, 0))
    schedule = diagnostics_schedule(metadata, settings)
    if schedule is not None:
        pending = replace(pending, diagnose_at=schedule.next_check(now, 0))
    return metadata, pending


def next_resend(tally: Tally, since: datetime, settings: Settings, now: datetime) -> datetime:
    """Return when to send deferred rows again: a day after `since` if all of them wait a day.

    `since` is when the first results were written. Until then, no row of them would be sent.
    """
    again = now + timedelta(hours=settings.defer_hours)
    waits_a_day = sum(tally.codes.get(code, 0) for code in WAITS_A_DAY)
    if waits_a_day and waits_a_day >= tally.outcomes.get("deferred", 0):
        return max(again, since + retries.ADJUSTMENT)
    return again


def poll_schedule(metadata: DocumentMetadata) -> CheckSchedule | None:
    """Return when to poll for final outcomes. None: the destination reports none later."""
    if metadata.validate_only or not metadata.destination:
        return None
    return capabilities_of(metadata.destination).reports_later


def diagnostics_schedule(metadata: DocumentMetadata, settings: Settings) -> CheckSchedule | None:
    """Return when to read the diagnostics of the file's job.

    None: the destination has none, each row names an account of its own, or the setting is off.
    """
    if not settings.read_diagnostics:
        return None
    if metadata.validate_only or not metadata.customer_id:
        return None
    return capabilities_of(metadata.destination).diagnostics


# ── the results ──────────────────────────────────────────────────────────────────────────────


def write_results(
    lease: Lease, summary: RunSummary, read: ReadChunks, pending: PendingRun, context: RunContext
) -> None:
    """Write the first results document of a file, then record that the run is finished.

    The report for people comes first, so that no finished run lacks it: from the document on, the
    file is finished, and nobody looks at it again.

    `read` returns the outcomes of all chunks, in order. If `pending` has a follow-up, it is saved
    before, and the run needs no other record of its end.
    """
    lease.check()
    run = lease.run
    if pending.due is not None:
        context.pending_runs.put(replace(pending, run=run, all_counted=summary.all_counted))
    lease.check()
    _write_report(summary, None, context)
    written = _write_document(summary, 0, read, context)
    # If the document exists, an earlier attempt wrote it, or we did and the answer was lost.
    if written is None and not context.output.has_results(run.source):
        raise RetryableError(
            "STORAGE_UNAVAILABLE", "the results document could not be written, although none exists"
        )
    if pending.due is None:
        lease.finish("finished", all_counted=summary.all_counted)


@dataclass(slots=True)
class WrittenRun(Progress):
    """The sums of a run's markers. `generations`: of its results, before the markers were read."""

    generations: ResultsGenerations = NO_RESULTS


def read_written(run: Run, chunks: int, context: RunContext) -> WrittenRun:
    """Sum up the markers of a run.

    Raises `RetryableError` if there are fewer than `chunks`: the results would lose their rows.
    """
    written = WrittenRun(generations=context.output.generations(run.source))
    numbers = sorted(context.ledger.finished_chunks(run))
    if len(numbers) < chunks:
        raise RetryableError(
            "STORAGE_UNAVAILABLE",
            f"{len(numbers)} of {chunks} chunk markers exist; the results stay as they are",
        )
    with context.ledger.read_chunks(run, numbers) as found:
        for chunk in found:
            written.add(chunk)
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
    read = partial(context.ledger.read_chunks, run, written.numbers)
    lease.check()

    _write_report(summary, written.generations.report, context)
    if _write_document(summary, written.generations.document, read, context) is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the results document has changed meanwhile")
    return summary


def _write_document(
    summary: RunSummary, expected: int, read: ReadChunks, context: RunContext
) -> int | None:
    """Write the results document, if its generation is the expected one, as `Store.write` does."""
    source = summary.run.source
    with read() as chunks:
        return context.store.write_stream(
            context.settings.output_bucket,
            results_name(source.name, source.generation),
            results_document(summary, chunks),
            if_generation_match=expected,
            label=label_of(summary),
        )


def _write_report(summary: RunSummary, expected: int | None, context: RunContext) -> None:
    """Write the report for people in place of the generation `expected`.

    None: there is nothing yet, unless an attempt crashed between the report and the document.
    """
    # jinja2 is imported here, while the rows are already sent: it would delay every cold start.
    from lib.results.page import bucket_address
    from lib.results.report import Links, render_report

    source, bucket = summary.run.source, context.settings.output_bucket
    document = results_name(source.name, source.generation)
    links = Links(bucket_address(bucket, document), bucket_address(bucket, OVERVIEW))
    page = render_report(document_head(summary), summary.findings, links).encode()

    def write(generation: int) -> int | None:
        name = report_name(document)
        return context.store.write(bucket, name, page, if_generation_match=generation, label=PAGE)

    written = write(expected or 0)
    if written is None and expected is None:
        written = write(context.output.generations(source).report)
    if written is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the report has changed meanwhile")
