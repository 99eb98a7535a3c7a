"""Consent, and the fields that few files have: custom variables, carts, addresses and others.

`lib.rules.fields` declares these columns. Those that few files have take no time in other files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from lib.errors import RuleError
from lib.model.fields import ADDRESS_FIELDS, CUSTOM_VARIABLE, Field
from lib.model.outcomes import Problem
from lib.model.records import Address, OptionalFields
from lib.rules.columns import ChunkColumns, RowProblems
from lib.rules.fields import BY_NAME
from lib.rules.row_rules import RowRules
from lib.rules.values.cart import check_custom_variable
from lib.rules.values.enums import parse_consent
from lib.rules.values.identifiers import (
    normalize_name,
    normalize_postal_code,
    normalize_region_code,
    sha256_hex,
    with_lost_zeros,
)

_CART = "cart."


def read_consents(chunk: ChunkColumns) -> list[str | None]:
    """Return the consent of each row: GRANTED, DENIED or None.

    A cell that can't be read rejects the row: a misread denial would count as consent.
    """
    consents = chunk.read_once(_consent_of, "ad_user_data")
    return chunk.problems.reject_problems(consents, None)


def _consent_of(text: str | None, rules: RowRules) -> str | Problem | None:
    """Return the consent in a cell, or that of the profile if the cell is empty.

    A cell that declares consent as unspecified is not empty, and neither is a placeholder: they do
    not get the default, because a missing answer is no consent.
    """
    if not text:
        return rules.ad_user_data if text == "" else None
    try:
        return parse_consent(text)
    except RuleError as error:
        return Problem(error.code, "ad_user_data")


def read_optional_fields(chunk: ChunkColumns) -> list[OptionalFields | None]:
    """Return the fields that few files have, or None for a row without any."""
    targets = [
        _read_declared(cells, name, BY_NAME[name], chunk.file.rules, chunk.problems)
        for name, cells in chunk.named(lambda name: name in BY_NAME)
        if BY_NAME[name].parse is not None
    ]
    targets.append(_AttributeValues("custom_variables", _read_variables(chunk)))
    if chunk.has_columns(ADDRESS_FIELDS):
        targets.append(_read_addresses(chunk))
    by_row = _merge(targets)
    return [by_row.get(row) for row in range(chunk.size)]


class _AttributeValues(NamedTuple):
    """The values of one record attribute, by row. Rows without a value are left out. The value None
    is the part of a cart that cannot be read, and without which the cart would be another one."""

    name: str
    values: dict[int, Any]


def _read_declared(
    cells: Sequence[str], column: str, field: Field, rules: RowRules, problems: RowProblems
) -> _AttributeValues:
    """Read a column with the `parse` function of its field. Words that the API does not have are
    left out."""
    assert field.parse is not None
    number_format = rules.number_format
    unknown: Collection[Any] = rules.capabilities.unknown_words.get(column, ())
    values: dict[int, Any] = {}
    for row, cell in enumerate(cells):
        text = problems.plain_text(cell, column) if cell else ""
        if text:
            try:
                value = field.parse(text, number_format)
            except RuleError as error:
                refuse = problems.reject if field.bad_cell_costs == "row" else problems.warn
                refuse(row, error.code, column)
                if field.bad_cell_costs == "cart":
                    values[row] = None
                continue
            if value in unknown:
                problems.warn(row, "WORD_NOT_SENT", column)
            elif value is not None:
                values[row] = value
    return _AttributeValues(field.attribute, values)


def _read_variables(chunk: ChunkColumns) -> dict[int, tuple[tuple[str, str], ...]]:
    """Return the custom variables of the rows that have any, as (key, value) pairs."""
    problems, ids = chunk.problems, chunk.file.memo(_variable_id)
    found: dict[int, list[tuple[str, str]]] = {}
    for column, cells in chunk.named(lambda name: name.startswith(CUSTOM_VARIABLE)):
        name = column.removeprefix(CUSTOM_VARIABLE)
        for row, cell in enumerate(cells):
            text = problems.plain_text(cell, column) if cell else ""
            if text:
                try:
                    value = check_custom_variable(text)
                except RuleError as error:
                    problems.warn(row, error.code, column)
                    continue
                key = ids[name]
                if isinstance(key, Problem):
                    problems.warn(row, key.code, column)
                else:
                    found.setdefault(row, []).append((key, value))
    return {row: tuple(pairs) for row, pairs in found.items()}


def _variable_id(name: str, rules: RowRules) -> str | Problem:
    """Return the key that the destination needs for the custom variable in the header.

    The header usually contains the variable's name. An unknown name returns a `Problem`. If the
    account was not looked up, nobody knows its variables, and Google decides.
    """
    account = rules.account
    is_id = name.isascii() and name.isdigit()
    if is_id or not (rules.capabilities.resolves_custom_variables and account.verified):
        return name
    found = account.custom_variables.get(name.casefold())
    return Problem("UNKNOWN_CUSTOM_VARIABLE") if found is None else found


def _read_addresses(chunk: ChunkColumns) -> _AttributeValues:
    """Return the postal address of each row: all four parts or none, as fewer identify nobody."""
    parse = {
        "first_name": lambda cell: sha256_hex(normalize_name(cell)),
        "last_name": lambda cell: sha256_hex(normalize_name(cell)),
        "postal_code": normalize_postal_code,
        "country_code": normalize_region_code,
    }
    problems = chunk.problems
    found: dict[int, Address] = {}
    for row, cells in enumerate(zip(*map(chunk.cells, ADDRESS_FIELDS), strict=True)):
        parts: dict[str, str] = {}
        for name, cell in zip(ADDRESS_FIELDS, cells, strict=True):
            text = problems.plain_text(cell, name) if cell else ""
            if text:
                try:
                    parts[name] = parse[name](text)
                except RuleError as error:
                    problems.warn(row, error.code, name)
        if len(parts) == len(ADDRESS_FIELDS):
            country_code = parts["country_code"]
            postal_code = with_lost_zeros(parts["postal_code"], country_code)
            found[row] = Address(parts["first_name"], parts["last_name"], country_code, postal_code)
        elif parts.keys() - {"country_code"}:  # a country alone is that of the phone numbers
            problems.warn(row, "ADDRESS_INCOMPLETE", "postal_code")
    return _AttributeValues("address", found)


def _merge(targets: Sequence[_AttributeValues]) -> Mapping[int, OptionalFields]:
    """Return the optional fields of the rows that have any. A cart without items is left out, and
    so is one with a part that is None.

    `[_AttributeValues("customer_type", {2: "NEW"})]` becomes `{2: {"customer_type": "NEW"}}`.
    """
    by_row: dict[int, dict[str, Any]] = {}
    carts: dict[int, dict[str, Any]] = {}
    for name, values in targets:
        into = carts if name.startswith(_CART) else by_row
        for row, value in values.items():
            into.setdefault(row, {})[name.removeprefix(_CART)] = value
    for row, parts in carts.items():
        if "items" in parts and None not in parts.values():
            by_row.setdefault(row, {})["cart"] = parts
    return by_row
