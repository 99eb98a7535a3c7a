"""The row filter of a profile, for one file: its columns in the header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from lib.config.profile import Profile
from lib.errors import PermanentError
from lib.rules.row_filter import Condition, RowFilter
from lib.source.columns import columns_named, shown


def filter_columns(header: Sequence[str], profile: Profile) -> set[int]:
    """Return the columns that the filter of the profile reads."""
    names = (*profile.include, *profile.exclude)
    return {column for name in names for column in columns_named(name, header)}


def row_filter_of(header: Sequence[str], profile: Profile) -> RowFilter:
    """Return the filter. Raises `PermanentError` if one of its columns is not in the file."""
    return RowFilter([*_conditions(header, profile)])


def _conditions(header: Sequence[str], profile: Profile) -> Iterator[Condition]:
    for key, wanted in (("include", profile.include), ("exclude", profile.exclude)):
        for name, values in wanted.items():
            columns = columns_named(name, header)
            if not columns:
                raise PermanentError("FILTER_COLUMN_MISSING", _missing(key, name, header))
            if len(columns) > 1:
                where = " and ".join(str(column + 1) for column in columns)
                raise PermanentError(
                    "FILTER_COLUMN_MISSING",
                    f'{key} "{name}": columns {where} have this name, so none is certain',
                )
            yield Condition(name, columns[0], key == "include", values)


def _missing(key: str, name: str, header: Sequence[str]) -> str:
    names = {each.casefold(): shown(each, at) for at, each in enumerate(header) if each}
    near = next(iter(get_close_matches(name.casefold(), names, 1)), None)
    return f'{key} "{name}"' + (f'; did you mean "{names[near]}"?' if near else "")
