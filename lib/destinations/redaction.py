"""Makes an API's messages about rows safe for results and logs: none may quote a row."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from lib.model.personal_data import without_personal_data


def without_values(message: str, sent: Any) -> str:
    """Return the message, or "" if it contains a value of the protobuf message that was sent.

    What looks like an email address or a phone number is replaced in any case: the API may quote
    what it has instead of what it got: "Not [email]."
    """
    return "" if quotes_value(message, sent) else without_personal_data(message)


def quotes_value(message: str, sent: Any) -> bool:
    """Return whether the message contains a value of the protobuf message that was sent, as it is,
    percent-encoded or in characters of full width. A digest counts also in upper case, in base64,
    or if only a part is quoted."""
    forms = {message, unquote(message)}
    forms |= {unicodedata.normalize("NFKC", form) for form in forms}
    return any(_quotes(form, value) for value in _texts(sent) for form in forms)


_PHONE = re.compile(r"\+[0-9]{7,15}")
_LOCAL_DIGITS = 7
"""A phone number is recognized by its last digits, because it may be quoted in another format."""


_SHORTEST_QUOTE = 4
"""A shorter value, such as `DE`, is part of many words."""


def _quotes(message: str, value: str) -> bool:
    """Return whether a message quotes a value: a phone number or a digest, also in another form."""
    if _PHONE.fullmatch(value):
        return value[-_LOCAL_DIGITS:] in re.sub(r"[^0-9]", "", message)
    if _DIGEST.fullmatch(value):
        return _quotes_digest(message, value.lower())
    return len(value) >= _SHORTEST_QUOTE and value in message


_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
_PART_OF_HEX = re.compile(r"[0-9a-f]{8,}")
_PART_OF_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_AS_BASE64 = str.maketrans("-_", "+/")


def _quotes_digest(message: str, digest: str) -> bool:
    """Return whether a message has eight characters in a row of a digest, in hex or in base64."""
    in_base64 = b64encode(bytes.fromhex(digest)).decode()
    return any(part in digest for part in _PART_OF_HEX.findall(message.lower())) or any(
        part.translate(_AS_BASE64) in in_base64 for part in _PART_OF_BASE64.findall(message)
    )


def _texts(message: Any) -> Iterator[str]:
    """Yield all texts in a protobuf message."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else (value,)
        for each in values:
            if isinstance(each, str):
                yield each
            elif field.message_type is not None:
                yield from _texts(each)
