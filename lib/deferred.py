"""Runs looked at again: rows that were too early are sent once more when their time has come.

The rows are read from the source object again (no user data is kept anywhere), judged as the first
attempt judged them, and merged into their chunk's marker. Then the results document is put together
anew. A crash in between leaves the run waiting, and Google's dedupe keeps its conversions single.
"""

from __future__ import annotations

from datetime import timedelta

from lib.chunks import cut, outcomes, prepare
from lib.errors import GiveUp
from lib.finish import rewrite_results
from lib.lease import Lease
from lib.ledger import Waiting, run_id
from lib.logs import Log
from lib.ports import Ports
from lib.ready import get_ready, read_table
from lib.report import ChunkReport, Facts, chunk_report
from lib.rules.conversion import Outcome, Problem, RowOutcome
from lib.settings import Profile
from lib.source.errors import SourceError


def look_again(waiting: Waiting, ports: Ports, deadline: float) -> bool:
    """Send a waiting run's deferred rows again. Returns whether nothing of it is open any more.

    Raises `LeaseHeld` if somebody else works on it, `Redeliver` to try at the next sweep.
    """
    ledger = ports.ledger
    run = ledger.load(waiting.key)
    if run is None or run.status == "finished":
        ledger.clear_waiting(waiting.key)
        return True
    now = ports.utc_now()
    run = ledger.reopen(run, now, ports.new_token())
    log = ports.log.bind(run_id=run_id(run.source))
    too_late = now - waiting.since > timedelta(hours=ports.settings.max_defer_hours)
    with Lease(ledger, run, ports.settings.lease_seconds, ports.utc_now) as lease:
        facts = Facts.from_json(waiting.facts)
        try:
            _send_deferred(lease, ports, deadline, too_late, log)
        except (GiveUp, SourceError) as error:
            # The source is gone, or the account doesn't work now: wait on, but not for ever.
            if too_late or error.code == "SOURCE_GONE":
                _give_rows_up(lease, Problem(error.code, "", error.detail), ports)
        summary = rewrite_results(lease, facts, ports)
        still = summary.status == "waiting"
        if still:
            due = now + timedelta(hours=ports.settings.defer_hours)
            ledger.set_waiting(Waiting(run.key, due, waiting.since, waiting.facts))
        lease.update(lambda run: ledger.finish(run, "waiting" if still else "finished"))
    if not still:
        ledger.clear_waiting(run.key)
        log.info("run_finished", status=summary.status, counts=summary.tally.counts())
    return not still


def _send_deferred(lease: Lease, ports: Ports, deadline: float, too_late: bool, log: Log) -> None:
    run = lease.run
    ledger = ports.ledger
    profile = Profile.model_validate(run.profile)
    table = read_table(ports.store.open(run.source), profile, ports.settings.max_file_bytes)
    job = get_ready(table, profile, run.now, ports.destination, log)
    plain: Outcome = "ok" if profile.validate_only else "uploaded"
    for chunk in cut(table.records()):
        lease.check()
        before = ChunkReport.from_marker(ledger.read_chunk(run, chunk.number))
        lines = {row.line for row in before.listed if row.outcome == "deferred"}
        if not lines:
            continue
        records = [record for record in chunk.records if record[0] in lines]
        batch = job.destination.batch(run.job_id)
        prepared = prepare(chunk.number, records, job.plan, batch)
        sent = job.destination.send(batch, deadline)
        answer = outcomes(prepared, sent, plain, list_all=True)
        if sent.stop is not None and not too_late:
            return
        ledger.replace_chunk(run, chunk.number, _merged(before, answer, too_late).to_marker())


def _merged(before: ChunkReport, answer: ChunkReport, too_late: bool) -> ChunkReport:
    """A chunk's report with the new outcomes of its deferred rows."""
    new = {row.line: row for row in answer.listed}
    listed: list[RowOutcome] = []
    for old in before.listed:
        row = new.get(old.line, old)
        if row.outcome == "deferred" and too_late:
            row = row._replace(outcome="failed")
        if row.outcome == "uploaded" and not row.warnings and not row.errors:
            continue
        listed.append(row)
    return chunk_report(
        before.number,
        listed,
        before.tally.rows - len(listed),
        "uploaded",
        before.request_ids + answer.request_ids,
    )


def _give_rows_up(lease: Lease, problem: Problem, ports: Ports) -> None:
    run = lease.run
    ledger = ports.ledger
    for number in sorted(ledger.finished_chunks(run)):
        before = ChunkReport.from_marker(ledger.read_chunk(run, number))
        listed = [
            row._replace(outcome="failed", errors=(*row.errors, problem))
            if row.outcome == "deferred"
            else row
            for row in before.listed
        ]
        plain = before.tally.rows - len(listed)
        report = chunk_report(number, listed, plain, "uploaded", before.request_ids)
        ledger.replace_chunk(run, number, report.to_marker())
