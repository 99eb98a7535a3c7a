"""Header → the field of each column. Errors name columns, but never text that may be user data.

In a file without a header, the first line is a row of raw user data. So a header without a known
name is never shown. Of any other header, only names that can't be user data are shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.model.fields import ADDRESS_FIELDS, HIGHEST_NUMBER, Field, base_name
from lib.source.errors import SourceError
from lib.source.vocabulary import Vocabulary, header_key, vocabulary_of

_DATA = re.compile(r".*@.*|[\d\s.,:;/+()$€£-]*\d[\d\s.,:;/+()$€£TZ-]*|[0-9a-fA-F]{32,}", re.DOTALL)
_LONGEST_NAME = 80
_MOST_DIGITS = 4


class ColumnMap(NamedTuple):
    """`fields` maps each field to the index of its column. `unknown` contains the names of the
    other columns, safe to show, each with the field that was probably meant."""

    fields: dict[str, int]
    unknown: tuple[str, ...]


def map_columns(
    header: Sequence[str],
    own_headers: Mapping[str, str | Sequence[str]],
    declared: tuple[Field, ...],
    filtered_by: Collection[int] = (),
) -> ColumnMap:
    """Find the `declared` fields in a header. `own_headers` are from the profile: field → names.

    The names in the profile take precedence over the aliases of a field: a column with an alias is
    then unknown. A field without names is switched off: its columns are ignored. The columns
    `filtered_by` are known too, because the row filter reads them.

    Raises `SourceError` with NO_HEADER if the line is a row or has no known name, or
    DUPLICATE_COLUMN if two columns hold the same field.
    """
    vocabulary = vocabulary_of(declared)
    found = _own(header, own_headers)
    _number_namesakes(header, found, vocabulary)
    taken = {index for indexes in found.values() for index in indexes}
    known_by_profile = set(found)
    switched_off = {field for field, names in own_headers.items() if not names}
    ignored = set(filtered_by)
    fallbacks: list[tuple[str, int]] = []
    for index, name in enumerate(header):
        if index in taken or not (meaning := vocabulary.meaning(name)):
            continue
        field, is_fallback = meaning
        if field in known_by_profile:
            continue
        if field in switched_off or base_name(field) in switched_off:
            ignored.add(index)
            continue
        if is_fallback:
            fallbacks.append((field, index))
        else:
            found.setdefault(field, []).append(index)
    _number_namesakes(header, found, vocabulary)
    _add_fallbacks(header, found, fallbacks, known_by_profile, vocabulary)
    _refuse_rows(header, found)
    _refuse_duplicates(header, found)
    fields = {field: indexes[0] for field, indexes in found.items()}
    others = [
        (name, shown(name, index))
        for index, name in enumerate(header)
        if name and index not in ignored.union(fields.values())
    ]
    return ColumnMap(fields, vocabulary.with_suggestions(others, fields.__contains__))


def identifying_columns(fields: Mapping[str, int], declared: tuple[Field, ...]) -> list[int]:
    """Return the columns that identify a click or a person. An address needs all its columns."""
    by_name = vocabulary_of(declared).by_name
    whole_address = fields.keys() >= set(ADDRESS_FIELDS)
    return [
        at
        for column, at in fields.items()
        if ((field := by_name.get(base_name(column))) and field.identifies)
        or (whole_address and column in ADDRESS_FIELDS)
    ]


def refuse_unidentified(
    header: Sequence[str], columns: ColumnMap, declared: tuple[Field, ...]
) -> None:
    """Raise `SourceError` (NO_USABLE_COLUMN) if no column identifies a click or a person."""
    if identifying_columns(columns.fields, declared):
        return
    known = ", ".join(quoted(header, index) for index in columns.fields.values())
    unknown = f"; unknown columns: {', '.join(columns.unknown)}" if columns.unknown else ""
    raise SourceError("NO_USABLE_COLUMN", f"known columns: {known}{unknown}")


def columns_named(name: str, header: Sequence[str]) -> list[int]:
    """Return the columns that a profile means by `name`: spelled like this, or else with the same
    letters and digits."""
    spelling = name.strip().casefold()
    key = header_key(name)
    exact = [at for at, each in enumerate(header) if each.strip().casefold() == spelling]
    return exact or [at for at, each in enumerate(header) if each and header_key(each) == key]


def shown(name: str, index: int) -> str:
    """Return a header name that is safe to show, or `column 5` if the name could be user data."""
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


def _number_namesakes(
    header: Sequence[str], found: dict[str, list[int]], vocabulary: Vocabulary
) -> None:
    """Number columns of the same name if several may hold their field: the second is `phone_2`."""
    known = vocabulary.by_name
    for field in [name for name in found if name in known and known[name].numbered]:
        first, *others = found[field]
        for index in others:
            free = _free(field, found)
            if free and header[index].strip().casefold() == header[first].strip().casefold():
                found[field].remove(index)
                found[free] = [index]


def _free(field: str, found: Mapping[str, object]) -> str | None:
    """Return the next free numbered field: `phone`, `phone_2`, ..."""
    names = (field, *(f"{field}_{n}" for n in range(2, HIGHEST_NUMBER + 1)))
    return next((name for name in names if name not in found), None)


def _add_fallbacks(
    header: Sequence[str],
    found: dict[str, list[int]],
    fallbacks: Iterable[tuple[str, int]],
    by_profile: set[str],
    vocabulary: Vocabulary,
) -> None:
    """Use columns with a vague name if the file has no better column for their field."""
    known = vocabulary.by_name
    better = set(found)
    for field, index in fallbacks:
        if known[field].numbered and field not in by_profile:
            if free := _free(field, found):
                found[free] = [index]
        elif field not in better:
            found.setdefault(field, []).append(index)
    for field in found.keys() - better:
        if field in known and known[field].prefers_first_fallback:
            rank = {header_key(name): n for n, name in enumerate(known[field].fallbacks)}
            found[field] = [min(found[field], key=lambda at: rank[header_key(header[at])])]


def _refuse_rows(header: Sequence[str], found: Mapping[str, Sequence[int]]) -> None:
    known = {index for indexes in found.values() for index in indexes}
    data = sum(_is_data(name) for index, name in enumerate(header) if index not in known)
    if not known or data >= len(known):
        if len(header) == 1:
            detail = (
                "only one column was found; if the delimiter is not a comma, semicolon, tab or "
                "pipe, set delimiter in the profile"
            )
        else:
            detail = (
                "known names are, for example, gclid, email and conversion_date_time; the line is "
                "not shown, because it may contain personal data"
            )
        raise SourceError("NO_HEADER", detail)


def _refuse_duplicates(header: Sequence[str], found: Mapping[str, Sequence[int]]) -> None:
    twice = [
        f"{field}: " + " and ".join(quoted(header, index) for index in indexes)
        for field, indexes in found.items()
        if len(indexes) > 1
    ]
    if twice:
        raise SourceError("DUPLICATE_COLUMN", "; ".join(twice))


def quoted(header: Sequence[str], index: int) -> str:
    """Return a header name and its column number, if the name is safe to show."""
    name = shown(header[index], index)
    return f'"{name}" (column {index + 1})' if name == header[index] else name
