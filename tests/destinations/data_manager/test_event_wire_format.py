"""The bytes written directly equal those of the client library's own messages."""

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

from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.messages import EventDefaults, encode, event_timestamp
from lib.model.records import (
    Address,
    Adjustment,
    Call,
    CartItem,
    Conversion,
    OptionalFields,
)

ROOT = Path(__file__).parents[3]
DIGITS = "0123456789abcdef"
ids = st.text("abcXYZ012-_", min_size=1, max_size=1_024)
digests = st.lists(st.text(DIGITS, min_size=64, max_size=64), max_size=5).map(tuple)
words = st.text(min_size=1, max_size=512).filter(str.isprintable)
times = st.builds(
    lambda moment, zone: f"{moment:%Y-%m-%d %H:%M:%S}{zone}",
    st.datetimes(datetime(1960, 1, 2), datetime(3090, 1, 1)),
    st.sampled_from(["+00:00", "-06:00", "+05:45", "-03:30", "+14:00"]),
)
consents = st.sampled_from([None, "GRANTED", "DENIED"])
CART = {
    "merchant_id": 12,
    "feed_country_code": "US",
    "feed_language_code": "en",
    "local_transaction_cost": 1.5,
    "items": (CartItem("p", 2, 9.5),) * 400,
}
optional_fields = st.fixed_dictionaries(
    {},
    optional={
        "ad_personalization": st.sampled_from(["GRANTED", "DENIED", "UNSPECIFIED"]),
        "user_ip_address": st.sampled_from(["192.0.2.1", "2001:db8::1"]),
        "session_attributes_key_value_pairs": st.just((("gad_source", "1"),)),
        "custom_variables": st.just((("margin", "ümlaut"), ("tier", "2"))),
        "cart": st.just(CART),
        "address": st.just(Address("a" * 64, "b" * 64, "GB", "SW1A 1AA")),
        "event_source": st.sampled_from(["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"]),
    },
)
conversions = st.builds(
    Conversion,
    customer_id=st.just("1234567890"),
    action_id=st.sampled_from([str(number) for number in range(1_001, 1_014)] + ["名前"]),
    time=times,
    gclid=st.just("") | ids,
    gbraid=st.just("") | ids,
    wbraid=st.just("") | ids,
    hashed_emails=digests,
    hashed_phones=digests,
    value=st.none() | st.floats(0, allow_infinity=False),
    currency_code=st.sampled_from([None, "USD", "EUR"]),
    order_id=st.none() | words | st.sampled_from(["0", "123456"]),
    ad_user_data=consents,
    optional_fields=st.none() | optional_fields,
    warnings=st.just(()),
)
all_defaults = st.builds(
    EventDefaults,
    login_customer_id=st.sampled_from(["", "9999999999"]),
    event_source=st.sampled_from(["OTHER", "WEB"]),
    ad_personalization=consents,
    validate_only=st.booleans(),
)


def event_of(row: Conversion, defaults: EventDefaults) -> api.Event:
    """Return the client library's event, set field by field."""
    event = api.Event(
        destination_references=[row.action_id],
        event_timestamp=datetime.fromisoformat(row.time),
        event_source=defaults.event_source,
    )
    click = next((name for name in ("gclid", "gbraid", "wbraid") if getattr(row, name)), None)
    if click is not None:
        setattr(event.ad_identifiers, click, getattr(row, click))
    if row.value is not None:
        event.conversion_value = row.value
    if row.currency_code is not None:
        event.currency = row.currency_code
    if row.order_id is not None:
        prefix = "order-" if row.order_id.isdigit() else ""
        event.transaction_id = prefix + row.order_id
    if row.ad_user_data is not None:
        event.consent.ad_user_data = f"CONSENT_{row.ad_user_data}"
    if defaults.ad_personalization is not None:
        event.consent.ad_personalization = f"CONSENT_{defaults.ad_personalization}"
    identifiers = [api.UserIdentifier(email_address=each) for each in row.hashed_emails]
    identifiers += [api.UserIdentifier(phone_number=each) for each in row.hashed_phones]
    if identifiers:
        event.user_data = api.UserData(user_identifiers=identifiers)
    if row.optional_fields is not None:
        add_rare_fields(event, row.optional_fields)
    return event


