"""How an account is queried (GAQL) on the channel, and what is asked beside its settings: custom
variables and diagnostics. `lookup.read_account` reads the settings.

`GoogleAdsRow` has a field for each of the API's resources. Importing it takes 660 modules, a third
of a cold start and 30 MiB. Each of our queries reads one resource, so only the class of this
resource is imported. The messages around it are declared here, with the fields that are used. A
test compares them with the library's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from lib.destinations.google_ads.api import MessageField, enum_name, module, partial_message
from lib.destinations.google_ads.failures import code_name
from lib.model.sent_requests import DiagnosticsAlert, JobCounts, UploadDiagnostics

Search = Callable[[str, str], Iterable[Any]]
"""(customer ID, query) → raw messages of the resource that the query selects FROM."""

SEARCH_METHOD: Final = "GoogleAdsService/Search"

RESOURCES: Final = {
    "customer": 1,
    "conversion_action": 103,
    "conversion_custom_variable": 153,
    "offline_conversion_upload_client_summary": 216,
    "offline_conversion_upload_conversion_action_summary": 228,
}
"""The resources that can be read → their field numbers in `GoogleAdsRow`."""

SearchRequest: Final = partial_message(
    "SearchRequest",
    MessageField("customer_id", 1, "string"),
    MessageField("query", 2, "string"),
    MessageField("page_token", 3, "string"),
)
SearchResponse: Final = partial_message(
    "SearchResponse",
    MessageField("results", 1, "bytes", repeated=True),
    MessageField("next_page_token", 2, "string"),
)
GoogleAdsRow: Final = partial_message(
    "GoogleAdsRow", *(MessageField(name, number, "bytes") for name, number in RESOURCES.items())
)


def search(customer_id: str, query: str, send: Callable[[bytes], bytes]) -> Iterator[Any]:
    """Make a query, page by page. See `Search`."""
    resource = query.partition(" FROM ")[2].split()[0]
    name = "".join(word.capitalize() for word in resource.split("_"))
    message = getattr(module(f"resources.types.{resource}"), name).pb()
    request = SearchRequest(customer_id=customer_id, query=query)
    while True:
        page = SearchResponse.FromString(send(request.SerializeToString()))
        for row in page.results:
            yield message.FromString(getattr(GoogleAdsRow.FromString(row), resource))
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


# ── custom variables ──────────────────────────────────────────────────────────────────────────────

CUSTOM_VARIABLE_QUERY = (
    "SELECT conversion_custom_variable.id, conversion_custom_variable.name "
    "FROM conversion_custom_variable WHERE conversion_custom_variable.status = 'ENABLED'"
)


def read_custom_variables(customer_id: str, search: Search) -> dict[str, str]:
    """Return the account's conversion custom variables: name (case folded) → ID."""
    return {
        variable.name.casefold(): str(variable.id)
        for variable in search(customer_id, CUSTOM_VARIABLE_QUERY)
    }


# ── diagnostics ───────────────────────────────────────────────────────────────────────────────────

# Google counts by day and by job. All requests of a file have one job ID, so a file is one job.
# Status and alerts are those of the latest day with uploads; only the 7 latest jobs are listed
# (https://developers.google.com/google-ads/api/docs/conversions/upload-summaries).

_SUMMARY = "offline_conversion_upload_client_summary"
_ACTION_SUMMARY = "offline_conversion_upload_conversion_action_summary"
_OUR_CLIENT = "GOOGLE_ADS_API"
_FIELDS = ("client", "status", "last_upload_date_time", "job_summaries", "alerts")


def _query(resource: str, *more: str) -> str:
    # Google allows neither filters nor sorting on the repeated parts.
    fields = ", ".join(f"{resource}.{field}" for field in (*_FIELDS, *more))
    return f"SELECT {fields} FROM {resource}"


ACCOUNT_SUMMARY_QUERY = _query(_SUMMARY)
ACTION_SUMMARY_QUERY = _query(_ACTION_SUMMARY, "conversion_action_id")


def read_diagnostics(customer_id: str, search: Search) -> list[UploadDiagnostics]:
    """Return the diagnostics of the account, then those of its conversion actions.

    Empty if Google has no summary of the account, because its actions alone say little.
    """
    found = [
        _diagnostics(summary)
        for query in (ACCOUNT_SUMMARY_QUERY, ACTION_SUMMARY_QUERY)
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
