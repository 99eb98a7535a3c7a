"""Names of enum values in the API's raw messages."""

from __future__ import annotations

from typing import Any, Final


def enum_name(message: Any, field: str) -> str:
    """Return the name of an enum value, or its number if it is newer than the client library."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return value.name if value is not None else str(number)


CONSENT: Final = {"GRANTED": 2, "DENIED": 3}
"""Numbers of ConsentStatusEnum, as the raw classes require."""
