"""The declarations of all fields: name, rule, effect of an invalid value, and target.

A field with `parse` needs nothing else in `lib.rules`. A field without it is read by a rule
(`lib.rules.identity`, `times`, `amounts`, ...), because its meaning depends on other columns.
`make reference` writes a table of docs/input.md from these declarations. CONTRIBUTING.md explains
how to add a field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from lib.model.fields import (
    CUSTOM_VARIABLE,
    HIGHEST_NUMBER,
    Field,
    RecordKind,
    comparable,
)
from lib.rules.fields.conversion import CONVERSION
from lib.rules.fields.identity import IDENTITY
from lib.rules.fields.optional import OPTIONAL
from lib.rules.fields.other_kinds import ADJUSTMENT, CALL

FIELDS: Final[tuple[Field, ...]] = (*IDENTITY, *CONVERSION, *OPTIONAL, *ADJUSTMENT, *CALL)

BY_NAME: Final = {field.name: field for field in FIELDS}

NUMBERED: Final = tuple(
    f"{field.name}_{number}"
    for field in FIELDS
    if field.numbered
    for number in range(2, HIGHEST_NUMBER + 1)
)


def is_field(name: str) -> bool:
    """Return whether a name is that of a field: `email`, `email_2`, `custom_variable.Plan`."""
    if name.startswith(CUSTOM_VARIABLE):
        return bool(name.removeprefix(CUSTOM_VARIABLE).strip())
    return name in BY_NAME or name in NUMBERED


# ── files whose profile names no columns ─────────────────────────────────────────────────────

_KNOWN_NAMES: Final = {
    **{comparable(name): field.name for field in FIELDS for name in field.template_names},
    **{name: name for name in (*BY_NAME, *NUMBERED) if name != CUSTOM_VARIABLE},
}

REQUIRED: Final[Mapping[RecordKind, tuple[str, ...]]] = {
    "adjustment": ("adjustment_type", "adjustment_date_time"),
    "call": ("caller_id", "call_start_date_time", "conversion_date_time"),
    "conversion": ("conversion_date_time",),
}
"""The fields that each kind of file has. The kind follows from the names (`kind_of`)."""

_ONLY_IN: Final[Mapping[RecordKind, frozenset[str]]] = {
    "adjustment": frozenset(field.name for field in ADJUSTMENT),
    "call": frozenset(field.name for field in CALL),
}


def field_named(name: str) -> str | None:
    """Return the field of a column with its own name, or its name in Google's templates."""
    if name.lower().startswith(CUSTOM_VARIABLE):
        variable = name[len(CUSTOM_VARIABLE) :].strip()
        return CUSTOM_VARIABLE + variable if variable else None
    return _KNOWN_NAMES.get(comparable(name))


def kind_of(fields: Collection[str]) -> RecordKind:
    """Return the kind of a file with these fields: any name that only one kind has decides."""
    return next(
        (kind for kind, own in _ONLY_IN.items() if not own.isdisjoint(fields)), "conversion"
    )
