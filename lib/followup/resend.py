"""Sends rows again: deferred rows, and rows of requests that the API accepted but did not count.

Only requests that were not counted for a temporary reason (such as a click that was too recent) are
sent again. The rows are read from the source object again, because no user data is stored. They are
judged as in the first attempt, and their outcomes are merged into the marker of their chunk.

An API that counts later does not name rows. So the sweep sends every uploaded row of the request's
chunk, provided that Google would recognize the row if it has already counted it: by its order ID
(also a derived one), or by gclid, time and action. Google documents nothing similar for a gbraid or
wbraid, or for a row with user identifiers only. Without any order ID, these rows are withheld. If a
sweep crashes between the answer and the marker, the chunk is sent again: nothing is lost or counted
twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace

from lib.destinations.base import UploadResult
from lib.errors import PermanentError
from lib.model.chunk_report import ChunkReport, chunk_report
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Outcome, Problem, RowOutcome
from lib.model.records import Conversion
from lib.run.chunks import Chunk, PreparedChunk, outcomes, prepare, split_into_chunks
from lib.run.context import RunContext
from lib.run.header import read_header
from lib.run.preflight import UploadJob, claimed_profile, prepare_job, read_table
from lib.state.lease import Lease
from lib.state.run import Run


def send_again(
    lease: Lease,
    requests: Set[str],
    context: RunContext,
    deadline: Deadline,
    too_late: bool,
    log: Log,
) -> None:
    """Send deferred rows, and the rows of these `requests`.

    If it is `too_late`, rows that would be deferred again fail. Raises `PermanentError` or
    `SourceError` if nothing can be sent now.
    """
    run = lease.run
    ledger = context.ledger
    profile = claimed_profile(run)
    table = read_table(context.store.open(run.source), profile, context.settings.max_file_bytes)
    header = read_header(table, profile)
    job = prepare_job(table, header, profile, run, context.connect, log)
    resend = _Resend(job, run, context, deadline, too_late)
    written = ledger.finished_chunks(run)
    for chunk in split_into_chunks(table.records(), run.chunk_limits):
        lease.check()
        if chunk.number not in written:
            continue
        marker, generation = ledger.load_chunk(run, chunk.number)
        report = marker.report
        stop: Problem | None = None
        if report.repeatable and not requests.isdisjoint(report.newest):
            report, generation, stop = resend.repeat(chunk, report, generation)
        has_deferred = any(row.outcome == "deferred" for row in report.listed)
        if has_deferred and (too_late or not job.stops_at(stop)):
            stop = resend.deferred(chunk, report, generation)
        if job.stops_at(stop) and not too_late:
            return


@dataclass(frozen=True, slots=True)
class _Resend:
    """Sends rows of a chunk again, and replaces the chunk's marker."""

    job: UploadJob
    run: Run
    context: RunContext
    deadline: Deadline
    too_late: bool

    def repeat(
        self, chunk: Chunk, before: ChunkReport, generation: int
    ) -> tuple[ChunkReport, int, Problem | None]:
        """Send a chunk's uploaded rows again. Return its report, its generation and why to stop.

        The rows keep their outcome, because the API has accepted them before.
        """
        others = {row.line for row in before.listed if row.outcome != "uploaded"}
        uploaded = chunk._replace(records=[r for r in chunk.records if r[0] not in others])
        prepared, result = self._send(uploaded, _is_recognizable)
        if self.job.stops_at(result.stop):
            return before, generation, result.stop
        accepted = len(prepared.lines) - sum(
            each.outcome not in ("uploaded", "duplicate") for each in result.row_results.values()
        )
        report = replace(
            before,
            request_ids=before.request_ids + result.request_ids,
            superseded=before.request_ids if accepted else before.superseded,
            withheld=before.tally.outcomes.get("uploaded", 0) - accepted,
        )
        generation = self.context.ledger.replace_chunk(self.run, report, generation)
        return report, generation, result.stop

    def deferred(self, chunk: Chunk, before: ChunkReport, generation: int) -> Problem | None:
        """Send a chunk's deferred rows again. Return why to stop, if so."""
        lines = {row.line for row in before.listed if row.outcome == "deferred"}
        deferred = chunk._replace(records=[r for r in chunk.records if r[0] in lines])
        prepared, result = self._send(deferred, None)
        if self.too_late or not self.job.stops_at(result.stop):
            accepted: Outcome = "ok" if self.job.validate_only else "uploaded"
            answer = outcomes(prepared, result, accepted, list_all=True)
            list_all = self.context.settings.list_all_rows
            report = _merged(before, answer, accepted, self.too_late, list_all)
            self.context.ledger.replace_chunk(self.run, report, generation)
        return result.stop

    def _send(
        self, chunk: Chunk, is_sent: Callable[[Conversion], bool] | None
    ) -> tuple[PreparedChunk, UploadResult]:
        job = self.job
        batch = job.destination.batch(self.run.job_id, maybe_sent=True)
        prepared = prepare(chunk, job.row_filter, job.engine, batch, job.refuses_user_data, is_sent)
        if isinstance(prepared, Problem):
            raise PermanentError(prepared.code, prepared.detail)
        if not prepared.lines:
            return prepared, UploadResult({}, ())
        return prepared, job.destination.send(batch, self.deadline)


