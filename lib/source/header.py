"""Header → the field of each column, and the kind of the file's records.

In a file without a header, the first line is a row of raw user data, and one of its cells may
happen to be a known name: `Mobile` says how a person wants to be called. So a header without a
known name is never shown, and of any other header, a name that is not known is shown only if the
line is certainly a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from lib.model.fields import ADDRESS_FIELDS, HIGHEST_NUMBER, Field, FileKind, base_name
from lib.source.errors import SourceError
from lib.source.vocabulary import (
    Meaning,
    Tier,
    Vocabulary,
    has_several_words,
    header_key,
    vocabulary_of,
)

_DATA: Final = re.compile(
    r".*@.*|[\d\s.,:;/+()$€£-]*\d[\d\s.,:;/+()$€£TZ-]*|[0-9a-fA-F]{32,}", re.DOTALL
)
_LONGEST_NAME: Final = 80
_MOST_DIGITS: Final = 4
_ENOUGH_FIELDS: Final = 3
"""A row may have two ordinary words that are also known names, such as `Price` and `Mobile`."""


Certainty = Literal["certain", "possible", "none"]
"""Whether the names of a line are a header. `certain`: only a header has such names."""


class ColumnMap(NamedTuple):
    """The columns of a header. All names in it are safe to show."""

    fields: dict[str, int]
    """Field → the index of its column."""
    units: dict[str, str]
    """Field → the unit that the header of its column names."""
    unknown: tuple[str, ...]
    """The other columns, each with the field that was probably meant."""
    unclear: tuple[str, ...]
    """Unknown columns whose name would mean a field without a column, but for its brackets."""
    choices: dict[str, tuple[str, ...]]
    """Field whose column is a last resort, or was chosen among several less clear ones → this
    column and the others."""
    undecided: tuple[str, ...]
    """Less clear columns that are not used, because several of them are for the same field."""
    visible: tuple[str, ...]
    """The header, with "" in place of each name that may not be shown."""


def map_columns(
    header: Sequence[str],
    own_headers: Mapping[str, str | Sequence[str]],
    declared: tuple[Field, ...],
    filtered_by: Collection[int] = (),
    stands_alone: Callable[[int], bool] = lambda column: False,
) -> ColumnMap:
    """Find the `declared` fields in a header. `own_headers` are from the profile: field → names.

    The names in the profile take precedence over all others: a column with an alias of the same
    field is then unknown. A field without names is switched off: its columns are ignored. The
    columns `filtered_by` are known too, because the row filter reads them. `stands_alone` says
    whether the cells of a column are whole values of the field that it can stand in for.

    Raises `SourceError` with NO_HEADER if the line is a row or has no known name, or
    DUPLICATE_COLUMN if two columns hold the same field.
    """
    vocabulary = vocabulary_of(declared)
    found = _named_by_profile(header, own_headers)
    _number_namesakes(header, found, vocabulary)
    telling = _telling_names(header, found, vocabulary).union(filtered_by)
    meanings = _meanings(header, found, vocabulary)
    switched_off = {field for field, names in own_headers.items() if not names}
    off = {i for i, each in meanings.items() if {each.field, base_name(each.field)} & switched_off}
    usable = {at: each for at, each in meanings.items() if at not in off}
    _add_by_tier(header, found, usable, vocabulary)
    _stand_in(found, usable, switched_off, vocabulary, stands_alone)
    _refuse_rows(header, found)
    undecided = {field: found.pop(field) for field in _undecided(found, usable)}
    if duplicates := _namesakes(header, found):
        several = [field for field, columns in found.items() if len(columns) > 1]
        raise SourceError("DUPLICATE_COLUMN", "; ".join(duplicates), several)
    fields = {field: columns[0] for field, columns in found.items()}
    known = off.union(filtered_by, fields.values())
    named = {**{i: each.field for i, each in meanings.items()}, **{i: f for f, i in fields.items()}}
    visible = _visible_names(header, named, known, telling)
    others = [
        (name, shown(visible[i], i)) for i, name in enumerate(header) if name and i not in known
    ]
    return ColumnMap(
        fields,
        _units(header, fields, vocabulary),
        vocabulary.with_suggestions(others, fields.__contains__),
        _unclear(others, fields, vocabulary),
        _choices(header, fields, usable),
        _namesakes(header, undecided),
        visible,
    )


def recognize(
    names: Sequence[str],
    own_headers: Mapping[str, Sequence[str]],
    others: Collection[str],
    declared: tuple[Field, ...],
) -> Certainty:
    """Return how certainly the names of a line are a header with `declared` fields.

    `own_headers` are from the profile: field → names. `others` are the names of further columns in
    it. `map_columns` may accept each line that is not "none".
    """
    vocabulary = vocabulary_of(declared)
    by_profile = _named_by_profile(names, own_headers)
    listed = {at for name in others for at in columns_named(name, names)}
    meanings = {
        at: each.field for at, name in enumerate(names) if (each := vocabulary.meaning(name))
    }
    fields = meanings | {at: field for field, columns in by_profile.items() for at in columns}
    known = listed.union(fields)
    data = sum(looks_like_data(name) for at, name in enumerate(names) if at not in known)
    if data >= len(known):
        return "none"
    keys = [header_key(name) for name in names if name]
    several = len(set(map(base_name, fields.values()))) > 1
    telling = several or bool(listed or _telling_names(names, by_profile, vocabulary))
    return "certain" if telling and not data and len(keys) == len(set(keys)) else "possible"


def _meanings(
    header: Sequence[str], by_profile: Mapping[str, Sequence[int]], vocabulary: Vocabulary
) -> dict[int, Meaning]:
    """Return the meanings of the names that the profile leaves open: column → meaning."""
    taken = {at for columns in by_profile.values() for at in columns}
    return {
        at: meaning
        for at, name in enumerate(header)
        if at not in taken
        and (meaning := vocabulary.meaning(name))
        and meaning.field not in by_profile
    }


def _undecided(found: Mapping[str, Sequence[int]], meanings: Mapping[int, Meaning]) -> list[str]:
    """Return the fields that have several columns, none of which is clear."""
    return [
        field
        for field, columns in found.items()
        if len(columns) > 1 and all(at in meanings and not meanings[at].is_clear for at in columns)
    ]


def _unclear(
    others: Iterable[tuple[str, str]], fields: Collection[str], vocabulary: Vocabulary
) -> tuple[str, ...]:
    return tuple(
        safe
        for name, safe in others
        if (field := vocabulary.field_without_brackets(name)) and field not in fields
    )


def _units(
    header: Sequence[str], fields: Mapping[str, int], vocabulary: Vocabulary
) -> dict[str, str]:
    meanings = {field: vocabulary.meaning(header[at]) for field, at in fields.items()}
    return {field: meaning.unit for field, meaning in meanings.items() if meaning and meaning.unit}


def _choices(
    header: Sequence[str], fields: Mapping[str, int], meanings: Mapping[int, Meaning]
) -> dict[str, tuple[str, ...]]:
    found = {}
    for field, at in fields.items():
        others = [i for i, each in meanings.items() if each.field == field and i != at]
        tier = meanings[at].tier if at in meanings else Tier.ALIAS
        if tier is Tier.LAST_RESORT or (others and tier is not Tier.ALIAS):
            found[field] = tuple(quoted(header, index) for index in (at, *others))
    return found


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


def known_and_unknown(header: Sequence[str], columns: ColumnMap) -> str:
    """Return the columns of a file that lacks a column, as the detail of its error."""
    known = ", ".join(quoted(header, index) for index in columns.fields.values())
    unknown = f"; unknown columns: {', '.join(columns.unknown)}" if columns.unknown else ""
    return f"known columns: {known}{unknown}"


def columns_named(name: str, header: Sequence[str]) -> list[int]:
    """Return the columns that a profile means by `name`: spelled like this, or else with the same
    letters and digits."""
    spelling = name.strip().casefold()
    key = header_key(name)
    exact = [at for at, each in enumerate(header) if each.strip().casefold() == spelling]
    return exact or [at for at, each in enumerate(header) if each and header_key(each) == key]


def _named_by_profile(
    header: Sequence[str], own_headers: Mapping[str, str | Sequence[str]]
) -> dict[str, list[int]]:
    """Return the columns that the profile names: field → columns."""
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


def _add_by_tier(
    header: Sequence[str],
    found: dict[str, list[int]],
    meanings: Mapping[int, Meaning],
    vocabulary: Vocabulary,
) -> None:
    """Add the columns whose names are in the vocabulary, the clearest first."""
    by_profile = set(found)
    for tier in Tier:
        of_tier = {index: each for index, each in meanings.items() if each.tier is tier}
        if tier is Tier.ALIAS:
            for index, meaning in of_tier.items():
                found.setdefault(meaning.field, []).append(index)
            _number_namesakes(header, found, vocabulary)
        else:
            _add_fallbacks(found, of_tier, by_profile, vocabulary)


def _add_fallbacks(
    found: dict[str, list[int]],
    meanings: Mapping[int, Meaning],
    by_profile: set[str],
    vocabulary: Vocabulary,
) -> None:
    """Use columns of a less clear tier if the file has no better column for their field."""
    known = vocabulary.by_name
    better = set(found)
    for index, meaning in meanings.items():
        field = meaning.field
        if known[field].numbered and field not in by_profile:
            if free := _free(field, found):
                found[free] = [index]
        elif field not in better:
            found.setdefault(field, []).append(index)
    for field in found.keys() - better:
        if field in known and known[field].prefers_first_fallback:
            found[field] = [min(found[field], key=lambda at: meanings[at].rank)]


def _stand_in(
    found: dict[str, list[int]],
    meanings: Mapping[int, Meaning],
    switched_off: Collection[str],
    vocabulary: Vocabulary,
    stands_alone: Callable[[int], bool],
) -> None:
    """Use the column of a field for the field that it stands in for, if the file has no other.

    An unclear column gives way to a column that stands alone: with the whole time in `Time`, the
    date of creation is not the conversion time.
    """
    for field in vocabulary.by_name.values():
        other = field.stands_in_for
        if not other or field.name not in found or other in switched_off:
            continue
        unclear = all(at in meanings and not meanings[at].is_clear for at in found.get(other, ()))
        if other not in found or (unclear and stands_alone(found[field.name][0])):
            found[other] = found.pop(field.name)


def _refuse_rows(header: Sequence[str], found: Mapping[str, Sequence[int]]) -> None:
    known = {index for indexes in found.values() for index in indexes}
    data = sum(looks_like_data(name) for index, name in enumerate(header) if index not in known)
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


def _namesakes(header: Sequence[str], found: Mapping[str, Sequence[int]]) -> tuple[str, ...]:
    """Return the fields that have several columns, with these columns, safe to show."""
    return tuple(
        f"{field}: " + " and ".join(quoted(header, index) for index in indexes)
        for field, indexes in found.items()
        if len(indexes) > 1
    )


def _telling_names(
    header: Sequence[str], by_profile: Mapping[str, Sequence[int]], vocabulary: Vocabulary
) -> set[int]:
    """Return the columns with a known name that is never the cell of a row."""
    found = {at for at, name in enumerate(header) if vocabulary.is_telling(name)}
    for field, columns in by_profile.items():
        found.update(
            at
            for at in columns
            if has_several_words(header[at]) or not vocabulary.is_numbered(field)
        )
    return found


def _visible_names(
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


def shown_title(title: str) -> str:
    """Return the title of a sheet, unless it could be user data."""
    is_harmless = title.isprintable() and not looks_like_data(title)
    return title if is_harmless else "a title that looks like data"


def quoted(header: Sequence[str], index: int) -> str:
    """Return a header name and its column number, if the name is safe to show."""
    name = shown(header[index], index)
    return f'"{name}" (column {index + 1})' if name == header[index] else name


def _is_harmless(name: str) -> bool:
    few_digits = sum(map(str.isdigit, name)) <= _MOST_DIGITS
    return name.isprintable() and few_digits and not looks_like_data(name)


def columns_of_kind(
    header: Sequence[str],
    columns: ColumnMap,
    rows: Sequence[Sequence[str]],
    kind: FileKind,
    own_names: Collection[str],
    filtered_by: Collection[int],
    identifying: Collection[int],
    of_clicks: Collection[int],
) -> str:
    """Return the columns by which a file is of this kind, as they may be shown, or "".

    A retraction that is read as a conversion would count as a sale. So the kind of a file is
    determined before anything is sent, from its header and its first rows:

        columns that only this kind has    ──▶ rows that fill them ──┐
        cells that only this kind has, such as RETRACT, in any       ├──▶ all, some or no rows
        column without a meaning           ──▶ rows that have them ──┘

    `own_names` are the profile's names of columns that only this kind has. The columns
    `filtered_by` have a meaning too: a row filter can exclude adjustments by a column.
    `identifying` columns identify a click or a person, `of_clicks` a click. Raises `SourceError`
    (MIXED_KINDS) if only some of the first `rows` are of this kind.
    """
    claimed = _claimed(header, columns, kind, own_names)
    known = {*filtered_by, *columns.fields.values()} - claimed
    identifying = set(identifying) - claimed
    unknown = [at for at, name in enumerate(header) if name and at not in known]
    own = set(map(header_key, own_names))
    names = own.union(map(header_key, kind.headers))
    marks = [at for at in unknown if header_key(header[at]) in names]
    # With all columns of its own, a row is of this kind whoever the person is: beside the number of
    # a caller and the start of the call, an email address says nothing else.
    persons = of_clicks if len(marks) >= len(kind.fields) else identifying
    excluding = () if kind.may_have_click_id else set(persons).difference(marks)
    # One such column beside a click ID can have another meaning.
    is_its_header = bool(marks) and (
        len(marks) > 1
        or identifying <= set(marks)
        or any(header_key(header[at]) in own for at in marks)
    )
    worded = (
        [at for at in unknown if any(_word(row[at]) in kind.words for row in rows)]
        if kind.words
        else []
    )
    of_kind = [
        (is_its_header and _any_filled(row, marks) and not _any_filled(row, excluding))
        or any(_word(row[at]) in kind.words for at in worded)
        for row in rows
    ]
    if not any(of_kind) and (excluding or not is_its_header):
        return ""
    names_of_kind = ", ".join(
        quoted(header if at in marks else columns.visible, at) for at in sorted({*marks, *worded})
    )
    if of_kind and not all(of_kind):
        raise SourceError("MIXED_KINDS", f"columns: {names_of_kind}")
    return names_of_kind


def _claimed(
    header: Sequence[str], columns: ColumnMap, kind: FileKind, own_names: Collection[str]
) -> set[int]:
    """Return the columns that the profile names for this kind, but that were read as a field of
    conversions: `Phone`."""
    claimed = {at for name in own_names for at in columns_named(name, header)}
    return claimed.difference(columns.fields.get(field.name, -1) for field in kind.fields)


def _any_filled(row: Sequence[str], columns: Iterable[int]) -> bool:
    return any(row[at].strip() for at in columns)


def _word(cell: str) -> str:
    return cell.strip().upper()


CORRECTION_COLUMNS: Final = ("problem", "what to do", "line")
"""`fix` writes them in front of the rows to correct, so a corrected file has them. They are known
only together: a single column that happens to have one of these names is reported as unknown."""


def correction_columns(header: Sequence[str]) -> frozenset[int]:
    """Return the columns that `fix` wrote, wherever they are now; none if one is missing."""
    names = [name.strip().casefold() for name in header]
    if not all(name in names for name in CORRECTION_COLUMNS):
        return frozenset()
    return frozenset(names.index(name) for name in CORRECTION_COLUMNS)
