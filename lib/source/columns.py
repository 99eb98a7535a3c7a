"""Header → the field of each column. Errors name columns, but never text that may be user data.

In a file without a header, the first line is a row of raw user data. So a header without a known
name is never shown, and of any other header, only what `lib.source.visible_names` permits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.model.fields import ADDRESS_FIELDS, HIGHEST_NUMBER, Field, base_name
from lib.source.errors import SourceError
from lib.source.visible_names import looks_like_data, quoted, shown, telling_names, visible_names
from lib.source.vocabulary import Meaning, Tier, Vocabulary, header_key, vocabulary_of


class ColumnMap(NamedTuple):
    """The columns of a header.

    `fields` maps each field to the index of its column, and `units` to the unit that the header of
    that column names. `unknown` contains the names of the other columns, safe to show, each with
    the field that was probably meant. `unclear` contains those whose name, without the text in
    brackets, means a field that has no column. `choices` contains each field whose column was
    chosen among several less clear ones, or is a last resort: the names of this column and of the
    others, safe to show. `undecided` names the less clear columns that are not used, because
    several of them are for the same field. `visible` is the header, with "" in place of each name
    that may not be shown.
    """

    fields: dict[str, int]
    units: dict[str, str]
    unknown: tuple[str, ...]
    unclear: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    undecided: tuple[str, ...]
    visible: tuple[str, ...]


def map_columns(
    header: Sequence[str],
    own_headers: Mapping[str, str | Sequence[str]],
    declared: tuple[Field, ...],
    filtered_by: Collection[int] = (),
    stands_alone: Callable[[int], bool] = lambda column: False,
) -> ColumnMap:
    """Find the `declared` fields in a header. `own_headers` are from the profile: field → names.

    The names in the profile take precedence over the aliases of a field: a column with an alias is
    then unknown. A field without names is switched off: its columns are ignored. The columns
    `filtered_by` are known too, because the row filter reads them. `stands_alone` says whether the
    cells of a column are whole values of the field that it can stand in for.

    Raises `SourceError` with NO_HEADER if the line is a row or has no known name, or
    DUPLICATE_COLUMN if two columns hold the same field.
    """
    vocabulary = vocabulary_of(declared)
    found = _own(header, own_headers)
    _number_namesakes(header, found, vocabulary)
    by_profile = set(found)
    taken = {index for indexes in found.values() for index in indexes}
    telling = telling_names(header, found, vocabulary).union(filtered_by)
    meanings = {
        index: meaning
        for index, name in enumerate(header)
        if index not in taken
        and (meaning := vocabulary.meaning(name))
        and meaning.field not in by_profile
    }
    switched_off = {field for field, names in own_headers.items() if not names}
    off = {i for i, each in meanings.items() if {each.field, base_name(each.field)} & switched_off}
    _add_by_tier(
        header, found, {i: each for i, each in meanings.items() if i not in off}, vocabulary
    )
    unclear = {at for at, each in meanings.items() if each.tier > Tier.FALLBACK}
    _stand_in(found, switched_off, vocabulary, unclear, stands_alone)
    _refuse_rows(header, found)
    undecided = {field: found.pop(field) for field in _undecided(found, meanings)}
    if duplicates := _namesakes(header, found):
        raise SourceError("DUPLICATE_COLUMN", "; ".join(duplicates))
    fields = {field: indexes[0] for field, indexes in found.items()}
    known = off.union(filtered_by, fields.values())
    named = {**{i: each.field for i, each in meanings.items()}, **{i: f for f, i in fields.items()}}
    visible = visible_names(header, named, known, telling)
    others = [
        (name, shown(visible[i], i)) for i, name in enumerate(header) if name and i not in known
    ]
    return ColumnMap(
        fields,
        _units(header, fields, vocabulary),
        vocabulary.with_suggestions(others, fields.__contains__),
        _unclear(others, fields, vocabulary),
        _choices(header, fields, {at: each for at, each in meanings.items() if at not in off}),
        _namesakes(header, undecided),
        visible,
    )


def _undecided(found: Mapping[str, Sequence[int]], meanings: Mapping[int, Meaning]) -> list[str]:
    """Return the fields that have several columns, none of which is clear."""
    return [
        field
        for field, indexes in found.items()
        if len(indexes) > 1
        and all(at in meanings and meanings[at].tier > Tier.FALLBACK for at in indexes)
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
    switched_off: Collection[str],
    vocabulary: Vocabulary,
    unclear: Collection[int],
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
        rivals = found.get(other, ())
        if not rivals or (
            stands_alone(found[field.name][0]) and all(at in unclear for at in rivals)
        ):
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
