"""Conversion values: the value and currency columns → an amount and its currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from lib.errors import RuleError
from lib.model.fields import DecimalSign
from lib.model.outcomes import Problem
from lib.rules.columns import ChunkColumns, plain_text
from lib.rules.row_rules import RowRules
from lib.rules.values.currencies import OTHER_THAN_HUNDREDTHS, parse_currency
from lib.rules.values.money import parse_amount, values_by_decimal_sign, written_currencies


class AmountColumns(NamedTuple):
    """The field of an amount, and those of its currency: the first that is not empty counts."""

    value: str
    currencies: Sequence[str]


CONVERSION_VALUE: Final = AmountColumns("conversion_value", ["currency_code"])
ADJUSTED_VALUE: Final = AmountColumns(
    "adjusted_value", ["adjusted_value_currency", "currency_code"]
)

_OTHER_SIGN: Final[Mapping[DecimalSign, str]] = {
    ".": 'a number such as 1.234, beside one such as 1.234,50, but the profile says "."',
    ",": 'a number such as 1,234, beside one such as 1,234.50, but the profile says ","',
}
"""The detail of DECIMAL_SIGN_MISMATCH for a number with two meanings, by the profile's sign."""

_CENTS: Final = 0.01
"""The `value_scale` of files whose values are in cents."""

_UNREADABLE: Final = ""
"""The currency of a row whose currency can't be read. It matters only if the row has a value."""


class Values(NamedTuple):
    """The value of each row and its currency. A value without one is in the account's currency."""

    values: list[float | None]
    currencies: list[str | None]


def read_conversion_values(chunk: ChunkColumns) -> Values:
    """Return the value of each row. Its currency is that of the row, otherwise that of its
    entry.

    The constant of an entry is the value of all of its rows. Without one, an empty cell rejects the
    row, unless the profile says that it means the value of the conversion action.
    """
    in_cells = chunk.read_once(currency_of_row, *CONVERSION_VALUE.currencies)
    stated = _or_of_entry(chunk, in_cells)
    read, empty = _read_values(chunk, CONVERSION_VALUE, stated)
    constants = [entry.value for entry in chunk.file.rules.entries]
    if all(constant == "action_default" for constant in constants):
        return read
    of_rows = chunk.values_of_entries(constants)
    for row in empty:
        constant = of_rows[row]
        if constant is None:
            chunk.problems.reject(row, "VALUE_MISSING", CONVERSION_VALUE.value)
        elif constant != "action_default":
            currency = _choose_currency(chunk, row, stated[row], "", CONVERSION_VALUE)
            if isinstance(currency, Problem):
                chunk.problems.reject(row, *currency)
            else:
                read.values[row], read.currencies[row] = float(constant), currency
    return read


def read_adjusted_values(chunk: ChunkColumns) -> Values:
    """Return the new value of each conversion that is adjusted. Its currency is its own, otherwise
    that of the row, otherwise that of its entry."""
    in_cells = chunk.read_once(currency_of_new_value, *ADJUSTED_VALUE.currencies)
    stated = _or_of_entry(chunk, in_cells)
    read, _ = _read_values(chunk, ADJUSTED_VALUE, stated)
    return read


def _or_of_entry(chunk: ChunkColumns, in_cells: Sequence[str | None]) -> Sequence[str | None]:
    """Return the currency in the cells of each row, or the constant of its entry if there is none.
    The constant of an entry may be that of its profile."""
    constants = [entry.currency_code for entry in chunk.file.rules.entries]
    if not any(constants):
        return in_cells
    of_rows = chunk.values_of_entries(constants)
    return [
        constant if currency is None else currency
        for currency, constant in zip(in_cells, of_rows, strict=True)
    ]


def _read_values(
    chunk: ChunkColumns, columns: AmountColumns, stated: Sequence[str | None]
) -> tuple[Values, list[int]]:
    """Return the values, and the rows whose cell is empty. `stated` are the currencies in the cells
    of `columns`, or those of the entries. None: neither says one.

    If numbers contradict the declared decimal sign, those that both signs can read may be rejected
    too (`ChunkColumns.doubtful_rows`): each would be a thousand times too high or too low.
    """
    decimal_sign, scale = chunk.file.rules.number_format
    values: list[float | None] = [None] * chunk.size
    currencies: list[str | None] = [None] * chunk.size
    empty: list[int] = []
    unread: list[int] = []
    for row, (cell, currency) in enumerate(zip(chunk.cells(columns.value), stated, strict=True)):
        if not cell:
            empty.append(row)
            continue
        try:
            # Most cells are plain numbers, and `plain_text` takes twice as long as reading one.
            value = parse_amount(cell, decimal_sign, currency, scale)
        except RuleError:
            text = chunk.problems.plain_text(cell, columns.value)
            if not text:
                empty.append(row)
                continue
            try:
                value = parse_amount(text, decimal_sign, currency, scale)
                cell = text
            except RuleError as error:
                chunk.problems.reject(row, error.code, columns.value)
                unread.append(row)
                continue
        chosen = _choose_currency(chunk, row, currency, cell, columns)
        if isinstance(chosen, Problem):
            chunk.problems.reject(row, *chosen)
        else:
            values[row], currencies[row] = value, chosen
    if unread and decimal_sign is not None:
        for row in chunk.doubtful_rows(columns.value, decimal_sign, unread, values_by_decimal_sign):
            detail = _OTHER_SIGN[decimal_sign]
            chunk.problems.reject(row, "DECIMAL_SIGN_MISMATCH", columns.value, detail)
            values[row] = currencies[row] = None
    if scale == _CENTS:
        of_account = chunk.file.rules.account.currency_code
        for row, (amount, currency) in enumerate(zip(values, currencies, strict=True)):
            has_no_cents = (currency or of_account) in OTHER_THAN_HUNDREDTHS
            # 12.50 is no number of cents: a cell that is in units would be a hundredth.
            if amount is not None and (has_no_cents or amount != round(amount, 2)):
                chunk.problems.reject(row, "VALUE_NOT_IN_CENTS", columns.value)
                values[row] = currencies[row] = None
    return Values(values, currencies), empty


def _choose_currency(
    chunk: ChunkColumns, row: int, stated: str | None, value_cell: str, columns: AmountColumns
) -> str | Problem | None:
    """Return the currency of a value: that of the row or its entry (`stated`), otherwise the one
    that is written in the cell of the value, as in `12 EUR`. None: neither says one.

    A `Problem` rejects the row: `stated` is `_UNREADABLE`, or the cell has a sign of several
    currencies, such as $.
    """
    if stated == _UNREADABLE:
        cells = {name: chunk.cells(name)[row] for name in columns.currencies}
        unreadable = next(name for name, cell in cells.items() if plain_text(cell, name))
        return Problem("INVALID_CURRENCY", unreadable)
    if stated:
        return stated
    written = written_currencies(value_cell) if value_cell else frozenset()
    if len(written) > 1:
        return Problem("AMBIGUOUS_CURRENCY", columns.value)
    return next(iter(written), None)


def currency_of_row(text: str | None, _rules: RowRules) -> str | None:
    """Return the currency in a cell, None if the cell has no value, or `_UNREADABLE`."""
    try:
        return parse_currency(text) if text else None
    except RuleError:
        return _UNREADABLE


def currency_of_new_value(own: str | None, of_row: str | None, rules: RowRules) -> str | None:
    """Return the currency of the new value, else that of the row."""
    return currency_of_row(own or of_row, rules)
