"""What both APIs need to write records as protobuf: common fields as text, rare ones by their path.

The text is protobuf's wire format (https://protobuf.dev/programming-guides/encoding), written
without a message object. It has one character per byte (Latin-1), so that an f-string can build it:
a tag (field number and wire type), the length (except for numbers), and the content, with the
fields in any order. Tags come from the descriptors, so no field number is written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from struct import Struct
from typing import Any, Final

from lib.model.records import Cart, OptionalFields

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
"""The wire types: a number, eight bytes, and a length that the content follows."""


def varint(number: int) -> str:
    """Encode a number as protobuf does: seven bits per byte, lowest first."""
    text = ""
    while number > 127:
        text += chr(number & 127 | 128)
        number >>= 7
    return text + chr(number)


VARINTS: Final = tuple(map(varint, range(8192)))
"""The encoded lengths of all IDs and of most records."""


def tag(message: Any, field: str, wire_type: int) -> str:
    """Return the tag of a field. `message`: the descriptor of its message."""
    return varint(message.fields_by_name[field].number << 3 | wire_type)


def latin(value: str) -> str:
    """Return the value's UTF-8 bytes as text, with one character per byte."""
    return value if value.isascii() else value.encode().decode("latin-1")


double: Final = Struct("<d").pack
"""Encodes a float in eight bytes."""

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
