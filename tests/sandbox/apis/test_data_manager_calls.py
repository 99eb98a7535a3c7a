"""Calls in the local Data Manager API, by REST: every rule that it enforces."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.apis import Apis
from tests.discovery_document import check

CUSTOMER = "1234567890"
CALLER = "+12125550123"
DIGEST = hashlib.sha256(CALLER.encode()).hexdigest()
Ingest = Callable[..., Any]


def ago(**delta: float) -> str:
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(**delta)
    return moment.isoformat().replace("+00:00", "Z")


def call(**fields: Any) -> dict[str, Any]:
    """A valid call. `fields` replaces some fields, or leaves them out."""
    given: dict[str, Any] = {
        "callInfo": {"startTimestamp": ago(days=3)},
        "eventTimestamp": ago(days=2),
        "eventSource": "PHONE",
        "userData": {"userIdentifiers": [{"phoneNumber": DIGEST}]},
        "conversionValue": 250.0,
        "currency": "USD",
    } | fields
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def ingest(apis: Apis, session: Any) -> Ingest:
    """Sends events; returns the HTTP status and the JSON, which is as Google describes it."""

    def send(*events: dict[str, Any], action: str = "1012", **fields: Any) -> tuple[int, Any]:
        account = {"accountType": "GOOGLE_ADS", "accountId": CUSTOMER}
        target = {"operatingAccount": account, "productDestinationId": action}
        body = {"destinations": [target], "events": events, "encoding": "HEX"} | fields
        url = f"https://{apis.data_manager_endpoint}/v1/events:ingest"
        answer = session.post(url, json=body, timeout=60)
        if answer.ok:
            check(answer.json(), "IngestEventsResponse")
        return answer.status_code, answer.json()

    return send


@pytest.fixture
def reasons(retrieve: Callable[[str], Any]) -> Callable[[str], list[tuple[str, list[int]]]]:
    """Asks for the reasons and positions of a request's processing errors."""

    def ask(request_id: str) -> list[tuple[str, list[int]]]:
        (target,) = retrieve(request_id)["requestStatusPerDestination"]
        counts = target.get("errorInfo", {}).get("errorCounts", ())
        return [(one["reason"], one["recordIndices"]) for one in counts]

    return ask


def violations(answer: Any) -> list[tuple[str, str]]:
    details = answer["error"]["details"]
    return [
        (one["field"], one["reason"]) for part in details for one in part.get("fieldViolations", ())
    ]


def test_a_call_is_accepted(apis: Apis, ingest: Ingest, reasons: Any) -> None:
    """A call counts. It is stored with its start, and is not in the book of values."""
    status, answer = ingest(call(), call(eventTimestamp=ago(days=1)))
    assert status == 200
    assert reasons(answer["requestId"]) == []
    sent = [one["conversion"] for one in apis.state.conversions()]
    assert [bool(one["call_info"]["start_timestamp"]) for one in sent] == [True, True]
    logged = [(one.method, one.conversions) for one in apis.state.requests if one.conversions]
    assert logged == [("data_manager.IngestEvents", 2)]
    assert apis.state.histories() == []


def test_reasons_for_calls(apis: Apis, ingest: Ingest, reasons: Any) -> None:
    """Processing finds calls that are too recent, too old or impossible, and names them."""
    recent = {"callInfo": {"startTimestamp": ago(hours=5)}, "eventTimestamp": ago(hours=4)}
    _, answer = ingest(
        call(),
        call(**recent),
        call(callInfo={"startTimestamp": ago(days=70)}),
        call(callInfo={"startTimestamp": ago(days=401)}, eventTimestamp=ago(days=400)),
        call(eventTimestamp=ago(days=4)),
    )
    prefix = "PROCESSING_ERROR_REASON_"
    assert reasons(answer["requestId"]) == [
        (prefix + "EXPIRED_CALL", [2, 3]),
        (prefix + "INVALID_CALL", [4]),
        (prefix + "TOO_RECENT_CALL", [1]),
    ]
    assert len(apis.state.accepted) == 1


def test_a_repeated_call_is_silently_removed(apis: Apis, ingest: Ingest, reasons: Any) -> None:
    """Google accepts a repeat without an error; the call counts once."""
    row = call()
    for given in ((row, row), (row,)):
        _, answer = ingest(*given)
        assert reasons(answer["requestId"]) == []
    assert len(apis.state.accepted) == 1


@pytest.mark.parametrize(
    ("events", "fields", "expected"),
    [
        ([call(), call(callInfo=None)], {},
         [("events.events[1].call_info.start_timestamp", "REQUIRED_FIELD_MISSING")]),
        ([call(callInfo={"startTimestamp": "2999-01-01T00:00:00Z"})], {},
         [("events.events[0].call_info.start_timestamp", "EVENT_TIME_INVALID")]),
        ([call(userData={"userIdentifiers": [{"phoneNumber": CALLER}]})], {},
         [("events.events[0].user_data.user_identifiers[0].phone_number",
           "INVALID_HEX_ENCODING")]),
        ([call(userData={"userIdentifiers": [{"emailAddress": DIGEST}]})], {},
         [("events.events[0].user_data", "NO_IDENTIFIERS_PROVIDED")]),
        ([call()], {"action": "1001"},
         [("destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_TYPE")]),
        ([call(callInfo=None)], {},
         [("destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_TYPE")]),
        ([call()], {"encoding": None}, [("encoding", "REQUIRED_FIELD_MISSING")]),
        ([call(callTime="x")], {}, []),
        ([call(callInfo={})], {}, []),
        ([call(callInfo={"startTimestamp": "2026-11-20T10:00:00"})], {}, []),
        ([call(callInfo={"startTimestamp": "2026-11-20 10:00:00+00:00"})], {}, []),
        ([call(callInfo={"startTimestamp": "2026-11-20T10:00:00Z", "duration": 9})], {}, []),
    ],
    ids=["a click among calls", "in the future", "a plain number", "an email", "a click action",
         "a click by REST", "no encoding", "unknown name", "no start", "no time zone",
         "no T", "unknown name in the call"],
)  # fmt: skip
def test_requests_with_calls_that_are_refused(
    apis: Apis, ingest: Ingest, events: Any, fields: Any, expected: list[tuple[str, str]]
) -> None:
    """One wrong call refuses the request, with the field; unknown names are refused, too."""
    status, answer = ingest(*events, **fields)
    assert status == 400
    assert violations(answer) == expected
    assert not apis.state.accepted


def test_clicks_by_rest_and_validate_only(apis: Apis, ingest: Ingest) -> None:
    """REST takes ordinary events, too; with validateOnly, nothing is stored."""
    click = call(callInfo=None, adIdentifiers={"gclid": "EAIaIQobChMI_example-0001"})
    assert ingest(click, action="1001")[0] == 200
    assert ingest(call(), validateOnly=True)[0] == 200
    assert len(apis.state.accepted) == 1
