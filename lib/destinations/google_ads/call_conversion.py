"""`Call` → raw protobuf `CallConversion`.

This is the only place that sends raw user data: Google finds a call by the plain number of the
caller. Field rules: https://developers.google.com/google-ads/api/reference/rpc/latest/CallConversion
"""

from __future__ import annotations

from typing import Any

from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.enums import CONSENT
from lib.model.records import Call

CallConversion = module("services.types.conversion_upload_service").CallConversion.pb()


def call_message(call: Call) -> Any:
    """Return the message."""
    customer_id = call.customer_id
    message = CallConversion(
        caller_id=call.caller_id,
        call_start_date_time=call.call_time,
        conversion_action=f"customers/{customer_id}/conversionActions/{call.action_id}",
        conversion_date_time=call.time,
    )
    if call.value is not None:
        message.conversion_value = call.value
    if call.currency_code is not None:
        message.currency_code = call.currency_code
    if call.ad_user_data is not None:
        message.consent.ad_user_data = CONSENT[call.ad_user_data]
    for variable_id, value in call.custom_variables:
        message.custom_variables.add(
            conversion_custom_variable=(
                f"customers/{customer_id}/conversionCustomVariables/{variable_id}"
            ),
            value=value,
        )
    return message
