"""What an API with odd capabilities can do: no click IDs, seven rows a request, settles later."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lib.model.capabilities import Capabilities, CheckSchedule, Exclusion, KindCapabilities

CAPABILITIES: Final = Capabilities(
    name="dummy",
    title="Dummy API",
    kinds={
        "conversion": KindCapabilities(
            fields={
                "email": "who.mail",
                "conversion_date_time": "when",
                "conversion_value": "amount",
                "currency_code": "amount_unit",
                "order_id": "number",
                "user_ip_address": "who.address",
                "customer_type": "who.kind",
                "merchant_id": "shop",
            },
            identifying=frozenset({"hashed_emails", "user_ip_address"}),
        )
    },
    max_user_identifiers=1,
    max_request_rows=7,
    resolves_custom_variables=False,
    reports_later=CheckSchedule(
        first_wait=timedelta(minutes=5),
        wait=timedelta(minutes=10),
        later_wait=timedelta(minutes=20),
        stop_after=timedelta(hours=2),
    ),
    exclusions=(
        Exclusion("customer_type", "user_identifiers", "CUSTOM_VARIABLES_WITH_IDENTIFIERS"),
    ),
)
