"""The fields of the conversion itself. `lib.rules.conversions` lists their rules."""

from __future__ import annotations

from typing import Final

from lib.model.fields import Field
from lib.rules.fields.languages import CLOSE_DATE, CREATE_DATE, CURRENCY, VALUE, all_names
from lib.rules.fields.units import currency_in_header, time_zone_in_header

NOT_STATED: Final = "consent is not stated to Google, even if the profile sets it"

CONVERSION: Final[tuple[Field, ...]] = (
    Field(
        "conversion_action",
        "Conversion action: its name, ID or resource name.",
        aliases=(
            "conversion name",
            "conversion action name",
            "conversion action id",
            "conversion event",
        ),
        kind="name",
    ),
    Field(
        "conversion_date_time",
        "When the conversion happened.",
        aliases=(
            "conversion time",
            "conversion date",
            "conversion datetime",
            "conversion timestamp",
            "converted at",
            "date",
        ),
        fallbacks=(
            "close date",
            "closed at",
            "date closed",
            "converted date",
            "timestamp",
            "datetime",
            "event time",
        ),
        crm_names=all_names(CLOSE_DATE),
        last_resorts=all_names(CREATE_DATE),
        prefers_first_fallback=True,
        choice_code="DATE_COLUMN_CHOSEN",
        read_unit=time_zone_in_header,
        target="time",
    ),
    Field(
        "time_of_day",
        "Time of the conversion, if conversion_date_time contains only a date.",
        fallbacks=("time", "uhrzeit", "heure", "hora", "ora", "tijd"),
        stands_in_for="conversion_date_time",
        read_unit=time_zone_in_header,
    ),
    Field(
        "time_zone",
        "Time zone of a time that does not state one: an IANA name or an offset. The name must be "
        "exactly this: `Time Zone` is usually the contact's own.",
        aliases=("conversion time zone",),
        only_exact_name=True,
        kind="unit",
    ),
    Field(
        "conversion_value",
        "Value of the conversion.",
        aliases=("amount", "revenue"),
        fallbacks=("value", "deal value", "total", "price", "order value", "order total"),
        crm_names=all_names(VALUE),
        read_unit=currency_in_header,
        target="value",
        kind="number",
        placeholder_note="the conversion action's own value is used, as for empty cells",
    ),
    Field(
        "currency_code",
        "Currency of the value: an ISO 4217 code such as EUR.",
        aliases=(
            "conversion currency",
            "conversion currency code",
            "currency",
            "currency iso code",
            "deal currency",
            "deal currency code",
        ),
        fallbacks=(
            "amount currency",
            "value currency",
            "order currency",
            "transaction currency",
            "revenue currency",
        ),
        crm_names=all_names(CURRENCY),
        target="currency_code",
        kind="unit",
        placeholder_note="the currency of the value column's name or of the profile applies",
    ),
    Field(
        "order_id",
        "ID of the order or deal. Each conversion of a conversion action needs its own.",
        aliases=("transaction id", "order number", "order no"),
        target="order_id",
    ),
    Field(
        "ad_user_data",
        "Consent to sending user data to Google: Granted or Denied.",
        aliases=("consent ad user data", "ad user data consent"),
        target="ad_user_data",
        bad_value="row",
        kind="word",
        placeholder_note=NOT_STATED,
    ),
)
