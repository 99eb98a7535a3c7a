"""Conversion values: the value and currency columns → an amount and its currency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from lib.rules.columns import ChunkColumns, RowProblems, plain_text
from lib.rules.row_rules import ActionRule, RowRules
from lib.rules.values.cells import RuleError
from lib.rules.values.currencies import parse_currency
from lib.rules.values.money import parse_amount, written_currencies


class AmountColumns(NamedTuple):
    """The fields of an amount and its currency."""

    value: str
    currency: str


CONVERSION_VALUE: Final = AmountColumns("conversion_value", "currency_code")
ADJUSTED_VALUE: Final = AmountColumns("adjusted_value", "adjusted_value_currency")

UNREADABLE: Final = ""
"""The currency of a row whose currency can't be read. It matters only if the row has a value."""

_NO_COLUMN: Final = "the profile names its column, and the file has no such column"


def read_conversion_values(chunk: ChunkColumns) -> None:
    """Read the value of each row. Its currency is that of the row, otherwise the default."""
    _read_values(chunk, CONVERSION_VALUE, chunk.known(currency_of_row, "currency_code"))


def read_adjusted_values(chunk: ChunkColumns) -> None:
    """Read the new value of each conversion that is adjusted."""
    fields = ADJUSTED_VALUE.currency, CONVERSION_VALUE.currency
    _read_values(chunk, ADJUSTED_VALUE, chunk.known(currency_of_new_value, *fields))
    refunds, column = chunk.file.rules.refunds, ADJUSTED_VALUE.value
    if refunds is not None and refunds.names_value and column not in chunk.file.columns:
        # Every partial refund would become a retraction, which is final.
        for row in range(chunk.size):
            chunk.problems.reject(row, "ADJUSTED_VALUE_MISSING", column, _NO_COLUMN)


def _read_values(
    chunk: ChunkColumns, columns: AmountColumns, currencies: Sequence[str | None]
) -> None:
    rules, problems = chunk.file.rules, chunk.problems
    cells = chunk.cells(columns.value)
    values, of_values = read_amounts(cells, currencies, chunk.actions, rules, problems, columns)
    if rules.column_currency is not None:
        for row, currency in enumerate(of_values):
            if currency and currency != rules.column_currency:
                problems.reject(row, "CURRENCY_CONTRADICTS", columns.currency)
                values[row] = of_values[row] = None
    chunk.value, chunk.currency_code = values, of_values


def read_amounts(
    cells: Sequence[str],
    currencies: Sequence[str | None],
    actions: Sequence[ActionRule],
    rules: RowRules,
    problems: RowProblems,
    columns: AmountColumns = CONVERSION_VALUE,
) -> tuple[list[float | None], list[str | None]]:
    """Return the value and the currency of each row. Both are None for a row without a value, or
    with one whose currency cannot be known.

    `currencies` are those of the row, the header or the profile. Without any of them, a sign of
    several currencies (`$`) may only be that of the account, and none is returned.
    """
    decimal_comma, signs = rules.decimal_comma, rules.column_signs
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
            values[row] = None
        elif values[row] is None:
            continue
        elif currency:
            of_values[row] = currency
        elif written := written_currencies(cell) or signs:
            of_account = actions[row].currency
            if len(written) == 1:
                (of_values[row],) = written
            elif of_account is not None and of_account not in written:
                problems.reject(row, "AMBIGUOUS_CURRENCY", columns.value)
                values[row] = None
    return values, of_values


def currency_of_row(cell: str, rules: RowRules, with_placeholders: set[str]) -> str | None:
    """Return the currency in a cell. If there is none: that in the header of the value column, or
    that of the profile."""
    default = rules.column_currency or rules.currency_code
    return _currency_of(cell, default, with_placeholders, CONVERSION_VALUE.currency)


def currency_of_new_value(
    own: str, of_row: str, rules: RowRules, with_placeholders: set[str]
) -> str | None:
    """Return the currency of the new value, else that of the row, else the default."""
    row = currency_of_row(of_row, rules, with_placeholders)
    return _currency_of(own, row, with_placeholders, ADJUSTED_VALUE.currency)


def _currency_of(
    cell: str, default: str | None, with_placeholders: set[str], column: str
) -> str | None:
    """Return the currency in a cell, `default` if the cell has no value, or `UNREADABLE`."""
    text = plain_text(cell, column, with_placeholders)
    try:
        return parse_currency(text) if text else default
    except RuleError:
        return UNREADABLE
