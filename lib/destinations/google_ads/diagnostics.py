"""Reads Google's offline data diagnostics
(https://developers.google.com/google-ads/api/docs/conversions/upload-summaries).

Google counts by day and by job. All requests of a file have one job ID, so a file is one job.
Status and alerts are those of the latest day with uploads; only the 7 most recent jobs are listed.
"""

from __future__ import annotations

from typing import Any

from lib.destinations.google_ads.enums import enum_name
from lib.destinations.google_ads.errors import code_name
from lib.destinations.google_ads.search import Search
from lib.model.sent_requests import DiagnosticsAlert, JobCounts, UploadDiagnostics

_ACCOUNT = "offline_conversion_upload_client_summary"
_ACTION = "offline_conversion_upload_conversion_action_summary"
_OUR_CLIENT = "GOOGLE_ADS_API"
_FIELDS = ("client", "status", "last_upload_date_time", "job_summaries", "alerts")


def _query(resource: str, *more: str) -> str:
    # Google allows neither filters nor sorting on the repeated parts.
    fields = ", ".join(f"{resource}.{field}" for field in (*_FIELDS, *more))
    return f"SELECT {fields} FROM {resource}"


ACCOUNT_QUERY = _query(_ACCOUNT)
ACTION_QUERY = _query(_ACTION, "conversion_action_id")


def read_diagnostics(customer_id: str, search: Search) -> list[UploadDiagnostics]:
    """Return the diagnostics of the account, then those of its conversion actions.

    Empty if Google has no summary of the account, because its actions alone say little.
    """
    found = [
        _diagnostics(summary)
        for query in (ACCOUNT_QUERY, ACTION_QUERY)
        for summary in search(customer_id, query)
        if enum_name(summary, "client") == _OUR_CLIENT
    ]
    found.sort(key=lambda each: each.conversion_action)
    return found if found and not found[0].conversion_action else []


def _diagnostics(summary: Any) -> UploadDiagnostics:
    return UploadDiagnostics(
        status=enum_name(summary, "status"),
        last_upload=summary.last_upload_date_time,
        jobs={
            job.job_id: JobCounts(job.successful_count, job.failed_count, job.pending_count)
            for job in summary.job_summaries
        },
        alerts=tuple(
            DiagnosticsAlert(code_name(alert.error), round(alert.error_percentage, 4))
            for alert in summary.alerts
        ),
        conversion_action=str(getattr(summary, "conversion_action_id", "")),
    )
