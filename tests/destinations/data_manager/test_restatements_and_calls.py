"""Restatements and calls sent to the sandbox: by gRPC and by REST, with one outcome a row."""

from __future__ import annotations

import time
from typing import Any

import pytest
from data_manager_setup import conversion, route

from lib.destinations.data_manager.failures import read_refusal
from lib.destinations.data_manager.messages import Event
from lib.errors import RestRefused
from lib.model.records import Adjustment, Call, Conversion
from sandbox.apis import Apis
from tests.destinations.sending import ago, send, shown, within

CALLER = "+12125550142"
INGEST = "data_manager.IngestEvents"


def sold(order_id: str, **changes: Any) -> Conversion:
    return conversion(order_id=order_id, gclid=f"EAIaIQobChMI_example-{order_id}", **changes)


def restatement(original: Conversion, value: float) -> Adjustment:
    return Adjustment(
        *(original.action_id, "restatement", ago(hours=1), original.order_id, "", ""),
        *(value, "USD", original, ()),
    )


def call(number: int = 0, **changes: Any) -> Call:
    """Return one of many calls."""
    given = (ago(days=3), ago(days=2), 250.0, "USD", "GRANTED", None, ())
    row = Call("1012", f"+1212555{number:04}" if number else CALLER, *given)
    return row._replace(**changes)


def requests_made(apis: Apis) -> int:
    return sum(each["method"] == INGEST for each in apis.state.request_log())


def test_a_restatement_replaces_the_value(apis: Apis) -> None:
    """The conversion is counted once."""
    apis.state.data_manager.repeats_adjust = True
    sale = sold("SO-1")
    assert shown(send(route(apis), sale, sold("77"))) == {}
    assert shown(send(route(apis), restatement(sale, 80.0))) == {}
    assert apis.state.worth("SO-1") == 80.0
    assert len(apis.state.histories()) == 2
    assert shown(send(route(apis), restatement(sold("77"), 70.0))) == {}
    assert apis.state.worth("order-77") == 70.0


def test_calls_are_sent_by_rest(apis: Apis) -> None:
    """One request, one ID for its later status, and nothing but the hash of a number."""
    ads = route(apis)
    rows = [call(n) for n in range(1, 1_001)]
    result = send(ads, *rows)
    assert (shown(result), result.stop) == ({}, None)
    ((request_id, positions),) = result.accepted
    assert list(positions) == list(range(1_000))
    assert result.request_ids == (request_id,)
    assert requests_made(apis) == 1
    bodies = b"".join(body for _, body in apis.state.request_bodies())
    assert b"5550142" not in bodies
    (status,) = ads.request_statuses([request_id], within(180))
    assert (status.request_id, status.record_count) == (request_id, 1_000)


def test_calls_that_are_wrong_affect_only_themselves(apis: Apis) -> None:
    """Google names them, so two requests are enough, and each error names its column."""
    result = send(
        route(apis),
        call(1),
        call(2, currency_code="QQ"),
        call(3, call_time=ago(days=-1)),
        call(4),
    )
    assert shown(result) == {
        1: ("failed", ["INVALID_CURRENCY_CODE"], ["currency_code"]),
        2: ("failed", ["EVENT_TIME_INVALID"], ["call_start_date_time"]),
    }
    assert requests_made(apis) == 2


def test_a_wrong_action_stops_a_file_of_calls(apis: Apis) -> None:
    """The action takes clicks only, so no call can be accepted."""
    result = send(route(apis), call(1, action_id="1001"), call(2, action_id="1001"))
    assert result.stop is not None
    assert {each.outcome for each in result.row_results.values()} == {"not_attempted"}
    assert apis.state.histories() == []


def test_the_reasons_of_calls_arrive_later(apis: Apis) -> None:
    """A call that is too recent or unknown is named in the status of its request."""
    destination = route(apis)
    result = send(
        destination,
        call(1),
        call(2, call_time=ago(hours=2), time=ago(hours=1)),
        call(3, call_time=ago(days=80)),
    )
    assert shown(result) == {}
    ends = time.monotonic() + 180
    while True:
        (status,) = destination.request_statuses(result.request_ids, within(180))
        if status.is_final:
            break
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert status.error_records == {
        "PROCESSING_ERROR_REASON_TOO_RECENT_CALL": (1,),
        "PROCESSING_ERROR_REASON_EXPIRED_CALL": (2,),
    }


RPC = "type.googleapis.com/google.rpc."
REASON = {"@type": f"{RPC}ErrorInfo", "reason": "X"}


@pytest.mark.parametrize(
    "path", ["events.events[2].callInfo.startTimestamp", "events[2].call_info"]
)
def test_a_refusal_by_rest_names_its_rows(path: str) -> None:
    """As one by gRPC does, whichever way the names of the fields are spelled."""
    violation = {"field": path, "reason": "EVENT_TIME_INVALID", "description": "It is odd."}
    details = [
        {"@type": f"{RPC}ErrorInfo", "reason": "INVALID_ARGUMENT", "domain": "x"},
        {"@type": f"{RPC}BadRequest", "fieldViolations": [violation], "new": 1},
        {"@type": f"{RPC}OfTheFuture"},
    ]
    error = {"status": "INVALID_ARGUMENT", "message": "There are problems.", "details": details}
    refusal = read_refusal(RestRefused(400, "EVENT_TIME_INVALID", error=error))
    (found,) = refusal.violations
    assert (found.row, refusal.stop(1), refusal.message) == (2, None, "")
    problem = found.problem(Event(), "call")
    assert problem == ("EVENT_TIME_INVALID", "call_start_date_time", "It is odd.")


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (RestRefused(401, "CREDENTIALS_REFUSED"), "CREDENTIALS_REFUSED"),
        (RestRefused(401, "X", error={"status": "UNAUTHENTICATED"}), "CREDENTIALS_REFUSED"),
        (RestRefused(403, "X", error={"status": "PERMISSION_DENIED", "details": [REASON]}), "X"),
        (RestRefused(413, "HTTP_413"), "HTTP_413"),
    ],
)
def test_a_refusal_by_rest_that_concerns_the_whole_request(refused: RestRefused, code: str) -> None:
    """It stops the file, with Google's most specific reason."""
    stop = read_refusal(refused).stop(1)
    assert stop is not None
    assert stop.code == code


def test_a_refusal_by_rest_quotes_no_number() -> None:
    """Neither the refusal nor the exception has what Google wrote about a caller."""
    error = {"status": "INVALID_ARGUMENT", "message": f"Nobody has {CALLER}."}
    refused = RestRefused(400, "INVALID_ARGUMENT", error=error)
    refusal = read_refusal(refused)
    assert (refusal.status, refusal.message) == ("INVALID_ARGUMENT", "Nobody has [number].")
    assert CALLER not in f"{refused} {refused!r} {refusal}"
