"""Cart data and custom variables."""

import re
from contextlib import suppress
from typing import Final

from lib.errors import RuleError
from lib.model.fields import UNDECLARED, NumberFormat
from lib.model.personal_data import looks_like_email, looks_like_phone
from lib.model.records import CartItem
from lib.rules.values.cells import parse_json
from lib.rules.values.money import parse_money

_MAX_ITEMS: Final = 1000
_LONGEST_VARIABLE: Final = 100
_LARGEST_QUANTITY: Final = 2**31 - 1
_LARGEST_MERCHANT_ID: Final = 2**63 - 1
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z]{2,4})?", re.ASCII)


def parse_cart_items(value: str, number_format: NumberFormat = UNDECLARED) -> tuple[CartItem, ...]:
    """Return the items of a cell.

    The format is `id:quantity:price;id:quantity:price`, or a JSON list of objects with
    `product_id`, `quantity` and `unit_price` alone. A product ID may contain colons. In JSON, the
    decimal sign is a point. Raises INVALID_CART_DATA.
    """
    text = value.strip()
    if text[:1] == "[":
        raw = _rows_of_json(text)
        number_format = number_format._replace(decimal_sign=".")
    else:
        raw = [tuple(part.strip().rsplit(":", 2)) for part in text.split(";") if part.strip()]
    if not raw or len(raw) > _MAX_ITEMS:
        raise RuleError("INVALID_CART_DATA")
    return tuple(_item(row, number_format) for row in raw)


def _rows_of_json(text: str) -> list[tuple[str, ...]]:
    """Return the texts of each item in a JSON list; empty if it is no list of items."""
    try:
        decoded = parse_json(text)
    except (ValueError, RecursionError):
        return []
    keys = ("product_id", "quantity", "unit_price")
    if not all(isinstance(row, dict) and set(row) == set(keys) for row in decoded):
        return []
    if not all(isinstance(each, str | int | float) for row in decoded for each in row.values()):
        return []
    return [tuple(str(row[key]) for key in keys) for row in decoded]


def _item(parts: tuple[str, ...], number_format: NumberFormat) -> CartItem:
    """Return the item of a product ID, a quantity and a price. Raises INVALID_CART_DATA."""
    if len(parts) == 3:
        product_id, quantity, price = (part.strip() for part in parts)
        digits = quantity.isascii() and quantity.isdecimal() and len(quantity) <= 10
        if product_id and digits and 1 <= int(quantity) <= _LARGEST_QUANTITY:
            return CartItem(product_id, int(quantity), _price(price, number_format))
    raise RuleError("INVALID_CART_DATA")


def parse_discount(value: str, number_format: NumberFormat) -> float:
    """Return the discount on a cart, 0 or more. Raises INVALID_CART_DATA."""
    return _price(value, number_format)


def _price(value: str, number_format: NumberFormat) -> float:
    with suppress(RuleError):
        return parse_money(value, number_format)
    raise RuleError("INVALID_CART_DATA")  # outside, so that it has no context


def parse_merchant_id(value: str) -> int:
    """Return the Merchant Center ID: digits, at most 63 bits. Raises INVALID_CART_DATA."""
    digits = value.strip()
    numeric = digits.isascii() and digits.isdecimal() and len(digits) <= 19
    if not numeric or not 1 <= int(digits) <= _LARGEST_MERCHANT_ID:
        raise RuleError("INVALID_CART_DATA")
    return int(digits)


def parse_feed_language(value: str) -> str:
    """Return the language of the Merchant Center feed, in the two letters of ISO 639-1: `EN`,
    `en-US` -> `en`.

    Raises INVALID_CART_DATA, also for the three letters of other standards: `eng`.
    """
    language = _LANGUAGE.fullmatch(value.strip())
    if language is None:
        raise RuleError("INVALID_CART_DATA")
    return language[1].lower()


def check_custom_variable(value: str) -> str:
    """Return the value of a custom variable.

    Raises CUSTOM_VARIABLE_NOT_ACCEPTED, because Google drops conversions with long values or with
    personal data in custom variables.
    """
    if len(value) > _LONGEST_VARIABLE or looks_like_email(value) or looks_like_phone(value):
        raise RuleError("CUSTOM_VARIABLE_NOT_ACCEPTED")
    return value
