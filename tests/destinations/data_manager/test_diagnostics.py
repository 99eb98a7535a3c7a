"""The status of sent requests: when Google is asked, and the `processing` part of the results."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from data_manager_setup import numbered, route
from google.ads import datamanager_v1 as dm

from lib.destinations.data_manager.answers import read_status
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.errors import PermanentError, RetryableError
from lib.model.sent_requests import UNREADABLE, RequestStatus
from sandbox.apis import Apis
from tests.destinations.sending import ago, send, within

OLD = "PROCESSING_ERROR_REASON_EVENT_TOO_OLD"
UNSPECIFIED = "PROCESSING_ERROR_REASON_UNSPECIFIED"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def ask(apis: Apis, *request_ids: str) -> list[RequestStatus]:
    return list(route(apis).request_statuses(request_ids, within(20)))


def test_google_is_asked_on_the_schedule_of_its_guide() -> None:
    """Google is asked after 30 minutes, then hourly for a day, and then every six for a week."""
    schedule = CAPABILITIES.reports_later
    assert schedule is not None
    hours = []
    asked_at = None
    while (asked_at := schedule.next_check(NOW, asked_at)) is not None:
        hours.append((asked_at - NOW).total_seconds() / 3600)
    assert hours[:25] == [0.5 + hour for hour in range(25)]
    assert hours[25:] == [24.5 + 6 * number for number in range(1, 24)]
    assert schedule.next_check(NOW, NOW) == NOW + schedule.first_wait


def test_a_request_that_google_does_not_know_is_not_asked_again(apis: Apis) -> None:
    """An unknown request is recorded with Google's code and is not asked about again."""
    statuses = ask(apis, "00000000-0000-0000-0000-000000000000")
    assert [(each.status, each.code) for each in statuses] == [(UNREADABLE, "INVALID_REQUEST_ID")]
    assert statuses[0].is_final


def test_requests_left_when_time_runs_out_stay_open(apis: Apis) -> None:
    """Requests that were not asked about because time ran out stay open for the next check."""
    sent = send(route(apis), numbered(1))
    statuses = route(apis).request_statuses(sent.request_ids, within(-1))
    assert statuses == []


def test_a_request_is_processed_for_a_while(apis: Apis) -> None:
    """A status that is not final has no errors yet."""
    apis.state.data_manager.processing_seconds = 60
    sent = send(route(apis), numbered(1, time=ago(days=100)))
    (status,) = ask(apis, *sent.request_ids)
    assert (status.status, status.is_final, status.errors) == ("PROCESSING", False, {})


def test_a_request_has_a_status_for_each_action(apis: Apis) -> None:
    """A request has one entry for each conversion action."""
    sent = send(route(apis), numbered(1), numbered(2, action_id="1002"))
    statuses = ask(apis, *sent.request_ids)
    assert [(each.conversion_action, each.record_count) for each in statuses] == [
        ("1001", 1),
        ("1002", 1),
    ]


def test_rows_of_errors_are_named(apis: Apis) -> None:
    """Events are named by their position in the request, also in the entry of a second action."""
    old = ago(days=100)
    sent = send(
        route(apis),
        numbered(1, time=old),
        numbered(2, action_id="1002", time=old),
        numbered(3),
        numbered(4, time=old),
    )
    first, second = ask(apis, *sent.request_ids)
    assert first.error_records == {"PROCESSING_ERROR_REASON_EVENT_TOO_OLD": (0, 3)}
    assert second.error_records == {"PROCESSING_ERROR_REASON_EVENT_TOO_OLD": (1,)}


@pytest.mark.parametrize("named, expected", [("all", (0, 1, 2)), ("some", (0, 2)), ("none", None)])
def test_rows_that_google_does_not_name(
    apis: Apis, named: Any, expected: tuple[int, ...] | None
) -> None:
    """The count is complete, whether Google names all, some or none of the events."""
    apis.state.data_manager.record_indices = named
    sent = send(route(apis), *(numbered(n, time=ago(days=100)) for n in (1, 2, 3)))
    (status,) = ask(apis, *sent.request_ids)
    assert status.errors == {"PROCESSING_ERROR_REASON_EVENT_TOO_OLD": 3}
    assert status.error_records.get("PROCESSING_ERROR_REASON_EVENT_TOO_OLD") == expected


def entry(status: str, *counts: dict[str, Any], records: int = 4) -> dict[str, Any]:
    return {
        "requestStatus": status,
        "eventsIngestionStatus": {"recordCount": str(records)},
        "errorInfo": {"errorCounts": list(counts)},
    }


def count(reason: str, *records: int) -> dict[str, Any]:
    return {"reason": reason, "recordCount": str(len(records)), "recordIndices": list(records)}


