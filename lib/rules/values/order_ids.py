"""Order IDs: their form, checks for personal data, which Google refuses, and derived IDs."""

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

from lib.errors import RuleError
from lib.model.personal_data import looks_like_email, looks_like_phone, plain_digits

_WITH_ZERO: Final = re.compile(r"(\d+)\.0", re.ASCII)

MAX_CHARS: Final = 64
"""Google's limit (https://support.google.com/google-ads/answer/6386790)."""
MAX_CHARS_OF_TAG: Final = 512
"""The order ID of a website's tag must stay as it is. A longer text is none."""
_SURELY_SHORT: Final = 50
"""An ID of this many characters stays below the limit, with a prefix of an API too."""
# A spreadsheet shortened a long number: many orders then share one ID.
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{2,3}", re.ASCII)
_NON_DIGITS: Final = re.compile(r"\D+", re.ASCII)
# A number with fewer digits than a phone number with area code may be an order number.
_FEWEST_PHONE_DIGITS: Final = 9
_LONGEST_CALLING_CODE: Final = 3
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def is_plain_order_id(value: str) -> bool:
    """Return whether the order ID needs no further checks: nearly all need none.

    Placeholders need them (`lib.rules.columns`).
    """
    if len(value) > _SURELY_SHORT or not value.isascii():
        return False
    # A letter, then letters, digits, - and _: neither an email address nor a phone number. No
    # placeholder ends with a digit.
    if value[:1].isalpha() and value.replace("-", "_").isidentifier():
        return value[-1].isdecimal()
    return value.isdecimal() and len(value) < _FEWEST_PHONE_DIGITS and value != "0"


def check_order_id(value: str, phones: Sequence[str] = ()) -> str:
    """Return the order ID, trimmed. `phones` are the phone numbers of the row, as in the file.

    It may be longer than Google takes (`fitting_order_id`).

    Raises INVALID_ORDER_ID (Google refuses personal data in order IDs: ORDER_ID_CONTAINS_PII) and
    ORDER_ID_SHORTENED.
    """
    if is_plain_order_id(value):
        return value
    order_id = value.strip()
    if len(order_id) >= _FEWEST_PHONE_DIGITS:
        digits = plain_digits(order_id)
        for phone in map(plain_digits, map(str.rstrip, phones)):
            if phone[-1:] == digits[-1:] and _is_phone_of_row(digits, phone):
                raise RuleError("INVALID_ORDER_ID")
    if order_id.isdecimal() or (order_id.isascii() and order_id.isalnum()):
        return order_id
    if _SHORTENED.fullmatch(order_id):
        raise RuleError("ORDER_ID_SHORTENED")
    if looks_like_email(order_id) or looks_like_phone(order_id):
        raise RuleError("INVALID_ORDER_ID")
    return order_id


def fitting_order_id(order_id: str, as_sent: Callable[[str], str]) -> str:
    """Return the order ID, or, if it is longer than Google takes, `order-` and 128 bits of its
    digest in letters. `as_sent` returns what the API of the conversions makes of an order ID.

    The same order ID gives the same text in every version: a change would count sales twice, and
    their corrections would not find them.
    """
    if len(order_id) <= _SURELY_SHORT or len(as_sent(order_id)) <= MAX_CHARS:
        return order_id
    return "order-" + _letters(order_id)


def _letters(text: str) -> str:
    """Return 128 bits of a digest, written as 32 letters from a to p."""
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:32].translate(_LETTERS)


def _is_phone_of_row(order_id: str, phone: str) -> bool:
    """Return whether both have the same digits, apart from a calling code or trunk zeros."""
    digits = _NON_DIGITS.sub("", order_id)
    if order_id[:1].isalpha() or 2 * len(digits) < len(order_id):
        return False  # text with some digits
    others = _NON_DIGITS.sub("", phone.replace("(0)", ""))
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
    `identity` is the gbraid or wbraid of the row; otherwise its first hashed identifier alone; or
    else what is known of the visit and the address (`lib.rules.matching`). The ID does not depend
    on the currency. So a second phone number, or a profile that was corrected since yesterday, does
    not create a new conversion either.

    The same input gives the same ID in every version: a change would count conversions twice.
    """
    amount = "" if value is None else repr(float(value))
    parts = (action, str(instant), amount, *identity)
    return "auto-" + _letters("\x1f".join(parts))
