"""The text encodings that a profile may name."""

from __future__ import annotations

import codecs

ENCODINGS = (
    "ascii",
    "utf-8",
    "utf-16",
    "cp",
    "iso8859",
    "mac-",
    "shift_jis",
    "euc_",
    "gb",
    "big5",
    "koi8",
)
"""Beginnings of Python's names for the text encodings that spreadsheets write."""


def known_encoding(value: str) -> str:
    """Return Python's name of an encoding. Raises `ValueError` if the profile may not name it."""
    try:
        name = codecs.lookup(value).name
    except LookupError:
        raise ValueError(
            "not a known encoding. Write a name such as utf-8 or windows-1252."
        ) from None
    if not name.startswith(ENCODINGS):
        raise ValueError(
            "not a supported encoding. Write one whose Python name begins with: "
            f"{', '.join(ENCODINGS)}."
        )
    # A byte order mark in the file takes precedence. Without one, Windows writes little-endian.
    return "utf-16-le" if name == "utf-16" else name
