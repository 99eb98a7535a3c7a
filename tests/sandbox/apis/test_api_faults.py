"""Faults: which calls they affect, and what Google's client reports."""

from __future__ import annotations

from typing import Any

import pytest
from ads_requests import GCLID, code_of, conversion, failure_behind, failures, request
from google.ads.googleads.errors import GoogleAdsException
from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type

from sandbox.apis import Apis
from sandbox.faults import BadRule, Fault, Faults

UPLOAD = "google_ads.UploadClickConversions"


def struck(rules: list[dict[str, Any]], calls: list[str]) -> list[int]:
    """The numbers, from 1, of the calls that a fault affects."""
    faults = Faults(rules)
    return [n for n, method in enumerate(calls, start=1) if faults.decide(method) is not None]


@pytest.mark.parametrize(
    ("rule", "calls", "expected"),
    [
        ({}, ["a.X"] * 3, [1, 2, 3]),
        ({"nth": 2}, ["a.X"] * 4, [2]),
        ({"nth": [1, 4]}, ["a.X"] * 5, [1, 4]),
        ({"every": 2}, ["a.X"] * 5, [2, 4]),
        ({"every": 2, "times": 1}, ["a.X"] * 5, [2]),
        ({"times": 2}, ["a.X"] * 5, [1, 2]),
        ({"method": "X", "nth": 2}, ["a.X", "a.Y", "a.X"], [3]),
        ({"method": "a.*", "every": 1}, ["a.X", "b.X", "a.Y"], [1, 3]),
        ({"method": "b.X"}, ["a.X", "b.X"], [2]),
        ({"method": "*", "nth": 3}, ["a.X", "b.Y", "c.Z"], [3]),
    ],
)
def test_which_call(rule: dict[str, Any], calls: list[str], expected: list[int]) -> None:
    """A rule counts the calls that its method matches; nth and every select some of them."""
    assert struck([{"kind": "unavailable", **rule}], calls) == expected


def test_first_due_rule_decides_and_latency_adds_up() -> None:
    """If several rules are due, the first one decides; latencies are added."""
    rules = [
        {"method": "*", "kind": "latency_ms", "latency_ms": 50},
        {"method": "*", "nth": 2, "kind": "unavailable"},
        {"method": "*", "nth": [2, 3], "kind": "hang", "seconds": 1},
    ]
    faults = Faults(rules)
    assert [faults.decide("a.X") for _ in range(3)] == [
        Fault(None, 0.05),
        Fault("unavailable", 0.05),
        Fault("hang", 0.05, {"seconds": 1}),
    ]
    assert faults.total_calls == 3
    assert [rule["fired"] for rule in faults.fired()] == [3, 1, 1]
    faults.clear()
    assert faults.injected == 5


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("x", "must be a JSON object"),
        ({"kind": "explode"}, "unknown kind 'explode'; known: .*kill_after"),
        ({}, "unknown kind None"),
        ({"kind": "latency_ms"}, "needs the number 'latency_ms'"),
        ({"kind": "unavailable", "colour": 1}, "unavailable has no parameter colour"),
        ({"kind": "unavailable", "nth": 0}, "nth must be a whole number"),
        ({"kind": "unavailable", "every": "2"}, "every must be a whole number"),
        ({"kind": "unavailable", "nth": 1, "every": 2}, "use nth or every, not both"),
        ({"kind": "unavailable", "method": ""}, "method must be"),
    ],
)
def test_bad_rules(rule: object, text: str) -> None:
    """An invalid rule is refused with its number, and the previous rules stay."""
    faults = Faults([{"kind": "unavailable"}])
    with pytest.raises(BadRule, match=f"rule 2: .*{text}|rule 2: {text}"):
        faults.set([{"kind": "unavailable"}, rule])
    assert faults.decide("a.X") == Fault("unavailable")


def upload(uploader: Any) -> Any:
    return uploader.upload_click_conversions(request=request(conversion()), timeout=60)


