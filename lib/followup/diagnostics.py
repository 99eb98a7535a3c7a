"""Reads what the API counted for a file's job, and its alerts (`Capabilities.diagnostics`).

A sweep reads the diagnostics of an account once, for all files that are due. They become a part of
the document's `processing`. They change no row: each row has its outcome from the API's answer to
the upload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lib.catalogue.codes import lookup
from lib.destinations.base import DiagnosingDestination
from lib.errors import PermanentError, RetryableError
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.sent_requests import JobCounts, UploadDiagnostics
from lib.results.document import DocumentMetadata
from lib.run.alerts import log_blocked_follow_up
from lib.run.claim import claimed_profile
from lib.run.context import RunContext
from lib.run.finish import diagnostics_schedule
from lib.state.pending_runs import PendingRun
from lib.state.run import Run


class DiagnosticsOfAccounts:
    """The diagnostics that one sweep has read."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.settings = context.settings
        self._read: dict[tuple[str, str | None, str], tuple[Sequence[UploadDiagnostics], str]] = {}

    def of(self, run: Run, customer_id: str, log: Log) -> tuple[Sequence[UploadDiagnostics], str]:
        """Return the diagnostics of a run's account, and the code for which they were refused.

        Empty if they cannot be read now, or were not refused.
        """
        profile = claimed_profile(run)
        key = profile.destination, profile.login_customer_id, customer_id
        if key not in self._read:
            try:
                destination = self._context.connect(profile, log)
                assert isinstance(destination, DiagnosingDestination)
                self._read[key] = destination.upload_diagnostics(customer_id), ""
            except (PermanentError, RetryableError) as error:
                is_refused = isinstance(error, PermanentError)
                self._read[key] = (), error.code if is_refused else ""
                if isinstance(error, PermanentError):
                    log_blocked_follow_up(error, log)
                log.warning("diagnostics_unknown", code=error.code)
        return self._read[key]


def with_diagnostics(
    run: Run,
    metadata: DocumentMetadata,
    pending: PendingRun,
    accounts: DiagnosticsOfAccounts,
    now: datetime,
    log: Log,
) -> tuple[DocumentMetadata, PendingRun]:
    """Return the metadata with the diagnostics that are due, and when to read them again.

    If rows were sent again just now (`sent_at`), the job has grown: the schedule starts again.
    """
    schedule = diagnostics_schedule(metadata, accounts.settings)
    if schedule is None:
        return metadata, replace(pending, diagnose_at=None)
    if pending.sent_at == now:
        first = schedule.next_check(now, 0)
        return metadata, replace(pending, diagnose_at=first, diagnosed=0)
    if pending.diagnose_at is None or pending.diagnose_at > now:
        return metadata, pending
    found, refused = accounts.of(run, metadata.customer_id, log)
    if refused:
        pending = replace(pending, blocked=refused)
    part = diagnostics_of_job(run.job_id, found, now, metadata.diagnostics)
    checks = pending.diagnosed + 1
    again_at = None
    if not is_final(part) or _is_the_same_job(part, metadata.diagnostics):
        again_at = schedule.next_check(pending.sent_at or pending.since, checks)
    notes = tuple(each for each in metadata.notes if each.code != "JOB_NOT_LISTED")
    if again_at is None and part is not None and part["job"] is None:
        notes = (*notes, Problem("JOB_NOT_LISTED"))
    metadata = replace(metadata, diagnostics=part, notes=notes)
    return metadata, replace(pending, diagnose_at=again_at, diagnosed=checks)


def diagnostics_of_job(
    job_id: int,
    found: Sequence[UploadDiagnostics],
    read_at: datetime,
    previous: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Return the `diagnostics` part of a document, or the `previous` one if nothing is new.

    `job` is None if the API does not list the job: not yet, or no longer, because it lists only the
    most recent ones.
    """
    if not found or (previous and previous["job"] and job_id not in found[0].jobs):
        return dict(previous) if previous else None
    account, *actions = found
    return {
        "read_at": read_at.isoformat(),
        "status": account.status,
        "last_upload": account.last_upload,
        "jobs_listed": len(account.jobs),
        "job": _counts(account.jobs.get(job_id)),
        "conversion_actions": [
            {
                "conversion_action": action.conversion_action,
                "status": action.status,
                "job": _counts(action.jobs[job_id]),
            }
            for action in actions
            if job_id in action.jobs
        ],
        "alerts": [
            {
                "code": alert.code,
                "share": alert.share,
                "meaning": lookup(alert.code).meaning,
                "action": lookup(alert.code).action,
            }
            for alert in account.alerts
        ],
    }


def is_final(diagnostics: Mapping[str, Any] | None) -> bool:
    """Whether the API has counted all rows of the job."""
    return bool(diagnostics and diagnostics["job"] and not diagnostics["job"]["pending"])


def _is_the_same_job(new: Mapping[str, Any] | None, previous: Mapping[str, Any] | None) -> bool:
    """Whether the counts have not changed: perhaps the rows that were sent again are missing."""
    return bool(new and previous and new["job"] == previous["job"])


def _counts(job: JobCounts | None) -> dict[str, int] | None:
    return job._asdict() if job is not None else None
