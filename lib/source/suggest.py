"""Misspelt names of columns and fields → the field that was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from lib.source.fields import BY_NAME, FIELDS, field_of, header_key

_MOST = 100
"""Columns of a file that are compared: each costs a look at every name."""

_LIKENESS, _LIKENESS_OF_ALIAS = 0.8, 0.85
"""Most unknown columns are spelled right and simply aren't for this: "Contact Owner" is no
"Contact Phone"."""

_MOST_LETTERS = 2
"""That a slip adds or leaves out: "Customer" is no customer_type."""

_NEVER = frozenset({"customer_id", "time_zone"})
"""A CRM's own columns have names like these, and mean something else (`lib.source.columns`)."""

_NAMES = {header_key(field.name): field.name for field in FIELDS if field.name not in _NEVER}
_ALIASES = {header_key(alias): field.name for field in FIELDS for alias in field.aliases}


def closest_field(name: str) -> str | None:
    """The field that the author of a profile probably meant; None if none is like it."""
    known = field_of(header_key(name))
    near = [known[0]] if known else get_close_matches(name.casefold(), BY_NAME, 1)
    return near[0] if near else None


def with_suggestions(
    columns: Iterable[tuple[str, str]], is_taken: Callable[[str], bool]
) -> tuple[str, ...]:
    """(header, how it is shown) of unknown columns → how they are shown, with the field that was
    probably meant. Not where the header can't be shown, or another column holds the field."""
    told = []
    for place, (header, shown) in enumerate(columns):
        field = _meant(header) if place < _MOST and header == shown else None
        meant = field is not None and field not in _NEVER and not is_taken(field)
        told.append(f"{shown} (did you mean {field}?)" if meant else shown)
    return tuple(told)


def _meant(header: str) -> str | None:
    key = header_key(header)
    if key[-1:].isdigit():  # "Email 17" is no slip
        return None
    for names, likeness in ((_NAMES, _LIKENESS), (_ALIASES, _LIKENESS_OF_ALIAS)):
        for near in get_close_matches(key, names, 1, likeness):
            if abs(len(near) - len(key)) <= _MOST_LETTERS:
                return names[near]
    return None