@pytest.mark.parametrize(
    ("rule", "raised_as", "committed"),
    [
        ({"kind": "unavailable"}, exceptions.ServiceUnavailable, False),
        ({"kind": "resource_exhausted"}, exceptions.ResourceExhausted, False),
        (
            {"kind": "resource_temporarily_exhausted", "retry_delay_seconds": 3},
            exceptions.ResourceExhausted,
            False,
        ),
        ({"kind": "transient_error"}, GoogleAdsException, False),
        ({"kind": "internal_before_commit"}, exceptions.InternalServerError, False),
        ({"kind": "internal_after_commit"}, exceptions.InternalServerError, True),
        ({"kind": "deadline_after_commit"}, exceptions.DeadlineExceeded, True),
        ({"kind": "drop_connection"}, exceptions.ServiceUnavailable, True),
        ({"kind": "drop_connection", "committed": False}, exceptions.ServiceUnavailable, False),
        ({"kind": "hang"}, exceptions.DeadlineExceeded, False),
        ({"kind": "hang", "committed": True}, exceptions.DeadlineExceeded, True),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_what_the_client_sees(
    apis: Apis, uploader: Any, rule: dict[str, Any], raised_as: type, committed: bool
) -> None:
    """The client gets each kind in Google's form; the call is carried out or not, as specified."""
    apis.faults.set([{"method": "UploadClickConversions", "nth": 1, **rule}])
    given = request(conversion())
    # The server must get the request before the client has stopped waiting for the answer.
    timeout = 2 if rule["kind"] == "hang" else 60
    with pytest.raises(raised_as):
        uploader.upload_click_conversions(request=given, timeout=timeout)
    assert apis.faults.fired()[0]["fired"]
    assert len(apis.state.accepted) == committed

    # The channel may notice only now that its connection is gone: such a request is never sent.
    reconnecting = Retry(if_exception_type(exceptions.ServiceUnavailable), initial=0.1, timeout=60)
    again = uploader.upload_click_conversions(request=given, timeout=60, retry=reconnecting)
    wanted = [("conversions[0]", "CLICK_CONVERSION_ALREADY_EXISTS")] if committed else []
    assert failures(again) == wanted
    assert len(apis.state.accepted) == 1


def test_quota_details(apis: Apis, uploader: Any) -> None:
    """RESOURCE_TEMPORARILY_EXHAUSTED contains the delay; RESOURCE_EXHAUSTED means the day."""
    apis.faults.set(
        [
            {"nth": 1, "kind": "resource_temporarily_exhausted", "retry_delay_seconds": 3},
            {"nth": 2, "kind": "resource_exhausted"},
        ]
    )
    errors = []
    for _ in range(2):
        with pytest.raises(exceptions.ResourceExhausted) as raised:
            upload(uploader)
        errors.append(failure_behind(raised.value).errors[0])
    assert [code_of(error) for error in errors] == [
        "RESOURCE_TEMPORARILY_EXHAUSTED",
        "RESOURCE_EXHAUSTED",
    ]
    assert errors[0].details.quota_error_details.retry_delay.seconds == 3


def test_chosen_row_errors(apis: Apis, uploader: Any) -> None:
    """row_error gives chosen rows a chosen code, even a code that this version does not have."""
    for error, expected in (
        ("conversion_upload_error.EVENT_NOT_FOUND", "EVENT_NOT_FOUND"),
        ("conversion_upload_error.999", "999"),
    ):
        apis.faults.set([{"nth": 1, "kind": "row_error", "rows": [1], "error": error}])
        rows = [conversion(gclid=f"{GCLID}{expected}{n}") for n in range(3)]
        response = uploader.upload_click_conversions(request=request(*rows), timeout=60)
        assert failures(response) == [("conversions[1]", expected)]
    assert len(apis.state.accepted) == 4


def test_error_without_index(apis: Apis, uploader: Any) -> None:
    """A partial failure that names no row concerns the whole request: no row is accepted."""
    apis.faults.set([{"nth": 1, "kind": "error_without_index"}])
    response = upload(uploader)
    assert failures(response) == [("", "TRANSIENT_ERROR")]
    assert [result.gclid for result in response.results] == [""]
    assert not apis.state.accepted
