"""What both APIs need to write records as protobuf: common fields as text, rare ones by their path.

The text is protobuf's wire format (https://protobuf.dev/programming-guides/encoding), written
without a message object. It has one character per byte (Latin-1), so that an f-string can build it:
a tag (field number and wire type), the length (except for numbers), and the content, with the
fields in any order. Tags come from the descriptors, so no field number is written down.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from struct import Struct
from typing import Any, Final

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
"""Field → path in the API's message."""


def plain_paths(declared: Mapping[str, str], special: Container[str]) -> Paths:
    """Return the declared paths (`KindCapabilities.fields`) of the fields whose value is written as
    it is. The `special` ones are left out: the serializer writes them with separate code."""
    return {name: tuple(path.split(".")) for name, path in declared.items() if name not in special}


def write_plain_values(message: Any, paths: Paths, values: Mapping[str, Any]) -> None:
    """Write the values that have a path. Those of enum fields are the names of enum values."""
    for name, value in values.items():
        if name not in paths:
            continue
        *parents, last = paths[name]
        target = message
        for parent in parents:
            target = getattr(target, parent)
        descriptor = target.DESCRIPTOR.fields_by_name[last]
        if descriptor.enum_type is not None:
            value = descriptor.enum_type.values_by_name[value].number
        elif descriptor.type == descriptor.TYPE_STRING:
            value = value.decode("ascii") if isinstance(value, bytes) else str(value)
        setattr(target, last, value)
