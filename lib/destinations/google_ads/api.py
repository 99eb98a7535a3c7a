"""The version of the Google Ads API (no other module names it) and its raw message types."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

API_VERSION: Final = "v26"

SUNSET: Final = date(2027, 11, 1)
"""The day on which Google switches off this version
(https://developers.google.com/google-ads/api/docs/sunset-dates)."""

QUERY_SERVICE: Final = (
    "googleads.googleapis.com",
    f"/{API_VERSION}/customers/{{customer_id}}/googleAds:search",
)
"""Host and path of queries (`lib.destinations.registry.QueryService`)."""

PACKAGE: Final = f"google.ads.googleads.{API_VERSION}"

_PARTS: Final = ("actions", "common", "enums", "errors", "resources", "services")

LAZY_PACKAGES: Final = (
    PACKAGE,
    *(name for part in _PARTS for name in (f"{PACKAGE}.{part}", f"{PACKAGE}.{part}.types")),
    f"{PACKAGE}.services.services",
)
"""The packages of which only the modules that are used are imported (`lazy_imports`)."""


def module(name: str) -> Any:
    """Return a module of this version, such as `services.types.google_ads_service`."""
    return import_module(f"{PACKAGE}.{name}")


class MessageField(NamedTuple):
    """A field that is read: a message, which stays as it came (bytes)."""

    name: str
    number: int
    repeated: bool = False


def partial_message(name: str, *fields: MessageField) -> Any:
    """Return the raw class of a message that has only some of the fields of Google's own."""
    file = FileDescriptorProto(name=f"{name}.proto", syntax="proto3")
    message = file.message_type.add(name=name)
    for field in fields:
        label = "LABEL_REPEATED" if field.repeated else "LABEL_OPTIONAL"
        message.field.add(
            name=field.name,
            number=field.number,
            type=FieldDescriptorProto.TYPE_BYTES,
            label=FieldDescriptorProto.Label.Value(label),
        )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(name))
