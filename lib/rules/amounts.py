"""Conversion values: the value and currency columns → an amount and its currency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.values.cells import RuleError
from lib.rules.values.currencies import parse_currency
from lib.rules.values.money import parse_amount, written_currency


class AmountColumns(NamedTuple):
    """The fields of an amount and its currency."""

    value: str
    currency: str


CONVERSION_VALUE: Final = AmountColumns("conversion_value", "currency_code")

UNREADABLE = ""
"""The currency of a row whose currency can't be read. It matters only if the row has a value."""


def read_amounts(
    cells: Sequence[str],
    currencies: Sequence[str | None],
    decimal_comma: bool,
    problems: RowProblems,
    columns: AmountColumns = CONVERSION_VALUE,
) -> tuple[list[float | None], list[str | None]]:
    """Return the value and the currency of each row. Both are None for a row without a value."""
    values: list[float | None] = [None] * len(cells)
    of_values: list[str | None] = [None] * len(cells)
    for row, (cell, currency) in enumerate(zip(cells, currencies, strict=True)):
        if not cell:
            continue
        try:
            values[row] = parse_amount(cell, decimal_comma, currency)
        except RuleError:
            text = plain_text(cell, columns.value, problems.with_placeholders)
            if not text:
                continue
            try:
                values[row] = parse_amount(text, decimal_comma, currency)
                cell = text
            except RuleError as error:
                problems.reject(row, error.code, columns.value)
        if currency == UNREADABLE:
            problems.reject(row, "INVALID_CURRENCY", columns.currency)
        elif values[row] is not None:
            of_values[row] = currency or written_currency(cell)
    return values, of_values


def refuse_other_currencies(
    of_values: Sequence[str | None],
    column_currency: str | None,
    problems: RowProblems,
    columns: AmountColumns = CONVERSION_VALUE,
) -> None:
    """Reject rows with a value if their currency is not that of the column's header, if any."""
    if column_currency is None:
        return
    for row, currency in enumerate(of_values):
        if currency and currency != column_currency:
            problems.reject(row, "CURRENCY_CONTRADICTS", columns.currency)


def currency_of(
    cell: str, default: str | None, with_placeholders: set[str], column: str = "currency_code"
) -> str | None:
    """Return the currency in a cell, `default` if the cell has no value, or `UNREADABLE`."""
    text = plain_text(cell, column, with_placeholders)
    try:
        return parse_currency(text) if text else default
    except RuleError:
        return UNREADABLE