def add_rare_fields(event: api.Event, given: OptionalFields) -> None:
    if "event_source" in given:
        event.event_source = given["event_source"]
    if "ad_personalization" in given:
        known = given["ad_personalization"] != "UNSPECIFIED"
        word = f"CONSENT_{given['ad_personalization']}" if known else "CONSENT_STATUS_UNSPECIFIED"
        event.consent.ad_personalization = word
    if "user_ip_address" in given:
        event.ad_identifiers.landing_page_device_info.ip_address = given["user_ip_address"]
    if "session_attributes_key_value_pairs" in given:
        attributes = dict(given["session_attributes_key_value_pairs"])
        pairs = json.dumps(attributes, separators=(",", ":"))
        event.ad_identifiers.session_attributes = b64encode(pairs.encode()).decode()
    event.custom_variables = [
        api.CustomVariable(variable=name, value=value)
        for name, value in given.get("custom_variables", ())
    ]
    if "address" in given:
        address = api.AddressInfo(
            given_name=given["address"].hashed_given_name,
            family_name=given["address"].hashed_family_name,
            region_code=given["address"].region_code,
            postal_code=given["address"].postal_code,
        )
        known = event.user_data.user_identifiers if "user_data" in event else []
        event.user_data = api.UserData(
            user_identifiers=[*known, api.UserIdentifier(address=address)]
        )
    if "cart" in given:
        cart = given["cart"]
        event.cart_data = api.CartData(
            merchant_id=str(cart["merchant_id"]),
            merchant_feed_label=cart["feed_country_code"],
            merchant_feed_language_code=cart["feed_language_code"],
            transaction_discount=cart["local_transaction_cost"],
            items=[
                api.Item(
                    merchant_product_id=each.product_id,
                    quantity=each.quantity,
                    unit_price=each.unit_price,
                )
                for each in cart["items"]
            ],
        )


def request_of(actions: list[str], customer_id: str, defaults: EventDefaults) -> api.Destination:
    """Return the client library's request, without its events."""
    account = api.ProductAccount(account_type="GOOGLE_ADS", account_id=customer_id)
    manager = None
    if defaults.login_customer_id:
        manager = api.ProductAccount(
            account_type="GOOGLE_ADS", account_id=defaults.login_customer_id
        )
    return api.IngestEventsRequest(
        encoding="HEX",
        validate_only=defaults.validate_only,
        destinations=[
            api.Destination(
                reference=action,
                product_destination_id=action,
                operating_account=account,
                login_account=manager,
            )
            for action in actions
        ],
    )


def check_requests(
    requests: list[EventRequest], rows: list[Conversion], defaults: EventDefaults
) -> None:
    """Check that the requests have these conversions, each at its position."""
    places = [place for request in requests for place in request.positions]
    assert sorted(places) == list(range(len(rows)))
    for request in requests:
        own = [rows[place] for place in request.positions]
        actions = list(dict.fromkeys(row.action_id for row in own))
        expected = request_of(actions, own[0].customer_id, defaults)
        expected.events = [event_of(row, defaults) for row in own]
        sent = api.IngestEventsRequest.deserialize(request.content)
        assert in_canonical_form(sent) == in_canonical_form(expected)
        assert (request.size, request.destination_count) == (len(own), len(actions))


@given(st.lists(conversions, min_size=1, max_size=14), all_defaults)
def test_conversions_are_those_of_the_clients_messages(
    rows: list[Conversion], defaults: EventDefaults
) -> None:
    """Any rows give the same requests: destinations, events, and their positions in the chunk."""
    check_requests(encode("conversion", rows, defaults), rows, defaults)


