"""The bytes written directly equal those of message objects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib.destinations.google_ads.api import API_VERSION, module
from lib.destinations.google_ads.messages import conversion_adjustment, encode
from lib.destinations.google_ads.upload_request import ADJUSTMENTS, CALLS, CLICKS
from lib.destinations.wire_format import VARINTS, varint
from lib.model.adjustment_types import ADJUSTMENT_TYPES
from lib.model.records import Adjustment, Call, CartItem, Conversion

_TYPES = module("services.types.conversion_upload_service")
ClickConversion, CallConversion = _TYPES.ClickConversion, _TYPES.CallConversion
_ADJUSTMENT_TYPES = module(
    "enums.types.conversion_adjustment_type"
).ConversionAdjustmentTypeEnum.ConversionAdjustmentType
ROOT = Path(__file__).parents[3]

ids = st.text("abcXYZ012-_", min_size=1, max_size=300)
digests = st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=5).map(tuple)
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
        "conversion_environment": st.sampled_from(["APP", "WEB"]),
        "user_ip_address": st.just("192.0.2.1"),
        "session_attributes_key_value_pairs": st.just((("gad_source", "1"),)),
        "custom_variables": st.just((("7001", "ümlaut"),)),
        "cart": st.just(CART),
    },
)
conversions = st.builds(
    Conversion,
    customer_id=st.just("1234567890"),
    action_id=st.sampled_from(["1001", "1002", "名前"]),
    time=st.just("2026-11-24 14:05:07-06:00"),
    gclid=st.just("") | ids,
    gbraid=st.just("") | ids,
    wbraid=st.just("") | ids,
    hashed_emails=digests,
    hashed_phones=digests,
    value=st.none() | st.floats(0, allow_infinity=False),
    currency_code=st.sampled_from([None, "USD"]),
    order_id=st.none() | st.text(min_size=1, max_size=512).filter(str.isprintable),
    ad_user_data=st.sampled_from([None, "GRANTED", "DENIED"]),
    optional_fields=st.none() | optional_fields,
    warnings=st.just(()),
)


def by_attributes(row: Conversion) -> Any:
    """Return the message set field by field, without the rare fields (always written that way)."""
    message = ClickConversion.pb()()
    message.conversion_action = f"customers/{row.customer_id}/conversionActions/{row.action_id}"
    message.conversion_date_time = row.time
    for field in ("gclid", "gbraid", "wbraid"):
        if getattr(row, field):
            setattr(message, field, getattr(row, field))
            break
    if row.value is not None:
        message.conversion_value = row.value
    if row.currency_code is not None:
        message.currency_code = row.currency_code
    if row.order_id is not None:
        message.order_id = row.order_id
    if row.ad_user_data is not None:
        message.consent.ad_user_data = {"GRANTED": 2, "DENIED": 3}[row.ad_user_data]
    for digest in row.hashed_emails:
        message.user_identifiers.add(hashed_email=digest, user_identifier_source=2)
    for digest in row.hashed_phones:
        message.user_identifiers.add(hashed_phone_number=digest, user_identifier_source=2)
    return message


@given(st.lists(conversions, min_size=1, max_size=5))
def test_conversions_are_those_of_message_objects(rows: list[Conversion]) -> None:
    """Any rows give the same messages, in one request, in the order of the file."""
    (request,) = encode("conversion", rows, 7, validate_only=False)
    sent = request.message
    assert (sent.customer_id, sent.job_id, sent.partial_failure) == ("1234567890", 7, True)
    assert (request.kind, list(request.positions)) == (CLICKS, list(range(len(rows))))
    assert list(request.rows) == [plain_conversion(row) for row in rows]


def plain_conversion(row: Conversion) -> Any:
    """Return the message with all fields, each set by its name."""
    message = by_attributes(row)
    given = row.optional_fields
    if given is None:
        return message
    if "conversion_environment" in given:
        message.conversion_environment = {"APP": 2, "WEB": 3}[given["conversion_environment"]]
    if "user_ip_address" in given:
        message.user_ip_address = given["user_ip_address"]
    for key, value in given.get("session_attributes_key_value_pairs", ()):
        message.session_attributes_key_value_pairs.key_value_pairs.add(
            session_attribute_key=key, session_attribute_value=value
        )
    add_variables(message, row.customer_id, given.get("custom_variables", ()))
    if "cart" in given:
        cart, bought = message.cart_data, given["cart"]
        cart.merchant_id = bought["merchant_id"]
        cart.feed_country_code = bought["feed_country_code"]
        cart.feed_language_code = bought["feed_language_code"]
        cart.local_transaction_cost = bought["local_transaction_cost"]
        for item in bought["items"]:
            cart.items.add(**item._asdict())
    return message


def add_variables(message: Any, customer_id: str, given: tuple[tuple[str, str], ...]) -> None:
    for variable, value in given:
        message.custom_variables.add(
            conversion_custom_variable=(
                f"customers/{customer_id}/conversionCustomVariables/{variable}"
            ),
            value=value,
        )


adjustments = st.builds(
    Adjustment,
    customer_id=st.just("1234567890"),
    action_id=st.sampled_from(["1001", "1002"]),
    adjustment_type=st.sampled_from([*ADJUSTMENT_TYPES]),
    time=st.just("2026-11-25 14:05:07-06:00"),
    order_id=st.none() | ids,
    gclid=ids,
    conversion_time=st.just("2026-11-24 14:05:07-06:00"),
    value=st.none() | st.floats(0, allow_infinity=False),
    currency_code=st.sampled_from([None, "USD"]),
    original=st.none(),
    warnings=st.just(()),
)


def plain_adjustment(row: Adjustment) -> Any:
    message = conversion_adjustment()()
    message.conversion_action = f"customers/{row.customer_id}/conversionActions/{row.action_id}"
    message.adjustment_date_time = row.time
    message.adjustment_type = _ADJUSTMENT_TYPES[row.adjustment_type.upper()]
    if row.order_id is not None:
        message.order_id = row.order_id
    else:
        message.gclid_date_time_pair.gclid = row.gclid
        message.gclid_date_time_pair.conversion_date_time = row.conversion_time
    has_value = ADJUSTMENT_TYPES[row.adjustment_type].has_value
    if has_value and row.value is not None:
        message.restatement_value.adjusted_value = row.value
    if has_value and row.currency_code is not None:
        message.restatement_value.currency_code = row.currency_code
    return message


@given(st.lists(adjustments, min_size=1, max_size=5))
def test_adjustments_are_those_of_message_objects(rows: list[Adjustment]) -> None:
    """Any rows give the same messages, final ones last: Google takes nothing after them."""
    (request,) = encode("adjustment", rows, 7, validate_only=True)
    assert (request.kind, request.message.validate_only) == (ADJUSTMENTS, True)
    is_final = [ADJUSTMENT_TYPES[row.adjustment_type].is_final for row in rows]
    order = sorted(range(len(rows)), key=is_final.__getitem__)
    assert list(request.positions) == order
    assert list(request.rows) == [plain_adjustment(rows[at]) for at in order]


calls = st.builds(
    Call,
    customer_id=st.just("1234567890"),
    action_id=st.sampled_from(["1001", "1002"]),
    caller_id=st.sampled_from(["+12125550142", "+442071838750"]),
    call_time=st.just("2026-11-24 14:05:07-06:00"),
    time=st.just("2026-11-25 14:05:07-06:00"),
    value=st.none() | st.floats(0, allow_infinity=False),
    currency_code=st.sampled_from([None, "USD"]),
    ad_user_data=st.sampled_from([None, "GRANTED", "DENIED"]),
    custom_variables=st.sampled_from([(), (("7001", "ümlaut"),)]),
    warnings=st.just(()),
)


def plain_call(row: Call) -> Any:
    message = CallConversion.pb()()
    message.conversion_action = f"customers/{row.customer_id}/conversionActions/{row.action_id}"
    message.caller_id = row.caller_id
    message.call_start_date_time = row.call_time
    message.conversion_date_time = row.time
    if row.value is not None:
        message.conversion_value = row.value
    if row.currency_code is not None:
        message.currency_code = row.currency_code
    if row.ad_user_data is not None:
        message.consent.ad_user_data = {"GRANTED": 2, "DENIED": 3}[row.ad_user_data]
    add_variables(message, row.customer_id, row.custom_variables)
    return message


@given(st.lists(calls, min_size=1, max_size=5))
def test_calls_are_those_of_message_objects(rows: list[Call]) -> None:
    """Any rows give the same messages, in the order of the file."""
    (request,) = encode("call", rows, 7, validate_only=False)
    assert request.kind is CALLS
    assert list(request.rows) == [plain_call(row) for row in rows]


@given(st.integers(0, len(VARINTS) - 1) | st.integers(0, 1 << 40))
def test_varints(number: int) -> None:
    """A varint has seven bits per byte, lowest first, and only its last byte is below 128."""
    read = sum((ord(byte) & 127) << 7 * place for place, byte in enumerate(varint(number)))
    assert read == number
    assert [ord(byte) > 127 for byte in varint(number)][-1] is False
    assert number >= len(VARINTS) or VARINTS[number] == varint(number)


LAZILY = f"""
import sys
from lib.destinations.google_ads.api import LAZY_PACKAGES
from lib.destinations.lazy_imports import import_lazily
import_lazily(LAZY_PACKAGES)
from google.ads.googleads.{API_VERSION}.services.types import conversion_upload_service
import lib.destinations.google_ads.client
assert not [name for name in sys.modules if "conversion_adjustment_upload_service" in name]
assert not [name for name in sys.modules if "google_ads_service" in name]
assert "google.ads.googleads.{API_VERSION}.errors.types.errors" not in sys.modules
"""


def test_a_start_imports_only_the_types_of_conversions() -> None:
    """Adjustments, queries and errors are imported when a file needs them."""
    subprocess.run([sys.executable, "-c", LAZILY], check=True, cwd=ROOT)
