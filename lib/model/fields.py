"""What is declared about a field. The table of all fields is `lib.rules.fields.table`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

RecordKind = Literal["conversion", "adjustment", "call"]

ValueKind = Literal["text", "number", "unit", "name", "word", "country"]
"""What a cell holds: a code or an address, a number, the currency or time zone of other cells, a
name that people chose, a word of a closed list, or a country. It decides which cells are
placeholders (`lib.rules.values.cells`)."""

DecimalSign = Literal[".", ","]


class NumberFormat(NamedTuple):
    """How the numbers of a file are written, as its profile says. With the scale 0.01, amounts are
    in cents."""

    decimal_sign: DecimalSign | None = None
    scale: float = 1


UNDECLARED: Final = NumberFormat()
"""The format of a file whose profile says nothing about its numbers."""

ParseCell = Callable[[str, NumberFormat], Any]
"""(non-empty cell, number format of the profile) → value for the record."""

HIGHEST_NUMBER: Final = 9
"""Numbered columns end here: `email_2` ... `email_9`. Together with phone numbers, that is more
user identifiers than a conversion may have."""

CUSTOM_VARIABLE: Final = "custom_variable."
"""Prefix of the column names of custom variables, followed by the variable's name."""

ADDRESS_FIELDS: Final = ("first_name", "last_name", "postal_code", "country_code")
"""A postal address identifies a person only with all four of these fields
(https://developers.google.com/data-manager/api/devguides/concepts/formatting)."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field: its names, its rule, and the target of its value.

    `name` and `template_names` are the names of its column in a file whose profile names none.
    """

    name: str
    description: str
    """For the column table of docs/input.md."""
    template_names: tuple[str, ...] = ()
    """Names in Google's templates (https://support.google.com/google-ads/answer/7014069)."""
    numbered: bool = False
    """Several columns may contain it: `email`, `email_2`, ..."""
    record_kinds: frozenset[RecordKind] = frozenset({"conversion"})
    """Files of these kinds can have it."""
    target: str = ""
    """Record attribute that receives the value, if it has another name."""
    only_helps: bool = False
    """It is not sent: it helps to read other columns, with every destination."""
    parse: ParseCell | None = None
    """Reads one cell and raises `RuleError`. None: a rule of `lib.rules` reads its cells,
    because their meaning depends on other columns."""
    value_kind: ValueKind = "text"
    placeholder_note: str = "read as empty"
    """What the note on the placeholders of a column says about them."""
    bad_cell_costs: Literal["row", "cart", "cell"] = "cell"
    """A cell that cannot be read rejects its row, or is left out with a warning: with the whole
    cart, or alone."""
    needs_permission: bool = False
    """Google takes it only from callers that it permits; with `omit_session_and_ip` in the profile,
    it is not sent."""

    @property
    def attribute(self) -> str:
        """The record attribute that receives the value."""
        return self.target or self.name


def base_name(column: str) -> str:
    """Return the declared name: `email_2` → `email`, `custom_variable.x` → `custom_variable.`."""
    if column.startswith(CUSTOM_VARIABLE):
        return CUSTOM_VARIABLE
    base, _, number = column.rpartition("_")
    return base if number.isdecimal() and base else column
