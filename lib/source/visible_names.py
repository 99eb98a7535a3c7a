"""Which names of a header may be shown.

The first line of a file without a header is a row of raw user data, and one of its cells may happen
to be a known name: `Mobile` says how a person wants to be called. So names that are not known are
shown only if the line is certainly a header.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from lib.model.fields import base_name
from lib.source.vocabulary import Vocabulary, has_several_words

_DATA: Final = re.compile(
    r".*@.*|[\d\s.,:;/+()$€£-]*\d[\d\s.,:;/+()$€£TZ-]*|[0-9a-fA-F]{32,}", re.DOTALL
)
_LONGEST_NAME: Final = 80
_MOST_DIGITS: Final = 4
_ENOUGH_FIELDS: Final = 3
"""A row may have two ordinary words that are also known names, such as `Price` and `Mobile`."""


def telling_names(
    header: Sequence[str], by_profile: Mapping[str, Sequence[int]], vocabulary: Vocabulary
) -> set[int]:
    """Return the columns with a known name that is never the cell of a row.

    `by_profile` are the columns that the profile names: field → columns.
    """
    found = {at for at, name in enumerate(header) if vocabulary.is_telling(name)}
    for field, columns in by_profile.items():
        found.update(
            at
            for at in columns
            if has_several_words(header[at]) or not vocabulary.is_numbered(field)
        )
    return found


def visible_names(
    header: Sequence[str],
    fields: Mapping[int, str],
    known: Collection[int],
    telling: Collection[int],
) -> tuple[str, ...]:
    """Return the header with "" in place of every name that may not be shown.

    `fields` are the fields that names mean, also of columns that aren't used: column → field.
    `known` are columns with another meaning, and `telling` those whose name is never a cell.
    """
    known = {*fields, *known}
    others = [at for at, name in enumerate(header) if name and at not in known]
    several = len(set(map(base_name, fields.values()))) >= _ENOUGH_FIELDS
    is_header = not any(_DATA.fullmatch(header[at]) for at in others) and (
        bool(telling) or (several and len(known) >= len(others))
    )
    return tuple(
        name if (is_header or at in known) and _is_harmless(name) else ""
        for at, name in enumerate(header)
    )


def looks_like_data(name: str) -> bool:
    """Return whether a whole name looks like an email address, a number, a time, a digest, or is
    too long for a name."""
    return len(name) > _LONGEST_NAME or bool(_DATA.fullmatch(name))


def shown(name: str, index: int) -> str:
    """Return a header name that is safe to show, or `column 5` if the name could be user data."""
    return name if name and _is_harmless(name) else f"column {index + 1}"


def quoted(header: Sequence[str], index: int) -> str:
    """Return a header name and its column number, if the name is safe to show."""
    name = shown(header[index], index)
    return f'"{name}" (column {index + 1})' if name == header[index] else name


def _is_harmless(name: str) -> bool:
    few_digits = sum(map(str.isdigit, name)) <= _MOST_DIGITS
    return name.isprintable() and few_digits and not looks_like_data(name)
