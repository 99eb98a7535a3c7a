"""Looks up the fields of `lib.rules.fields.table` by name, and the kind of a file by its fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from lib.model.fields import CUSTOM_VARIABLE, HIGHEST_NUMBER, RecordKind
from lib.model.spelling import comparable
from lib.rules.fields.table import FIELDS

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

_TIMES_COLUMN: Final = "column of times"


class KindNeeds(NamedTuple):
    """What a file needs for records of one kind.

    `fields`: each field without which no row can be sent → what its column is. `found_by` is the
    usual field by which an API finds the click, the call or the conversion (`found`).
    """

    fields: Mapping[str, str]
    found_by: str
    found: str


NEEDS: Final[Mapping[RecordKind, KindNeeds]] = {
    "conversion": KindNeeds(
        {"conversion_date_time": _TIMES_COLUMN}, found_by="gclid", found="conversion"
    ),
    "call": KindNeeds(
        {
            "caller_id": "column of callers",
            "call_start_date_time": _TIMES_COLUMN,
            "conversion_date_time": _TIMES_COLUMN,
        },
        found_by="caller_id",
        found="call",
    ),
    "adjustment": KindNeeds(
        {"adjustment_type": "column of types", "adjustment_date_time": _TIMES_COLUMN},
        found_by="order_id",
        found="conversion",
    ),
}

ONLY_OF_ADJUSTMENTS: Final = frozenset(
    field.name for field in FIELDS if field.record_kinds == {"adjustment"}
)
ONLY_OF_CALLS: Final = frozenset(field.name for field in FIELDS if field.record_kinds == {"call"})


def field_named(name: str) -> str | None:
    """Return the name of the field of a column, if the column is called like the field itself or as
    in Google's templates: `Conversion Time` → `conversion_date_time`. None: it is no field's name.
    """
    if name.lower().startswith(CUSTOM_VARIABLE):
        variable = name[len(CUSTOM_VARIABLE) :].strip()
        return CUSTOM_VARIABLE + variable if variable else None
    return _KNOWN_NAMES.get(comparable(name))


def kind_of(fields: Collection[str]) -> RecordKind:
    """Return the kind of a file: a field of adjustments decides, else one of calls."""
    if not ONLY_OF_ADJUSTMENTS.isdisjoint(fields):
        return "adjustment"
    return "conversion" if ONLY_OF_CALLS.isdisjoint(fields) else "call"
