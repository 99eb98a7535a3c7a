"""Header → which column holds which field. Errors name columns, never what may be user data.

The first line of a file without a header is a row of raw user data. So a header of which no name
is known isn't repeated anywhere, and of any other only the names that can't be data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.source.errors import SourceError
from lib.source.fields import (
    BY_NAME,
    HIGHEST_NUMBER,
    custom_variable,
    field_of,
    header_key,
)
from lib.source.suggest import with_suggestions

_ADDRESS = {"first_name", "last_name", "postal_code", "country_code"}
"""Together they identify a person for the Data Manager API."""

_DATA = re.compile(r".*@.*|[\d\s.,:;/+()$€£-]*\d[\d\s.,:;/+()$€£TZ-]*|[0-9a-fA-F]{32,}", re.DOTALL)
_LONGEST_NAME = 80
_MOST_DIGITS = 4


class ColumnMap(NamedTuple):
    """`fields`: field → index of its cell. `unknown`: the other columns' names, safe to show, with
    the field that was probably meant."""

    fields: dict[str, int]
    unknown: tuple[str, ...]


def map_columns(header: Sequence[str], own_headers: Mapping[str, str | Sequence[str]]) -> ColumnMap:
    """Find the fields of a file; `own_headers` are the profile's: field → its header names.

    A profile's names win over the aliases of a field: a column with an alias is then unknown.
    Raises `SourceError` with NO_HEADER when the line is a row or has no known name,
    DUPLICATE_COLUMN when two columns hold one field, NO_USABLE_COLUMN when none identifies
    a click or a person.
    """
    found = _own(header, own_headers)
    _number_namesakes(header, found)
    taken = {index for indexes in found.values() for index in indexes}
    known_by_profile = set(found)
    fallbacks: list[tuple[str, int]] = []
    for index, name in enumerate(header):
        if index in taken or not (meaning := _meaning(name)):
            continue
        field, is_fallback = meaning
        if field in known_by_profile:
            continue
        if is_fallback:
            fallbacks.append((field, index))
        else:
            found.setdefault(field, []).append(index)
    _number_namesakes(header, found)
    _add_fallbacks(header, found, fallbacks, known_by_profile)
    _refuse_rows(header, found)
    _refuse_duplicates(header, found)
    fields = {field: indexes[0] for field, indexes in found.items()}
    _refuse_useless(header, fields)
    return ColumnMap(fields, _unknown(header, fields))


def _unknown(header: Sequence[str], fields: Mapping[str, int]) -> tuple[str, ...]:
    used = set(fields.values())
    others = [(name, shown(name, i)) for i, name in enumerate(header) if name and i not in used]
    return with_suggestions(others, fields.__contains__)


def shown(name: str, index: int) -> str:
    """A header name as it may be shown: itself, or `column 5` when it could be user data."""
    few_digits = sum(map(str.isdigit, name)) <= _MOST_DIGITS
    harmless = name.isprintable() and few_digits and not _is_data(name)
    return name if harmless and name else f"column {index + 1}"


def _is_data(name: str) -> bool:
    return len(name) > _LONGEST_NAME or bool(_DATA.fullmatch(name))


def _own(
    header: Sequence[str], own_headers: Mapping[str, str | Sequence[str]]
) -> dict[str, list[int]]:
    keys = [header_key(name) if name else None for name in header]
    found: dict[str, list[int]] = {}
    for field, names in own_headers.items():
        wanted = {header_key(name) for name in ([names] if isinstance(names, str) else names)}
        if indexes := [index for index, key in enumerate(keys) if key in wanted]:
            found[field] = indexes
    return found


def _meaning(name: str) -> tuple[str, bool] | None:
    variable = custom_variable(name)
    spelled = _ONLY_SPELLED.get(header_key(name))
    if spelled is not None and name.strip() != spelled:
        return None
    return (variable, False) if variable else field_of(header_key(name))


_ONLY_SPELLED = {"customerid": "customer_id", "timezone": "time_zone"}
"""Names that mean something else in a CRM's export. "Customer ID" is the CRM's own number, and rows
must not be sent to the Google Ads account that happens to have it; "Time Zone" is the contact's."""


def _number_namesakes(header: Sequence[str], found: dict[str, list[int]]) -> None:
    """Of columns of the same name for a field that several may hold, the second is `phone_2`."""
    for field in [name for name in found if name in BY_NAME and BY_NAME[name].numbered]:
        first, *others = found[field]
        for index in others:
            free = _free(field, found)
            if free and header[index].strip().casefold() == header[first].strip().casefold():
                found[field].remove(index)
                found[free] = [index]


def _free(field: str, found: Mapping[str, object]) -> str | None:
    """The next numbered field: `phone`, `phone_2`, ..."""
    names = (field, *(f"{field}_{n}" for n in range(2, HIGHEST_NUMBER + 1)))
    return next((name for name in names if name not in found), None)


def _add_fallbacks(
    header: Sequence[str],
    found: dict[str, list[int]],
    fallbacks: Iterable[tuple[str, int]],
    by_profile: set[str],
) -> None:
    """Use columns with a vague name where the file has nothing better for their field."""
    better = set(found)
    for field, index in fallbacks:
        if BY_NAME[field].numbered and field not in by_profile:
            if free := _free(field, found):
                found[free] = [index]
        elif field not in better:
            found.setdefault(field, []).append(index)
    for field in found.keys() - better:
        if field in BY_NAME and BY_NAME[field].best_fallback:
            rank = {header_key(name): n for n, name in enumerate(BY_NAME[field].fallbacks)}
            found[field] = [min(found[field], key=lambda at: rank[header_key(header[at])])]


def _refuse_rows(header: Sequence[str], found: Mapping[str, Sequence[int]]) -> None:
    known = {index for indexes in found.values() for index in indexes}
    data = sum(_is_data(name) for index, name in enumerate(header) if index not in known)
    if not known or data >= len(known):
        if len(header) == 1:
            detail = "only one column was found: is the delimiter a comma, semicolon, tab or pipe?"
        else:
            detail = (
                "such as gclid, email or conversion_date_time; it isn't shown, as it may be a row"
            )
        raise SourceError("NO_HEADER", detail)


def _refuse_duplicates(header: Sequence[str], found: Mapping[str, Sequence[int]]) -> None:
    twice = [
        f"{field}: " + " and ".join(_quoted(header, index) for index in indexes)
        for field, indexes in found.items()
        if len(indexes) > 1
    ]
    if twice:
        raise SourceError("DUPLICATE_COLUMN", "; ".join(twice))


def _refuse_useless(header: Sequence[str], fields: Mapping[str, int]) -> None:
    bases = {field.rstrip("0123456789").removesuffix("_") for field in fields}
    identifying = any(BY_NAME[base].identifies for base in bases if base in BY_NAME)
    if not identifying and not bases >= _ADDRESS:
        detail = "known are: " + ", ".join(_quoted(header, index) for index in fields.values())
        if unknown := _unknown(header, fields):
            detail += "; not known: " + ", ".join(unknown)
        raise SourceError("NO_USABLE_COLUMN", detail)


def _quoted(header: Sequence[str], index: int) -> str:
    name = shown(header[index], index)
    return f'"{name}" (column {index + 1})' if name == header[index] else name
