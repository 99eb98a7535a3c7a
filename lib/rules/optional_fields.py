"""The fields that few files have: cells → `OptionalFields`. A file without such columns pays nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lib.catalogue.codes import lookup
from lib.model.outcomes import Problem
from lib.model.records import Address, Cart, OptionalFields
from lib.rules.values.cart import (
    parse_attribution_credit,
    parse_attribution_model,
    parse_cart_items,
    parse_custom_variable,
    parse_feed_language,
    parse_merchant_id,
)
from lib.rules.values.enums import (
    parse_consent,
    parse_conversion_environment,
    parse_customer_type,
    parse_event_source,
)
from lib.rules.values.errors import RuleError
from lib.rules.values.identifiers import (
    normalize_name,
    normalize_postal_code,
    normalize_region_code,
    sha256_hex,
)
from lib.rules.values.money import parse_value
from lib.rules.values.network import (
    parse_ip,
    parse_session_attributes_encoded,
    parse_session_attributes_pairs,
)

if TYPE_CHECKING:
    from lib.rules.engine import RowRules

CUSTOM_VARIABLE = "custom_variable."
ADDRESS_FIELDS = ("first_name", "last_name", "postal_code", "country_code")
_CART_FIELDS = (
    "merchant_id",
    "feed_country_code",
    "feed_language_code",
    "local_transaction_cost",
    "items",
)

# Fields that only one route takes; the other's results say so once, in a note.
ONLY_DATA_MANAGER: Mapping[str, str] = {
    "first_name": "ADDRESS_NOT_SENT",
    "last_name": "ADDRESS_NOT_SENT",
    "street": "ADDRESS_NOT_SENT",
    "city": "ADDRESS_NOT_SENT",
    "region": "ADDRESS_NOT_SENT",
    "postal_code": "ADDRESS_NOT_SENT",
    "ad_personalization": "AD_PERSONALIZATION_NOT_SENT",
    "event_source": "EVENT_SOURCE_NOT_SENT",
}
ONLY_GOOGLE_ADS: Mapping[str, str] = {
    "conversion_environment": "CONVERSION_ENVIRONMENT_NOT_SENT",
    "external_attribution_credit": "EXTERNAL_ATTRIBUTION_NOT_SENT",
    "external_attribution_model": "EXTERNAL_ATTRIBUTION_NOT_SENT",
}


def has_address(columns: Mapping[str, int]) -> bool:
    """Whether a file has all columns of an address."""
    return set(ADDRESS_FIELDS) <= columns.keys()


ReadOptionalFields = Callable[
    [list[str], str, bool, bool, list[Problem], tuple[Problem, ...]],
    tuple[OptionalFields | None, bool, tuple[Problem, ...]],
]
"""(cells, customer id, has identifiers, has an order id, errors to add to, warnings) →
(extras, whether they identify somebody, warnings)."""


def not_sent(route: str) -> Mapping[str, str]:
    """Fields that a route has no place for → code of the note that says so."""
    return ONLY_DATA_MANAGER if route == "google_ads" else ONLY_GOOGLE_ADS


def compile_optional_fields(
    columns: Mapping[str, int], rules: RowRules
) -> ReadOptionalFields | None:
    """The reader of a file's rare columns; None if it has none that its route takes."""
    on_ads = rules.route == "google_ads"
    ignored = set(not_sent(rules.route))
    if rules.omit_session_and_ip:
        ignored |= {"session_attributes_encoded", "session_attributes", "user_ip_address"}

    decimal_comma = rules.decimal_comma
    parsers: Mapping[str, Callable[[str], Any]] = {
        # Not None: the profile's consent doesn't count where the row says "not stated".
        "ad_personalization": lambda v: parse_consent(v) or "UNSPECIFIED",
        "conversion_environment": parse_conversion_environment,
        "customer_type": parse_customer_type,
        "event_source": parse_event_source,
        "user_ip_address": parse_ip,
        "session_attributes_encoded": lambda v: parse_session_attributes_encoded(v).encode(),
        "session_attributes": parse_session_attributes_pairs,
        "attribution_credit": lambda v: parse_attribution_credit(v, decimal_comma),
        "attribution_model": parse_attribution_model,
        "merchant_id": parse_merchant_id,
        "feed_country_code": normalize_region_code,
        "feed_language_code": parse_feed_language,
        "local_transaction_cost": lambda v: parse_value(v, decimal_comma),
        "items": lambda v: parse_cart_items(v, decimal_comma),
    }
    renamed = {
        "session_attributes_key_value_pairs": "session_attributes",
        "external_attribution_credit": "attribution_credit",
        "external_attribution_model": "attribution_model",
    }
    plain: list[tuple[str, str, int, Callable[[str], Any]]] = []
    cart: list[tuple[str, str, int, Callable[[str], Any]]] = []
    for column, at in columns.items():
        field = renamed.get(column, column)
        if field in parsers and column not in ignored and field not in ignored:
            (cart if field in _CART_FIELDS else plain).append((column, field, at, parsers[field]))
    variables = [
        (column, column.removeprefix(CUSTOM_VARIABLE), at)
        for column, at in columns.items()
        if column.startswith(CUSTOM_VARIABLE)
    ]
    address = [(field, columns[field]) for field in ADDRESS_FIELDS if field in columns]
    if on_ads or not has_address(columns):
        address = []  # a note says so, once (`lib.run.preflight`)
    if not (plain or cart or variables or address):
        return None

    # Asked once per account and name. A file has few of either: see `lib.run.preflight.MOST_ACCOUNTS`.
    variable_ids: dict[tuple[str, str], str] = {}

    def read(
        cells: list[str],
        customer_id: str,
        has_identifiers: bool,
        has_order_id: bool,
        errors: list[Problem],
        warnings: tuple[Problem, ...],
    ) -> tuple[OptionalFields | None, bool, tuple[Problem, ...]]:
        found: dict[str, Any] = {}
        of_cart: dict[str, Any] = {}
        for target, fields in ((found, plain), (of_cart, cart)):
            for column, field, at, parse in fields:
                raw = cells[at]
                if raw and raw.strip():
                    try:
                        target[field] = parse(raw)
                    except RuleError as error:
                        # Consent that can't be read, or a wrong amount, costs the row.
                        if lookup(error.code).severity == "error":
                            errors.append(Problem(error.code, column))
                        else:
                            warnings += (Problem(error.code, column),)
        if "items" in of_cart:
            found["cart"] = Cart(**{**dict.fromkeys(_CART_FIELDS), "items": (), **of_cart})
        if "session_attributes_encoded" in found and "session_attributes" in found:
            errors.append(Problem("BOTH_SESSION_ATTRIBUTES", "session_attributes_key_value_pairs"))
        for column, name, at in variables:
            raw = cells[at]
            if raw and raw.strip():
                try:
                    value = parse_custom_variable(raw)
                    key = name
                    if on_ads:
                        known = variable_ids.get((customer_id, name))
                        key = known or _variable_id(name, customer_id, rules)
                        variable_ids[customer_id, name] = key
                    found["custom_variables"] = (*found.get("custom_variables", ()), (key, value))
                except RuleError as error:
                    warnings += (Problem(error.code, column),)
        if address:
            part, warnings = _address(cells, address, warnings)
            if part is not None:
                found["address"] = part
        # Google drops or refuses conversions with these combinations (the guide, best practices).
        if on_ads and has_identifiers and "custom_variables" in found:
            errors.append(Problem("CUSTOM_VARIABLES_WITH_IDENTIFIERS", variables[0][0]))
        if on_ads and ("attribution_credit" in found or "attribution_model" in found):
            beside = (
                ("EXTERNAL_ATTRIBUTION_WITH_IDENTIFIERS", has_identifiers),
                ("EXTERNAL_ATTRIBUTION_WITH_ORDER_ID", has_order_id),
            )
            errors += [
                Problem(code, "external_attribution_credit")
                for code, is_there in beside
                if is_there
            ]
        if not found:
            return None, False, warnings
        # Only Data Manager matches by these alone.
        identifies = not on_ads and not found.keys().isdisjoint(
            ("session_attributes", "session_attributes_encoded", "user_ip_address", "address")
        )
        return OptionalFields(**found), identifies, warnings

    return read


