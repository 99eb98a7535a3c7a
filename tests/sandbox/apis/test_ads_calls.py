"""Call conversions with the real client of the Google Ads API: the rules of the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ads_requests import CUSTOMER, ago, code_of, failures, types
from google.ads.googleads.errors import GoogleAdsException

from sandbox.apis import Apis
from sandbox.google_ads.uploads import MAX_ROWS

CALLER = "+12125550123"
ACTION = f"customers/{CUSTOMER}/conversionActions/1012"
VARIABLE = f"customers/{CUSTOMER}/conversionCustomVariables/"
C = "conversions[0]"
CallConversion: Any = types.CallConversion.pb()
CallsRequest: Any = types.UploadCallConversionsRequest.pb()
Upload = Callable[..., Any]


def call(**fields: Any) -> Any:
    """A valid call conversion. `fields` replaces some fields, or leaves them out."""
    given: dict[str, Any] = {
        "caller_id": CALLER,
        "call_start_date_time": ago(days=3),
        "conversion_action": ACTION,
        "conversion_date_time": ago(days=2),
        "conversion_value": 250.0,
        "currency_code": "USD",
    } | fields
    return CallConversion(**{name: value for name, value in given.items() if value is not None})


@pytest.fixture
def upload(apis: Apis, uploader: Any) -> Upload:
    """Uploads call conversions, by the client's own service."""

    def send(*rows: Any, **fields: Any) -> Any:
        given = {"customer_id": CUSTOMER, "partial_failure": True} | fields
        return uploader.upload_call_conversions(
            request=CallsRequest(conversions=rows, **given), timeout=60
        )

    return send


ROWS: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("good", {}, []),
    ("consent", {"consent": {"ad_user_data": "GRANTED"}}, []),
    ("no value", {"conversion_value": None, "currency_code": None}, []),
    ("custom variable", {"custom_variables": [
        {"conversion_custom_variable": VARIABLE + "7001", "value": "north"}]}, []),
    ("paused custom variable", {"custom_variables": [
        {"conversion_custom_variable": VARIABLE + "7002", "value": "north"}]},
     [(C + ".custom_variables[0].conversion_custom_variable", "CUSTOM_VARIABLE_NOT_ENABLED")]),
    ("no caller", {"caller_id": None}, [(C + ".caller_id", "REQUIRED")]),
    ("hashed caller", {"caller_id": "a" * 64},
     [(C + ".caller_id", "UNPARSEABLE_CALLERS_PHONE_NUMBER")]),
    ("no start", {"call_start_date_time": None}, [(C + ".call_start_date_time", "REQUIRED")]),
    ("start without an offset", {"call_start_date_time": "2026-01-01 12:00:00"},
     [(C + ".call_start_date_time", "INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET")]),
    ("no time", {"conversion_date_time": None}, [(C + ".conversion_date_time", "REQUIRED")]),
    ("action for clicks", {"conversion_action": f"customers/{CUSTOMER}/conversionActions/1001"},
     [(C + ".conversion_action", "INVALID_CONVERSION_ACTION_TYPE")]),
    ("before the call", {"conversion_date_time": ago(days=4)},
     [(C + ".caller_id", "CONVERSION_PRECEDES_CALL")]),
    ("too soon", {"call_start_date_time": ago(hours=5), "conversion_date_time": ago(hours=4)},
     [(C + ".caller_id", "TOO_RECENT_CALL")]),
    ("too late", {"call_start_date_time": ago(days=70)}, [(C + ".caller_id", "EXPIRED_CALL")]),
    ("all long ago", {"call_start_date_time": ago(days=401), "conversion_date_time": ago(days=400)},
     [(C + ".caller_id", "EXPIRED_CALL")]),
    ("negative value", {"conversion_value": -1.0}, [(C + ".conversion_value", "TOO_LOW")]),
    ("ad personalization", {"consent": {"ad_personalization": "GRANTED"}},
     [(C + ".consent.ad_personalization", "VALUE_MUST_BE_UNSET")]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_call_rules(
    apis: Apis, upload: Upload, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """A row is refused with Google's own code and field, or it is accepted and kept."""
    response = upload(call(**fields))
    assert failures(response) == expected
    assert response.results[0].caller_id == ("" if expected else CALLER)
    assert [one["conversion"]["caller_id"] for one in apis.state.conversions()] == (
        [] if expected else [CALLER]
    )


def test_repeated_calls(upload: Upload) -> None:
    """A call counts once for each conversion time, in a request and across requests."""
    row, other = call(), call(conversion_date_time=ago(days=1))
    wanted = "DUPLICATE_CALL_CONVERSION_IN_REQUEST"
    assert failures(upload(row, row, other)) == [(f"conversions[{n}]", wanted) for n in (0, 1)]
    assert failures(upload(other)) == [(C, "CALL_CONVERSION_ALREADY_EXISTS")]


def test_call_requests(apis: Apis, upload: Upload) -> None:
    """Partial failure is required; the rows are limited; validate_only stores nothing; no job."""
    assert failures(upload(call(), validate_only=True)) == []
    assert not apis.state.accepted
    upload(call(conversion_date_time=ago(days=1)))
    assert not apis.state.jobs
    with pytest.raises(GoogleAdsException) as raised:
        upload(call(), partial_failure=False)
    assert code_of(raised.value.failure.errors[0]) == "PARTIAL_FAILURE_MODE_REQUIRED"
    with pytest.raises(GoogleAdsException) as raised:
        upload(*[call()] * (MAX_ROWS + 1))
    assert code_of(raised.value.failure.errors[0]) == "TOO_MANY_CONVERSIONS_IN_REQUEST"


def test_googles_error_quotes_the_number(apis: Apis, upload: Upload) -> None:
    """Google returns the caller ID as the trigger: whoever stores its errors stores a number."""
    response = upload(call(call_start_date_time=ago(days=70)))
    assert CALLER.encode() in response.partial_failure_error.SerializeToString()


def test_calls_are_not_adjustable(apis: Apis, upload: Upload) -> None:
    """A call's conversion is not in the book of values, because Google can't adjust it."""
    upload(call())
    assert apis.state.histories() == []
