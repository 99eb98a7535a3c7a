"""Offline data diagnostics: Google's summaries → the counts of a job, with our codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.diagnostics import SUMMARY_QUERY, read_diagnostics
from lib.model.sent_requests import DiagnosticsAlert, JobCounts, UploadDiagnostics

_RESOURCE = "offline_conversion_upload_client_summary"
_SUMMARY = module(f"resources.types.{_RESOURCE}").OfflineConversionUploadClientSummary.pb()
_CLIENTS = module("enums.types.offline_event_upload_client_enum").OfflineEventUploadClientEnum
_STATUSES = module(
    "enums.types.offline_conversion_diagnostic_status_enum"
).OfflineConversionDiagnosticStatusEnum
_ERRORS = module("errors.types.conversion_upload_error").ConversionUploadErrorEnum


def _summary(client: str) -> Any:
    summary = _SUMMARY()
    summary.client = _CLIENTS.OfflineEventUploadClient[client].value
    summary.status = _STATUSES.OfflineConversionDiagnosticStatus.NEEDS_ATTENTION.value
    summary.job_summaries.add(job_id=77, successful_count=90, failed_count=6, pending_count=4)
    alert = summary.alerts.add(error_percentage=0.06)
    alert.error.conversion_upload_error = _ERRORS.ConversionUploadError.EXPIRED_EVENT.value
    summary.alerts.add(error_percentage=0.02).error.conversion_upload_error = 999
    return summary


@pytest.mark.parametrize("is_ours", [True, False])
def test_the_diagnostics_of_our_client_are_read(*, is_ours: bool) -> None:
    """What other programs uploaded is left out. If no other did, there are none."""
    summaries = [_summary("ADS_DATA_CONNECTOR"), *([_summary("GOOGLE_ADS_API")] * is_ours)]

    def search(customer_id: str, query: str) -> Iterator[Any]:
        assert (customer_id, query) == ("1234567890", SUMMARY_QUERY)
        return map(MessageToDict, summaries)

    expected = UploadDiagnostics(
        status="NEEDS_ATTENTION",
        jobs={77: JobCounts(90, 6, 4)},
        alerts=(
            DiagnosticsAlert("EXPIRED_EVENT", 0.06),
            DiagnosticsAlert("999", 0.02),
        ),
    )
    assert read_diagnostics("1234567890", search) == (expected if is_ours else None)


def test_the_query_names_fields_that_exist() -> None:
    """A new version of the client library without one of the fields fails here."""
    fields, _, resource = SUMMARY_QUERY.removeprefix("SELECT ").partition(" FROM ")
    assert resource == _RESOURCE
    for field in fields.split(", "):
        assert field.removeprefix(f"{resource}.") in _SUMMARY.DESCRIPTOR.fields_by_name
