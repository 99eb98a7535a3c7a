"""One adjustment or call, two serializers: what each API gets for every field."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

import pytest
from google.protobuf.json_format import MessageToDict

from lib.destinations.data_manager.messages import EventDefaults, encode
from lib.destinations.google_ads import messages as ads_messages
from lib.model.records import Adjustment, Call
from tests.destinations.data_manager.data_manager_setup import (
    ACTION,
    CUSTOMER,
    DIGEST,
    MANAGER,
    conversion,
)

RESOURCE = f"customers/{CUSTOMER}/conversionActions/{ACTION}"
SOLD, ADJUSTED = "2026-11-20 14:05:07+01:00", "2026-11-22 09:00:00+01:00"
CALLER = "+12125550142"
ORIGINAL = conversion(
    time=SOLD, gclid="G-1", hashed_emails=(DIGEST,), value=80.0, currency_code="EUR"
)


class Pair(NamedTuple):
    """A record with some fields changed, and what changes in the message of each API."""

    field: str
    changes: dict[str, Any]
    ads: dict[str, Any]
    event: dict[str, Any]


def restatement(**changes: Any) -> Adjustment:
    row = Adjustment(
        *(CUSTOMER, ACTION, "restatement", ADJUSTED, "SO-1", "", ""),
        *(80.0, "EUR", ORIGINAL, ()),
    )
    return row._replace(**changes)


OF_ADJUSTMENTS = [
    Pair("adjustment_type", {}, {}, {}),
    Pair("time", {"time": SOLD}, {"adjustment_date_time": SOLD}, {}),
    Pair("order_id", {"order_id": "SO-2"}, {"order_id": "SO-2"}, {"transaction_id": "SO-2"}),
    Pair("order_id", {"order_id": "77"}, {"order_id": "77"}, {"transaction_id": "order-77"}),
    Pair(
        "action_id",
        {"action_id": "1002", "original": ORIGINAL._replace(action_id="1002")},
        {"conversion_action": f"customers/{CUSTOMER}/conversionActions/1002"},
        {"destination_references": ["1002"]},
    ),
    Pair(
        "value",
        {"value": 0.0, "original": ORIGINAL._replace(value=0.0)},
        {"restatement_value": {"adjusted_value": 0.0, "currency_code": "EUR"}},
        {"conversion_value": 0.0},
    ),
    Pair(
        "currency_code",
        {"currency_code": None, "original": ORIGINAL._replace(currency_code=None)},
        {"restatement_value": {"adjusted_value": 80.0}},
        {"currency": None},
    ),
    Pair(
        "original",
        {"original": ORIGINAL._replace(ad_user_data="GRANTED", gclid="")},
        {},
        {"ad_identifiers": None, "consent": {"ad_user_data": "CONSENT_GRANTED"}},
    ),
]


def changed(message: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the message with the changes; None removes a field."""
    return {name: each for name, each in {**message, **changes}.items() if each is not None}


def as_json(message: Any) -> Any:
    return MessageToDict(message, preserving_proto_field_name=True)


@pytest.mark.parametrize("pair", OF_ADJUSTMENTS, ids=lambda pair: pair.field)
def test_each_api_gets_its_restatement(pair: Pair) -> None:
    """One API gets the order and its new value, the other one the whole conversion again."""
    row = restatement(**pair.changes)
    (ads,) = ads_messages.encode("adjustment", [row], 42, validate_only=False)
    (events,) = encode("adjustment", [row], EventDefaults())
    assert as_json(ads.rows[0]) == changed(
        {
            "adjustment_type": "RESTATEMENT",
            "conversion_action": RESOURCE,
            "adjustment_date_time": ADJUSTED,
            "order_id": "SO-1",
            "restatement_value": {"adjusted_value": 80.0, "currency_code": "EUR"},
        },
        pair.ads,
    )
    assert as_json(events.events[0]) == changed(
        {
            "destination_references": [ACTION],
            "transaction_id": "SO-1",
            "event_timestamp": "2026-11-20T13:05:07Z",
            "event_source": "OTHER",
            "ad_identifiers": {"gclid": "G-1"},
            "user_data": {"user_identifiers": [{"email_address": DIGEST}]},
            "conversion_value": 80.0,
            "currency": "EUR",
        },
        pair.event,
    )


def call(**changes: Any) -> Call:
    row = Call(CUSTOMER, ACTION, CALLER, SOLD, ADJUSTED, None, None, None, (), ())
    return row._replace(**changes)