def _is_recognizable(conversion: Conversion) -> bool:
    """Return whether Google certainly recognizes the conversion if it has counted it."""
    return conversion.order_id is not None or conversion.gclid != ""


def _merged(
    before: ChunkReport, answer: ChunkReport, accepted: Outcome, too_late: bool, list_all: bool
) -> ChunkReport:
    """Return a chunk's report with the new outcomes of its deferred rows."""
    new = {row.line: row for row in answer.listed}
    listed: list[RowOutcome] = []
    unlisted = _unlisted(before, accepted)
    for old in before.listed:
        row = new.get(old.line, old)
        if old.outcome == "deferred" and row.outcome in ("deferred", "not_attempted"):
            # Not attempted: its account refuses all rows now, but may accept them next time.
            row = row._replace(outcome="failed" if too_late else "deferred")
        if list_all or row.outcome not in unlisted or row.warnings or row.errors:
            listed.append(row)
        else:
            unlisted[row.outcome] += 1
    return _recounted(before, listed, unlisted, before.request_ids + answer.request_ids)


def fail_deferred_rows(
    lease: Lease, requests: Set[str], problem: Problem, context: RunContext
) -> int:
    """Fail deferred rows and withhold rows of the `requests`: nothing can be sent any more.

    Returns the number of deferred rows that failed.
    """
    failed = 0
    run = lease.run
    ledger = context.ledger
    # The outcome of accepted rows: `ok` if the upload only validates, else `uploaded`.
    profile = run.profile if isinstance(run.profile, Mapping) else {}
    accepted: Outcome = "ok" if profile.get("validate_only") else "uploaded"
    for number in sorted(ledger.finished_chunks(run)):
        marker, generation = ledger.load_chunk(run, number)
        before = marker.report
        listed = [
            row._replace(outcome="failed", errors=(*row.errors, problem))
            if row.outcome == "deferred"
            else row
            for row in before.listed
        ]
        unlisted = _unlisted(before, accepted)
        report = _recounted(before, listed, unlisted, before.request_ids)
        if not requests.isdisjoint(report.newest):
            report = replace(report, withheld=report.tally.outcomes.get("uploaded", 0))
        if report != before:
            ledger.replace_chunk(run, report, generation)
        failed += before.tally.outcomes.get("deferred", 0)
    return failed


def _unlisted(report: ChunkReport, accepted: Outcome) -> dict[Outcome, int]:
    """Return the numbers of rows that are not listed: accepted and skipped ones."""
    counts = report.tally.outcomes
    listed = Counter(row.outcome for row in report.listed)
    outcomes_: tuple[Outcome, Outcome] = (accepted, "skipped")
    return {outcome: counts.get(outcome, 0) - listed[outcome] for outcome in outcomes_}


def _recounted(
    before: ChunkReport,
    listed: list[RowOutcome],
    unlisted: Mapping[Outcome, int],
    request_ids: tuple[str, ...],
) -> ChunkReport:
    placeholders = before.tally.placeholders
    report = chunk_report(
        before.number, listed, unlisted, request_ids, before.selection, placeholders
    )
    return replace(report, superseded=before.superseded, withheld=before.withheld)
