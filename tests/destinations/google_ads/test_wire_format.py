"""The bytes written directly equal those of message objects, which name each field."""

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
from lib.model.records import Adjustment, Call, Conversion
from tests.destinations import any_records
from tests.destinations.any_records import click_id_of
from tests.destinations.sending import CUSTOMER

_TYPES = module("services.types.conversion_upload_service")
ClickConversion, CallConversion = _TYPES.ClickConversion.pb(), _TYPES.CallConversion.pb()
ROOT = Path(__file__).parents[3]


def resource_of(row: Conversion | Adjustment | Call) -> str:
    return f"customers/{CUSTOMER}/conversionActions/{row.action_id}"


def consent_of(row: Conversion | Call) -> dict[str, str] | None:
    return None if row.ad_user_data is None else {"ad_user_data": row.ad_user_data}


def variables_of(given: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [
        {
            "conversion_custom_variable": (
                f"customers/{CUSTOMER}/conversionCustomVariables/{variable}"
            ),
            "value": value,
        }
        for variable, value in given
    ]


def click_conversion(row: Conversion) -> Any:
    """Return the message of a conversion. None leaves a field unset."""
    given = row.optional_fields or {}
    emails = [{"hashed_email": digest} for digest in row.hashed_emails]
    phones = [{"hashed_phone_number": digest} for digest in row.hashed_phones]
    pairs, cart = given.get("session_attributes_key_value_pairs"), given.get("cart")
    return ClickConversion(
        conversion_action=resource_of(row),
        conversion_date_time=row.time,
        **click_id_of(row),
        conversion_value=row.value,
        currency_code=row.currency_code,
        order_id=row.order_id,
        consent=consent_of(row),
        user_identifiers=[
            {"user_identifier_source": "FIRST_PARTY", **each} for each in [*emails, *phones]
        ],
        conversion_environment=given.get("conversion_environment"),
        customer_type=given.get("customer_type"),
        user_ip_address=given.get("user_ip_address"),
        session_attributes_encoded=given.get("session_attributes_encoded"),
        session_attributes_key_value_pairs=pairs
        and {
            "key_value_pairs": [
                {"session_attribute_key": key, "session_attribute_value": value}
                for key, value in pairs
            ]
        },
        custom_variables=variables_of(given.get("custom_variables", ())),
        cart_data=cart and {**cart, "items": [each._asdict() for each in cart["items"]]},
    )


@given(st.lists(any_records.CONVERSIONS, min_size=1, max_size=5))
def test_conversions_are_those_of_message_objects(rows: list[Conversion]) -> None:
    """Any rows give the same messages, in one request, in the order of the file. What this API has
    no field for is left out."""
    (request,) = encode("conversion", rows, CUSTOMER, 7, validate_only=False)
    sent = request.message
    assert (sent.customer_id, sent.job_id, sent.partial_failure) == (CUSTOMER, 7, True)
    assert (request.kind, list(request.positions)) == (CLICKS, list(range(len(rows))))
    assert list(request.rows) == [click_conversion(row) for row in rows]


def adjustment(row: Adjustment) -> Any:
    """Return the message. A conversion is named once, and only some types have a value: Google
    refuses anything else."""
    message = conversion_adjustment()(
        conversion_action=resource_of(row),
        adjustment_date_time=row.time,
        adjustment_type=row.adjustment_type.upper(),
    )
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


@given(st.lists(any_records.ADJUSTMENTS, min_size=1, max_size=5))
def test_adjustments_are_those_of_message_objects(rows: list[Adjustment]) -> None:
    """Any rows give the same messages, final ones last: Google takes nothing after them."""
    (request,) = encode("adjustment", rows, CUSTOMER, 7, validate_only=True)
    assert (request.kind, request.message.validate_only) == (ADJUSTMENTS, True)
    is_final = [ADJUSTMENT_TYPES[row.adjustment_type].is_final for row in rows]
    order = sorted(range(len(rows)), key=is_final.__getitem__)
    assert list(request.positions) == order
    assert list(request.rows) == [adjustment(rows[at]) for at in order]


def call_conversion(row: Call) -> Any:
    """Return the message of a call. None leaves a field unset."""
    return CallConversion(
        conversion_action=resource_of(row),
        caller_id=row.caller_id,
        call_start_date_time=row.call_time,
        conversion_date_time=row.time,
        conversion_value=row.value,
        currency_code=row.currency_code,
        consent=consent_of(row),
        custom_variables=variables_of((row.optional_fields or {}).get("custom_variables", ())),
    )


@given(st.lists(any_records.CALLS, min_size=1, max_size=5))
def test_calls_are_those_of_message_objects(rows: list[Call]) -> None:
    """Any rows give the same messages, in the order of the file."""
    (request,) = encode("call", rows, CUSTOMER, 7, validate_only=False)
    assert request.kind is CALLS
    assert list(request.rows) == [call_conversion(row) for row in rows]


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
assert not [name for name in sys.modules if name.startswith("google.ads.datamanager")]
assert "google.ads.googleads.{API_VERSION}.errors.types.errors" not in sys.modules
"""


def test_a_start_imports_only_the_types_of_conversions() -> None:
    """Adjustments, queries and errors are imported when a file needs them, the other API never."""
    subprocess.run([sys.executable, "-c", LAZILY], check=True, cwd=ROOT)
