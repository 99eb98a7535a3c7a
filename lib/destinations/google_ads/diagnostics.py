"""What Google counts of uploads later: offline data diagnostics, as JSON by REST.

Google counts by day and by job. All requests of a file have one job ID, so a file is one job.
Status and alerts are those of the latest day with uploads; only the 7 latest jobs are listed
(https://developers.google.com/google-ads/api/docs/conversions/upload-summaries).
"""

from __future__ import annotations

from typing import Final

from lib.destinations.preflight import Json, Search
from lib.model.sent_requests import DiagnosticsAlert, JobCounts, UploadDiagnostics

_OUR_CLIENT: Final = "GOOGLE_ADS_API"
_FIELDS: Final = ("client", "status", "last_upload_date_time", "job_summaries", "alerts")


def _query(resource: str, *more: str) -> str:
    # Google allows neither filters nor sorting on the repeated parts.
    fields = ", ".join(f"{resource}.{field}" for field in (*_FIELDS, *more))
    return f"SELECT {fields} FROM {resource}"


ACCOUNT_SUMMARY_QUERY: Final = _query("offline_conversion_upload_client_summary")
ACTION_SUMMARY_QUERY: Final = _query(
    "offline_conversion_upload_conversion_action_summary", "conversion_action_id"
)


def read_diagnostics(customer_id: str, search: Search) -> list[UploadDiagnostics]:
    """Return the diagnostics of the account, then those of its conversion actions.

    Empty if Google has no summary of the account, because its actions alone say little.
    """
    diagnostics = [
        _diagnostics(summary)
        for query in (ACCOUNT_SUMMARY_QUERY, ACTION_SUMMARY_QUERY)
        for summary in search(customer_id, query)
        if summary.get("client") == _OUR_CLIENT
    ]
    # The summary of the account names no action, so it becomes the first one.
    diagnostics.sort(key=lambda each: each.conversion_action)
    has_account = bool(diagnostics) and not diagnostics[0].conversion_action
    return diagnostics if has_account else []


def _diagnostics(summary: Json) -> UploadDiagnostics:
    return UploadDiagnostics(
        status=summary.get("status", ""),
        last_upload=summary.get("lastUploadDateTime", ""),
        jobs={
            int(job["jobId"]): JobCounts(
                int(job.get("successfulCount", 0)),
                int(job.get("failedCount", 0)),
                int(job.get("pendingCount", 0)),
            )
            for job in summary.get("jobSummaries", ())
            if "jobId" in job
        },
        alerts=tuple(
            DiagnosticsAlert(_code_in(alert), round(alert.get("errorPercentage", 0.0), 4))
            for alert in summary.get("alerts", ())
        ),
        conversion_action=str(summary.get("conversionActionId", "")),
    )


def _code_in(alert: Json) -> str:
    """Return the code of an alert, such as that of `{"conversionUploadError": "EXPIRED_EVENT"}`."""
    return next(iter(map(str, alert.get("error", {}).values())), "UNKNOWN")
