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
_RESOURCE: Final = "offline_conversion_upload_client_summary"
_FIELDS: Final = ("client", "status", "job_summaries", "alerts")

# Google allows neither filters nor sorting on the repeated parts.
SUMMARY_QUERY: Final = (
    f"SELECT {', '.join(f'{_RESOURCE}.{field}' for field in _FIELDS)} FROM {_RESOURCE}"
)


def read_diagnostics(customer_id: str, search: Search) -> UploadDiagnostics | None:
    """Return the diagnostics of the account's uploads by the Google Ads API. None: Google has no
    summary of these."""
    for summary in search(customer_id, SUMMARY_QUERY):
        if summary.get("client") == _OUR_CLIENT:
            return _diagnostics(summary)
    return None


def _diagnostics(summary: Json) -> UploadDiagnostics:
    return UploadDiagnostics(
        status=summary.get("status", ""),
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
    )


def _code_in(alert: Json) -> str:
    """Return the code of an alert, such as that of `{"conversionUploadError": "EXPIRED_EVENT"}`."""
    return next(iter(map(str, alert.get("error", {}).values())), "UNKNOWN")
