"""The values of a row filter in a profile: `{"Deal Stage": ["Closed Won"]}`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def _by_column(value: object) -> object:
    """Column → its values, as a tuple of texts: people write a single value without a list, and
    numbers and true without quotes."""
    if not isinstance(value, dict):
        raise ValueError('not an object. Write {"column name": ["value", ...]}.')
    return {_column(column): _values(column, values) for column, values in value.items()}


def _column(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ValueError("a column has no name. Write the name of a column of the file.")
    return name


def _values(column: str, values: object) -> tuple[str, ...]:
    listed = values if isinstance(values, (list, tuple)) else [values]
    if not listed or not all(isinstance(each, (str, int, float)) for each in listed):
        raise ValueError(f'"{column}" has no list of values. Write {{"{column}": ["value", ...]}}.')
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in listed)


RowValues = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_by_column)]
