"""The definition of a declared field. The declarations are in `lib.rules.fields`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

RecordKind = Literal["conversion", "adjustment", "call"]

ValueKind = Literal["text", "number", "unit", "name", "word", "country"]
"""What a cell holds: a code or an address, a number, the currency or time zone of other cells, a
name that people chose, a word of a closed list, or a country. It decides which cells are
placeholders (`lib.rules.values.cells`)."""

ParseCell = Callable[[str, bool], Any]
"""(non-empty cell, whether decimals are written with a comma) → value for the record."""

ReadUnit = Callable[[str, bool], str | None]
"""(text after the name in a header, whether it is in brackets) → unit, or "" if it adds nothing, or
None if it is not a unit."""

HIGHEST_NUMBER: Final = 9
"""Numbered columns end here: `email_2` ... `email_9`. Together with phone numbers, that is more
user identifiers than a conversion may have."""

CUSTOM_VARIABLE: Final = "custom_variable."
"""Prefix of the column names of custom variables, followed by the variable's name."""

ADDRESS_FIELDS: Final = ("first_name", "last_name", "postal_code", "country_code")
"""A postal address identifies a person only with all four of these fields
(https://developers.google.com/data-manager/api/devguides/concepts/formatting)."""


class Content(NamedTuple):
    """How to suspect a column by its cells: the code of the note, and what a whole cell matches."""

    code: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field: its column names, its rule, and the target of its value.

    `name` is also a header name. `aliases` always mean the field, so two columns with these names
    are an error. `fallbacks` are vague names ("value", "close date"): they count only if no other
    column means the field.
    """

    name: str
    description: str
    """For the column table of docs/input.md."""
    aliases: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    crm_names: tuple[str, ...] = ()
    """Names in exports of CRMs, the best one first. They count only if no name above fits."""
    last_resorts: tuple[str, ...] = ()
    """Names that usually mean something else, but count if no other name fits."""
    numbered: bool = False
    """Several columns may contain it: `email`, `email_2`, ..."""
    prefers_first_fallback: bool = False
    """Use the first listed name if a file has several that are not clear. Otherwise several are an
    error."""
    stands_in_for: str = ""
    """A file without a column for this other field has it in the column of this field."""
    only_exact_name: bool = False
    """Match `name` only if it is spelled exactly like this: `Time Zone` usually means something
    else in a CRM export."""
    clear_in_brackets: bool = False
    """Its name after another name means the field: `Klick-Kennung (GCLID)`."""
    read_unit: ReadUnit | None = None
    """Reads the unit of the column in its header: `Amount (USD)`."""
    content: Content | None = None
    """What most cells of the column look like."""
    choice_code: str = ""
    """Code of the note on the column that was chosen among several, or is a last resort."""
    identifies: bool = False
    """At least one destination can identify a click or a person by this field alone."""
    record_kinds: frozenset[RecordKind] = frozenset({"conversion"})
    """Files of these kinds can have it."""
    target: str = ""
    """Record attribute that receives the value. Empty: the field only helps to read other columns,
    with every destination."""
    parse: ParseCell | None = None
    """Reads one cell and raises `RuleError`. None: a rule of `lib.rules` reads its cells,
    because their meaning depends on other columns."""
    kind: ValueKind = "text"
    if_placeholder: Any = None
    """Value for the record if the cell is a placeholder. None: the same as for an empty cell."""
    placeholder_note: str = "read as empty"
    """What the note on the placeholders of a column says about them."""
    bad_value: Literal["row", "cell"] = "cell"
    """An unreadable cell rejects the whole row, or only leaves out the cell (with a warning)."""
    only_for_some: bool = False
    """Google takes it only from some callers; `omit_session_and_ip` in the profile omits it."""
    not_sent_code: str = "COLUMN_NOT_SENT"
    """Code of the note on a file with this column if the destination can't send it."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file other than click conversions, how to recognize it, and what it needs.

    `code` is the error of a file of this kind if the destination cannot send it. `fields` are those
    that only this kind has: their columns show the kind. `words` are cells, in upper case, that
    only rows of this kind have. A file needs one of the fields in each of the tuples `required`.
    """

    kind: RecordKind
    code: Literal["ADJUSTMENT_FILE", "CALL_FILE"]
    fields: tuple[Field, ...]
    required: tuple[tuple[str, ...], ...]
    words: frozenset[str] = frozenset()
    may_have_click_id: bool = False
    """Whether a row with a click ID or a user identifier can be of this kind."""

    @property
    def headers(self) -> Iterable[str]:
        """Names of columns that only this kind has."""
        return (name for field in self.fields for name in (field.name, *field.aliases))


def base_name(column: str) -> str:
    """Return the declared name: `email_2` → `email`, `custom_variable.x` → `custom_variable.`."""
    if column.startswith(CUSTOM_VARIABLE):
        return CUSTOM_VARIABLE
    base, _, number = column.rpartition("_")
    return base if number.isdecimal() and base else column
