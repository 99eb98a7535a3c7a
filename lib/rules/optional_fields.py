"""The fields that few files have: their columns → `OptionalFields` of each row.

`lib.rules.fields` declares these columns. They take no time in a file that does not have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from lib.model.fields import ADDRESS_FIELDS, CUSTOM_VARIABLE, Field
from lib.model.outcomes import Problem
from lib.model.records import Address, Cart, OptionalFields
from lib.rules.conversion_actions import ActionRule
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.row_rules import RowRules
from lib.rules.values.cart import parse_custom_variable
from lib.rules.values.cells import Memo, RuleError
from lib.rules.values.identifiers import (
    normalize_name,
    normalize_postal_code,
    normalize_region_code,
    sha256_hex,
)

_CART = "cart."

_NO_ITEMS = Cart(None, None, None, None, ())


class Target(NamedTuple):
    """The values of one record attribute, by row. Rows without a value are left out."""

    name: str
    values: dict[int, Any]


def read_declared(
    cells: Sequence[str], column: str, field: Field, decimal_comma: bool, problems: RowProblems
) -> Target:
    """Read a column with the `parse` function of its field."""
    assert field.parse is not None
    values: dict[int, Any] = {}
    for row, cell in enumerate(cells):
        text = plain_text(cell, column, problems.with_placeholders) if cell else ""
        if text is None and field.if_placeholder is not None:
            values[row] = field.if_placeholder
        elif text:
            try:
                values[row] = field.parse(text, decimal_comma)
            except RuleError as error:
                if field.bad_value == "row":
                    problems.reject(row, error.code, column)
                else:
                    problems.warn(row, error.code, column)
    return Target(field.target, values)


def read_custom_variables(
    columns: Mapping[str, Sequence[str]],
    actions: Sequence[ActionRule],
    ids: Memo[str | Problem],
    problems: RowProblems,
) -> Target:
    """Return the custom variables of each row as (key, value) pairs.

    `ids` maps a customer ID and the name in the header to the key that the destination needs.
    """
    found: dict[int, list[tuple[str, str]]] = {}
    for column, cells in columns.items():
        name = column.removeprefix(CUSTOM_VARIABLE)
        for row, cell in enumerate(cells):
            text = plain_text(cell, column, problems.with_placeholders) if cell else ""
            if text:
                try:
                    value = parse_custom_variable(text)
                except RuleError as error:
                    problems.warn(row, error.code, column)
                    continue
                key = ids[actions[row].customer_id, name]
                if isinstance(key, Problem):
                    problems.warn(row, key.code, column)
                else:
                    found.setdefault(row, []).append((key, value))
    return Target("custom_variables", {row: tuple(pairs) for row, pairs in found.items()})


def custom_variable_id(customer_id: str, name: str, rules: RowRules) -> str | Problem:
    """Return the key that the destination needs for the custom variable in the header.

    The header usually contains the variable's name. An unknown name returns a `Problem`.
    """
    if not rules.capabilities.resolves_custom_variables or (name.isascii() and name.isdigit()):
        return name
    account = rules.account(customer_id) if customer_id else Problem("")
    if isinstance(account, Problem) or not account.verified:
        return name
    found = (account.custom_variables or {}).get(name.casefold())
    return Problem("UNKNOWN_CUSTOM_VARIABLE") if found is None else found


def read_addresses(columns: Mapping[str, Sequence[str]], problems: RowProblems) -> Target:
    """Return the postal address of each row: all four parts or none, as fewer identify nobody."""
    parse = {
        "first_name": lambda cell: sha256_hex(normalize_name(cell)),
        "last_name": lambda cell: sha256_hex(normalize_name(cell)),
        "postal_code": normalize_postal_code,
        "country_code": normalize_region_code,
    }
    found: dict[int, Address] = {}
    for row, cells in enumerate(zip(*(columns[name] for name in ADDRESS_FIELDS), strict=True)):
        parts: dict[str, str] = {}
        for name, cell in zip(ADDRESS_FIELDS, cells, strict=True):
            text = plain_text(cell, name, problems.with_placeholders) if cell else ""
            if text:
                try:
                    parts[name] = parse[name](text)
                except RuleError as error:
                    problems.warn(row, error.code, name)
        if len(parts) == len(ADDRESS_FIELDS):
            found[row] = Address(
                parts["first_name"], parts["last_name"], parts["country_code"], parts["postal_code"]
            )
        elif parts.keys() - {"country_code"}:
            problems.warn(row, "ADDRESS_INCOMPLETE", "postal_code")
    return Target("address", found)


def assemble(targets: Sequence[Target]) -> dict[int, OptionalFields]:
    """Return the optional fields of the rows that have any. A cart without items is left out."""
    by_row: dict[int, dict[str, Any]] = {}
    carts: dict[int, dict[str, Any]] = {}
    for name, values in targets:
        into = carts if name.startswith(_CART) else by_row
        for row, value in values.items():
            into.setdefault(row, {})[name.removeprefix(_CART)] = value
    for row, parts in carts.items():
        if "items" in parts:
            by_row.setdefault(row, {})["cart"] = replace(_NO_ITEMS, **parts)
    return {row: OptionalFields(**found) for row, found in by_row.items()}
