"""The table of all fields. `Field` (`lib.model.fields`) explains what a row says.

A field with `parse` needs nothing else in `lib.rules`. A field without it is read by a rule
(`lib.rules.identity`, `times`, `amounts`, ...), because its meaning depends on other columns. The
`template_names` are those of Google's templates for conversions
(https://support.google.com/google-ads/answer/7014069, also for calls) and for adjustments
(https://support.google.com/google-ads/answer/7686447).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from lib.model.adjustment_types import ADJUSTMENT_TYPES
from lib.model.fields import CUSTOM_VARIABLE, Field, ParseCell
from lib.rules.values import cart, enums, network
from lib.rules.values.identifiers import normalize_region_code


def _text(parse: Callable[[str], Any]) -> ParseCell:
    """Return a parser for cells without decimal numbers."""
    return lambda cell, number_format: parse(cell)


_CONSENT_NOT_STATED: Final = "consent is not stated to Google, even if the profile sets it"
_ADJUSTMENT_WORDS: Final = [f"{each.word} ({each.meaning})" for each in ADJUSTMENT_TYPES.values()]
_OF_ADDRESS: Final = partial(Field, target="address")
_OF_ADJUSTMENTS: Final = partial(
    Field, record_kinds=frozenset({"adjustment"}), bad_cell_costs="row"
)
_OF_CALLS: Final = partial(Field, record_kinds=frozenset({"call"}), bad_cell_costs="row")

FIELDS: Final[tuple[Field, ...]] = (
    # ── What identifies a click or a person ───────────────────────────────────────────────────────
    Field(
        "gclid",
        "Google click ID (gclid) from the landing page URL.",
        template_names=("Google Click ID",),
    ),
    Field("gbraid", "Click ID of iOS clicks that lead from the web to an app."),
    Field("wbraid", "Click ID of iOS clicks that lead from an app to the web."),
    Field("email", "Email address, or its SHA-256 hash.", numbered=True, target="hashed_emails"),
    Field(
        "phone",
        "Phone number, or its SHA-256 hash.",
        template_names=("Phone Number",),
        numbered=True,
        target="hashed_phones",
    ),
    Field(
        "hashed_email",
        "SHA-256 hash of the normalized email address: 64 hexadecimal digits.",
        numbered=True,
        target="hashed_emails",
    ),
    Field(
        "hashed_phone_number",
        "SHA-256 hash of a number such as +12125550101: 64 hexadecimal digits.",
        numbered=True,
        target="hashed_phones",
    ),
    _OF_ADDRESS("first_name", "First name.", value_kind="name"),
    _OF_ADDRESS("last_name", "Last name.", value_kind="name"),
    _OF_ADDRESS("postal_code", "Postal code of the address."),
    Field(
        "country_code",
        "Country of the address and of phone numbers without +: a two-letter code. For phone "
        "numbers, also a calling code such as +91.",
        value_kind="country",
        only_helps=True,
    ),
    # ── The conversion ────────────────────────────────────────────────────────────────────────────
    Field(
        "conversion_action",
        "Conversion action: its name or ID.",
        template_names=("Conversion Name",),
        value_kind="name",
        only_helps=True,
    ),
    Field(
        "conversion_date_time",
        "When the conversion happened.",
        template_names=("Conversion Time",),
        target="time",
    ),
    Field(
        "time_of_day",
        "Time of the conversion, if conversion_date_time contains only a date.",
        only_helps=True,
    ),
    Field(
        "time_zone",
        "Time zone of a time that does not state one: an IANA name or an offset.",
        value_kind="unit",
        only_helps=True,
    ),
    Field(
        "conversion_value",
        "Value of the conversion.",
        template_names=("Conversion Value",),
        target="value",
        value_kind="number",
        placeholder_note="read as an empty cell",
    ),
    Field(
        "currency_code",
        "Currency of the value: an ISO 4217 code such as EUR.",
        template_names=("Conversion Currency",),
        value_kind="unit",
        placeholder_note="the currency of the profile applies",
    ),
    Field(
        "order_id",
        "ID of the order or deal. Each conversion of a conversion action needs its own.",
        template_names=("Order ID",),
    ),
    Field(
        "ad_user_data",
        "Consent to sending user data to Google: Granted or Denied.",
        template_names=("Ad User Data",),
        bad_cell_costs="row",
        value_kind="word",
        placeholder_note=_CONSENT_NOT_STATED,
    ),
    # ── What few files have ───────────────────────────────────────────────────────────────────────
    Field(
        "ad_personalization",
        "Consent to personalized ads: Granted or Denied.",
        template_names=("Ad Personalization",),
        parse=_text(enums.parse_consent),
        placeholder_note=_CONSENT_NOT_STATED,
        bad_cell_costs="row",
        value_kind="word",
    ),
    Field(
        "conversion_environment",
        "Where the conversion happened: APP or WEB.",
        parse=_text(enums.parse_conversion_environment),
        value_kind="word",
    ),
    Field(
        "customer_type",
        "Type of customer: NEW, RETURNING, or (Data Manager API) REENGAGED.",
        parse=_text(enums.parse_customer_type),
        value_kind="word",
    ),
    Field(
        "user_ip_address",
        "IP address from which the ad was clicked (IPv4 or IPv6).",
        needs_permission=True,
        parse=_text(network.parse_ip),
    ),
    Field(
        "landing_page_user_agent",
        "User agent of the browser in which the landing page was opened.",
        needs_permission=True,
        parse=_text(network.parse_user_agent),
    ),
    Field(
        "session_attributes_encoded",
        "Session attributes, encoded, as Google's script returns them.",
        needs_permission=True,
        parse=_text(lambda cell: network.parse_session_attributes_encoded(cell).encode()),
    ),
    Field(
        "session_attributes_key_value_pairs",
        "Session attributes, not encoded, as key=value pairs.",
        needs_permission=True,
        parse=_text(network.parse_session_attributes_pairs),
    ),
    Field(
        "merchant_id",
        "Cart data: ID of the Merchant Center account.",
        target="cart.merchant_id",
        parse=_text(cart.parse_merchant_id),
    ),
    Field(
        "feed_country_code",
        "Cart data: country of the product feed.",
        target="cart.feed_country_code",
        parse=_text(normalize_region_code),
        value_kind="country",
    ),
    Field(
        "feed_language_code",
        "Cart data: language of the product feed.",
        target="cart.feed_language_code",
        parse=_text(cart.parse_feed_language),
    ),
    Field(
        "local_transaction_cost",
        "Cart data: discount on the whole order.",
        target="cart.local_transaction_cost",
        parse=cart.parse_discount,
        bad_cell_costs="cart",
        value_kind="number",
    ),
    Field(
        "items",
        "Cart data: the items bought.",
        target="cart.items",
        parse=cart.parse_cart_items,
    ),
    Field(
        CUSTOM_VARIABLE,
        "Custom variable. Write the variable's name after the dot: `custom_variable.Plan`.",
        target="custom_variables",
        value_kind="name",
    ),
    Field(
        "event_source",
        "Where the conversion happened: WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER.",
        parse=_text(enums.parse_event_source),
        value_kind="word",
    ),
    # ── Only of adjustments (`lib.rules.adjustments`) ─────────────────────────────────────────────
    _OF_ADJUSTMENTS(
        "adjustment_type",
        f"Adjustments: {' or '.join(_ADJUSTMENT_WORDS)}.",
        template_names=("Adjustment Type",),
        value_kind="word",
    ),
    _OF_ADJUSTMENTS(
        "adjustment_date_time",
        "Adjustments: when the conversion was retracted or got another value.",
        template_names=("Adjustment Time",),
        target="time",
    ),
    _OF_ADJUSTMENTS(
        "adjusted_value",
        "Adjustments: the new total value of the conversion, not the difference.",
        template_names=("Adjusted Value",),
        target="value",
        value_kind="number",
        placeholder_note="read as no value",
    ),
    _OF_ADJUSTMENTS(
        "adjusted_value_currency",
        "Adjustments: currency of the new value, if it is not currency_code.",
        template_names=("Adjusted Value Currency",),
        target="currency_code",
        value_kind="unit",
        placeholder_note="the row's other currency or that of the profile applies",
    ),
    # ── Only of calls (`lib.rules.calls`) ─────────────────────────────────────────────────────────
    _OF_CALLS(
        "caller_id",
        "Calls: phone number of the caller. The Google Ads API needs it plain, not hashed.",
        template_names=("Caller's Phone Number",),
    ),
    _OF_CALLS(
        "call_start_date_time",
        "Calls: when the call began.",
        template_names=("Call Start Time",),
        target="call_time",
    ),
)
