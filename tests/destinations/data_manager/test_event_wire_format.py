"""The bytes written directly equal those of the client library, which names each field."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from google.ads import datamanager_v1 as api
from hypothesis import given
from hypothesis import strategies as st

from lib.destinations.data_manager.event_request import MAX_DESTINATIONS, EventRequest
from lib.destinations.data_manager.messages import EventDefaults, encode, event_timestamp
from lib.model.records import Adjustment, Call, Conversion
from lib.rules.fields.table import FIELDS
from tests.destinations import any_records
from tests.destinations.any_records import click_id_of
from tests.destinations.data_manager.data_manager_setup import conversion
from tests.destinations.sending import CUSTOMER

ROOT = Path(__file__).parents[3]
Event, IngestEventsRequest = api.Event.pb(), api.IngestEventsRequest.pb()
ALL_DEFAULTS = st.builds(
    EventDefaults,
    login_customer_id=st.sampled_from(["", "9999999999"]),
    event_source=any_records.EVENT_SOURCES,
    ad_personalization=st.sampled_from([None, "GRANTED", "DENIED"]),
    validate_only=st.booleans(),
    order_ids_of_tag=st.booleans(),
)
CONSENT = {
    "GRANTED": "CONSENT_GRANTED",
    "DENIED": "CONSENT_DENIED",
    None: None,
}


def with_value(**fields: Any) -> dict[str, Any] | None:
    """Return the fields with a value; None if there are none, because a message without fields
    differs from no message."""
    return {name: value for name, value in fields.items() if value is not None} or None


def event_of(row: Conversion, defaults: EventDefaults) -> Any:
    """Return the message of a conversion. None leaves a field unset."""
    given = row.optional_fields or {}
    order_id = row.order_id
    if order_id is not None and order_id.isdigit() and not defaults.order_ids_of_tag:
        order_id = f"order-{order_id}"
    identifiers: list[dict[str, Any]] = [{"email_address": each} for each in row.hashed_emails]
    identifiers += [{"phone_number": each} for each in row.hashed_phones]
    if (address := given.get("address")) is not None:
        of_address = {
            "given_name": address.hashed_given_name,
            "family_name": address.hashed_family_name,
            "region_code": address.region_code,
            "postal_code": address.postal_code,
        }
        identifiers.append({"address": of_address})
    session = given.get("session_attributes_encoded")
    if (pairs := given.get("session_attributes_key_value_pairs")) is not None:
        session = b64encode(json.dumps(dict(pairs), separators=(",", ":")).encode())
    return Event(
        destination_references=[row.action_id],
        event_timestamp={"seconds": int(datetime.fromisoformat(row.time).timestamp())},
        event_source=given.get("event_source", defaults.event_source),
        transaction_id=order_id,
        conversion_value=row.value,
        currency=row.currency_code,
        consent=with_value(
            ad_user_data=CONSENT[row.ad_user_data],
            ad_personalization=CONSENT[
                given.get("ad_personalization", defaults.ad_personalization)
            ],
        ),
        user_data=with_value(user_identifiers=identifiers or None),
        ad_identifiers=with_value(
            **click_id_of(row),
            session_attributes=session and session.decode(),
            landing_page_device_info=with_value(
                user_agent=given.get("landing_page_user_agent"),
                ip_address=given.get("user_ip_address"),
            ),
        ),
        user_properties=with_value(customer_type=given.get("customer_type")),
        custom_variables=[
            {"variable": name, "value": value} for name, value in given.get("custom_variables", ())
        ],
        cart_data=cart_of(**given["cart"]) if "cart" in given else None,
    )


def cart_of(**cart: Any) -> dict[str, Any]:
    return {
        "merchant_id": str(cart["merchant_id"]),
        "merchant_feed_label": cart["feed_country_code"],
        "merchant_feed_language_code": cart["feed_language_code"],
        "transaction_discount": cart["local_transaction_cost"],
        "items": [
            {
                "merchant_product_id": each.product_id,
                "quantity": each.quantity,
                "unit_price": each.unit_price,
            }
            for each in cart["items"]
        ],
    }


def request_of(events: list[Any], defaults: EventDefaults) -> Any:
    """Return the message of a request with these events, whose actions are in their order."""
    manager = defaults.login_customer_id
    actions = dict.fromkeys(event.destination_references[0] for event in events)
    return IngestEventsRequest(
        encoding="HEX",
        validate_only=defaults.validate_only,
        destinations=[
            {
                "reference": action,
                "product_destination_id": action,
                "operating_account": {"account_type": "GOOGLE_ADS", "account_id": CUSTOMER},
                "login_account": {"account_type": "GOOGLE_ADS", "account_id": manager}
                if manager
                else None,
            }
            for action in actions
        ],
        events=events,
    )


def check_requests(
    requests: list[EventRequest], rows: list[Conversion], defaults: EventDefaults
) -> None:
    """Check that the requests have these conversions, each at its position."""
    places = [place for request in requests for place in request.positions]
    assert sorted(places) == list(range(len(rows)))
    for request in requests:
        events = [event_of(rows[place], defaults) for place in request.positions]
        expected = request_of(events, defaults)
        assert request.message == expected
        assert request.size == len(events)


@given(st.lists(any_records.CONVERSIONS, min_size=1, max_size=14), ALL_DEFAULTS)
def test_conversions_are_those_of_the_clients_messages(
    rows: list[Conversion], defaults: EventDefaults
) -> None:
    """Any rows give the same requests: destinations, events, and their positions in the chunk."""
    check_requests(encode("conversion", rows, CUSTOMER, defaults), rows, defaults)


@given(
    st.lists(st.tuples(any_records.CONVERSIONS, any_records.ORDER_IDS), min_size=1, max_size=5),
    ALL_DEFAULTS,
)
def test_restatements_are_those_of_the_clients_messages(
    given_rows: list[tuple[Conversion, str]], defaults: EventDefaults
) -> None:
    """Each is its conversion again, with the order ID that was sent with it."""
    rows = [restatement(sale, order_id=order_id) for sale, order_id in given_rows]
    sales = [sale._replace(order_id=order_id) for sale, order_id in given_rows]
    check_requests(encode("adjustment", rows, CUSTOMER, defaults), sales, defaults)


def restatement(sale: Conversion, **changes: Any) -> Adjustment:
    """Return a restatement with the conversion that it restates."""
    row = Adjustment(
        *(sale.action_id, "restatement", sale.time, "SO-1", "", ""),
        *(sale.value, sale.currency_code, sale, ()),
    )
    return row._replace(**changes)


@given(st.lists(any_records.CALLS, min_size=1, max_size=5), ALL_DEFAULTS)
def test_calls_are_those_of_the_clients_messages(rows: list[Call], defaults: EventDefaults) -> None:
    """A call is an event with the hash of its caller. Its start is beside the message."""
    (request,) = encode("call", rows, CUSTOMER, defaults)
    events = [event_of_call(row, defaults) for row in rows]
    assert request.message == request_of(events, defaults)
    starts = [datetime.fromisoformat(start) for start in request.call_starts or ()]
    assert starts == [datetime.fromisoformat(row.call_time) for row in rows]


def event_of_call(row: Call, defaults: EventDefaults) -> Any:
    """Return the message: that of a conversion whose only identifier is the number's hash."""
    sale = Conversion(
        *(row.action_id, row.time, "", "", "", ()),
        *((sha256(row.caller_id.encode()).hexdigest(),), row.value, row.currency_code),
        *(None, row.ad_user_data, row.optional_fields, ()),
    )
    return event_of(sale, replace(defaults, event_source="PHONE"))


