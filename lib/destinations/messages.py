"""Makes an API's messages about rows safe for results and logs: none may quote a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LIMIT = 300
"""Maximum number of characters that are kept of a message."""


def without_values(message: str, sent: Any) -> str:
    """Return the message, or "" if it contains a value of the protobuf message that was sent.

    `sent` is None for a query, because a query contains no value of a row.
    """
    if sent is not None and any(value in message for value in _texts(sent) if len(value) > 3):
        return ""
    return message[:LIMIT]


def _texts(message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        values = value if field.is_repeated else (value,)
        for each in values:
            if isinstance(each, str):
                yield each
            elif field.message_type is not None:
                yield from _texts(each)
