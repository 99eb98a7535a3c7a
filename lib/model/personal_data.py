"""What looks like an email address or a phone number, in order IDs of files and messages of APIs.

Both may be disguised: percent-encoded, in characters of full width, in digits of another alphabet,
or with spaces around the sign.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

MAX_CHARS_OF_MESSAGE: Final = 300
"""Maximum number of characters that are kept of a message."""

_AT: Final = r"\s?(?:[@\uff20\ufe6b]|%40|%EF%BC%A0|%EF%B9%AB)\s?"
"""The sign, and its forms of full width and of small size."""
_EMAIL_CHAR: Final = r"[^\s@\uff20\ufe6b\"'<>(),;:=]"
# A domain has a letter or a dot, so `ORD@2026` is no address.
_DOMAIN: Final = r"(?=[\d-]*[^\W\d_]|[\d-]+\.)"
_EMAIL: Final = re.compile(f"{_EMAIL_CHAR}{_AT}{_DOMAIN}", re.IGNORECASE)
_WHOLE_EMAIL: Final = re.compile(f"{_EMAIL_CHAR}+{_AT}{_DOMAIN}{_EMAIL_CHAR}+", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?<![\w.])\+?\d(?:[\s().-]{0,2}\d){6,}(?!\w)")
# Plain digits, or groups of other sizes (112-3456789-1234567), are order numbers.
_PHONE: Final = re.compile(
    r"(?:tel:)?(?:"
    r"\+[\d ().-]{7,24}"  # +1 800 555 0100
    r"|(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"  # (800) 555-0100, 800-555-0100
    r"|\(0\d{1,4}\)[\d ./-]{5,15}"  # (020) 7946 0958
    r"|0\d{1,4}[ /]\d[\d ]{4,12}"  # 020 7946 0958
    r")",
    re.ASCII | re.IGNORECASE,
)
_LONGEST_PHONE: Final = 100


def looks_like_email(text: str) -> bool:
    """Return whether the text contains an email address, with or without a disguise."""
    has_sign = "@" in text or "%" in text or not text.isascii()
    return has_sign and _EMAIL.search(text) is not None


def looks_like_phone(text: str) -> bool:
    """Return whether the text has the format of a phone number, which order numbers do not have."""
    return len(text) <= _LONGEST_PHONE and _PHONE.fullmatch(plain_digits(text)) is not None


def plain_digits(text: str) -> str:
    """Return the text with plain signs and the digits 0 to 9, whatever alphabet they are in, and
    percent-encoded characters decoded."""
    if "%" in text:
        text = unquote(text)
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain)


def without_personal_data(message: str) -> str:
    """Return the start of a message, without email addresses and long numbers."""
    hidden = _NUMBER.sub("[number]", _WHOLE_EMAIL.sub("[email]", message))
    return hidden[:MAX_CHARS_OF_MESSAGE]
