"""The capabilities of the Data Manager API for offline conversions, restatements and calls.

Limits: https://developers.google.com/data-manager/api/devguides/limits
Fields:
https://developers.google.com/data-manager/api/devguides/events/google-ads/offline/upgrade/field-mappings
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lib.model.capabilities import (
    Capabilities,
    CheckSchedule,
    Exclusion,
    KindCapabilities,
)


def transaction_id(order_id: str) -> str:
    """Return the order ID as it is sent: with the prefix `order-` if it has only digits.

    Google has refused purely numeric transaction IDs (and `validate_only` did not report it). The
    same order ID always gives the same transaction ID, so Google still recognizes a resend.
    """
    return f"order-{order_id}" if order_id.isdigit() else order_id


# Paths in `Event`. A plain value needs no more than its path to be written.
_OF_CONVERSIONS: Final = {
    "gclid": "ad_identifiers.gclid",
    "gbraid": "ad_identifiers.gbraid",
    "wbraid": "ad_identifiers.wbraid",
    "email": "user_data.user_identifiers.email_address",
    "phone": "user_data.user_identifiers.phone_number",
    "hashed_email": "user_data.user_identifiers.email_address",
    "hashed_phone_number": "user_data.user_identifiers.phone_number",
    "first_name": "user_data.user_identifiers.address.given_name",
    "last_name": "user_data.user_identifiers.address.family_name",
    "postal_code": "user_data.user_identifiers.address.postal_code",
    "country_code": "user_data.user_identifiers.address.region_code",
    "conversion_date_time": "event_timestamp",
    "conversion_value": "conversion_value",
    "currency_code": "currency",
    "order_id": "transaction_id",
    "ad_user_data": "consent.ad_user_data",
    "ad_personalization": "consent.ad_personalization",
    "customer_type": "user_properties.customer_type",
    "user_ip_address": "ad_identifiers.landing_page_device_info.ip_address",
    "landing_page_user_agent": "ad_identifiers.landing_page_device_info.user_agent",
    "session_attributes_encoded": "ad_identifiers.session_attributes",
    "session_attributes_key_value_pairs": "ad_identifiers.session_attributes",
    "merchant_id": "cart_data.merchant_id",
    "feed_country_code": "cart_data.merchant_feed_label",
    "feed_language_code": "cart_data.merchant_feed_language_code",
    "local_transaction_cost": "cart_data.transaction_discount",
    "items": "cart_data.items",
    "custom_variable.": "custom_variables",
    "event_source": "event_source",
}

CAPABILITIES: Final = Capabilities(
    name="data_manager",
    title="Data Manager API",
    max_user_identifiers=10,
    max_request_rows=2_000,  # × 300 requests a minute: see the page on performance
    resolves_custom_variables=False,
    # Google processes a request within hours, and keeps its status for about 50 days. It asks to
    # wait 30 minutes: https://developers.google.com/data-manager/api/devguides/diagnostics
    reports_later=CheckSchedule(
        first_wait=timedelta(minutes=30),
        wait=timedelta(hours=1),
        later_wait=timedelta(hours=6),
        stop_after=timedelta(days=7),
    ),
    exclusions=(
        Exclusion(
            "session_attributes_key_value_pairs",
            "session_attributes_encoded",
            "BOTH_SESSION_ATTRIBUTES",
        ),
    ),
    supplements_tags=True,
    sent_order_id=transaction_id,
    kinds={
        "conversion": KindCapabilities(
            fields=_OF_CONVERSIONS,
            identifying=frozenset(
                {
                    *("gclid", "gbraid", "wbraid", "hashed_emails", "hashed_phones", "address"),
                    *("session_attributes_encoded", "session_attributes_key_value_pairs"),
                    "user_ip_address",
                }
            ),
        ),
        # A restatement is an ordinary event with the new value.
        "adjustment": KindCapabilities(
            fields={
                "adjusted_value": "conversion_value",
                "adjusted_value_currency": "currency",
                **_OF_CONVERSIONS,
            },
            identifying=frozenset({"order_id"}),
            adjustment_types=frozenset({"restatement"}),
            restates_with_original=True,
        ),
        "call": KindCapabilities(
            fields={
                "caller_id": "user_data.user_identifiers.phone_number",
                "call_start_date_time": "call_info.start_timestamp",
                "conversion_date_time": "event_timestamp",
                "conversion_value": "conversion_value",
                "currency_code": "currency",
                "ad_user_data": "consent.ad_user_data",
                "ad_personalization": "consent.ad_personalization",
                "custom_variable.": "custom_variables",
            },
            identifying=frozenset({"caller_id"}),
        ),
    },
)
