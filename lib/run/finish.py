"""The results of a run, always from its markers: first the report for people, then the document.

The document is the commit point: a run is saved as done only after it. Both are written with the
generations that were read before the markers, so that two attempts cannot undo each other's work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from lib.catalogue.codes import lookup
from lib.catalogue.texts import number_of_rows
from lib.errors import RetryableError
from lib.model.outcomes import Problem
from lib.model.totals import Totals
from lib.results.document import DOCUMENT, PAGE, RunSummary, document_head, results_document
from lib.results.names import OVERVIEW, ResultsGenerations, report_name, results_name
from lib.results.sentences import looks_of
from lib.run.attempt import Attempt, Sums
from lib.run.diagnostics import failed_later
from lib.run.statuses import polled_destination
from lib.state.runs import Run

MAX_LOOKS: Final = 5
"""How many codes a listing shows at which somebody must look."""
_FEWEST_MATCHABLE_ROWS: Final = 500
_NEARLY_NONE: Final = 0.01
"""If no larger share of at least `_FEWEST_MATCHABLE_ROWS` matches, it cannot be chance."""


def publish(
    attempt: Attempt, expected: ResultsGenerations, *, with_report: bool = True
) -> RunSummary:
    """Write the report and the results document in place of those with these generations.

    Without a report, nothing is done that could have killed the attempts before.

    Raises `RetryableError` if somebody has written results meanwhile, even if it was only our own
    write whose answer got lost: the next attempt writes the same results again.
    """
    context = attempt.context
    source, bucket = attempt.run.source, context.settings.output_bucket
    summary = summary_of(attempt.run, attempt.sums, context.utc_now())
    name = results_name(source.name, source.generation)
    attempt.check_lease()
    if with_report:
        page = _report(summary, bucket, name)
        written = context.store.write(
            bucket, report_name(name), page, if_generation_match=expected.report, metadata=PAGE
        )
        if written is None:
            raise RetryableError("STORAGE_UNAVAILABLE", "the report has changed meanwhile")
    with attempt.markers.read_all(sorted(attempt.sums.chunk_numbers)) as markers:
        written = context.store.write_stream(
            bucket,
            name,
            results_document(summary, (marker.outcomes for marker in markers)),
            if_generation_match=expected.document,
            metadata=DOCUMENT,
        )
    if written is None:
        raise RetryableError("STORAGE_UNAVAILABLE", "the results document has changed meanwhile")
    return summary


def _report(summary: RunSummary, bucket: str, results: str) -> bytes:
    # jinja2 is imported here, while the rows are already sent: it would delay every cold start.
    from lib.results.page import bucket_address
    from lib.results.report import Links, render_report

    links = Links(bucket_address(bucket, results), bucket_address(bucket, OVERVIEW))
    return render_report(document_head(summary), summary.findings, links).encode()


def summary_of(run: Run, sums: Sums, now: datetime) -> RunSummary:
    """Return what the results say of the file as a whole."""
    reports_later, totals = polled_destination(run) is not None, totals_of(run, sums)
    return RunSummary(
        run=run,
        totals=totals,
        requests=sums.requests if reports_later and sums.requests.number else None,
        request_ids=tuple(sums.request_ids),
        notes=tuple(_notes(run, totals)),
        finished_at=now,
        findings=sums.findings,
    )


def totals_of(run: Run, sums: Sums) -> Totals:
    """Return what became of the rows, by the markers and by what Google counts for the job."""
    totals = sums.totals
    if failed := failed_later(run, sums):
        return replace(totals, unnamed={**totals.unnamed, "": failed})
    return totals


def _notes(run: Run, totals: Totals) -> Iterator[Problem]:
    """Yield the notes on the file: those of its first pass, and what has become known since."""
    if run.blocked:
        yield Problem(run.blocked)
    if run.facts is not None:
        yield from run.facts.notes
    if run.superseded_by:
        yield Problem("SUPERSEDED", "", f"generation {run.superseded_by}")
    # Such a file is not read any more, so rows without a marker are not even in the totals.
    is_given_up = run.stop is not None and run.stop.code in ("NO_PROGRESS", "STALE", "SOURCE_GONE")
    if run.maybe_sent and (is_given_up or totals.count("not_attempted")):
        # An attempt that died between Google's answer and its marker has left no record of it.
        yield Problem("MAYBE_SENT")
    if totals.unnamed:
        rows = f"{totals.unnamed_rows} of {totals.count('uploaded')} rows"
        yield Problem("NOT_COUNTED", "", rows)
    if totals.unknown:
        yield Problem("STATUS_UNKNOWN", "", number_of_rows(totals.unknown))
    matched, matchable = totals.matchable - totals.unmatched, totals.matchable
    is_enough = matchable >= _FEWEST_MATCHABLE_ROWS
    if not totals.waiting and is_enough and matched <= _NEARLY_NONE * matchable:
        yield Problem("NEARLY_NO_MATCHES", "", f"{matched} of {matchable} rows")


def codes_to_look_at(run: Run, sums: Sums) -> tuple[str, ...]:
    """Return the codes for which somebody must look at the file although they lose no row. What
    blocks Google's later word is kept apart (`Run.blocked`)."""
    totals = totals_of(run, sums)
    notes = [note.code for note in _notes(run, totals) if note.code != run.blocked]
    return tuple([*dict.fromkeys(looks_of(notes, totals))][:MAX_LOOKS])


def digest_of(run: Run, sums: Sums, looks: Sequence[str]) -> Totals:
    """Return what listings show of the results. `looks` are the codes of `codes_to_look_at`."""
    totals = totals_of(run, sums)
    # Their rows are skipped, and not by the profile.
    superseded = (code for code in totals.codes if lookup(code).outcome == "skipped")
    return totals.digest(sums.findings.main_reason(totals.unnamed), (*looks, *superseded))
