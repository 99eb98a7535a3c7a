"""Conversion values and currencies."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import RuleError
from lib.model.fields import DecimalSign
from lib.rules.values.currencies import CURRENCIES, CURRENCIES_BY_SIGN
from lib.rules.values.money import (
    parse_amount,
    parse_value,
    written_currencies,
)

SIGNS = st.sampled_from([".", ","])


@pytest.mark.parametrize(
    "value, decimal_sign, amount",
    [
        ("123.45", ".", 123.45),
        ("0", ".", 0.0),
        (" 7 ", ".", 7.0),
        (".5", ".", 0.5),
        ("1,234.50", ".", 1234.5),
        ("1,234", ".", 1234.0),
        ("1.234", ".", 1.234),
        ("12,34,567.00", ".", 1234567.0),
        ("1 234.50", ".", 1234.5),
        ("1\u202f234.50", ".", 1234.5),
        ("1'234.50", ".", 1234.5),
        ("$12.00", ".", 12.0),
        ("US$ 12", ".", 12.0),
        ("\u20ac 12", ".", 12.0),
        ("12 \u20ac", ".", 12.0),
        ("USD 12", ".", 12.0),
        ("12usd", ".", 12.0),
        ("$12.00 USD", ".", 12.0),
        ("12 kr", ".", 12.0),
        ("7,700円", ".", 7700.0),
        ("1 200 руб.", ".", 1200.0),
        ("50.-", ".", 50.0),
        ("CHF 50.\u2013", ".", 50.0),
        ("50,-", ",", 50.0),
        ("Rs. 500", ".", 500.0),
        ("Rs.500", ".", 500.0),
        ("$.50", ".", 0.5),
        ("+5", ".", 5.0),
        ("-0.00", ".", 0.0),
        ("1.5E+3", ".", 1500.0),
        ("1.234,50", ",", 1234.5),
        ("1.234", ",", 1234.0),
        ("1,5", ",", 1.5),
        ("1 234,50", ",", 1234.5),
        ("12", ",", 12.0),
        ("\u20ac 1.234,50", ",", 1234.5),
        # without a declared sign: what has only one meaning
        ("12", None, 12.0),
        ("12.50", None, 12.5),
        ("12,50", None, 12.5),
        ("1,234.50", None, 1234.5),
        ("1.234,50", None, 1234.5),
        ("1 234", None, 1234.0),
        ("1,234,567", None, 1234567.0),
        ("1234.567", None, 1234.567),
        ("0.125", None, 0.125),
        ("0,125", None, 0.125),
    ],
)
def test_a_value_is_read_as_spreadsheets_write_it(
    value: str, decimal_sign: DecimalSign | None, amount: float
) -> None:
    """Thousands separators, and currency signs or names before or after the value, are accepted."""
    assert parse_value(value, decimal_sign) == amount


@pytest.mark.parametrize(
    "value, decimal_sign, code",
    [
        ("", ".", "INVALID_CONVERSION_VALUE"),
        ("abc", ".", "INVALID_CONVERSION_VALUE"),
        ("abc 5", ".", "INVALID_CONVERSION_VALUE"),
        ("5 apples", ".", "INVALID_CONVERSION_VALUE"),
        ("(5.00", ".", "INVALID_CONVERSION_VALUE"),
        ("5.00)", ".", "INVALID_CONVERSION_VALUE"),
        ("nan", ".", "INVALID_CONVERSION_VALUE"),
        ("inf", ".", "INVALID_CONVERSION_VALUE"),
        ("-Infinity", ".", "INVALID_CONVERSION_VALUE"),
        ("1e999", ".", "INVALID_CONVERSION_VALUE"),
        ("9" * 400, ".", "INVALID_CONVERSION_VALUE"),
        ("1_000", ".", "INVALID_CONVERSION_VALUE"),
        ("1,234,56", ".", "INVALID_CONVERSION_VALUE"),
        ("1,23.4", ".", "INVALID_CONVERSION_VALUE"),
        (".", ".", "INVALID_CONVERSION_VALUE"),
        ("\u0665", ".", "INVALID_CONVERSION_VALUE"),
        ("-5", ".", "NEGATIVE_VALUE"),
        ("\u22125", ".", "NEGATIVE_VALUE"),
        ("5-", ".", "NEGATIVE_VALUE"),
        *((f"{dash}5", ".", "NEGATIVE_VALUE") for dash in "\u2010\u2011\u2012\u2013\u2014\u2015"),
        ("$\u20135", ".", "NEGATIVE_VALUE"),
        ("5.00 \u2013", ".", "NEGATIVE_VALUE"),
        ("-50.-", ".", "NEGATIVE_VALUE"),
        ("50,-", ".", "DECIMAL_SIGN_MISMATCH"),
        ("(5.00)", ".", "NEGATIVE_VALUE"),
        ("($5)", ".", "NEGATIVE_VALUE"),
        ("(5 EUR)", ".", "NEGATIVE_VALUE"),
        ("-$5", ".", "NEGATIVE_VALUE"),
        ("$-5", ".", "NEGATIVE_VALUE"),
        ("1,5", ".", "DECIMAL_SIGN_MISMATCH"),
        ("1.234,50", ".", "DECIMAL_SIGN_MISMATCH"),
        ("1.234.567", ".", "DECIMAL_SIGN_MISMATCH"),
        ("0,125", ".", "DECIMAL_SIGN_MISMATCH"),
        ("0.990", ",", "DECIMAL_SIGN_MISMATCH"),
        ("00,125", ".", "DECIMAL_SIGN_MISMATCH"),
        ("0 125", ".", "INVALID_CONVERSION_VALUE"),
        ("0'125", ",", "INVALID_CONVERSION_VALUE"),
        ("0,125,000", ".", "INVALID_CONVERSION_VALUE"),
        ("12.50", ",", "DECIMAL_SIGN_MISMATCH"),
        ("1,234.50", ",", "DECIMAL_SIGN_MISMATCH"),
        ("1,234", None, "DECIMAL_SIGN_UNDECLARED"),
        ("1.234", None, "DECIMAL_SIGN_UNDECLARED"),
        ("$12,500", None, "DECIMAL_SIGN_UNDECLARED"),
        ("999.000 EUR", None, "DECIMAL_SIGN_UNDECLARED"),
    ],
)
def test_an_invalid_value_is_refused(
    value: str, decimal_sign: DecimalSign | None, code: str
) -> None:
    """A number is read in the profile's notation, which one with two meanings needs; any other text
    is an error."""
    with pytest.raises(RuleError) as refused:
        parse_value(value, decimal_sign)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "value, decimal_sign, currency, amount",
    [
        ("123.45", ".", "USD", 123.45),
        ("1234", ".", None, 1234.0),
        ("1,234", ".", "USD", 1234.0),
        ("1,234.500", ".", "USD", 1234.5),
        ("1.2345", ".", "USD", 1.2345),
        ("1234.567", ".", "USD", 1234.567),
        ("0.125", ".", "USD", 0.125),
        ("1.234", ",", "EUR", 1234.0),
        ("1.234", ".", "USD", 1.234),
        ("BHD 1.234", ".", None, 1.234),
        ("1,234 TND", ",", "TND", 1.234),
        ("$12.00", ".", "CAD", 12.0),
        ("\u20ac 12", ".", "EUR", 12.0),
        ("12 kr", ".", "DKK", 12.0),
        ("kr. 12", ".", "ISK", 12.0),
        ("$12 CAD", ".", "CAD", 12.0),
        ("MXN$ 12", ".", "MXN", 12.0),
        ("B$ 12", ".", "BND", 12.0),
        ("C$ 12", ".", "NIO", 12.0),
        ("\uffe512", ".", "CNY", 12.0),
        ("12 \u00a4", ".", "EUR", 12.0),
        ("R 12", ".", "ZAR", 12.0),
        ("\u20a8 12", ".", "PKR", 12.0),
    ],
)
def test_the_value_of_a_conversion_is_read(
    value: str, decimal_sign: DecimalSign, currency: str | None, amount: float
) -> None:
    """A conversion value is read with regard to its currency."""
    assert parse_amount(value, decimal_sign, currency) == amount


@pytest.mark.parametrize(
    "value, decimal_sign, currency, code",
    [
        ("\u20ac 12", ".", "USD", "CURRENCY_CONTRADICTS"),
        ("12 GBP", ".", "USD", "CURRENCY_CONTRADICTS"),
        ("R$ 5", ".", "USD", "CURRENCY_CONTRADICTS"),
        ("$1,250", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("\u00a51250", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("\uffe51250", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("kr 1250", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("1250 z\u0142", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("CHF 12", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("12 Fr.", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("S$ 5", ".", "USD", "CURRENCY_CONTRADICTS"),
        ("B$ 5", ".", "EUR", "CURRENCY_CONTRADICTS"),
        ("MXN$ 5", ".", "USD", "CURRENCY_CONTRADICTS"),
        ("EUR$ 5", ".", "EUR", "INVALID_CONVERSION_VALUE"),
        ("E\u00a3500", ".", None, "INVALID_CONVERSION_VALUE"),
        ("EG\u00a3 500", ".", None, "INVALID_CONVERSION_VALUE"),
        ("E\u00a3 500", ".", "EGP", "INVALID_CONVERSION_VALUE"),
        ("US$CA 5", ".", "USD", "INVALID_CONVERSION_VALUE"),
        ("1795205107000", ".", "USD", "INVALID_CONVERSION_VALUE"),
        ("1795205107000", None, None, "INVALID_CONVERSION_VALUE"),
        ("1000000000000.01", ".", "USD", "INVALID_CONVERSION_VALUE"),
        ("1.23457E+17", ".", "USD", "INVALID_CONVERSION_VALUE"),
        ("9" * 39, ".", "USD", "INVALID_CONVERSION_VALUE"),
        ("$1,000,000,000,001", ".", "USD", "INVALID_CONVERSION_VALUE"),
        ("kr 5 EUR", ".", None, "CURRENCY_CONTRADICTS"),
        ("\u20bf 5", ".", "EUR", "INVALID_CONVERSION_VALUE"),
        ("\u20ac12 USD", ".", None, "CURRENCY_CONTRADICTS"),
    ],
)
def test_an_amount_in_another_currency_is_refused(
    value: str, decimal_sign: DecimalSign, currency: str | None, code: str
) -> None:
    """A value is refused if it is in another currency, or is none."""
    with pytest.raises(RuleError) as refused:
        parse_amount(value, decimal_sign, currency)
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
        ("$US 12", "USD"),
        ("12 $CA", "CAD"),
        ("12 $ US", "USD"),
        ("\u00a3GB 12", "GBP"),
        ("mx$ 12", "MXN"),
        ("CN\u00a5 12", "CNY"),
        ("B$ 12", None),
        ("kr 12 DKK", "DKK"),
        ("C$ 12", None),
        ("12 \u00a4", None),
        ("much", None),
    ],
)
def test_a_currency_next_to_the_value_is_recognized(value: str, currency: str | None) -> None:
    """A currency is recognized only if its sign belongs to one currency; `$` does not."""
    written = written_currencies(value)
    assert (next(iter(written)) if len(written) == 1 else None) == currency


def test_every_sign_means_currencies_in_use() -> None:
    """No sign is listed with a code that no row can have."""
    assert frozenset().union(*CURRENCIES_BY_SIGN.values()) <= CURRENCIES


@given(st.floats(0, 1e12), SIGNS)
def test_a_plain_number_keeps_its_value(amount: float, decimal_sign: DecimalSign) -> None:
    """A number keeps its last digit, with either decimal sign and with thousands separators."""
    text = f"{amount:.6f}"
    grouped = f"{amount:,.6f}"
    if decimal_sign == ",":
        text = text.replace(".", ",")
        grouped = grouped.translate({ord(","): ".", ord("."): ","})
    assert parse_value(text, decimal_sign) == float(f"{amount:.6f}")
    assert parse_value(grouped, decimal_sign) == float(f"{amount:.6f}")
    assert parse_amount(text, decimal_sign, "USD") == float(f"{amount:.6f}")


@given(st.text("0123456789.,-+()$\u20ac eE'x ", max_size=14), SIGNS | st.none())
def test_any_text_is_a_finite_value_or_refused(text: str, decimal_sign: DecimalSign | None) -> None:
    """Any text is a finite, non-negative value or is refused with a code."""
    try:
        amount = parse_value(text, decimal_sign)
    except RuleError:
        return
    assert 0 <= amount < float("inf")
    with suppress(RuleError):
        assert parse_amount(text, decimal_sign, None) == amount
