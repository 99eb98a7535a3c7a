"""Messages with only some of the fields of Google's own. What is inside of a field stays bytes."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_TYPES: Final = {
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "string": FieldDescriptorProto.TYPE_STRING,
}


class MessageField(NamedTuple):
    """A field that is read or written. A message is `bytes`: both look the same on the wire."""

    name: str
    number: int
    type: Literal["bytes", "string"]
    repeated: bool = False


def partial_message(name: str, *fields: MessageField) -> Any:
    """Return the raw class of a message with these fields. Any other field is kept unread."""
    file = FileDescriptorProto(name=f"{name}.proto", syntax="proto3")
    message = file.message_type.add(name=name)
    for field in fields:
        label = "LABEL_REPEATED" if field.repeated else "LABEL_OPTIONAL"
        message.field.add(
            name=field.name,
            number=field.number,
            type=_TYPES[field.type],
            label=FieldDescriptorProto.Label.Value(label),
        )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(name))
