"""Writes plain values of a record to the paths that a destination declares for their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from lib.model.records import Cart, OptionalFields

Paths = Mapping[str, tuple[str, ...]]
"""Attribute of the record → path in the API's message."""


def plain_paths(
    part: type[OptionalFields | Cart], declared: Mapping[str, str], special: Iterable[str]
) -> Paths:
    """Return the declared paths (`Capabilities.fields`) of the attributes of a part of the record.

    The `special` attributes are left out: the serializer writes them with separate code.
    """
    names = {each.name for each in fields(part)}.intersection(declared).difference(special)
    return {name: tuple(declared[name].split(".")) for name in sorted(names)}


def write_plain_values(message: Any, paths: Paths, part: OptionalFields | Cart) -> None:
    """Write the values that are set. For an enum field, the value is the name of an enum value."""
    for name, (*parents, last) in paths.items():
        value = getattr(part, name)
        if value is None:
            continue
        target = message
        for parent in parents:
            target = getattr(target, parent)
        descriptor = target.DESCRIPTOR.fields_by_name[last]
        if descriptor.enum_type is not None:
            value = descriptor.enum_type.values_by_name[value].number
        elif descriptor.type == descriptor.TYPE_STRING:
            value = value.decode("ascii") if isinstance(value, bytes) else str(value)
        setattr(target, last, value)
