"""The fields of the conversion itself. `lib.rules.conversions` lists their rules."""

from __future__ import annotations

from typing import Final

from lib.model.fields import Field

NOT_STATED: Final = "consent is not stated to Google, even if the profile sets it"

CONVERSION: Final[tuple[Field, ...]] = (
    Field(
        "conversion_action",
        "Conversion action: its name or ID.",
        template_names=("Conversion Name",),
        kind="name",
    ),
    Field(
        "conversion_date_time",
        "When the conversion happened.",
        template_names=("Conversion Time",),
        target="time",
    ),
    Field("time_of_day", "Time of the conversion, if conversion_date_time contains only a date."),
    Field(
        "time_zone",
        "Time zone of a time that does not state one: an IANA name or an offset.",
        kind="unit",
    ),
    Field(
        "conversion_value",
        "Value of the conversion.",
        template_names=("Conversion Value",),
        target="value",
        kind="number",
        placeholder_note="read as an empty cell",
    ),
    Field(
        "currency_code",
        "Currency of the value: an ISO 4217 code such as EUR.",
        template_names=("Conversion Currency",),
        target="currency_code",
        kind="unit",
        placeholder_note="the currency of the profile applies",
    ),
    Field(
        "order_id",
        "ID of the order or deal. Each conversion of a conversion action needs its own.",
        template_names=("Order ID",),
        target="order_id",
    ),
    Field(
        "ad_user_data",
        "Consent to sending user data to Google: Granted or Denied.",
        template_names=("Ad User Data",),
        target="ad_user_data",
        bad_value="row",
        kind="word",
        placeholder_note=NOT_STATED,
    ),
)
