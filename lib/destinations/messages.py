"""What an API says of a row, unless it quotes the row: its text goes into results and logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LIMIT = 300
"""Most characters of a message that are kept."""


def without_values(message: str, sent: Any) -> str:
    """The message, or nothing if it holds a value of the protobuf message that was sent.

    `sent` is None for a query: it holds no value of a row.
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
