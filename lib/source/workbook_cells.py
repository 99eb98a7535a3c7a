"""The cell of a workbook → its text, as a person sees the cell.

Excel stores dates and numbers as binary fractions; the number format of the cell says how they are
shown (https://support.microsoft.com/office/number-format-codes-5026bbd6-04bc-48cd-bf33-80f18b4eae68).
Digits, percent signs and currencies are kept as they are shown. Groups of thousands are left out,
and dates are written as 2026-11-24 14:05:00, so that no row depends on the language of a computer.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import NamedTuple

_EXACT_DIGITS = 15
"""Excel stores no more digits of a number. More are an artifact of binary fractions."""
_ANY_NUMBER = Context(prec=400)

_BREAKS = re.compile(r"[\t\r\n]|_x000[9AD]_")  # the file writes a carriage return as _x000D_
_NOT_SHOWN = re.compile(r"\[(?!\$)[^\]]*\]|_.|\*.")  # colors, conditions, padding
_CURRENCY = re.compile(r"\[\$([^\]-]*)[^\]]*\]")  # [$€-407]
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.([#0?]*))?")
_SIGN = re.compile(r"[A-Z]{3}|[A-Za-z]{0,3}[$\u00a2-\u00a5\u20a0-\u20cf]|kr|zł|Kč|Ft|lei")
_LIKE_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d{3}")


class NumberFormat(NamedTuple):
    """What is shown of a number. `decimals` None: all."""

    decimals: int | None = None
    fewest_decimals: int = 0
    whole_digits: int = 1
    """Minimum number of digits before the decimal point: 5 for the format 00000."""
    percent: bool = False
    currency: str = ""


def text_of(value: object, number_format: str, decimal_sign: str) -> str:
    """The value of a cell and its number format → one line of text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _BREAKS.sub(" ", value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, format_of(number_format), decimal_sign)
    return _moment(value, number_format)


@lru_cache(maxsize=256)
def format_of(code: str) -> NumberFormat:
    """Read a number format such as `#,##0.00 [$€-407];[Red]-#,##0.00`. Unknown ones show all."""
    section = _NOT_SHOWN.sub("", code).partition(";")[0]
    literals = [match[1] for match in _CURRENCY.finditer(section)]
    section = _CURRENCY.sub("", section)
    literals += [match[1] or match[2] or "" for match in _LITERAL.finditer(section)]
    section = _LITERAL.sub("", section)
    literals += re.findall(r"[$\u00a2-\u00a5\u20a0-\u20cf]", section)
    currency = next((each.strip() for each in literals if _SIGN.fullmatch(each.strip())), "")
    digits = _DIGITS.search(section)
    if digits is None or re.search(r"[EeGg/]", section) or digits[0].endswith(","):
        # General, text, exponents, fractions, and thousands as 12K: the exact number is shown.
        return NumberFormat(currency=currency)
    decimals = digits[1] or ""
    whole = digits[0].partition(".")[0]
    return NumberFormat(
        decimals=len(decimals),
        fewest_decimals=decimals.count("0"),
        whole_digits=max(whole.count("0"), 1),
        percent="%" in section,
        currency=currency,
    )


def _number(value: float, shown: NumberFormat, decimal_sign: str) -> str:
    if isinstance(value, float) and not abs(value) < 10**_EXACT_DIGITS:
        # Its last digits are lost, as in 1.23457E+17. The rules reject such order IDs.
        return f"{value:.{_EXACT_DIGITS - 1}E}"
    number = Decimal(value)
    if isinstance(value, float):
        number = Context(prec=_EXACT_DIGITS).create_decimal(number)
    if shown.percent:
        number = number.scaleb(2, _ANY_NUMBER)
    if shown.decimals is not None:
        last = Decimal(1).scaleb(-shown.decimals)
        number = number.quantize(last, ROUND_HALF_UP, _ANY_NUMBER)
    whole, _, decimals = f"{abs(number):f}".partition(".")
    decimals = decimals.rstrip("0").ljust(shown.fewest_decimals, "0")
    text = whole.zfill(shown.whole_digits) + (f".{decimals}" if decimals else "")
    if _LIKE_THOUSANDS.fullmatch(text):
        text += "0"  # 1.234 in a text file could mean 1,234, but this is a number
    sign = "-" if number < 0 else ""
    return f"{sign}{shown.currency}{text.replace('.', decimal_sign)}{'%' if shown.percent else ''}"


def _moment(value: object, number_format: str) -> str:
    if isinstance(value, datetime):
        shown = _to_the_second(value)
        is_day = shown.time() == time() and not _shows_time(number_format)
        return f"{shown:%Y-%m-%d}" if is_day else f"{shown:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, time):
        return f"{_to_the_second(datetime.combine(date(2000, 1, 1), value)):%H:%M:%S}"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return str(value)


def _shows_time(number_format: str) -> bool:
    return "h" in _LITERAL.sub("", _NOT_SHOWN.sub("", number_format)).lower()


def _to_the_second(value: datetime) -> datetime:
    """Round as Excel does: 14:04:59.9995 is shown as 14:05:00."""
    return (value + timedelta(microseconds=500_000)).replace(microsecond=0)
