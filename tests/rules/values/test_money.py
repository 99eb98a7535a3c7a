"""Conversion values and currencies."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.catalogue.codes import lookup
from lib.rules.values.cells import RuleError
from lib.rules.values.currencies import CURRENCIES, CURRENCIES_BY_SIGN
from lib.rules.values.money import (
    parse_amount,
    parse_value,
    written_currency,
)


@pytest.mark.parametrize(
    "value, decimal_comma, amount",
    [
        ("123.45", False, 123.45),
        ("0", False, 0.0),
        (" 7 ", False, 7.0),
        (".5", False, 0.5),
        ("1,234.50", False, 1234.5),
        ("1,234", False, 1234.0),
        ("1.234", False, 1.234),
        ("12,34,567.00", False, 1234567.0),
        ("1 234.50", False, 1234.5),
        ("1\u202f234.50", False, 1234.5),
        ("1'234.50", False, 1234.5),
        ("$12.00", False, 12.0),
        ("US$ 12", False, 12.0),
        ("\u20ac 12", False, 12.0),
        ("12 \u20ac", False, 12.0),
        ("USD 12", False, 12.0),
        ("12usd", False, 12.0),
        ("$12.00 USD", False, 12.0),
        ("12 kr", False, 12.0),
        ("7,700円", False, 7700.0),
        ("1 200 руб.", False, 1200.0),
        ("50.-", False, 50.0),
        ("CHF 50.\u2013", False, 50.0),
        ("50,-", True, 50.0),
        ("Rs. 500", False, 500.0),
        ("Rs.500", False, 500.0),
        ("$.50", False, 0.5),
        ("+5", False, 5.0),
        ("-0.00", False, 0.0),
        ("1.5E+3", False, 1500.0),
        ("1.234,50", True, 1234.5),
        ("1.234", True, 1234.0),
        ("1,5", True, 1.5),
        ("1 234,50", True, 1234.5),
        ("12", True, 12.0),
        ("\u20ac 1.234,50", True, 1234.5),
    ],
)
def test_a_value_is_read_as_spreadsheets_write_it(
    value: str, decimal_comma: bool, amount: float
) -> None:
    """Thousands separators, and currency signs or names before or after the value, are accepted."""
    assert parse_value(value, decimal_comma) == amount


@pytest.mark.parametrize(
    "value, decimal_comma, code",
    [
        ("", False, "INVALID_CONVERSION_VALUE"),
        ("abc", False, "INVALID_CONVERSION_VALUE"),
        ("abc 5", False, "INVALID_CONVERSION_VALUE"),
        ("5 apples", False, "INVALID_CONVERSION_VALUE"),
        ("(5.00", False, "INVALID_CONVERSION_VALUE"),
        ("5.00)", False, "INVALID_CONVERSION_VALUE"),
        ("nan", False, "INVALID_CONVERSION_VALUE"),
        ("inf", False, "INVALID_CONVERSION_VALUE"),
        ("-Infinity", False, "INVALID_CONVERSION_VALUE"),
        ("1e999", False, "INVALID_CONVERSION_VALUE"),
        ("9" * 400, False, "INVALID_CONVERSION_VALUE"),
        ("1_000", False, "INVALID_CONVERSION_VALUE"),
        ("1,234,56", False, "INVALID_CONVERSION_VALUE"),
        ("1,23.4", False, "INVALID_CONVERSION_VALUE"),
        (".", False, "INVALID_CONVERSION_VALUE"),
        ("\u0665", False, "INVALID_CONVERSION_VALUE"),
        ("-5", False, "NEGATIVE_VALUE"),
        ("\u22125", False, "NEGATIVE_VALUE"),
        ("5-", False, "NEGATIVE_VALUE"),
        ("-50.-", False, "NEGATIVE_VALUE"),
        ("50,-", False, "DECIMAL_SIGN_MISMATCH"),
        ("(5.00)", False, "NEGATIVE_VALUE"),
        ("($5)", False, "NEGATIVE_VALUE"),
        ("(5 EUR)", False, "NEGATIVE_VALUE"),
        ("-$5", False, "NEGATIVE_VALUE"),
        ("$-5", False, "NEGATIVE_VALUE"),
        ("1,5", False, "DECIMAL_SIGN_MISMATCH"),
        ("1.234,50", False, "DECIMAL_SIGN_MISMATCH"),
        ("1.234.567", False, "DECIMAL_SIGN_MISMATCH"),
        ("12.50", True, "DECIMAL_SIGN_MISMATCH"),
        ("1,234.50", True, "DECIMAL_SIGN_MISMATCH"),
    ],
)
def test_an_invalid_value_is_refused(value: str, decimal_comma: bool, code: str) -> None:
    """A number is read in the profile's notation; any other text is an error."""
    with pytest.raises(RuleError) as refused:
        parse_value(value, decimal_comma)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "value, decimal_comma, currency, amount",
    [
        ("123.45", False, "USD", 123.45),
        ("1234", False, None, 1234.0),
        ("1,234", False, "USD", 1234.0),
        ("1,234.500", False, "USD", 1234.5),
        ("1.2345", False, "USD", 1.2345),
        ("1234.567", False, "USD", 1234.567),
        ("0.125", False, "USD", 0.125),
        ("1.234", True, "EUR", 1234.0),
        ("1.234", False, "KWD", 1.234),
        ("BHD 1.234", False, None, 1.234),
        ("1,234 TND", True, "TND", 1.234),
        ("$12.00", False, "CAD", 12.0),
        ("\u20ac 12", False, "EUR", 12.0),
        ("12 kr", False, "DKK", 12.0),
        ("kr. 12", False, "ISK", 12.0),
        ("$12 CAD", False, "CAD", 12.0),
        ("MXN$ 12", False, "MXN", 12.0),
        ("B$ 12", False, "BND", 12.0),
        ("C$ 12", False, "NIO", 12.0),
        ("\uffe512", False, "CNY", 12.0),
        ("12 \u00a4", False, "EUR", 12.0),
        ("R 12", False, "ZAR", 12.0),
        ("\u20a8 12", False, "PKR", 12.0),
    ],
)
def test_the_value_of_a_conversion_is_read(
    value: str, decimal_comma: bool, currency: str | None, amount: float
) -> None:
    """A conversion value is read with regard to its currency."""
    assert parse_amount(value, decimal_comma, currency) == amount