def test_every_field_of_a_conversion_is_tried() -> None:
    """No serializer can miss a new field."""
    of_fields = {
        field.attribute.partition(".")[0]
        for field in FIELDS
        if not field.only_helps and "conversion" in field.record_kinds
    }
    assert any_records.OPTIONAL_FIELDS.keys() == of_fields - {*Conversion._fields}


def test_requests_are_split_by_ten_actions() -> None:
    """Each request has up to ten actions; positions identify the chunk's rows."""
    rows = [str(action) for action in range(13)] * 2
    sales = [conversion(action_id=action) for action in rows]
    requests = encode("conversion", sales, CUSTOMER, EventDefaults())
    assert [len(each.message.destinations) for each in requests] == [MAX_DESTINATIONS, 3]
    check_requests(requests, sales, EventDefaults())


@pytest.mark.parametrize(
    "changes", [{"original": None}, {"adjustment_type": "retraction"}, {"order_id": None}]
)
def test_an_adjustment_that_would_become_a_new_conversion_is_not_sent(
    changes: dict[str, Any],
) -> None:
    """The rules refuse such a row before. If they did not, the serializer would."""
    rows = [restatement(conversion(), **changes)]
    with pytest.raises(ValueError, match=r"re(statement|traction)"):
        encode("adjustment", rows, CUSTOMER, EventDefaults())