def _variable_id(name: str, customer_id: str, rules: RowRules) -> str:
    """The Ads API wants the custom variable's id; a header usually says its name."""
    if name.isascii() and name.isdigit():
        return name
    account = rules.account(customer_id)
    if isinstance(account, Problem) or not account.verified:
        return name
    found = (account.custom_variables or {}).get(name.casefold())
    if found is None:
        raise RuleError("UNKNOWN_CUSTOM_VARIABLE")
    return found


def _address(
    cells: list[str], columns: list[tuple[str, int]], warnings: tuple[Problem, ...]
) -> tuple[Address | None, tuple[Problem, ...]]:
    """All four parts or none: Data Manager matches nothing less."""
    parsers = {
        "first_name": lambda v: sha256_hex(normalize_name(v)),
        "last_name": lambda v: sha256_hex(normalize_name(v)),
        "postal_code": normalize_postal_code,
        "country_code": normalize_region_code,
    }
    parts: dict[str, str] = {}
    for field, at in columns:
        raw = cells[at]
        if raw.strip():
            try:
                parts[field] = parsers[field](raw)
            except RuleError as error:
                warnings += (Problem(error.code, field),)
    if len(parts) == len(ADDRESS_FIELDS):
        address = Address(
            parts["first_name"], parts["last_name"], parts["country_code"], parts["postal_code"]
        )
        return address, warnings
    if parts.keys() - {"country_code"}:
        warnings += (Problem("ADDRESS_INCOMPLETE", "postal_code"),)
    return None, warnings
