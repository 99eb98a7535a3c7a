"""Order IDs: their form, checks for personal data, which Google refuses, and derived IDs."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from lib.rules.values.cells import RuleError

_WITH_ZERO: Final = re.compile(r"(\d+)\.0", re.ASCII)

# The API's limit is not documented. This limit only excludes text from another column.
_LONGEST: Final = 512
_EMAIL: Final = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
# Plain digits, or groups of other sizes (112-3456789-1234567), are order numbers.
_PHONE: Final = re.compile(
    r"(?:tel:)?(?:"
    r"\+[\d ().-]{7,24}"  # +1 800 555 0100
    r"|(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"  # (800) 555-0100, 800-555-0100
    r"|\(0\d{1,4}\)[\d ./-]{5,15}"  # (020) 7946 0958
    r"|0\d{1,4}[ /]\d[\d ]{4,12}"  # 020 7946 0958
    r")",
    re.ASCII | re.IGNORECASE,
)
# A spreadsheet shortened a long number: many orders then share one ID.
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{2,3}", re.ASCII)
_NO_DIGITS: Final = re.compile(r"\D+", re.ASCII)
# A number with fewer digits than a phone number with area code may be an order number.
_FEWEST_PHONE_DIGITS: Final = 9
_LONGEST_CALLING_CODE: Final = 3
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def is_plain_order_id(value: str) -> bool:
    """Return whether the order ID needs no further checks: nearly all need none.

    Placeholders need them (`lib.rules.columns`).
    """
    if len(value) > _LONGEST or not value.isascii():
        return False
    # A letter, then letters, digits, - and _: neither an email address nor a phone number. No
    # placeholder ends with a digit.
    if value.replace("-", "_").isidentifier():
        return value[-1].isdecimal()
    return value.isdecimal() and len(value) < _FEWEST_PHONE_DIGITS and value != "0"


def check_order_id(value: str, phones: Sequence[str] = ()) -> str:
    """Return the order ID, trimmed. `phones` are the phone numbers of the row, as in the file.

    Raises INVALID_ORDER_ID (Google refuses personal data in order IDs: ORDER_ID_CONTAINS_PII) and
    ORDER_ID_SHORTENED.
    """
    if is_plain_order_id(value):
        return value
    order_id = value.strip()
    if len(order_id) > _LONGEST:
        raise RuleError("INVALID_ORDER_ID")
    if len(order_id) >= _FEWEST_PHONE_DIGITS:
        for phone in map(str.rstrip, phones):
            if phone[-1:] == order_id[-1:] and _is_same_number(order_id, phone):
                raise RuleError("INVALID_ORDER_ID")
    if order_id.isdecimal() or (order_id.isascii() and order_id.isalnum()):
        return order_id
    if _SHORTENED.fullmatch(order_id):
        raise RuleError("ORDER_ID_SHORTENED")
    if looks_like_email(order_id) or looks_like_phone(order_id):
        raise RuleError("INVALID_ORDER_ID")
    return order_id


def looks_like_email(text: str) -> bool:
    """Return whether the text contains an email address."""
    return "@" in text and _EMAIL.search(text) is not None


def looks_like_phone(text: str) -> bool:
    """Return whether the text has the format of a phone number, which order numbers do not have."""
    return _PHONE.fullmatch(text) is not None


def _is_same_number(order_id: str, phone: str) -> bool:
    """Return whether both have the same digits, apart from a calling code or trunk zeros."""
    digits = _NO_DIGITS.sub("", order_id)
    if order_id[:1].isalpha() or 2 * len(digits) < len(order_id):
        return False  # text with some digits
    others = _NO_DIGITS.sub("", phone.replace("(0)", ""))
    shorter, longer = sorted((digits.lstrip("0"), others.lstrip("0")), key=len)
    return (
        len(shorter) >= _FEWEST_PHONE_DIGITS
        and longer.endswith(shorter)
        and len(longer) - len(shorter) <= _LONGEST_CALLING_CODE
    )


def without_zero(order_id: str) -> str:
    """Return 1001 for `1001.0`, and any other order ID unchanged.

    Programs such as pandas write whole numbers with `.0` if any cell of the column is empty. For
    Google, 1001 and 1001.0 are two orders.
    """
    number = _WITH_ZERO.fullmatch(order_id)
    return order_id if number is None else number[1]


def derived_order_id(
    action: str, instant: int, value: float | None, identity: Iterable[str]
) -> str:
    """Return an order ID for a row that has neither gclid nor order ID.

    With it, Google recognizes the row in tomorrow's export. The ID is "auto-" and 128 bits of a
    digest, written as 32 letters from a to p. It has no digits because the Data Manager API has
    refused a numeric ID, and because a digest with digits could look like a phone number.

    `instant` is in Unix seconds, so another time zone in the file does not create a new conversion.
    `identity` is the gbraid or wbraid of the row, otherwise only its first hashed identifier, and
    the ID does not depend on the currency. So a phone number or a profile that was corrected since
    yesterday does not create a new conversion either.

    The same input gives the same ID in every version: a change would count conversions twice.
    """
    amount = "" if value is None else repr(float(value))
    parts = (action, str(instant), amount, *identity)
    digest = sha256("\x1f".join(parts).encode()).hexdigest()
    return "auto-" + digest[:32].translate(_LETTERS)