@given(st.lists(st.tuples(conversions, words), min_size=1, max_size=5), all_defaults)
def test_restatements_are_those_of_the_clients_messages(
    given_rows: list[tuple[Conversion, str]], defaults: EventDefaults
) -> None:
    """Each is its conversion again, with the order ID that was sent with it."""
    rows = [
        Adjustment(
            *(sale.customer_id, sale.action_id, "restatement", sale.time, order_id, "", ""),
            *(sale.value, sale.currency_code, sale, ()),
        )
        for sale, order_id in given_rows
    ]
    sales = [sale._replace(order_id=order_id) for sale, order_id in given_rows]
    check_requests(encode("adjustment", rows, defaults), sales, defaults)


calls = st.builds(
    Call,
    customer_id=st.just("1234567890"),
    action_id=st.sampled_from(["1001", "1002"]),
    caller_id=st.sampled_from(["+12125550142", "+442071838750"]),
    call_time=times,
    time=times,
    value=st.none() | st.floats(0, allow_infinity=False),
    currency_code=st.sampled_from([None, "USD"]),
    ad_user_data=consents,
    custom_variables=st.sampled_from([(), (("margin", "ümlaut"),)]),
    warnings=st.just(()),
)


@given(st.lists(calls, min_size=1, max_size=5), all_defaults)
def test_calls_are_those_of_the_clients_messages(rows: list[Call], defaults: EventDefaults) -> None:
    """A call is an event with the hash of its caller. Its start is beside the message."""
    (request,) = encode("call", rows, defaults)
    actions = list(dict.fromkeys(row.action_id for row in rows))
    expected = request_of(actions, "1234567890", defaults)
    expected.events = [call_event(row, defaults) for row in rows]
    sent = api.IngestEventsRequest.deserialize(request.content)
    assert in_canonical_form(sent) == in_canonical_form(expected)
    starts = [datetime.fromisoformat(start) for start in request.call_starts or ()]
    assert starts == [datetime.fromisoformat(row.call_time) for row in rows]


def call_event(row: Call, defaults: EventDefaults) -> api.Event:
    sale = Conversion(
        *(row.customer_id, row.action_id, row.time, "", "", "", ()),
        *((sha256(row.caller_id.encode()).hexdigest(),), row.value, row.currency_code),
        *(None, row.ad_user_data, None, ()),
    )
    event = event_of(sale, replace(defaults, event_source="PHONE"))
    event.custom_variables = [
        api.CustomVariable(variable=name, value=value) for name, value in row.custom_variables
    ]
    return event


def in_canonical_form(message: Any) -> bytes:
    raw = type(message).pb(message)
    return bytes(raw.SerializeToString(deterministic=True))


@pytest.mark.parametrize("seconds", [-1, 0, (1 << 28) - 1, 1 << 28, (1 << 35) - 1, 1 << 35])
def test_timestamps_of_every_length(seconds: int) -> None:
    """Times with a shorter or longer number, and times before 1970, are written correctly."""
    time = datetime.fromtimestamp(seconds, datetime.fromisoformat("1970-01-01T00:00+02:00").tzinfo)
    written = event_timestamp(time.isoformat(" "))
    event = api.Event.pb().FromString(written.encode("latin-1"))
    assert event.event_timestamp.seconds == seconds


LAZILY = """
import sys
from lib.destinations.data_manager.connector import LAZY_PACKAGES
from lib.destinations.lazy_imports import import_lazily
import_lazily(LAZY_PACKAGES)
import lib.destinations.data_manager.client
for unused in ("user_list", "async_client", "partner_link"):
    assert not [name for name in sys.modules if unused in name], unused
"""


def test_a_start_imports_only_the_types_of_events() -> None:
    """The clients, and the types of what is never sent, are not imported."""
    subprocess.run([sys.executable, "-c", LAZILY], check=True, cwd=ROOT)
