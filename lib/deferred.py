"""Runs looked at again: rows that were too early are sent once more when their time has come
(`lib.resend`), and the Data Manager API is asked what became of the requests (`lib.processing`).

Then the results document is put together anew from the chunk markers. A crash in between leaves the
run waiting, and Google's dedupe keeps its conversions single.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.destinations.data_manager_status import processing_of
from lib.errors import GiveUp, LeaseLost, Redeliver
from lib.finish import Carried, announce, rewrite_results
from lib.lease import Lease
from lib.ledger import run_id
from lib.logs import Log
from lib.ports import Ports
from lib.processing import alarm, passing_requests, reschedule, with_processing
from lib.report import Facts, Summary, Tally
from lib.resend import give_rows_up, send_again
from lib.rules.conversion import Problem
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
    log.info(
        "run_updated",
        status=summary.status,
        not_counted=summary.not_counted,
        counts=summary.tally.counts(),
    )
    announce(summary, ports)
    return True


def _go_on(
    lease: Lease, waiting: Waiting, ports: Ports, deadline: float, log: Log
) -> tuple[Summary, datetime | None]:
    """Do what is due of a waiting run: the new document's summary, and when to look again."""
    ledger = ports.ledger
    settings = ports.settings
    now = ports.utc_now()
    facts = Facts.from_json(waiting.facts)
    if waiting.resend_at is not None and waiting.resend_at <= now:
        too_late = now - waiting.since > timedelta(hours=settings.max_defer_hours)
        passing = passing_requests(facts.processing)
        try:
            send_again(lease, passing, ports, deadline, too_late, log)
        except (GiveUp, SourceError) as error:
            # The source is gone, or the account doesn't work now: wait on, but not for ever.
            if too_late or error.code == "SOURCE_GONE":
                give_rows_up(lease, passing, Problem(error.code, "", error.detail), ports)
        waiting = replace(waiting, resend_at=now + timedelta(hours=settings.defer_hours))
    asked = waiting.ask_at is not None and waiting.ask_at <= now

    def facts_of(tally: Tally, carried: Carried) -> Facts:
        nonlocal waiting
        processing = None
        if facts.destination == "data_manager" and carried.newest and not facts.validate_only:
            processing = _renewed(carried.newest, facts.processing, asked, ports, deadline, log)
        waiting = reschedule(
            waiting,
            carried,
            processing,
            asked=asked,
            deferred=bool(tally.outcomes.get("deferred")),
            settings=settings,
            now=now,
        )
        if processing is None:
            return facts
        return with_processing(facts, processing, waiting.resend_at, carried)

    summary = rewrite_results(lease, facts_of, ports)
    waiting = replace(waiting, facts=summary.facts.to_json())
    if waiting.due is not None:
        ports.waiting_runs.put(waiting)
    else:
        # Before it is written down that nothing is open: an alert may come twice, but not never.
        alarm(summary, log)
    lease.update(lambda run: ledger.finish(run, "waiting" if waiting.due else "finished"))
    return summary, waiting.due


def _renewed(
    request_ids: Sequence[str],
    before: Mapping[str, Any] | None,
    ask: bool,
    ports: Ports,
    deadline: float,
    log: Log,
) -> Mapping[str, Any]:
    """The `processing` part for those requests, after asking Google if it is time to."""
    if ask:
        try:
            return ports.renew_processing(request_ids, before, ports.utc_now(), deadline, log)
        except GiveUp as error:
            # The credentials, perhaps; asked again when it is due again, not for ever.
            log.warning("processing_unknown", code=error.code)
    return processing_of(request_ids, (), None, before)
