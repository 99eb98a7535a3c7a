"""What remains to be done for a file after its first results document, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lib.catalogue.codes import WAITS_A_DAY
from lib.config.settings import Settings
from lib.destinations.base import CheckSchedule
from lib.destinations.registry import capabilities_of
from lib.model import retries
from lib.model.outcomes import Tally
from lib.results.document import DocumentMetadata, processing_of
from lib.run.attempt import Progress
from lib.state.pending_runs import PendingRun
from lib.state.run import Run

UNTERMINATED_LAST_LINE: Final = "UNTERMINATED_LAST_LINE"
"""The row in a last line without a line end, which may have been cut there by a broken upload.

    unterminated line ──▶ can a cut matter? ──no──▶ sent at once
                            │ yes
                            ▼
                     deferred, the other rows are sent at once
                            │ 10 minutes later, the sweep
                            ├─ a newer generation of the file ──▶ not_attempted (LAST_LINE_REPLACED)
                            ├─ the file is gone               ──▶ failed (SOURCE_GONE), alert
                            └─ otherwise                      ──▶ sent as it is

A cut value is worse than a late one: 1270.00 that arrives as 1 is counted as 1, and the complete
upload that follows is a duplicate."""


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
    if metadata.validate_only or not metadata.customer_id or "customer_id" in metadata.headers:
        return None
    return capabilities_of(metadata.destination).diagnostics
