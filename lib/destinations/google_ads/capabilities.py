"""The capabilities of the Google Ads API for click conversions, adjustments and calls.

https://developers.google.com/google-ads/api/docs/conversions/upload-offline
https://developers.google.com/google-ads/api/docs/conversions/upload-adjustments
https://developers.google.com/google-ads/api/docs/conversions/upload-calls
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lib.destinations.google_ads.api import SUNSET
from lib.model.capabilities import (
    Capabilities,
    CheckSchedule,
    Exclusion,
    KindCapabilities,
)

CAPABILITIES: Final = Capabilities(
    name="google_ads",
    title="Google Ads API",
    max_user_identifiers=5,
    max_request_rows=2_000,
    resolves_custom_variables=True,
    has_queries=True,
    sunset=SUNSET,
    # https://ads-developers.googleblog.com/2026/05/changes-to-offline-click-conversion.html
    open_if="Has this account uploaded conversions through the Google Ads API between 17 December "
    "2025 and 15 June 2026?",
    # Statistics take up to three hours, and each new file pushes an older job out of the list of 7:
    # https://developers.google.com/google-ads/api/docs/conversions/upload-summaries
    diagnostics=CheckSchedule(
        first_wait=timedelta(hours=1),
        wait=timedelta(hours=6),
        later_wait=timedelta(hours=6),
        stop_after=timedelta(hours=24),
    ),
    unknown_words={"customer_type": frozenset({"REENGAGED"})},
    # Best practices of the guide: Google drops or refuses conversions with these combinations.
    exclusions=(
        Exclusion(
            "session_attributes_key_value_pairs",
            "session_attributes_encoded",
            "BOTH_SESSION_ATTRIBUTES",
        ),
        Exclusion("custom_variables", "user_identifiers", "CUSTOM_VARIABLES_WITH_IDENTIFIERS"),
    ),
    kinds={
        # Paths in `ClickConversion`. A plain value needs no more than its path to be written.
        "conversion": KindCapabilities(
            fields={
                "gclid": "gclid",
                "gbraid": "gbraid",
                "wbraid": "wbraid",
                "email": "user_identifiers.hashed_email",
                "phone": "user_identifiers.hashed_phone_number",
                "hashed_email": "user_identifiers.hashed_email",
                "hashed_phone_number": "user_identifiers.hashed_phone_number",
                "conversion_date_time": "conversion_date_time",
                "conversion_value": "conversion_value",
                "currency_code": "currency_code",
                "order_id": "order_id",
                "ad_user_data": "consent",
                "conversion_environment": "conversion_environment",
                "customer_type": "customer_type",
                "user_ip_address": "user_ip_address",
                "session_attributes_encoded": "session_attributes_encoded",
                "session_attributes_key_value_pairs": "session_attributes_key_value_pairs",
                "merchant_id": "cart_data.merchant_id",
                "feed_country_code": "cart_data.feed_country_code",
                "feed_language_code": "cart_data.feed_language_code",
                "local_transaction_cost": "cart_data.local_transaction_cost",
                "items": "cart_data.items",
                "custom_variable.": "custom_variables",
            },
            identifying=frozenset({"gclid", "gbraid", "wbraid", "hashed_emails", "hashed_phones"}),
        ),
        # Paths in `ConversionAdjustment`.
        "adjustment": KindCapabilities(
            fields={
                "order_id": "order_id",
                "gclid": "gclid_date_time_pair.gclid",
                "conversion_date_time": "gclid_date_time_pair.conversion_date_time",
                "adjustment_type": "adjustment_type",
                "adjustment_date_time": "adjustment_date_time",
                "adjusted_value": "restatement_value.adjusted_value",
                "adjusted_value_currency": "restatement_value.currency_code",
            },
            identifying=frozenset({"order_id", "gclid"}),
            adjustment_types=frozenset({"retraction", "restatement"}),
            # 54 days by the texts of its errors, 55 elsewhere: between them, Google decides.
            adjustable_for=timedelta(days=55),
        ),
        # Paths in `CallConversion`.
        "call": KindCapabilities(
            fields={
                "caller_id": "caller_id",
                "call_start_date_time": "call_start_date_time",
                "conversion_date_time": "conversion_date_time",
                "conversion_value": "conversion_value",
                "currency_code": "currency_code",
                "ad_user_data": "consent",
                "custom_variable.": "custom_variables",
            },
            identifying=frozenset({"caller_id"}),
        ),
    },
)
