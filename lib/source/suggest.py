"""Misspelt names of fields → the field that was probably meant."""

from __future__ import annotations

from difflib import get_close_matches

from lib.source.fields import BY_NAME, field_of, header_key


def closest_field(name: str) -> str | None:
    """The field that the author of a profile probably meant; None if none is like it."""
    known = field_of(header_key(name))
    near = [known[0]] if known else get_close_matches(name.casefold(), BY_NAME, 1)
    return near[0] if near else None
