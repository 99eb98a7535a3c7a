"""Order ids: what Google would refuse as personal data, and ids made for rows without one."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from lib.rules.problems import RuleError

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
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def check_order_id(value: str) -> str:
    """The id, trimmed. Raises ORDER_ID_LOOKS_LIKE_EMAIL, ORDER_ID_LOOKS_LIKE_PHONE (Google
    refuses personal data there: ORDER_ID_CONTAINS_PII) and ORDER_ID_TOO_LONG."""
    # Letters and digits, or a letter and then - and _ too: no address, and no way to write a phone.
    if (
        len(value) <= _LONGEST
        and value.isascii()
        and (value.isalnum() or value.replace("-", "_").isidentifier())
    ):
        return value
    order_id = value.strip()
    if len(order_id) > _LONGEST:
        raise RuleError("ORDER_ID_TOO_LONG")
    if "@" in order_id and _EMAIL.search(order_id):
        raise RuleError("ORDER_ID_LOOKS_LIKE_EMAIL")
    if _PHONE.fullmatch(order_id):
        raise RuleError("ORDER_ID_LOOKS_LIKE_PHONE")
    return order_id


def derived_order_id(
    action: str, instant: int, value: float | None, currency: str, identifiers: Iterable[str]
) -> str:
    """An id for a row that has neither click id nor order id, so that Google knows it again in
    tomorrow's export: "auto-" and 128 bits of a digest as 32 letters a to p.

    `instant` is in Unix seconds, so that a change of the file's zone makes no new conversion;
    `identifiers` are hashed, in any order. All letters, because a numeric id has been refused by
    the Data Manager API and a digest of digits could look like a phone number. The same input
    gives the same id in every version: changing this would count conversions twice.
    """
    amount = "" if value is None else repr(float(value))
    parts = (action, str(instant), amount, currency, *sorted(identifiers))
    digest = sha256("\x1f".join(parts).encode()).hexdigest()
    return "auto-" + digest[:32].translate(_LETTERS)
