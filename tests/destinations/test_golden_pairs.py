"""One conversion, two serializers: what each API gets for every field."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import pytest
from google.protobuf.json_format import MessageToDict

from lib.destinations.data_manager.event_request import MAX_DESTINATIONS
from lib.destinations.data_manager.messages import EventDefaults, encode, transaction_id
from lib.destinations.google_ads import messages as ads_messages
from lib.model.records import Address, Conversion
from lib.rules.fields.table import FIELDS
from lib.rules.values.cart import CartItem
from tests.destinations.data_manager.data_manager_setup import ACTION, CUSTOMER, DIGEST, conversion

OTHER_DIGEST = "f" * 64
ENCODED = base64.b64encode(b'{"gad_source":"1"}')
PAIRS = (("gad_source", "1"), ("gad_campaignid", "123"))
CART = {
    "merchant_id": 5551234,
    "feed_country_code": "US",
    "feed_language_code": "en",
    "local_transaction_cost": 1.5,
    "items": (CartItem("SKU-1", 2, 9.99), CartItem("SKU-2", 1, 5.0)),
}
TIME = "2026-11-20 14:05:07+01:00"


class Pair(NamedTuple):
    """A conversion, and the fields that it adds to the minimal message of each API."""

    name: str
    field: str
    changes: dict[str, Any]
    ads: dict[str, Any]
    event: dict[str, Any]


def optional_fields(**given: Any) -> dict[str, Any]:
    return {"optional_fields": given}


PAIRS_OF_ROUTES = [
    Pair(
        "gclid",
        "gclid",
        {"gclid": "G-1"},
        {"gclid": "G-1"},
        {"ad_identifiers": {"gclid": "G-1"}},
    ),
    Pair(
        "gbraid",
        "gbraid",
        {"gbraid": "B-1"},
        {"gbraid": "B-1"},
        {"ad_identifiers": {"gbraid": "B-1"}},
    ),
    Pair(
        "wbraid",
        "wbraid",
        {"wbraid": "W-1"},
        {"wbraid": "W-1"},
        {"ad_identifiers": {"wbraid": "W-1"}},
    ),
    Pair(
        "e-mail addresses",
        "hashed_emails",
        {"hashed_emails": (DIGEST, OTHER_DIGEST)},
        {
            "user_identifiers": [
                {"user_identifier_source": "FIRST_PARTY", "hashed_email": DIGEST},
                {"user_identifier_source": "FIRST_PARTY", "hashed_email": OTHER_DIGEST},
            ]
        },
        {
            "user_data": {
                "user_identifiers": [{"email_address": DIGEST}, {"email_address": OTHER_DIGEST}]
            }
        },
    ),
    Pair(
        "phone number",
        "hashed_phones",
        {"hashed_phones": (DIGEST,)},
        {
            "user_identifiers": [
                {"user_identifier_source": "FIRST_PARTY", "hashed_phone_number": DIGEST}
            ]
        },
        {"user_data": {"user_identifiers": [{"phone_number": DIGEST}]}},
    ),
    Pair(
        "time",
        "time",
        {"time": "2026-11-20 23:30:00-06:00"},
        {"conversion_date_time": "2026-11-20 23:30:00-06:00"},
        {"event_timestamp": "2026-11-21T05:30:00Z"},
    ),
    Pair(
        "action",
        "action_id",
        {"action_id": "1002"},
        {"conversion_action": f"customers/{CUSTOMER}/conversionActions/1002"},
        {"destination_references": ["1002"]},
    ),
    Pair("value", "value", {"value": 0.1}, {"conversion_value": 0.1}, {"conversion_value": 0.1}),
    Pair(
        "value of zero",
        "value",
        {"value": 0.0},
        {"conversion_value": 0.0},
        {"conversion_value": 0.0},
    ),
    Pair(
        "currency",
        "currency_code",
        {"value": 1.0, "currency_code": "EUR"},
        {"conversion_value": 1.0, "currency_code": "EUR"},
        {"conversion_value": 1.0, "currency": "EUR"},
    ),
    Pair(
        "order id", "order_id", {"order_id": "A-1"}, {"order_id": "A-1"}, {"transaction_id": "A-1"}
    ),
    Pair(
        "order id of digits",
        "order_id",
        {"order_id": "123"},
        {"order_id": "123"},
        {"transaction_id": "order-123"},
    ),
    Pair(
        "consent granted",
        "ad_user_data",
        {"ad_user_data": "GRANTED"},
        {"consent": {"ad_user_data": "GRANTED"}},
        {"consent": {"ad_user_data": "CONSENT_GRANTED"}},
    ),
    Pair(
        "consent denied",
        "ad_user_data",
        {"ad_user_data": "DENIED"},
        {"consent": {"ad_user_data": "DENIED"}},
        {"consent": {"ad_user_data": "CONSENT_DENIED"}},
    ),
    Pair(
        "ad personalization",
        "ad_personalization",
        optional_fields(ad_personalization="DENIED"),
        {},
        {"consent": {"ad_personalization": "CONSENT_DENIED"}},
    ),
    Pair(
        "conversion environment",
        "conversion_environment",
        optional_fields(conversion_environment="APP"),
        {"conversion_environment": "APP"},
        {},
    ),
    Pair(
        "customer type",
        "customer_type",
        optional_fields(customer_type="RETURNING"),
        {"customer_type": "RETURNING"},
        {"user_properties": {"customer_type": "RETURNING"}},
    ),
    Pair(
        "user agent",
        "landing_page_user_agent",
        optional_fields(landing_page_user_agent="Mozilla/5.0 (X11)"),
        {},
        {"ad_identifiers": {"landing_page_device_info": {"user_agent": "Mozilla/5.0 (X11)"}}},
    ),
    Pair(
        "IP address",
        "user_ip_address",
        optional_fields(user_ip_address="203.0.113.7"),
        {"user_ip_address": "203.0.113.7"},
        {"ad_identifiers": {"landing_page_device_info": {"ip_address": "203.0.113.7"}}},
    ),
    Pair(
        "session attributes, encoded",
        "session_attributes_encoded",
        optional_fields(session_attributes_encoded=ENCODED),
        {"session_attributes_encoded": base64.b64encode(ENCODED).decode()},
        {"ad_identifiers": {"session_attributes": ENCODED.decode()}},
    ),
    Pair(
        "session attributes, pairs",
        "session_attributes_key_value_pairs",
        optional_fields(session_attributes_key_value_pairs=PAIRS),
        {
            "session_attributes_key_value_pairs": {
                "key_value_pairs": [
                    {"session_attribute_key": key, "session_attribute_value": value}
                    for key, value in PAIRS
                ]
            }
        },
        {
            "ad_identifiers": {
                "session_attributes": base64.b64encode(
                    b'{"gad_source":"1","gad_campaignid":"123"}'
                ).decode()
            }
        },
    ),
    Pair(
        "cart",
        "cart",
        optional_fields(cart=CART),
        {
            "cart_data": {
                "merchant_id": "5551234",
                "feed_country_code": "US",
                "feed_language_code": "en",
                "local_transaction_cost": 1.5,
                "items": [
                    {"product_id": "SKU-1", "quantity": 2, "unit_price": 9.99},
                    {"product_id": "SKU-2", "quantity": 1, "unit_price": 5.0},
                ],
            }
        },
        {
            "cart_data": {
                "merchant_id": "5551234",
                "merchant_feed_label": "US",
                "merchant_feed_language_code": "en",
                "transaction_discount": 1.5,
                "items": [
                    {"merchant_product_id": "SKU-1", "quantity": "2", "unit_price": 9.99},
                    {"merchant_product_id": "SKU-2", "quantity": "1", "unit_price": 5.0},
                ],
            }
        },
    ),
    # The Google Ads API identifies a custom variable by its ID, the Data Manager API by its name
    # (`lib.rules.optional_fields`).
    Pair(
        "custom variable",
        "custom_variables",
        optional_fields(custom_variables=(("7001", "north"),)),
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
        {"custom_variables": [{"variable": "7001", "value": "north"}]},
    ),
    Pair(
        "address",
        "address",
        optional_fields(address=Address(DIGEST, OTHER_DIGEST, "US", "60601")),
        {},
        {
            "user_data": {
                "user_identifiers": [
                    {
                        "address": {
                            "given_name": DIGEST,
                            "family_name": OTHER_DIGEST,
                            "region_code": "US",
                            "postal_code": "60601",
                        }
                    }
                ]
            }
        },
    ),
    Pair(
        "event source",
        "event_source",
        optional_fields(event_source="MESSAGE"),
        {},
        {"event_source": "MESSAGE"},
    ),
]

# Fields that are not part of the conversion's own message.
TESTED_ELSEWHERE = {"customer_id", "optional_fields", "warnings"}


def bare(**changes: Any) -> Conversion:
    plain = {"gclid": "", "value": None, "currency_code": None, "time": TIME}
    return conversion(**plain | changes)


def as_json(message: Any) -> Any:
    return MessageToDict(message, preserving_proto_field_name=True)


@pytest.mark.parametrize("pair", PAIRS_OF_ROUTES, ids=lambda pair: pair.name.replace(" ", "-"))
def test_each_api_gets_its_message(pair: Pair) -> None:
    """Each message contains exactly the fields of the pair."""
    row = bare(**pair.changes)
    (request,) = ads_messages.encode("conversion", [row], 42, validate_only=False)
    assert as_json(request.rows[0]) == {
        "conversion_action": f"customers/{CUSTOMER}/conversionActions/{ACTION}",
        "conversion_date_time": TIME,
        **pair.ads,
    }
    (events,) = encode("conversion", [row], EventDefaults(event_source="PHONE"))
    assert as_json(events.events[0]) == {
        "destination_references": [ACTION],
        "event_timestamp": "2026-11-20T13:05:07Z",
        "event_source": "PHONE",
        **pair.event,
    }


def test_every_field_of_a_conversion_has_a_pair() -> None:
    """Each target of a field has a pair, so that no serializer can miss a new field."""
    of_fields = {
        field.attribute.partition(".")[0]
        for field in FIELDS
        if not field.only_helps and "conversion" in field.record_kinds
    }
    known = {*Conversion._fields, *of_fields}
    assert {pair.field for pair in PAIRS_OF_ROUTES} == known - TESTED_ELSEWHERE


def test_requests_are_split_by_ten_actions() -> None:
    """Each request has up to ten actions; positions identify the chunk's rows."""
    rows = [str(action) for action in range(13)] * 2
    requests = encode("conversion", [bare(action_id=action) for action in rows], EventDefaults())
    assert [len(each.message.destinations) for each in requests] == [MAX_DESTINATIONS, 3]
    seen = {}
    for request in requests:
        references = {each.reference for each in request.message.destinations}
        for place, event in enumerate(request.events):
            assert set(event.destination_references) <= references
            seen[request.positions[place]] = event.destination_references[0]
    assert [seen[position] for position in range(len(rows))] == rows


@pytest.mark.parametrize(
    "order_id, expected",
    [
        ("123", "order-123"),
        ("0", "order-0"),
        ("A-123", "A-123"),
        ("order-123", "order-123"),
        ("12-34", "12-34"),
    ],
)
def test_transaction_ids_are_never_digits_alone(order_id: str, expected: str) -> None:
    """Numeric order IDs get a prefix, because Google refuses purely numeric transaction IDs."""
    assert transaction_id(order_id) == expected
    assert not transaction_id(order_id).isdigit()
