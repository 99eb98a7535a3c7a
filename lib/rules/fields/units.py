"""Units in column names: the currency in `Amount (USD)`, the time zone in `Close Date (UTC)`."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lib.rules.values.cells import RuleError
from lib.rules.values.currencies import CURRENCIES, parse_currency
from lib.rules.values.money import parse_value, written_currencies, written_currency
from lib.rules.values.time_zones import load_zone

_ENGLISH_WORDS: Final = frozenset(
    [
        "ALL",
        "BAM",
        "BOB",
        "COP",
        "CUP",
        "GEL",
        "LAK",
        "MAD",
        "MOP",
        "PEN",
        "RON",
        "SOS",
        "TOP",
        "TRY",
    ]
)
"""Currency codes that are also words: `Value, all` has no unit."""

_KINDS_OF_CONTACT: Final = frozenset(
    ["work", "home", "mobile", "personal", "private", "primary", "business", "office", "main"]
)

_ZONE_LIKE: Final = re.compile(
    r"(?![DMYHS/.: -]+$|ISO$)[A-Z]{3,5}|[A-Z][a-z]+/[A-Z][A-Za-z_/-]+|(?:UTC|GMT)[+-]\d{1,2}.*",
    re.ASCII,
)


def currency_in_header(text: str, in_brackets: bool) -> str | None:
    """Return the ISO 4217 code for `USD`, `€` or `US$`.

    Returns "" for a sign of several currencies, such as `$`: the rows or the profile say which one.
    Returns None if the text is not a currency.
    """
    has_sign = any(unicodedata.category(each) == "Sc" for each in text)
    if not in_brackets:
        code = text.upper()
        if not has_sign and (code not in CURRENCIES or code in _ENGLISH_WORDS):
            return None
    if any(map(str.isdigit, text)) or not (has_sign or any(map(str.isalpha, text))):
        return None
    try:
        return parse_currency(text)
    except RuleError:
        pass
    try:
        parse_value(f"1 {text}", False)
        return written_currency(f"1 {text}") or ""
    except RuleError:
        return None


def currencies_in_header(header: str) -> frozenset[str]:
    """Return the currencies that the sign in the name of a value column may mean: `Amount ($)`.

    Letters are no sign, except for `kr`: `Valeur (FR)` may be in any currency.
    """
    last = re.split(r"[\s()\[\]{}]+", header.strip(" ()[]{}"))[-1]
    has_sign = any(unicodedata.category(each) == "Sc" for each in last)
    try:
        return written_currencies(f"1 {last}") if has_sign or last == "kr" else frozenset()
    except RuleError:
        return frozenset()


def time_zone_in_header(text: str, in_brackets: bool) -> str | None:
    """Return the time zone for `UTC`, `America/New_York` or `GMT+2`, or None if it is not one.

    A text that is probably a time zone, but not a known one, is returned too: the rows whose times
    need it are rejected, because the profile's time zone would be another one.
    """
    if not in_brackets:
        return "UTC" if text.upper() in ("UTC", "GMT") else None
    try:
        load_zone(text)
    except RuleError:
        return text if _ZONE_LIKE.fullmatch(text) else None
    return text


def kind_of_contact(text: str, in_brackets: bool) -> str | None:
    """Return "" for `Work` in `Email (Work)`: the kind of a phone number or address adds nothing.

    Returns None for other texts: `Email (Owner)` is another person's.
    """
    return "" if in_brackets and text.lower() in _KINDS_OF_CONTACT else None
