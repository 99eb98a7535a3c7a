"""The fields that few files have. Nearly all of them declare `parse`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lib.model.fields import CUSTOM_VARIABLE, Field, ParseCell
from lib.rules.fields.conversion import NOT_STATED
from lib.rules.values import cart, enums, network
from lib.rules.values.identifiers import normalize_region_code
from lib.rules.values.money import parse_value


def _text(parse: Callable[[str], Any]) -> ParseCell:
    """Return a parser for cells without decimal numbers."""
    return lambda cell, decimal_sign: parse(cell)


OPTIONAL: Final[tuple[Field, ...]] = (
    Field(
        "ad_personalization",
        "Consent to personalized ads: Granted or Denied.",
        template_names=("Ad Personalization",),
        target="ad_personalization",
        # Not None: a cell that declares consent as unspecified overrides the profile.
        parse=_text(lambda cell: enums.parse_consent(cell) or "UNSPECIFIED"),
        if_placeholder="UNSPECIFIED",
        placeholder_note=NOT_STATED,
        bad_value="row",
        kind="word",
    ),
    Field(
        "conversion_environment",
        "Where the conversion happened: APP or WEB.",
        target="conversion_environment",
        parse=_text(enums.parse_conversion_environment),
        kind="word",
    ),
    Field(
        "customer_type",
        "Type of customer: NEW, RETURNING, or (Data Manager API) REENGAGED.",
        target="customer_type",
        parse=_text(enums.parse_customer_type),
        kind="word",
    ),
    Field(
        "user_ip_address",
        "IP address from which the ad was clicked (IPv4 or IPv6).",
        target="user_ip_address",
        only_for_some=True,
        parse=_text(network.parse_ip),
    ),
    Field(
        "landing_page_user_agent",
        "User agent of the browser in which the landing page was opened.",
        target="landing_page_user_agent",
        only_for_some=True,
        parse=_text(network.parse_user_agent),
    ),
    Field(
        "session_attributes_encoded",
        "Session attributes, encoded, as Google's script returns them.",
        target="session_attributes_encoded",
        only_for_some=True,
        parse=_text(lambda cell: network.parse_session_attributes_encoded(cell).encode()),
    ),
    Field(
        "session_attributes_key_value_pairs",
        "Session attributes, not encoded, as key=value pairs.",
        target="session_attributes_key_value_pairs",
        only_for_some=True,
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
        kind="country",
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
        parse=parse_value,
        bad_value="row",
        kind="number",
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
        kind="name",
    ),
    Field(
        "event_source",
        "Where the conversion happened: WEB, APP, IN_STORE, PHONE, MESSAGE or OTHER.",
        target="event_source",
        parse=_text(enums.parse_event_source),
        kind="word",
    ),
)
