"""Conversion values, in the formats of spreadsheets."""

import re
from typing import Final

from lib.rules.values.cells import FULL_WIDTH, RuleError
from lib.rules.values.currencies import CURRENCIES, CURRENCIES_BY_SIGN

_LONGEST: Final = 40
# Plain, or in groups: `1,234`, `12,34,567` (India), `1 234` (no-break spaces too), `1'234`.
_NUMBER: Final = (
    r"\d+(?:{point}\d*)?|{point}\d+"
    r"|\d{{1,3}}(?P<mark>[{comma} '’])(?:\d{{2,3}}(?P=mark))*\d{{3}}(?:{point}\d*)?"
)
_POINTED: Final = re.compile(_NUMBER.format(point=r"\.", comma=","), re.ASCII)
_COMMAED: Final = re.compile(_NUMBER.format(point=",", comma="."), re.ASCII)
_EXPONENT: Final = re.compile(r"\d+(?:\.\d+)?[eE][+-]?\d{1,2}", re.ASCII)
# A dot after a letter belongs to an abbreviation: `Rs.500`.
_BODY: Final = re.compile(r"(?:(?<![A-Za-z])[.,])?\d[\d.,'’ ]*", re.ASCII)
# `50.-` and `50,-` have no cents.
_NO_CENTS: Final = re.compile(r"(?<=\d)([.,])[-\u2013\u2014]+(?!\d)", re.ASCII)
# Three decimals, or thousands with the other separator.
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_THREE_DECIMALS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
# Other letters before a sign leave its meaning open (`B$`), unless they are a code (`MXN$`).
_PREFIXED: Final = re.compile(r"([A-Za-z]{1,3})([$¢£¤¥\u20a0-\u20cf])")
_NONE: Final[frozenset[str]] = frozenset()


def parse_amount(value: str, decimal_comma: bool, currency: str | None) -> float:
    """Return the value of a conversion, read like `parse_value`.

    `currency` is from the row or the profile, and empty if it can't be read. Raises AMBIGUOUS_VALUE
    for `1.234`, unless the currency has three decimals, and CURRENCY_CONTRADICTS if the cell
    contains another one. Also raises the codes of `parse_value`.
    """
    point = "," if decimal_comma else "."
    plain = value.replace(point, "", 1)
    if plain.isdecimal() and value[-4:-3] != point and plain.isascii() and len(value) <= _LONGEST:
        return float(value.replace(",", ".") if decimal_comma else value)
    amount = parse_value(value, decimal_comma)
    written = written_currencies(value)
    if written and currency and currency not in written:
        raise RuleError("CURRENCY_CONTRADICTS")
    body = _BODY.search(value)
    number = body.group().strip() if body is not None else ""
    if (
        point in number
        and _THOUSANDS.fullmatch(number)
        and not ({currency} if currency else written or {""}) <= _THREE_DECIMALS
    ):
        raise RuleError("AMBIGUOUS_VALUE")
    return amount


def written_currency(value: str) -> str | None:
    """Return the currency next to the number in a value cell.

    Returns None if there is no currency, or if its sign is used for several currencies. Raises
    CURRENCY_CONTRADICTS if there are two currencies.
    """
    written = written_currencies(value)
    return next(iter(written)) if len(written) == 1 else None


def written_currencies(value: str) -> frozenset[str]:
    """Return the currencies that the sign, abbreviation or code next to the number may mean.

    Returns none if nothing is next to it. Raises CURRENCY_CONTRADICTS if there are two that no
    currency has both of.
    """
    if value[-1:].isdecimal() and value[:1].isdecimal():
        return _NONE
    text = " ".join(value.replace("\u2212", "-").split()).strip("()")
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
    return text.strip("+-\u2013\u2014 ").rstrip(".")


def _meant(affix: str) -> frozenset[str] | None:
    """Return the currencies that a text next to a number may mean; None: it is no currency."""
    affix = affix.translate(FULL_WIDTH)
    if affix.upper() in CURRENCIES:
        return frozenset({affix.upper()})
    found = CURRENCIES_BY_SIGN.get(affix.lower())
    if found is None and (prefixed := _PREFIXED.fullmatch(affix)):
        found = CURRENCIES_BY_SIGN.get(prefixed[2])
        if found and prefixed[1].upper() in found:
            return frozenset({prefixed[1].upper()})
    return found


def parse_value(value: str, decimal_comma: bool) -> float:
    """Return the number in `1,234.50`, `$12.00`, `€ 12` or `50.-`.

    With `decimal_comma`, the format is `1.234,50`. A value with the wrong decimal sign is an error:
    `1.5` with `decimal_comma`, `1,5` without it. Raises INVALID_CONVERSION_VALUE (also for NaN and
    infinity), NEGATIVE_VALUE and DECIMAL_SIGN_MISMATCH.
    """
    if len(value) > _LONGEST:
        raise RuleError("INVALID_CONVERSION_VALUE")
    plain = value.replace("," if decimal_comma else ".", "", 1)
    if plain.isdecimal() and plain.isascii():
        return float(value.replace(",", ".") if decimal_comma else value)
    return _parse_written(" ".join(value.replace("\u2212", "-").split()), decimal_comma)


def _parse_written(text: str, decimal_comma: bool) -> float:
    if _EXPONENT.fullmatch(text) and not decimal_comma:
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
    number = body.group().strip()
    right, other = (_COMMAED, _POINTED) if decimal_comma else (_POINTED, _COMMAED)
    match = right.fullmatch(number)
    if match is None:
        raise RuleError(
            "DECIMAL_SIGN_MISMATCH" if other.fullmatch(number) else "INVALID_CONVERSION_VALUE"
        )
    if match["mark"]:
        number = number.replace(match["mark"], "")
    amount = float(number.replace(",", "."))
    if amount > 0 and (bracketed or "-" in around[0] or "-" in around[1]):
        raise RuleError("NEGATIVE_VALUE")
    return amount
