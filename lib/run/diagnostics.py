"""What the Google Ads API counts for the job of a file, a part of the document's `processing`.

They change no row, and nobody needs them: if they cannot be read, nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lib.catalogue.codes import lookup
from lib.config.settings import Settings
from lib.destinations.base import DiagnosingDestination
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError, RetryableError
from lib.model.sent_requests import JobCounts, UploadDiagnostics
from lib.run.attempt import Attempt, Sums
from lib.run.statuses import senders
from lib.state.runs import Run


def next_diagnosis(run: Run, sums: Sums, settings: Settings) -> datetime | None:
    """Return when to ask for the diagnostics again. None: never.

    Only the API that gets the conversions is asked.
    """
    names, schedule = senders(run), None
    if settings.read_diagnostics and names and run.facts is not None and run.facts.customer_id:
        schedule = capabilities_of(names[0]).diagnostics
    job = _job_counts(run, sums)
    if schedule is None or sums.sent_at is None or (job is not None and not job.pending):
        return None
    return schedule.next_check(sums.sent_at, run.diagnosed_at)


def ask_for_diagnostics(attempt: Attempt) -> None:
    """Ask for the diagnostics, if they are due."""
    run, profile, now = attempt.run, attempt.profile, attempt.context.utc_now()
    due = next_diagnosis(run, attempt.sums, attempt.context.settings)
    if due is None or due > now:
        return
    # Saved before the API is asked: one that never answers is not asked all the time.
    attempt.save(diagnosed_at=now)
    if profile is None:
        return  # this version cannot read it
    assert run.facts is not None  # else, no diagnosis is due
    try:
        destination = attempt.context.connect(profile, attempt.log)
        assert isinstance(destination, DiagnosingDestination)
        answer = destination.upload_diagnostics(run.facts.customer_id)
    except (PermanentError, RetryableError) as error:
        attempt.log.warning("processing_unknown", code=error.code, detail=error.detail)
        return
    diagnostics = diagnostics_of_job(run.job_id, answer, now, run.diagnostics)
    if diagnostics != run.diagnostics:
        attempt.keep(diagnostics=diagnostics)
        attempt.has_changed = True


def diagnostics_of_job(
    job_id: int,
    found: UploadDiagnostics | None,
    read_at: datetime,
    previous: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Return the `diagnostics` part of a document, or the `previous` one (None: there was none) if
    nothing is new: the API has no diagnostics, or does not list the job any more.

    `job` is None if the API does not list the job: not yet, or no longer, because it lists only the
    most recent ones.
    """
    if found is None or (previous and previous["job"] and job_id not in found.jobs):
        return dict(previous) if previous else None
    job = found.jobs.get(job_id)
    return {
        "read_at": read_at.isoformat(),
        "status": found.status,
        "job": job._asdict() if job is not None else None,
        "alerts": [
            {
                "code": alert.code,
                "share": alert.share,
                "meaning": lookup(alert.code).meaning,
                "action": lookup(alert.code).action,
            }
            for alert in found.alerts
        ],
    }


def failed_later(run: Run, sums: Sums) -> int:
    """Return how many uploaded rows the API counts as failed in the run's job.

    Two numbers that it cannot exceed, of which the smaller one counts: what the job counts as
    failed, and the uploaded rows that it counts neither as successful nor as pending. Calls are not
    in the job, so in a file with calls the second one is too large. Then rows that Google refused
    at once are taken from the first: Google does not document whether `failed` includes them.
    """
    job, totals = _job_counts(run, sums), sums.totals
    if job is None:
        return 0
    has_calls = run.facts is not None and "caller_id" in run.facts.columns
    most = job.failed - totals.count("failed") if has_calls else job.failed
    return max(0, min(most, totals.count("uploaded") - job.successful - job.pending))


def _job_counts(run: Run, sums: Sums) -> JobCounts | None:
    """Return how the API counts the rows of the run's job. None: it has not counted all requests
    yet, because the diagnostics are older than the last one, or do not list the job."""
    diagnostics = run.diagnostics
    if not diagnostics or not diagnostics["job"] or sums.sent_at is None:
        return None
    if datetime.fromisoformat(diagnostics["read_at"]) < sums.sent_at:
        return None
    return JobCounts(**diagnostics["job"])
