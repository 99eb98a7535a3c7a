"""Offline data diagnostics: Google's summaries → the counts of a job, with our codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.diagnostics import (
    ACCOUNT_SUMMARY_QUERY,
    ACTION_SUMMARY_QUERY,
    read_diagnostics,
)
from lib.model.sent_requests import DiagnosticsAlert, JobCounts, UploadDiagnostics

_ACCOUNT = "offline_conversion_upload_client_summary"
_ACTION = "offline_conversion_upload_conversion_action_summary"
_SUMMARIES = {
    _ACCOUNT: module(f"resources.types.{_ACCOUNT}").OfflineConversionUploadClientSummary.pb(),
    _ACTION: module(
        f"resources.types.{_ACTION}"
    ).OfflineConversionUploadConversionActionSummary.pb(),
}
_CLIENTS = module("enums.types.offline_event_upload_client_enum").OfflineEventUploadClientEnum
_STATUSES = module(
    "enums.types.offline_conversion_diagnostic_status_enum"
).OfflineConversionDiagnosticStatusEnum
_ERRORS = module("errors.types.conversion_upload_error").ConversionUploadErrorEnum


def _summary(resource: str, client: str = "GOOGLE_ADS_API") -> Any:
    summary = _SUMMARIES[resource]()
    summary.client = _CLIENTS.OfflineEventUploadClient[client].value
    summary.status = _STATUSES.OfflineConversionDiagnosticStatus.NEEDS_ATTENTION.value
    summary.last_upload_date_time = "2026-11-24 03:10:00"
    summary.job_summaries.add(job_id=77, successful_count=90, failed_count=6, pending_count=4)
    summary.daily_summaries.add(upload_date="2026-11-24", successful_count=90)
    return summary


def _summaries() -> tuple[list[Any], list[Any]]:
    summary = _summary(_ACCOUNT)
    alert = summary.alerts.add(error_percentage=0.06)
    alert.error.conversion_upload_error = _ERRORS.ConversionUploadError.EXPIRED_EVENT.value
    summary.alerts.add(error_percentage=0.02).error.conversion_upload_error = 999
    of_action = _summary(_ACTION)
    of_action.conversion_action_id = 1001
    return [_summary(_ACCOUNT, "ADS_DATA_CONNECTOR"), summary], [of_action]


def test_the_diagnostics_of_our_client_are_read() -> None:
    """The account comes first, then its actions; what other programs uploaded is left out."""
    of_accounts, of_actions = _summaries()
    asked = []

    def search(customer_id: str, query: str) -> Iterator[Any]:
        asked.append((customer_id, query))
        return map(MessageToDict, of_accounts if query == ACCOUNT_SUMMARY_QUERY else of_actions)

    account, action = read_diagnostics("1234567890", search)
    assert asked == [("1234567890", ACCOUNT_SUMMARY_QUERY), ("1234567890", ACTION_SUMMARY_QUERY)]
    assert account == UploadDiagnostics(
        status="NEEDS_ATTENTION",
        last_upload="2026-11-24 03:10:00",
        jobs={77: JobCounts(90, 6, 4)},
        alerts=(
            DiagnosticsAlert("EXPIRED_EVENT", 0.06),
            DiagnosticsAlert("999", 0.02),
        ),
    )
    assert (action.conversion_action, action.jobs) == ("1001", {77: JobCounts(90, 6, 4)})


def test_actions_without_an_account_are_not_taken_for_one() -> None:
    """If only other programs uploaded to the account, there are no diagnostics."""
    of_accounts, of_actions = _summaries()

    def search(customer_id: str, query: str) -> Iterator[Any]:
        own = of_accounts[:1] if query == ACCOUNT_SUMMARY_QUERY else of_actions
        return map(MessageToDict, own)

    assert read_diagnostics("1234567890", search) == []


@pytest.mark.parametrize("query", [ACCOUNT_SUMMARY_QUERY, ACTION_SUMMARY_QUERY])
def test_the_queries_name_fields_that_exist(query: str) -> None:
    """A new version of the client library without one of the fields fails here."""
    fields, _, resource = query.removeprefix("SELECT ").partition(" FROM ")
    summary = _SUMMARIES[resource].DESCRIPTOR
    for field in fields.split(", "):
        assert field.removeprefix(f"{resource}.") in summary.fields_by_name
