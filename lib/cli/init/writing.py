"""How cells are written: which of it a cell of a chosen column needs, and what it then means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from lib.cli.init.answers import Answers
from lib.cli.init.asking import Offer, cell, choose
from lib.rules.values.cells import RuleError
from lib.rules.values.dates import at_end_of_day, read_moment
from lib.rules.values.money import parse_value, written_currencies
from lib.rules.values.order_ids import without_zero
from lib.rules.values.phones import normalize_phone

_TIMES: Final = ("conversion_date_time", "adjustment_date_time")
_VALUES: Final = ("conversion_value", "adjusted_value")


def _code(read: Callable[[str], object], text: str) -> str:
    """Return why a cell cannot be read, or ""."""
    try:
        read(text)
    except RuleError as error:
        return error.code
    return ""


def _has_unclear_order(text: str) -> bool:
    return _code(lambda each: read_moment(each, UTC), text) == "DATE_ORDER_UNDECLARED"


def _has_unclear_sign(text: str) -> bool:
    return _code(lambda each: parse_value(each, None), text) == "DECIMAL_SIGN_UNDECLARED"


def _day(text: str, order: Any) -> str:
    return long_time(read_moment(text, UTC, order).text).partition(",")[0]


def long_time(text: str) -> str:
    """`2026-04-03 14:05:07+02:00` → `3 April 2026, 14:05:07 (+02:00)`."""
    time = datetime.fromisoformat(text)
    return f"{time.day} {time:%B %Y, %H:%M:%S} ({text[19:]})"


class Spelling(NamedTuple):
    """A key that says how the cells of some fields are written.

    `is_unclear` tells whether a cell needs it, and `means` what a cell then is. `of`: any cell of
    the column, or all of them.
    """

    key: str
    title: str
    question: str
    fields: Sequence[str]
    is_unclear: Callable[[str], bool]
    choices: Sequence[tuple[Any, str]]
    means: Callable[[str, Any], str]
    of: Callable[[Iterable[bool]], bool] = any

    @property
    def option(self) -> str:
        """What a script gives."""
        choices = " or ".join(str(each) for each, _ in self.choices)
        return f"--{self.key.replace('_', '-')} {choices}"

    def sample(self, answers: Answers) -> str:
        """Return the first cell that needs it, or ""."""
        cells = [*dict.fromkeys(cells_of(answers, *self.fields))]
        if not self.of(map(self.is_unclear, cells)):
            return ""
        return next(filter(self.is_unclear, cells), "")

    def ask(self, answers: Answers) -> None:
        """Ask what a cell means, and set the key."""
        sample = self.sample(answers)
        offers = []
        for value, label in self.choices:
            note = f"{cell(sample)} → {cell(self.means(sample, value))}" if sample else ""
            offers.append(Offer(value, label, note))
        answers.set_constant(self.key, choose(self.question, offers))


SPELLINGS: Final = (
    Spelling(
        *("date_order", "Date order", "How are dates written?", _TIMES, _has_unclear_order),
        (("DMY", "day first"), ("MDY", "month first")),
        _day,
    ),
    Spelling(
        *("decimal_sign", "Decimal sign", "What is the decimal sign?", _VALUES, _has_unclear_sign),
        ((".", "a point"), (",", "a comma")),
        lambda text, sign: f"{parse_value(text, sign):,.2f}",
    ),
    Spelling(
        *("value_scale", "Scale of values", "In what are the values?", _VALUES, str.isdecimal),
        ((1, "whole units"), (0.01, "cents")),
        lambda text, scale: f"{float(text) * scale:,.2f}",
        all,
    ),
    Spelling(
        *("order_ids", "Order IDs", "What does .0 mean?", ("order_id",)),
        lambda text: without_zero(text) != text,
        (("keep", "it is part of the ID"), ("integer", "nothing")),
        lambda text, how: without_zero(text) if how == "integer" else text,
    ),
)
"""In the order in which they are asked."""


def cells_of(answers: Answers, *fields: str) -> list[str]:
    """Return the filled cells of all columns that hold one of these fields."""
    return [each for field in fields for column in answers.columns(field) for each in column.filled]


def needs_time_of_day(answers: Answers) -> bool:
    """Return whether a conversion has a date without a time."""
    dates = cells_of(answers, "conversion_date_time")
    return any(map(at_end_of_day, dates)) or answers.column("time_of_day") is not None


def needs_zone(answers: Answers) -> bool:
    """Return whether a time states no time zone."""
    if answers.column("time_zone"):
        return False
    codes = {
        _code(lambda t: read_moment(t, None, "MDY" if _has_unclear_order(t) else None), text)
        for text in dict.fromkeys(cells_of(answers, *_TIMES))
    }
    return "DATE_WITHOUT_ZONE" in codes


def needs_region(answers: Answers) -> bool:
    """Return whether a phone number has no +."""
    codes = {_code(lambda n: normalize_phone(n, None), n) for n in cells_of(answers, "phone")}
    return "PHONE_REGION_MISSING" in codes and not answers.column("country_code")


def needs_currency(answers: Answers) -> bool:
    """Return whether a value does not state its currency itself, or another answer does."""
    values = [level.get("value") for level in (answers.profile, *answers.entries)]
    if any(isinstance(value, (int, float)) for value in values) or answers.column("currency_code"):
        return True
    cells = cells_of(answers, *_VALUES)
    return "currency_code" in answers.profile or any(map(_states_no_currency, cells))


def _states_no_currency(text: str) -> bool:
    try:
        return len(written_currencies(text)) != 1
    except RuleError:
        return False
