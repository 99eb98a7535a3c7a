"""Runs looked at again: rows that were too early are sent once more when their time has come, and
the Data Manager API is asked what became of the requests.

The rows are read from the source object again (no user data is kept anywhere), judged as the first
attempt judged them, and merged into their chunk's marker. Then the results document is put together
anew. A crash in between leaves the run waiting, and Google's dedupe keeps its conversions single.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from lib.chunks import Unsendable, cut, outcomes, prepare
from lib.destinations.data_manager_status import next_check
from lib.errors import GiveUp, LeaseLost, Redeliver
from lib.finish import announce, rewrite_results
from lib.lease import Lease
from lib.ledger import run_id
from lib.logs import Log
from lib.ports import Ports
from lib.ready import claimed_profile, get_ready, read_header, read_table
from lib.report import ChunkReport, Facts, Summary, chunk_report
from lib.rules.conversion import Outcome, Problem, RowOutcome
from lib.source.errors import SourceError
from lib.waiting import Waiting


def look_again(waiting: Waiting, ports: Ports, deadline: float) -> bool:
    """Do what is due of a waiting run. Returns whether nothing of it is open any more.

    Raises `LeaseHeld` if somebody else works on it, `Redeliver` to try at the next sweep.
    """
    ledger = ports.ledger
    run = ledger.load(waiting.key)
    if run is None or run.status == "finished":
        ports.waiting_runs.clear(waiting.key)
        return True
    run = ledger.reopen(run, ports.utc_now(), ports.new_token())
    log = ports.log.bind(run_id=run_id(run.source))
    lease = Lease(ledger, run, ports.settings.lease_seconds, ports.utc_now)
    try:
        with lease:
            summary, still = _go_on(lease, waiting, ports, deadline, log)
    except LeaseLost:
        raise
    except Redeliver:
        # Nobody works on it now: the next sweep needn't wait for the lease to run out.
        with suppress(Redeliver):
            ledger.finish(lease.run, "waiting")
        raise
    if still is not None:
        return False
    ports.waiting_runs.clear(run.key)
    log.info("run_updated", status=summary.status, counts=summary.tally.counts())
    announce(summary, ports)
    return True


def _go_on(
    lease: Lease, waiting: Waiting, ports: Ports, deadline: float, log: Log
) -> tuple[Summary, datetime | None]:
    """Do what is due of a waiting run: the new document's summary, and when to look again."""
    ledger = ports.ledger
    settings = ports.settings
    now = ports.utc_now()
    if waiting.resend_at is not None and waiting.resend_at <= now:
        too_late = now - waiting.since > timedelta(hours=settings.max_defer_hours)
        try:
            _send_deferred(lease, ports, deadline, too_late, log)
        except (GiveUp, SourceError) as error:
            # The source is gone, or the account doesn't work now: wait on, but not for ever.
            if too_late or error.code == "SOURCE_GONE":
                _give_rows_up(lease, Problem(error.code, "", error.detail), ports)
        waiting = replace(waiting, resend_at=now + timedelta(hours=settings.defer_hours))
    ask = waiting.ask_at is not None and waiting.ask_at <= now

    def facts_of(request_ids: list[str]) -> Facts:
        facts = Facts.from_json(waiting.facts)
        if ask:
            try:
                processing = ports.renew_processing(
                    request_ids, facts.processing, now, deadline, log
                )
            except GiveUp as error:
                # The credentials, perhaps; asked again when it is due again, not for ever.
                log.warning("processing_unknown", code=error.code)
            else:
                facts = replace(facts, processing=processing)
        return facts

    summary = rewrite_results(lease, facts_of, ports)
    if ask:
        open_ = summary.facts.processing["status"] == "processing"
        asked = waiting.asked + 1
        ask_at = next_check(waiting.since, asked) if open_ else None
        waiting = replace(waiting, asked=asked, ask_at=ask_at)
    if summary.status != "waiting":
        waiting = replace(waiting, resend_at=None)
    waiting = replace(waiting, facts=summary.facts.to_json())
    if waiting.due is not None:
        ports.waiting_runs.put(waiting)
    lease.update(lambda run: ledger.finish(run, "waiting" if waiting.due else "finished"))
    return summary, waiting.due


def _send_deferred(lease: Lease, ports: Ports, deadline: float, too_late: bool, log: Log) -> None:
    run = lease.run
    ledger = ports.ledger
    profile = claimed_profile(run)
    table = read_table(ports.store.open(run.source), profile, ports.settings.max_file_bytes)
    header = read_header(table, profile)
    job = get_ready(table, header, profile, run.now, ports.destination, log)
    plain: Outcome = "ok" if profile.validate_only else "uploaded"
    written = ledger.finished_chunks(run)
    for chunk in cut(table.records()):
        lease.check()
        if chunk.number not in written:
            continue
        before = ChunkReport.from_marker(ledger.read_chunk(run, chunk.number))
        lines = {row.line for row in before.listed if row.outcome == "deferred"}
        if not lines:
            continue
        records = [record for record in chunk.records if record[0] in lines]
        batch = job.destination.batch(run.job_id)
        prepared = prepare(chunk.number, records, job.plan, batch)
        if isinstance(prepared, Unsendable):
            raise GiveUp(prepared.problem.code, prepared.problem.detail)
        sent = job.destination.send(batch, deadline)
        answer = outcomes(prepared, sent, plain, list_all=True)
        if job.stops_at(sent.stop) and not too_late:
            return
        merged = _merged(before, answer, plain, too_late, ports.settings.list_all_rows)
        ledger.replace_chunk(run, chunk.number, merged.to_marker())


def _merged(
    before: ChunkReport, answer: ChunkReport, plain: Outcome, too_late: bool, list_all: bool
) -> ChunkReport:
    """A chunk's report with the new outcomes of its deferred rows."""
    new = {row.line: row for row in answer.listed}
    listed: list[RowOutcome] = []
    for old in before.listed:
        row = new.get(old.line, old)
        if old.outcome == "deferred" and too_late and row.outcome in ("deferred", "not_attempted"):
            row = row._replace(outcome="failed")
        if list_all or row.outcome != plain or row.warnings or row.errors:
            listed.append(row)
    return chunk_report(
        before.number,
        listed,
        before.tally.rows - len(listed),
        plain,
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
        # Rows that aren't listed have one outcome: `ok` if nothing counts, else `uploaded`.
        plain = "ok" if run.profile and run.profile.get("validate_only") else "uploaded"
        unlisted = before.tally.rows - len(listed)
        report = chunk_report(number, listed, unlisted, plain, before.request_ids)
        ledger.replace_chunk(run, number, report.to_marker())
