"""Rows that the sweep sends again: deferred ones, and those of requests that Google took but, when
it worked them off, didn't count for a reason that passes (Data Manager: a click too recent).

The rows are read from the source object again (no user data is kept anywhere), judged as the first
attempt judged them, and what comes of it is merged into their chunk's marker.

An API that counts later names no rows. So of such a request's chunk every uploaded row is sent
again that Google will know again if it has counted it: by its order id (also a derived one), or by
its gclid with time and action. Google names no such rule for a gbraid or wbraid on that route, and
none for a row with identifiers alone: without an order id these are kept back. A sweep that dies
between the answer and the marker sends a chunk once more, and nothing is lost or counted twice.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from lib.adapters.logging import Log
from lib.destinations.base import UploadResult
from lib.errors import PermanentError
from lib.model.outcomes import Outcome, Problem, Repeat, RowOutcome
from lib.model.records import Conversion
from lib.results.chunk_report import ChunkReport, chunk_report
from lib.rules.engine import Judge
from lib.run.chunks import Prepared, Unsendable, outcomes, prepare, split_into_chunks
from lib.run.context import RunContext
from lib.run.preflight import UploadJob, claimed_profile, prepare_job, read_header, read_table
from lib.source.records import Record
from lib.state.lease import Lease
from lib.state.run import Run


def send_again(
    lease: Lease,
    transient: Set[str],
    context: RunContext,
    deadline: float,
    too_late: bool,
    log: Log,
) -> None:
    """Send deferred rows, and those that the requests `transient` carried.

    Deferred rows that are so again are failed if it is `too_late`. Raises `PermanentError` or `SourceError`
    if nothing can be sent now.
    """
    run = lease.run
    ledger = context.ledger
    profile = claimed_profile(run)
    table = read_table(context.store.open(run.source), profile, context.settings.max_file_bytes)
    header = read_header(table, profile)
    job = prepare_job(table, header, profile, run.now, context.destination, log)
    accepted: Outcome = "ok" if profile.validate_only else "uploaded"
    written = ledger.finished_chunks(run)
    for chunk in split_into_chunks(table.records()):
        lease.check()
        if chunk.number not in written:
            continue
        marker, generation = ledger.load_chunk(run, chunk.number)
        report = ChunkReport.from_marker(marker)
        lines = {row.line for row in report.listed if row.outcome == "deferred"}
        repeats = report.repeatable and not transient.isdisjoint(report.newest)
        if not lines and not repeats:
            continue
        records = list(chunk.records)
        stop: Problem | None = None
        if repeats:
            again, stop = _repeat(report, records, job, run, deadline)
            if not job.stops_at(stop):
                report = again
                generation = ledger.replace_chunk(run, chunk.number, report.to_marker(), generation)
        if lines and (too_late or not job.stops_at(stop)):
            deferred = [record for record in records if record[0] in lines]
            prepared, sent = _send(chunk.number, deferred, job, run, deadline)
            stop = sent.stop
            if too_late or not job.stops_at(stop):
                answer = outcomes(prepared, sent, accepted, list_all=True)
                list_all = context.settings.list_all_rows
                report = _merged(report, answer, accepted, too_late, list_all)
                ledger.replace_chunk(run, chunk.number, report.to_marker(), generation)
        if job.stops_at(stop) and not too_late:
            return


def _send(
    number: int, records: list[Record], job: UploadJob, run: Run, deadline: float
) -> tuple[Prepared, UploadResult]:
    batch = job.destination.batch(run.job_id)
    prepared = prepare(number, records, job.plan, batch)
    if isinstance(prepared, Unsendable):
        raise PermanentError(prepared.problem.code, prepared.problem.detail)
    if not prepared.lines:
        return prepared, UploadResult({}, ())
    return prepared, job.destination.send(batch, deadline)


def _repeat(
    before: ChunkReport, records: list[Record], job: UploadJob, run: Run, deadline: float
) -> tuple[ChunkReport, Problem | None]:
    """Send a chunk's uploaded rows again: its new report, and why to stop, if so.

    Their outcomes stay: Google took them before.
    """
    others = {row.line for row in before.listed if row.outcome != "uploaded"}
    uploaded = [record for record in records if record[0] not in others]
    job = replace(job, plan=job.plan._replace(judge=_known_again(job.plan.judge)))
    prepared, sent = _send(before.number, uploaded, job, run, deadline)
    taken = len(prepared.lines) - sum(
        row_result.outcome not in ("uploaded", "duplicate")
        for row_result in sent.row_results.values()
    )
    report = replace(
        before,
        request_ids=before.request_ids + sent.request_ids,
        superseded=before.request_ids if taken else before.superseded,
        withheld=before.tally.outcomes.get("uploaded", 0) - taken,
    )
    return report, sent.stop


def _known_again(judge: Judge) -> Judge:
    """The plan's judge, but for rows that Google might count twice."""

    def strict(line: int, cells: list[str]) -> Conversion | RowOutcome | Repeat:
        judged = judge(line, cells)
        if isinstance(judged, Conversion) and judged.order_id is None and not judged.gclid:
            return RowOutcome(line, "rejected")
        return judged

    return strict


def _merged(
    before: ChunkReport, answer: ChunkReport, accepted: Outcome, too_late: bool, list_all: bool
) -> ChunkReport:
    """A chunk's report with the new outcomes of its deferred rows."""
    new = {row.line: row for row in answer.listed}
    listed: list[RowOutcome] = []
    for old in before.listed:
        row = new.get(old.line, old)
        if old.outcome == "deferred" and row.outcome in ("deferred", "not_attempted"):
            # Not attempted: its account refuses all at the moment. It may not the next time.
            row = row._replace(outcome="failed" if too_late else "deferred")
        if list_all or row.outcome != accepted or row.warnings or row.errors:
            listed.append(row)
    request_ids = before.request_ids + answer.request_ids
    return _recounted(before, listed, before.tally.rows - len(listed), accepted, request_ids)


def fail_deferred_rows(
    lease: Lease, transient: Set[str], problem: Problem, context: RunContext
) -> None:
    """Nothing can be sent any more: deferred rows are failed, the others kept back."""
    run = lease.run
    ledger = context.ledger
    # Rows that aren't listed have one outcome: `ok` if nothing counts, else `uploaded`.
    accepted: Outcome = "ok" if run.profile and run.profile.get("validate_only") else "uploaded"
    for number in sorted(ledger.finished_chunks(run)):
        marker, generation = ledger.load_chunk(run, number)
        before = ChunkReport.from_marker(marker)
        listed = [
            row._replace(outcome="failed", errors=(*row.errors, problem))
            if row.outcome == "deferred"
            else row
            for row in before.listed
        ]
        unlisted = before.tally.rows - len(listed)
        report = _recounted(before, listed, unlisted, accepted, before.request_ids)
        if not transient.isdisjoint(report.newest):
            report = replace(report, withheld=report.tally.outcomes.get("uploaded", 0))
        if report != before:
            ledger.replace_chunk(run, number, report.to_marker(), generation)


def _recounted(
    before: ChunkReport,
    listed: list[RowOutcome],
    unlisted: int,
    accepted: Outcome,
    request_ids: tuple[str, ...],
) -> ChunkReport:
    report = chunk_report(before.number, listed, unlisted, accepted, request_ids)
    return replace(report, superseded=before.superseded, withheld=before.withheld)
