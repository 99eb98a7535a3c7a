"""Conversion values: the value and currency columns → an amount and its currency."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from lib.rules.columns import ChunkColumns, plain_text
from lib.rules.row_rules import RowRules
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


def read_conversion_values(chunk: ChunkColumns) -> None:
    """Read the value of each row. Its currency is that of the row, otherwise the profile's.

    The constant of an entry is the value of all of its rows. Without one, an empty cell rejects the
    row, unless the profile says that it means the value of the conversion action.
    """
    currencies = chunk.known(currency_of_row, "currency_code")
    empty = _read_values(chunk, CONVERSION_VALUE, currencies)
    constants = [entry.value for entry in chunk.file.rules.entries]
    if all(constant == "action_default" for constant in constants):
        return
    of_rows = chunk.of_entries(constants)
    for row in empty:
        constant = of_rows[row]
        if constant is None:
            chunk.problems.reject(row, "VALUE_MISSING", CONVERSION_VALUE.value)
        elif not isinstance(constant, str):
            chunk.value[row] = float(constant)
            _state_currency(row, currencies[row], "", CONVERSION_VALUE, chunk)


def read_adjusted_values(chunk: ChunkColumns) -> None:
    """Read the new value of each conversion that is adjusted."""
    fields = ADJUSTED_VALUE.currency, CONVERSION_VALUE.currency
    _read_values(chunk, ADJUSTED_VALUE, chunk.known(currency_of_new_value, *fields))


def _read_values(
    chunk: ChunkColumns, columns: AmountColumns, currencies: Sequence[str | None]
) -> list[int]:
    """Read the values and currencies of the rows. Return the rows whose cell is empty.

    `currencies` are those of the row or the profile. Without one, a value has the currency that is
    written beside it, or that of the account.
    """
    decimal_sign, scale = chunk.file.rules.decimal_sign, chunk.file.rules.value_scale
    values: list[float | None] = [None] * chunk.size
    of_values: list[str | None] = [None] * chunk.size
    chunk.value, chunk.currency_code = values, of_values
    empty: list[int] = []
    for row, (cell, currency) in enumerate(
        zip(chunk.cells(columns.value), currencies, strict=True)
    ):
        if not cell:
            empty.append(row)
            continue
        try:
            values[row] = parse_amount(cell, decimal_sign, currency)
        except RuleError:
            text = plain_text(cell, columns.value, chunk.problems.with_placeholders)
            if not text:
                empty.append(row)
                continue
            try:
                values[row] = parse_amount(text, decimal_sign, currency)
                cell = text
            except RuleError as error:
                chunk.problems.reject(row, error.code, columns.value)
                continue
        if currency:
            of_values[row] = currency
        else:
            _state_currency(row, currency, cell, columns, chunk)
    if scale != 1:
        factor = Decimal(repr(scale))
        chunk.value = [
            None if value is None else float(Decimal(repr(value)) * factor) for value in values
        ]
    return empty


def _state_currency(
    row: int, currency: str | None, cell: str, columns: AmountColumns, chunk: ChunkColumns
) -> None:
    """Find the currency of a value: that of the row or the profile, or the one in its cell.

    Rejects a row whose cell has a sign of several currencies, such as $.
    """
    written = written_currencies(cell) if cell else frozenset()
    if currency == UNREADABLE:
        chunk.problems.reject(row, "INVALID_CURRENCY", columns.currency)
        chunk.value[row] = None
    elif currency:
        chunk.currency_code[row] = currency
    elif len(written) == 1:
        (chunk.currency_code[row],) = written
    elif written:
        chunk.problems.reject(row, "AMBIGUOUS_CURRENCY", columns.value)
        chunk.value[row] = None


def currency_of_row(cell: str, rules: RowRules, with_placeholders: set[str]) -> str | None:
    """Return the currency in a cell. If there is none: that of the profile."""
    return _currency_of(cell, rules.currency_code, with_placeholders, CONVERSION_VALUE.currency)


def currency_of_new_value(
    own: str, of_row: str, rules: RowRules, with_placeholders: set[str]
) -> str | None:
    """Return the currency of the new value, else that of the row, else the profile's."""
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
