"""Conversion values, in the formats of spreadsheets."""

import re
from contextlib import suppress
from decimal import Decimal
from typing import Final

from lib.errors import RuleError
from lib.model.fields import DecimalSign, NumberFormat
from lib.model.money import MAX_VALUE
from lib.model.spelling import FULL_WIDTH
from lib.rules.values.currencies import currencies_of_sign

_LONGEST: Final = 40
_SURELY_SMALL: Final = 12
"""A number with this many digits is not above `MAX_VALUE`."""
# Plain, or in groups: `1,234`, `12,34,567` (India), `1 234` (no-break spaces too), `1'234`. No
# group of thousands begins with a zero: `0,125` is a fraction.
_NUMBER: Final = (
    r"\d+(?:{point}\d*)?|{point}\d+"
    r"|[1-9]\d{{0,2}}(?P<mark>[{comma} '’])(?:\d{{2,3}}(?P=mark))*\d{{3}}(?:{point}\d*)?"
)
_POINTED: Final = re.compile(_NUMBER.format(point=r"\.", comma=","), re.ASCII)
_COMMAED: Final = re.compile(_NUMBER.format(point=",", comma="."), re.ASCII)
_EXPONENT: Final = re.compile(r"\d+(?:\.\d+)?[eE][+-]?\d{1,2}", re.ASCII)
# A dot after a letter belongs to an abbreviation: `Rs.500`.
_BODY: Final = re.compile(r"(?:(?<![A-Za-z])[.,])?\d[\d.,'’ ]*", re.ASCII)
# `50.-` and `50,-` have no cents.
_NO_CENTS: Final = re.compile(r"(?<=\d)([.,])-+(?!\d)", re.ASCII)
# Three decimals, or thousands with the other sign.
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_NONE: Final[frozenset[str]] = frozenset()

DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
"""Dashes and the minus sign → a hyphen: word processors write `–5` for -5, and a refund that is
read as a sale is worse than one that is refused."""


def parse_amount(
    value: str, decimal_sign: DecimalSign | None, currency: str | None, scale: float = 1
) -> float:
    """Return the value of a conversion, read like `parse_value`.

    `currency` is from the row or the profile; None: neither says one; "": the row's can't be read.
    Raises CURRENCY_CONTRADICTS if the cell contains another one, and the codes of `parse_value` and
    `scaled`.
    """
    plain = value.replace(".", "", 1)
    is_plain = plain.isdecimal() and plain.isascii() and len(value) <= _SURELY_SMALL
    # 1.234 may be a number of thousands, unless the profile says what a point means.
    if is_plain and (decimal_sign == "." or (decimal_sign is None and value[-4:-3] != ".")):
        return float(value) if scale == 1 else scaled(float(value), scale)
    amount = scaled(parse_value(value, decimal_sign), scale)
    written = written_currencies(value)
    if written and currency and currency not in written:
        raise RuleError("CURRENCY_CONTRADICTS")
    return amount


def written_currencies(value: str) -> frozenset[str]:
    """Return the currencies that the sign, abbreviation or code next to the number may mean.

    Returns none if nothing is next to it. Raises CURRENCY_CONTRADICTS if there are two that no
    currency has both of.
    """
    if value[-1:].isdecimal() and value[:1].isdecimal():
        return _NONE
    text = " ".join(value.translate(DASHES).split()).strip("()")
    body = _BODY.search(text)
    if body is None:
        return _NONE
    before, after = (
        _meant(_affix(part)) or _NONE for part in (text[: body.start()], text[body.end() :])
    )
    if before and after and not before & after:
        raise RuleError("CURRENCY_CONTRADICTS")
    return before & after if before and after else before or after


def _affix(text: str) -> str:
    """Return what is written next to a number, without signs: ` Rs.` → `Rs`."""
    return text.strip("+- ").rstrip(".")


def _meant(affix: str) -> frozenset[str] | None:
    """Return the currencies that a text next to a number may mean; None: it is no currency."""
    return currencies_of_sign(affix.translate(FULL_WIDTH))


