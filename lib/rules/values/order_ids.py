"""Order ids: what Google would refuse as personal data, and ids made for rows without one."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from lib.rules.values.errors import RuleError
from lib.rules.values.placeholders import LONGEST as LONGEST_PLACEHOLDER
from lib.rules.values.placeholders import is_placeholder

# The API's limit isn't documented; this one only keeps a misplaced text out.
_LONGEST: Final = 512
_EMAIL: Final = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
# Digits alone, or in groups of other sizes (112-3456789-1234567), are order numbers.
_PHONE: Final = re.compile(
    r"(?:tel:)?(?:"
    r"\+[\d ().-]{7,24}"  # +1 800 555 0100
    r"|(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"  # (800) 555-0100, 800-555-0100
    r"|\(0\d{1,4}\)[\d ./-]{5,15}"  # (020) 7946 0958
    r"|0\d{1,4}[ /]\d[\d ]{4,12}"  # 020 7946 0958
    r")",
    re.ASCII | re.IGNORECASE,
)
# What a spreadsheet makes of a long number: many orders then share one id.
_SHORTENED: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{2,3}", re.ASCII)
_NO_DIGITS: Final = re.compile(r"\D+", re.ASCII)
# Fewer digits than a phone number with its area code may well be an order's number.
_FEWEST_PHONE_DIGITS: Final = 9
_LONGEST_CALLING_CODE: Final = 3
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def check_order_id(value: str, cells: Sequence[str] = (), phones_at: Sequence[int] = ()) -> str:
    """The id, trimmed; `cells[at]` for `at` in `phones_at` are the row's own phone numbers.

    Raises ORDER_ID_LOOKS_LIKE_EMAIL, ORDER_ID_LOOKS_LIKE_PHONE (Google refuses personal data
    there: ORDER_ID_CONTAINS_PII), ORDER_ID_TOO_LONG, ORDER_ID_SHORTENED, and ORDER_ID_PLACEHOLDER
    where the cell says that there is none.
    """
    if len(value) <= _LONGEST and value.isascii():
        # A letter, then letters, digits, - and _: no address, and no way to write a phone.
        if value.replace("-", "_").isidentifier():
            if len(value) > LONGEST_PLACEHOLDER or value[-1:].isdecimal():
                return value
        elif value.isdecimal() and len(value) < _FEWEST_PHONE_DIGITS and value != "0":
            return value
    order_id = value.strip()
    if len(order_id) > _LONGEST:
        raise RuleError("ORDER_ID_TOO_LONG")
    if len(order_id) >= _FEWEST_PHONE_DIGITS:
        for at in phones_at:
            phone = cells[at].rstrip()
            if phone[-1:] == order_id[-1:] and _is_same_number(order_id, phone):
                raise RuleError("ORDER_ID_LOOKS_LIKE_PHONE")
    if order_id.isdecimal() and order_id != "0":
        return order_id
    if is_placeholder(order_id):
        raise RuleError("ORDER_ID_PLACEHOLDER")
    if order_id.isascii() and order_id.isalnum():
        return order_id
    if _SHORTENED.fullmatch(order_id):
        raise RuleError("ORDER_ID_SHORTENED")
    if looks_like_email(order_id):
        raise RuleError("ORDER_ID_LOOKS_LIKE_EMAIL")
    if looks_like_phone(order_id):
        raise RuleError("ORDER_ID_LOOKS_LIKE_PHONE")
    return order_id


def looks_like_email(text: str) -> bool:
    """Whether an e-mail address stands anywhere in the text."""
    return "@" in text and _EMAIL.search(text) is not None


def looks_like_phone(text: str) -> bool:
    """Whether the text is written as phone numbers are, and order numbers aren't."""
    return _PHONE.fullmatch(text) is not None


def _is_same_number(order_id: str, phone: str) -> bool:
    """The same digits, but for a calling code or trunk zeros."""
    digits = _NO_DIGITS.sub("", order_id)
    if order_id[:1].isalpha() or 2 * len(digits) < len(order_id):
        return False  # a text with some digits
    others = _NO_DIGITS.sub("", phone.replace("(0)", ""))
    shorter, longer = sorted((digits.lstrip("0"), others.lstrip("0")), key=len)
    return (
        len(shorter) >= _FEWEST_PHONE_DIGITS
        and longer.endswith(shorter)
        and len(longer) - len(shorter) <= _LONGEST_CALLING_CODE
    )


def derived_order_id(action: str, instant: int, value: float | None, person: Iterable[str]) -> str:
    """An id for a row that has neither click id nor order id, so that Google knows it again in
    tomorrow's export: "auto-" and 128 bits of a digest as 32 letters a to p.

    `instant` is in Unix seconds, so that a change of the file's zone makes no new conversion.
    `person` is the row's first hashed identifier alone, and no currency is in it: a phone number
    or a profile that was mended since yesterday makes no new conversion either. All letters,
    because a numeric id has been refused by the Data Manager API and a digest of digits could look
    like a phone number. The same input gives the same id in every version: changing this would
    count conversions twice.
    """
    amount = "" if value is None else repr(float(value))
    parts = (action, str(instant), amount, *person)
    digest = sha256("\x1f".join(parts).encode()).hexdigest()
    return "auto-" + digest[:32].translate(_LETTERS)
