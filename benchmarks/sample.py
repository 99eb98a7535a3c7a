"""The pattern of Google's sample code: `DictReader`, proto-plus objects, one request per row.

As in `upload_enhanced_conversions_for_leads.py` of
https://github.com/googleads/google-ads-python/tree/main/examples/remarketing
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator

from google.ads.googleads.client import GoogleAdsClient
from google.auth.credentials import AnonymousCredentials

from sandbox.google_ads import API_VERSION

CUSTOMER_ID = "1234567890"


def prepare(content: bytes) -> Iterator[bytes]:
    """The serialized requests for a file with the columns of `benchmarks.rows`."""
    client = GoogleAdsClient(
        AnonymousCredentials(),  # type: ignore[no-untyped-call]  # google-auth has no types
        developer_token="none",
        version=API_VERSION,
        use_proto_plus=True,
    )
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    for row in csv.DictReader(text):
        click_conversion = client.get_type("ClickConversion")
        email_identifier = client.get_type("UserIdentifier")
        email_identifier.user_identifier_source = client.enums.UserIdentifierSourceEnum.FIRST_PARTY
        email_identifier.hashed_email = normalize_and_hash_email_address(row["email"])
        click_conversion.user_identifiers.append(email_identifier)
        phone_identifier = client.get_type("UserIdentifier")
        phone_identifier.user_identifier_source = client.enums.UserIdentifierSourceEnum.FIRST_PARTY
        phone_identifier.hashed_phone_number = normalize_and_hash(row["phone"])
        click_conversion.user_identifiers.append(phone_identifier)
        click_conversion.conversion_action = (
            f"customers/{CUSTOMER_ID}/conversionActions/{row['conversion_action']}"
        )
        click_conversion.conversion_date_time = row["conversion_date_time"]
        click_conversion.conversion_value = float(row["conversion_value"])
        click_conversion.currency_code = row["currency_code"]
        if row["order_id"]:
            click_conversion.order_id = row["order_id"]
        if row["gclid"]:
            click_conversion.gclid = row["gclid"]
        if row["ad_user_data"] in ("GRANTED", "DENIED"):
            click_conversion.consent.ad_user_data = client.enums.ConsentStatusEnum[
                row["ad_user_data"]
            ]
        request = client.get_type("UploadClickConversionsRequest")
        request.customer_id = CUSTOMER_ID
        request.conversions = [click_conversion]
        request.partial_failure = True
        yield type(request).serialize(request)


def normalize_and_hash_email_address(email_address: str) -> str:
    """Removes the dots and the suffix of gmail.com addresses, and hashes."""
    normalized_email = email_address.strip().lower()
    email_parts = normalized_email.split("@")
    if len(email_parts) > 1 and email_parts[1] in ("gmail.com", "googlemail.com"):
        email_parts[0] = email_parts[0].replace(".", "")
        normalized_email = "@".join(email_parts)
    return normalize_and_hash(normalized_email)


def normalize_and_hash(s: str) -> str:
    """Trims, converts to lower case, and hashes."""
    return hashlib.sha256(s.strip().lower().encode()).hexdigest()