def test_a_reason_in_several_parts_is_added_up() -> None:
    """None of the parts replaces another one."""
    answer = entry("PARTIAL_SUCCESS", count(OLD, 0, 1), count(OLD, 3), {"recordCount": "1"})
    (status,) = read_status("r-1", {"requestStatusPerDestination": [answer]})
    assert status.errors == {OLD: 3, UNSPECIFIED: 1}
    assert status.error_records == {OLD: (0, 1, 3)}


def test_a_named_row_counts_without_a_number() -> None:
    """The number of a reason is at least that of the events that it names, and 0 is none."""
    counts = {"reason": OLD, "recordIndices": [0, 2]}, {"reason": UNSPECIFIED, "recordCount": "0"}
    answer = entry("PARTIAL_SUCCESS", *counts)
    (status,) = read_status("r-1", {"requestStatusPerDestination": [answer]})
    assert (status.errors, status.error_records) == ({OLD: 2}, {OLD: (0, 2)})


def test_a_status_without_a_name_is_unknown() -> None:
    """It is not final, and it is never empty where people read it."""
    (status,) = read_status("r-1", {"requestStatusPerDestination": [{}]})
    assert (status.status, status.is_final) == ("REQUEST_STATUS_UNKNOWN", False)


@pytest.mark.parametrize(
    "entries, errors, records",
    [
        ([entry("FAILED")], {UNSPECIFIED: 4}, {UNSPECIFIED: (0, 1, 2, 3)}),
        (
            [entry("FAILED", count(OLD, 2))],
            {OLD: 1, UNSPECIFIED: 3},
            {OLD: (2,), UNSPECIFIED: (0, 1, 3)},
        ),
        ([entry("FAILED", {"reason": OLD, "recordCount": "1"})], {OLD: 1, UNSPECIFIED: 3}, {}),
        ([entry("FAILED", count(OLD, 0, 1, 2, 3))], {OLD: 4}, {OLD: (0, 1, 2, 3)}),
        ([entry("FAILED"), entry("SUCCESS")], {UNSPECIFIED: 4}, {}),
    ],
)
def test_a_failed_request_without_reasons(
    entries: list[dict[str, Any]], errors: dict[str, int], records: dict[str, tuple[int, ...]]
) -> None:
    """None of its events counts, even if Google gives no reason for them."""
    status = read_status("r-1", {"requestStatusPerDestination": entries})[0]
    assert (status.errors, status.error_records) == (errors, records)


def test_warnings_and_newer_reasons_are_kept(apis: Apis) -> None:
    """Warnings are counted and name events, and a reason that is newer than this code is kept."""
    warning = "PROCESSING_WARNING_REASON_INTERNAL_ERROR"
    error = "PROCESSING_ERROR_REASON_OF_NEXT_YEAR"
    apis.state.data_manager.provoked = {"A-1": warning, "A-3": error}
    sent = send(route(apis), numbered(1), numbered(2), numbered(3))
    (status,) = ask(apis, *sent.request_ids)
    assert status.status == "PARTIAL_SUCCESS"
    assert (status.errors, status.error_records) == ({error: 1}, {error: (2,)})
    assert (status.warnings, status.warning_records) == ({warning: 1}, {warning: (0,)})


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "unavailable"},
        {"kind": "resource_temporarily_exhausted", "retry_delay_seconds": 0.1},
        {"kind": "internal_before_commit"},
        {"kind": "drop_connection"},
        {"kind": "hang", "seconds": 2},
    ],
    ids=lambda fault: fault["kind"],
)
def test_transient_errors_are_retried(apis: Apis, fault: dict[str, Any]) -> None:
    """A status request that fails with a transient error is sent again."""
    sent = send(route(apis), numbered(1))
    apis.faults.set([{"method": "RetrieveRequestStatus", "nth": 1, **fault}])
    google = route(apis, timeout_seconds=0.5)
    (status,) = google.request_statuses(sent.request_ids, within(180))
    assert status.status == "SUCCESS"
    assert apis.faults.fired()[0]["fired"]


def test_the_daily_quota_leaves_requests_open(apis: Apis) -> None:
    """When the reads of the day are used up, the caller learns it, and asks again later."""
    sent = send(route(apis), numbered(1))
    apis.faults.set([{"method": "RetrieveRequestStatus", "nth": 1, "kind": "resource_exhausted"}])
    with pytest.raises(RetryableError, match="DAILY_QUOTA"):
        ask(apis, *sent.request_ids)


def test_refused_credentials_leave_requests_open(apis: Apis) -> None:
    """A missing scope is an error of the caller, and says nothing about a request."""
    google = route(apis)
    sent = send(google, numbered(1))
    ads_only = frozenset({"https://www.googleapis.com/auth/adwords"})
    apis.state.tokens = dict.fromkeys(apis.state.tokens, ads_only)
    with pytest.raises(PermanentError, match="ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
        google.request_statuses(sent.request_ids, within(20))


def test_the_client_library_does_not_name_rows_yet() -> None:
    """When this fails, a release names rows: `request_status` can go, and this test with it."""
    assert not hasattr(dm.ErrorCount(), "record_indices")
