"""The bytes written directly equal those of message objects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib.destinations.google_ads.api import API_VERSION, module
from lib.destinations.google_ads.messages import AdsBatch
from lib.destinations.wire_format import VARINTS, varint
from lib.model.records import Cart, CartItem, Conversion, OptionalFields

ClickConversion = module("services.types.conversion_upload_service").ClickConversion
ROOT = Path(__file__).parents[3]

ids = st.text("abcXYZ012-_", min_size=1, max_size=300)
digests = st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=5).map(tuple)
optional_fields = st.builds(
    OptionalFields,
    conversion_environment=st.sampled_from([None, "APP", "WEB"]),
    user_ip_address=st.sampled_from([None, "192.0.2.1"]),
    session_attributes_key_value_pairs=st.sampled_from([(), (("gad_source", "1"),)]),
    custom_variables=st.sampled_from([(), (("7001", "ümlaut"),)]),
    cart=st.sampled_from([None, Cart(12, "US", "en", 1.5, (CartItem("p", 2, 9.5),) * 400)]),
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
def test_bytes_and_attributes_give_the_same_message(rows: list[Conversion]) -> None:
    """Any row gives the same message, in the request of its account, at its place in the batch."""
    batch = AdsBatch(7, False)
    for row in rows:
        batch.add(row)
    assert len(batch) == len(rows)
    found: dict[int, Any] = {}
    for request in batch.take_requests():
        sent = request.message
        assert {rows[place].customer_id for place in request.positions} == {sent.customer_id}
        assert (sent.job_id, sent.partial_failure) == (7, True)
        found.update(zip(request.positions, request.rows, strict=True))
    assert sorted(found) == list(range(len(rows)))
    for place, row in enumerate(rows):
        expected = by_attributes(row)
        if row.optional_fields is not None:
            # A conversion without the common fields shows what the rare fields add.
            alone = AdsBatch(7, False)
            alone.add(by_rare_fields(row))
            rare = alone.take_requests()[0].rows[0]
            for field in ("conversion_action", "conversion_date_time"):
                rare.ClearField(field)
            expected.MergeFrom(rare)
        assert found[place] == expected


def by_rare_fields(row: Conversion) -> Conversion:
    """Return the row with only its rare fields."""
    return row._replace(
        gclid="",
        gbraid="",
        wbraid="",
        hashed_emails=(),
        hashed_phones=(),
        value=None,
        currency_code=None,
        order_id=None,
        ad_user_data=None,
    )


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
from lib.destinations.google_ads.messages import AdsBatch
import lib.destinations.google_ads.client
AdsBatch(1, False)
assert not [name for name in sys.modules if "conversion_adjustment_upload_service" in name]
assert not [name for name in sys.modules if "google_ads_service" in name]
modules = len(sys.modules)
assert "google.ads.googleads.{API_VERSION}.errors.types.errors" not in sys.modules
from google.ads.googleads.{API_VERSION}.services.types import (
    UploadClickConversionsRequest, GoogleAdsRow,
)
from google.ads.googleads.{API_VERSION}.enums.types import ConsentStatusEnum
assert UploadClickConversionsRequest is conversion_upload_service.UploadClickConversionsRequest
assert len(sys.modules) > modules + 50
import_lazily(LAZY_PACKAGES)
"""


def test_a_lazily_imported_package_is_complete() -> None:
    """Only named modules are imported; a name of the package itself imports the rest."""
    subprocess.run([sys.executable, "-c", LAZILY], check=True, cwd=ROOT)
