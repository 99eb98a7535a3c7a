"""Currencies: an ISO 4217 code or name -> the code."""

import re
from contextlib import suppress
from functools import cache
from typing import Final

from lib.errors import RuleError
from lib.model.currencies import CURRENCIES, CURRENCY_NAMES, currencies_of_sign
from lib.rules.values.cells import plain_name

# As exports and people write them. A name that several currencies share (Dollar) is none.
_OTHER_NAMES: Final = {
    "united states dollar": "USD",
    "british pound": "GBP",
    "british pound sterling": "GBP",
    "uk pound": "GBP",
    "pounds sterling": "GBP",
    "japanese yen": "JPY",
    "chinese yuan": "CNY",
    "chinese yuan renminbi": "CNY",
    "south korean won": "KRW",
    "south african rand": "ZAR",
    "polish zloty": "PLN",
    "hungarian forint": "HUF",
    "thai baht": "THB",
    "israeli new shekel": "ILS",
    "israeli shekel": "ILS",
    "indonesian rupiah": "IDR",
    "vietnamese dong": "VND",
    "ukrainian hryvnia": "UAH",
    "nigerian naira": "NGN",
    "peruvian sol": "PEN",
    "united arab emirates dirham": "AED",
    "uruguayan peso": "UYU",
}


_WAYS: Final = re.compile(r"[^()\[\]/|–—-]+")
"""Several ways to write one currency: `Euro (€)`, `EUR - Euro`."""


def parse_currency(value: str) -> str:
    """Return the ISO 4217 code of a currency: `usd`, `US$`, `US Dollars`, `US Dollar ($)` -> USD.

    Raises INVALID_CURRENCY.
    """
    if value in CURRENCIES:
        return value
    code = value.strip().upper()
    if code in CURRENCIES:
        return code
    of_sign = currencies_of_sign(code) or ()
    if len(of_sign) == 1:
        return next(iter(of_sign))
    name = plain_name(value.replace(".", ""))  # U.S. Dollar
    codes = _codes_by_name()
    if found := codes.get(name) or codes.get(name.removesuffix("s")):
        return found
    ways = [each.strip() for each in _WAYS.findall(value)]
    if len(ways) < 2:
        raise RuleError("INVALID_CURRENCY")
    every = set()
    for each in ways:
        with suppress(RuleError):  # "$" alone, and words that are no currency, say nothing
            every.add(parse_currency(each))
    if len(every) != 1:
        raise RuleError("INVALID_CURRENCY")
    return every.pop()


@cache
def _codes_by_name() -> dict[str, str]:
    """Return plain name → code: `us dollar` → USD."""
    return _OTHER_NAMES | {plain_name(name): code for code, name in CURRENCY_NAMES.items()}
