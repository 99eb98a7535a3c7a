"""The declarations of all fields: header names, rule, effect of an invalid value, and target.

A field with `parse` needs nothing else in `lib.rules`. A field without it is read by a rule
(`lib.rules.identity`, `times`, `amounts`, ...), because its meaning depends on other columns.
`make reference` writes docs/columns.md from these declarations. CONTRIBUTING.md explains how to add
a column.
"""

from __future__ import annotations

from typing import Final

from lib.model.fields import Field
from lib.rules.fields.conversion import CONVERSION
from lib.rules.fields.identity import IDENTITY
from lib.rules.fields.optional import OPTIONAL
from lib.rules.fields.other_kinds import ADJUSTMENT, CALL

FIELDS: Final[tuple[Field, ...]] = (*IDENTITY, *CONVERSION, *OPTIONAL, *ADJUSTMENT, *CALL)

OF_CONVERSIONS: Final = tuple(field for field in FIELDS if "conversion" in field.record_kinds)

OF_SALES_AND_REFUNDS: Final = tuple(
    field
    for field in FIELDS
    if not field.record_kinds.isdisjoint({"conversion", "adjustment"})
    and field.name != "adjustment_type"  # the profile says which rows are refunds
)

BY_NAME: Final = {field.name: field for field in FIELDS}
