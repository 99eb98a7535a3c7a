"""Makes an API's messages about rows safe for results and logs: none may quote a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LIMIT = 300
"""Maximum number of characters that are kept of a message."""


def without_values(message: str, sent: Any) -> str:
    """Return the message, or "" if it contains a value of the protobuf message that was sent.

    What looks like an email address or a phone number is replaced in any case: the API may quote
    what it has instead of what it got. `sent` is None for a query: it contains no value of a row.
    """
    if sent is not None and quotes_value(message, sent):
        return ""
    return without_personal_data(message)


def quotes_value(message: str, sent: Any) -> bool:
    """Whether the message contains a value of the protobuf message that was sent."""
    return any(_quotes(message, value) for value in _texts(sent))


_PHONE = re.compile(r"\+[0-9]{7,15}")
_LOCAL_DIGITS = 7
"""A phone number is recognized by its last digits, because it may be quoted in another format."""


def _quotes(message: str, value: str) -> bool:
    if _PHONE.fullmatch(value):
        return value[-_LOCAL_DIGITS:] in re.sub(r"[^0-9]", "", message)
    return len(value) > 3 and value in message


_EMAIL = re.compile(r"[^\s@\"'<>(),;:=]+@[^\s@\"'<>(),;:=]+")
_NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[\s().-]{0,2}\d){6,}(?!\w)")


def without_personal_data(message: str) -> str:
    """Return the start of the message, without email addresses and long numbers."""
    return _NUMBER.sub("[number]", _EMAIL.sub("[email]", message))[:LIMIT]


def _texts(message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        values = value if field.is_repeated else (value,)
        for each in values:
            if isinstance(each, str):
                yield each
            elif field.message_type is not None:
                yield from _texts(each)
