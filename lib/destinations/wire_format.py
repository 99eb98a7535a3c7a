"""Protobuf's wire format as text, for messages that are written without a message object.

The text has one character per byte (Latin-1), so that an f-string can build it. The format is
https://protobuf.dev/programming-guides/encoding: a tag (field number and wire type), the length
(except for numbers), and the content, with the fields in any order. Tags come from the descriptors,
so no field number is written down.
"""

from __future__ import annotations

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
