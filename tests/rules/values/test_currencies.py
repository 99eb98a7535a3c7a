"""Currencies by code and by name."""

from __future__ import annotations

import pycountry
import pytest

from lib.errors import RuleError
from lib.rules.values.currencies import CURRENCIES, parse_currency


def test_the_currencies_are_those_in_use() -> None:
    """They are the ISO 4217 codes of all currencies in use, and of one that was until 2026."""
    iso = {each.alpha_3 for each in pycountry.currencies}
    funds = {"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "VED"}
    metals_tests_and_units = {code for code in iso if code.startswith("X")} - {
        *("XAF", "XCD", "XCG", "XOF", "XPF")
    }
    assert iso - funds - metals_tests_and_units == CURRENCIES - {"BGN"}


def test_the_names_are_those_of_iso() -> None:
    """The ISO 4217 name of every currency in use is accepted, in any case and as a plural."""
    for currency in pycountry.currencies:
        if currency.alpha_3 in CURRENCIES:
            for name in (currency.name, currency.name.upper(), f" {currency.name}s "):
                assert parse_currency(name) == currency.alpha_3


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("USD", "USD"),
        (" eur ", "EUR"),
        ("Euros", "EUR"),
        ("U.S. Dollar", "USD"),
        ("US dollars", "USD"),
        ("United States Dollar", "USD"),
        ("British Pound", "GBP"),
        ("Pounds Sterling", "GBP"),
        ("Japanese Yen", "JPY"),
        ("Bolivar Soberano", "VES"),
        ("Swiss\u00a0Franc", "CHF"),
        ("Euro (€)", "EUR"),
        ("R$", "BRL"),
        ("TRL", "TRY"),
        ("RMB", "CNY"),
        ("Kč", "CZK"),
        ("EUR - Euro", "EUR"),
        ("Dollar (AUD)", "AUD"),
    ],
)
def test_usual_names(name: str, code: str) -> None:
    """Codes in any case, and the names that exports write, are accepted too."""
    assert parse_currency(name) == code


@pytest.mark.parametrize(
    "value",
    [
        *("", "US", "USDX", "XXX", "XAU", "DEM", "$", "ABC", "Dollar", "Peso", "Pound", "s"),
        *("EUR/USD", "Dollar ($)", "(EUR)-"),
    ],
)
def test_a_currency_that_does_not_exist_is_refused(value: str) -> None:
    """Unknown codes, metals, former currencies and names of several currencies are refused."""
    with pytest.raises(RuleError) as refused:
        parse_currency(value)
    assert refused.value.code == "INVALID_CURRENCY"