OF_CALLS = [
    Pair("caller_id", {}, {}, {}),
    Pair(
        "call_time",
        {"call_time": "2026-11-20 23:30:00-06:00"},
        {"call_start_date_time": "2026-11-20 23:30:00-06:00"},
        {"callInfo": {"startTimestamp": "2026-11-21T05:30:00Z"}},
    ),
    Pair(
        "time",
        {"time": SOLD},
        {"conversion_date_time": SOLD},
        {"eventTimestamp": "2026-11-20T13:05:07Z"},
    ),
    Pair(
        "action_id",
        {"action_id": "1012"},
        {"conversion_action": f"customers/{CUSTOMER}/conversionActions/1012"},
        {"destinationReferences": ["1012"]},
    ),
    Pair("value", {"value": 0.0}, {"conversion_value": 0.0}, {"conversionValue": 0.0}),
    Pair(
        "currency_code",
        {"value": 5.0, "currency_code": "EUR"},
        {"conversion_value": 5.0, "currency_code": "EUR"},
        {"conversionValue": 5.0, "currency": "EUR"},
    ),
    Pair(
        "ad_user_data",
        {"ad_user_data": "DENIED"},
        {"consent": {"ad_user_data": "DENIED"}},
        {"consent": {"adUserData": "CONSENT_DENIED"}},
    ),
    Pair(
        "custom_variables",
        {"custom_variables": (("7001", "north"),)},
        {
            "custom_variables": [
                {
                    "conversion_custom_variable": (
                        f"customers/{CUSTOMER}/conversionCustomVariables/7001"
                    ),
                    "value": "north",
                }
            ]
        },
        {"customVariables": [{"variable": "7001", "value": "north"}]},
    ),
]


@pytest.mark.parametrize("pair", OF_CALLS, ids=lambda pair: pair.field)
def test_each_api_gets_its_call(pair: Pair) -> None:
    """One API gets the plain number of the caller, the other one its hash, as JSON."""
    row = call(**pair.changes)
    (ads,) = ads_messages.encode("call", [row], 42, validate_only=False)
    (events,) = encode("call", [row], EventDefaults())
    assert as_json(ads.rows[0]) == changed(
        {
            "caller_id": CALLER,
            "call_start_date_time": SOLD,
            "conversion_action": RESOURCE,
            "conversion_date_time": ADJUSTED,
        },
        pair.ads,
    )
    body = events.as_json()
    assert body["encoding"] == "HEX"
    assert "2125550142" not in str(body)
    assert body["events"] == [
        changed(
            {
                "destinationReferences": [ACTION],
                "eventTimestamp": "2026-11-22T08:00:00Z",
                "eventSource": "PHONE",
                "callInfo": {"startTimestamp": "2026-11-20T13:05:07Z"},
                "userData": {
                    "userIdentifiers": [{"phoneNumber": sha256(CALLER.encode()).hexdigest()}]
                },
            },
            pair.event,
        )
    ]


@pytest.mark.parametrize(("record", "pairs"), [(Adjustment, OF_ADJUSTMENTS), (Call, OF_CALLS)])
def test_every_field_of_a_record_has_a_pair(record: Any, pairs: list[Pair]) -> None:
    """No serializer can miss a new field. The name by gclid has no second API."""
    elsewhere = {"customer_id", "warnings", "gclid", "conversion_time"}
    assert {pair.field for pair in pairs} == set(record._fields) - elsewhere


def test_a_call_of_a_validate_only_profile() -> None:
    """The body names account, manager account and action, and says that it is only checked."""
    defaults = EventDefaults(
        login_customer_id=MANAGER, validate_only=True, ad_personalization="DENIED"
    )
    (request,) = encode("call", [call()], defaults)
    body = request.as_json()
    assert body["validateOnly"] is True
    assert body["destinations"] == [
        {
            "reference": ACTION,
            "productDestinationId": ACTION,
            "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": CUSTOMER},
            "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": MANAGER},
        }
    ]
    assert body["events"][0]["consent"] == {"adPersonalization": "CONSENT_DENIED"}


@pytest.mark.parametrize(
    "changes", [{"original": None}, {"adjustment_type": "retraction"}, {"order_id": None}]
)
def test_an_adjustment_that_would_become_a_new_conversion_is_not_sent(
    changes: dict[str, Any],
) -> None:
    """The rules refuse such a row before. If they did not, the serializer would."""
    with pytest.raises(ValueError, match=r"re(statement|traction)"):
        encode("adjustment", [restatement(**changes)], EventDefaults())


def test_a_part_of_a_request_of_calls_keeps_their_starts() -> None:
    """Each event has the start of its own call."""
    calls = [call(call_time=f"2026-11-20 14:0{minute}:00+00:00") for minute in range(4)]
    (whole,) = encode("call", calls, EventDefaults())
    request = whole.subset([3, 1])
    assert [event["callInfo"]["startTimestamp"] for event in request.as_json()["events"]] == [
        "2026-11-20T14:03:00Z",
        "2026-11-20T14:01:00Z",
    ]