@pytest.mark.parametrize(
    "value, decimal_comma, currency, code",
    [
        ("1.234", False, "USD", "AMBIGUOUS_VALUE"),
        ("1.234", False, None, "AMBIGUOUS_VALUE"),
        ("123.456", False, "EUR", "AMBIGUOUS_VALUE"),
        ("12,500", True, "EUR", "AMBIGUOUS_VALUE"),
        ("$1.234", False, "USD", "AMBIGUOUS_VALUE"),
        (" 1.234 ", False, "USD", "AMBIGUOUS_VALUE"),
        ("\u20ac 12", False, "USD", "CURRENCY_CONTRADICTS"),
        ("12 GBP", False, "USD", "CURRENCY_CONTRADICTS"),
        ("R$ 5", False, "USD", "CURRENCY_CONTRADICTS"),
        ("$1,250", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("\u00a51250", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("\uffe51250", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("kr 1250", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("1250 z\u0142", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("CHF 12", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("12 Fr.", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("S$ 5", False, "USD", "CURRENCY_CONTRADICTS"),
        ("B$ 5", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("MXN$ 5", False, "USD", "CURRENCY_CONTRADICTS"),
        ("EUR$ 5", False, "EUR", "CURRENCY_CONTRADICTS"),
        ("kr 5 EUR", False, None, "CURRENCY_CONTRADICTS"),
        ("\u20bf 5", False, "EUR", "INVALID_CONVERSION_VALUE"),
        ("$1.234", False, None, "AMBIGUOUS_VALUE"),
        ("\u20ac12 USD", False, None, "CURRENCY_CONTRADICTS"),
        ("-5", False, "USD", "NEGATIVE_VALUE"),
        ("much", False, "USD", "INVALID_CONVERSION_VALUE"),
    ],
)
def test_an_ambiguous_amount_is_refused(
    value: str, decimal_comma: bool, currency: str | None, code: str
) -> None:
    """A value is refused if it could be 1,000 times too small or is in another currency."""
    with pytest.raises(RuleError) as refused:
        parse_amount(value, decimal_comma, currency)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "value, currency",
    [
        ("12", None),
        ("$12", None),
        ("\u00a5 12", None),
        ("12 kr", None),
        ("Rs. 12", None),
        ("US$ 12", "USD"),
        ("12 \u20ac", "EUR"),
        ("\u00a312", "GBP"),
        ("\u20b9 12", "INR"),
        ("R$ 12", "BRL"),
        ("12 z\u0142", "PLN"),
        ("\uffe1 12", "GBP"),
        ("\uffe6 12", "KRW"),
        ("12 K\u010d", "CZK"),
        ("12 \u20ba", "TRY"),
        ("12 eur", "EUR"),
        ("Rp 161.263", "IDR"),
        ("S/. 12", "PEN"),
        ("12 \u0631.\u0633", "SAR"),
        ("(12 EUR)", "EUR"),
        ("CHF 50.-", "CHF"),
        ("$12.00 USD", "USD"),
        ("USD$ 12", "USD"),
        ("kr 12 DKK", "DKK"),
        ("C$ 12", None),
        ("12 \u00a4", None),
        ("much", None),
    ],
)
def test_a_currency_next_to_the_value_is_recognized(value: str, currency: str | None) -> None:
    """A currency is recognized only if its sign belongs to one currency; `$` does not."""
    assert written_currency(value) == currency


def test_every_sign_means_currencies_in_use() -> None:
    """No sign is listed with a code that no row can have."""
    assert frozenset().union(*CURRENCIES_BY_SIGN.values()) <= CURRENCIES


@given(st.floats(0, 1e12), st.booleans())
def test_a_plain_number_keeps_its_value(amount: float, decimal_comma: bool) -> None:
    """A number keeps its last digit, with either decimal sign and with thousands separators."""
    text = f"{amount:.6f}"
    grouped = f"{amount:,.6f}"
    if decimal_comma:
        text = text.replace(".", ",")
        grouped = grouped.translate({ord(","): ".", ord("."): ","})
    assert parse_value(text, decimal_comma) == float(f"{amount:.6f}")
    assert parse_value(grouped, decimal_comma) == float(f"{amount:.6f}")
    assert parse_amount(text, decimal_comma, "USD") == float(f"{amount:.6f}")


@given(st.text("0123456789.,-+()$\u20ac eE'x ", max_size=14), st.booleans())
def test_any_text_is_a_finite_value_or_refused(text: str, decimal_comma: bool) -> None:
    """Any text is a finite, non-negative value or is refused with a code."""
    try:
        amount = parse_value(text, decimal_comma)
    except RuleError:
        return
    assert 0 <= amount < float("inf")
    with suppress(RuleError):
        assert parse_amount(text, decimal_comma, None) == amount


@pytest.mark.parametrize("code", ["INVALID_CONVERSION_VALUE", "DECIMAL_SIGN_MISMATCH"])
def test_the_advice_has_an_example_for_each_decimal_sign(code: str) -> None:
    """What it says to write is not rejected for its sign."""
    action = lookup(code).action
    assert "1234.50, or" in action
    assert "1234,50 if the profile has decimal_comma." in action
    assert parse_value("1234.50", False) == parse_value("1234,50", True) == 1234.5
