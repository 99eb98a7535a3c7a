"""The rows of the documentation's tables, as the code has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.source.fields import FIELDS, HIGHEST_NUMBER


def field_rows() -> Iterator[str]:
    """One row for each field of `lib.source.fields`."""
    for field in FIELDS:
        name = f"`{field.name}`"
        if field.numbered:
            name += f", `{field.name}_2` ... `{field.name}_{HIGHEST_NUMBER}`"
        aliases, fallbacks = (
            ", ".join(f"`{alias}`" for alias in names) for names in (field.aliases, field.fallbacks)
        )
        yield f"| {name} | {field.description} | {aliases} | {fallbacks} |"


def profile_rows() -> Iterator[str]:
    """One row for each key of a profile."""
    for name, field in Profile.model_fields.items():
        yield f"| `{name}` | {_default(field)} | {field.description} |"


def settings_rows() -> Iterator[str]:
    """One row for each environment variable."""
    for name, field in Settings.model_fields.items():
        yield f"| `{name.upper()}` | {_default(field)} | {field.description} |"


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (None, "", {}):
        return "unset"
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
