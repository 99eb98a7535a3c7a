"""Fields are declared once, and nothing about them can be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import pytest

from lib.catalogue.codes import CATALOGUE
from lib.destinations import registry
from lib.errors import RuleError
from lib.model.capabilities import Capabilities
from lib.model.fields import CUSTOM_VARIABLE, Field, NumberFormat
from lib.model.records import Adjustment, Call, Conversion, Row
from lib.rules.columns import ChunkColumns
from lib.rules.fields import BY_NAME, field_named
from lib.rules.fields.table import FIELDS
from tests.rules.rows import engine_for
from tools import watch_google

ALL = [registry.capabilities_of(name) for name in registry.names()]
NOT_IN_THE_CLIENT = {("data_manager", "call_start_date_time")}
"""Paths for which only REST has a field (`lib.destinations.data_manager.client`)."""

MADE_BY_THE_ENGINE = {
    *("action_id", "warnings", "optional_fields"),
    *("conversion_time", "original"),  # from the columns of the conversion
}
"""Attributes of a record that no column fills directly."""

ATTRIBUTES = {*Conversion._fields, *Adjustment._fields, *Call._fields}
JUNK = ("?", "-1", "1e99", "x" * 9_000, "a@b@c", "{", "=;=", "99999999999999999999", "\ud83d")


def name_of(field: Field) -> str:
    return field.name


def test_every_field_has_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field declares how its cells are read, or a rule reads them, or it is sent nowhere."""
    read = set[str]()
    cells = ChunkColumns.cells

    def recording(self: ChunkColumns, field: str) -> Sequence[str]:
        read.add(field)
        return cells(self, field)

    monkeypatch.setattr(ChunkColumns, "cells", recording)
    row: Row = (2, ["x"] * len(BY_NAME), None, 1)
    for capabilities in ALL:
        for kind in capabilities.kinds:
            engine_for([*BY_NAME], kind, capabilities=capabilities).validate([row])
    assert read == BY_NAME.keys()
    assert len(BY_NAME) == len(FIELDS)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Email_2", "email_2"),
        ("phone_9", "phone_9"),
        ("hashed_email_3", "hashed_email_3"),
        ("hashed_phone_number_2", "hashed_phone_number_2"),
        ("email_10", None),
        ("email_1", None),
        ("gclid_2", None),
        ("Google  Click ID", "gclid"),
        ("custom_variable. Plan", "custom_variable.Plan"),
        ("custom_variable.", None),
    ],
)
def test_the_names_of_fields(name: str, field: str | None) -> None:
    """A column has the name of a field, one in Google's templates, or a number up to nine."""
    assert field_named(name) == field


def test_every_attribute_of_a_record_has_a_field() -> None:
    """A field without an attribute, or an attribute without a field, was forgotten."""
    targets = {field.attribute for field in FIELDS if not field.only_helps}
    assert ATTRIBUTES - targets == MADE_BY_THE_ENGINE
    optional = {field.attribute for field in FIELDS if field.parse is not None}
    assert targets - optional - ATTRIBUTES == {"address", "custom_variables"}


@pytest.mark.parametrize("field", [f for f in FIELDS if f.parse is not None], ids=name_of)
def test_an_optional_field_has_its_own_name(field: Field) -> None:
    """By it, the destinations find where they write the value."""
    assert field.attribute.removeprefix("cart.") == field.name


def test_every_field_is_sent_somewhere() -> None:
    """A field that no destination can send was forgotten in its capabilities."""
    sent = {field for each in ALL for can in each.kinds.values() for field in can.fields}
    assert {f.name for f in FIELDS if not f.only_helps} <= sent


@pytest.mark.parametrize("capabilities", ALL, ids=lambda each: each.name)
def test_capabilities_name_what_exists(capabilities: Capabilities) -> None:
    """They name declared fields, attributes of the record, codes and the registered name."""
    assert registry.capabilities_of(capabilities.name) is capabilities
    assert find_spec(f"{registry.PACKAGES[capabilities.name]}.connector") is not None
    sales = capabilities.kinds["conversion"]
    assert sales.fields.keys() <= BY_NAME.keys()
    known = ATTRIBUTES | {field.attribute for field in FIELDS}
    assert sales.identifying <= known
    for exclusion in capabilities.exclusions:
        assert exclusion.attribute in known
        assert exclusion.beside in known | {"user_identifiers"}
        assert exclusion.code in CATALOGUE


@pytest.mark.parametrize("capabilities", ALL, ids=lambda each: each.name)
def test_every_path_exists_in_the_apis_message(capabilities: Capabilities) -> None:
    """A path with a typing error would lose the column, or fail every row.

    If the client library has got a field that only REST had, send its rows with gRPC.
    """
    missing = set()
    assert capabilities.kinds.keys() == watch_google.MESSAGES[capabilities.name].keys()
    for kind, can in capabilities.kinds.items():
        for field, path in can.fields.items():
            message: Any = watch_google.MESSAGES[capabilities.name][kind]
            for part in path.split("."):
                if part not in message.fields_by_name:
                    missing.add((capabilities.name, field))
                    break
                message = message.fields_by_name[part].message_type
    assert missing == {each for each in NOT_IN_THE_CLIENT if each[0] == capabilities.name}


@pytest.mark.parametrize("field", [f for f in FIELDS if f.parse is not None], ids=name_of)
def test_a_bad_cell_costs_what_its_code_says(field: Field) -> None:
    """The declaration and the catalogue agree on whether the row or only the cell is lost."""
    assert field.parse is not None
    codes = set()
    for cell in JUNK:
        try:
            field.parse(cell, NumberFormat("."))
        except RuleError as error:
            codes.add(error.code)
    assert codes
    for code in codes:
        assert (CATALOGUE[code].severity == "error") is (field.bad_cell_costs == "row"), code


@pytest.mark.parametrize("field", FIELDS, ids=name_of)
def test_a_field_has_a_name_and_a_description(field: Field) -> None:
    """The name is an identifier, and the description a sentence."""
    assert field.description.endswith(".")
    assert field.name == CUSTOM_VARIABLE or field.name.isidentifier()