def scaled(amount: float, scale: float) -> float:
    """Return an amount in units of its currency: with the scale 0.01, 1999 is 19.99.

    Raises INVALID_CONVERSION_VALUE for more than any sale is worth: a time in milliseconds, or the
    digits of an ID.
    """
    if scale != 1:
        amount = float(Decimal(repr(amount)) * Decimal(repr(scale)))
    if amount > MAX_VALUE:
        raise RuleError("INVALID_CONVERSION_VALUE")
    return amount


def parse_money(value: str, number_format: NumberFormat) -> float:
    """Return an amount that has no currency of its own, such as a price in a cart.

    Raises CURRENCY_CONTRADICTS if the cell contains one, because it is sent in that of the row, and
    the codes of `parse_value` and `scaled`.
    """
    amount = scaled(parse_value(value, number_format.decimal_sign), number_format.scale)
    if written_currencies(value):
        raise RuleError("CURRENCY_CONTRADICTS")
    return amount


def parse_value(value: str, decimal_sign: DecimalSign | None) -> float:
    """Return the number in `1,234.50`, `$12.00`, `€ 12` or `50.-`.

    With "," as the decimal sign, the format is `1.234,50`. Without one, only numbers are read that
    mean the same with either sign, or have only one meaning: `12.50`, but not `1.234`.
    Raises INVALID_CONVERSION_VALUE (also for NaN and infinity), NEGATIVE_VALUE,
    DECIMAL_SIGN_MISMATCH (`1,5` with ".") and DECIMAL_SIGN_UNDECLARED.
    """
    if len(value) > _LONGEST:
        raise RuleError("INVALID_CONVERSION_VALUE")
    if value.isdecimal() and value.isascii():
        return float(value)
    return _parse_written(" ".join(value.translate(DASHES).split()), decimal_sign)


def values_by_decimal_sign(value: str) -> dict[DecimalSign, float]:
    """Return what a number means with each decimal sign with which it can be read.

    `1,234` has two meanings, `1,234.50` has only that of ".", and `12` the same one with both
    signs. What is no number has none.
    """
    signs: tuple[DecimalSign, DecimalSign] = (".", ",")
    found = {}
    for sign in signs:
        with suppress(RuleError):
            found[sign] = parse_value(value, sign)
    return found


def _parse_written(text: str, decimal_sign: DecimalSign | None) -> float:
    """Return the number in a text that has more than digits."""
    if _EXPONENT.fullmatch(text) and decimal_sign != ",":
        return float(text)
    bracketed = text[:1] == "(" and text[-1:] == ")"  # a loss in accounting notation
    if bracketed:
        text = text[1:-1]
    text = _NO_CENTS.sub(r"\1", text)
    body = _BODY.search(text)
    if body is None:
        raise RuleError("INVALID_CONVERSION_VALUE")
    around = text[: body.start()], text[body.end() :]
    affixes = [_affix(part) for part in around]
    if any(affix and _meant(affix) is None for affix in affixes):
        raise RuleError("INVALID_CONVERSION_VALUE")
    amount = _number_in(body.group().strip(), decimal_sign)
    if amount > 0 and (bracketed or "-" in around[0] or "-" in around[1]):
        raise RuleError("NEGATIVE_VALUE")
    return amount


def _number_in(number: str, decimal_sign: DecimalSign | None) -> float:
    """Return the number in digits, decimal signs and separators: `1.234,50` with "," → 1234.5."""
    pointed, commaed = _POINTED.fullmatch(number), _COMMAED.fullmatch(number)
    if decimal_sign is None and _THOUSANDS.fullmatch(number):
        raise RuleError("DECIMAL_SIGN_UNDECLARED")
    if decimal_sign is None:
        match, other = pointed or commaed, None
    else:
        match, other = (commaed, pointed) if decimal_sign == "," else (pointed, commaed)
    if match is None:
        raise RuleError("DECIMAL_SIGN_MISMATCH" if other else "INVALID_CONVERSION_VALUE")
    if match["mark"]:
        number = number.replace(match["mark"], "")
    return float(number.replace(",", "."))