CALLER = "+12125550142"


def call(minute: int = 0) -> Call:
    """Return a call that began at a minute of an hour."""
    start = f"2026-11-20 14:{minute:02}:00+01:00"
    return Call("1001", CALLER, start, "2026-11-22 09:00:00+01:00", *[None] * 4, ())


def test_the_body_of_a_request_of_calls() -> None:
    """It names account, manager account and action, has the start of the call, and no number."""
    defaults = EventDefaults(
        login_customer_id="9999999999", validate_only=True, ad_personalization="DENIED"
    )
    (request,) = encode("call", [call()], CUSTOMER, defaults)
    assert request.as_json() == {
        "encoding": "HEX",
        "validateOnly": True,
        "destinations": [
            {
                "reference": "1001",
                "productDestinationId": "1001",
                "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
                "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": "9999999999"},
            }
        ],
        "events": [
            {
                "destinationReferences": ["1001"],
                "eventTimestamp": "2026-11-22T08:00:00Z",
                "eventSource": "PHONE",
                "callInfo": {"startTimestamp": "2026-11-20T13:00:00Z"},
                "consent": {"adPersonalization": "CONSENT_DENIED"},
                "userData": {
                    "userIdentifiers": [{"phoneNumber": sha256(CALLER.encode()).hexdigest()}]
                },
            }
        ],
    }


def test_a_part_of_a_request_of_calls_keeps_their_starts() -> None:
    """Each event has the start of its own call."""
    (whole,) = encode("call", [call(minute) for minute in range(4)], CUSTOMER, EventDefaults())
    request = whole.subset([3, 1])
    assert [event["callInfo"]["startTimestamp"] for event in request.as_json()["events"]] == [
        "2026-11-20T13:03:00Z",
        "2026-11-20T13:01:00Z",
    ]


@pytest.mark.parametrize("seconds", [-1, 0, (1 << 28) - 1, 1 << 28, (1 << 35) - 1, 1 << 35])
def test_timestamps_of_every_length(seconds: int) -> None:
    """Times with a shorter or longer number, and times before 1970, are written correctly."""
    time = datetime.fromtimestamp(seconds, datetime.fromisoformat("1970-01-01T00:00+02:00").tzinfo)
    written = event_timestamp(time.isoformat(" "))
    event = Event.FromString(written.encode("latin-1"))
    assert event.event_timestamp.seconds == seconds


LAZILY = """
import sys
from lib.destinations.data_manager.connector import LAZY_PACKAGES
from lib.destinations.lazy_imports import import_lazily
import_lazily(LAZY_PACKAGES)
import lib.destinations.data_manager.client
for unused in ("user_list", "async_client", "partner_link", "google.ads.googleads."):
    assert not [name for name in sys.modules if unused in name], unused
"""


def test_a_start_imports_only_the_types_of_events() -> None:
    """The clients, the types of what is never sent, and the other API are not imported."""
    subprocess.run([sys.executable, "-c", LAZILY], check=True, cwd=ROOT)
