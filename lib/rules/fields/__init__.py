"""The declarations of all fields: header names, rule, effect of an invalid value, and target.

A field with `parse` needs nothing else in `lib.rules`. A field without it has a rule in
`lib.rules.engine`, because its meaning depends on other columns. The column table of docs/input.md
is generated from these declarations (`python -m lib.rules.fields`). CONTRIBUTING.md explains how to
add a column.
"""

from __future__ import annotations

from typing import Final

from lib.model.fields import Field
from lib.rules.fields.conversion import CONVERSION
from lib.rules.fields.identity import IDENTITY
from lib.rules.fields.optional import OPTIONAL

FIELDS: Final[tuple[Field, ...]] = (*IDENTITY, *CONVERSION, *OPTIONAL)

BY_NAME: Final = {field.name: field for field in FIELDS}
