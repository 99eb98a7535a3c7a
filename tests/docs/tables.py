"""The rows of the tables in the documentation, generated from the code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.registry import capabilities_of, names
from lib.rules.fields import FIELDS


def only_sent_to_rows() -> Iterator[str]:
    """One row for each destination: the columns that no other destination sends."""
    declared = {name: capabilities_of(name) for name in names()}
    for name, capabilities in declared.items():
        others = {f for each in declared.values() if each.name != name for f in each.fields}
        own = [f.name for f in FIELDS if f.target and f.name in capabilities.fields.keys() - others]
        yield f"| {capabilities.title} | {', '.join(f'`{field}`' for field in own)} |"


def profile_rows() -> Iterator[str]:
    """One row for each profile key."""
    for name, field in Profile.model_fields.items():
        yield f"| `{name}` | {_default(field)} | {field.description} |"


def settings_rows() -> Iterator[str]:
    """One row for each environment variable."""
    for variable, name in Settings.variables().items():
        field = Settings.model_fields[name]
        yield f"| `{variable}` | {_default(field)} | {field.description} |"


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (None, "", {}, ()):
        return "unset"
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
