"""Header → the columns with the names that are wanted.

Names are compared without case, outer and double spaces, in NFKC. In a file without a header, the
first line is a row of raw user data. So the names of a file are shown only if half of the wanted
names, and two, are among them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lib.model.fields import comparable
from lib.source.errors import SourceError

Names = tuple[str, ...]
"""The name of a column, or several names of which a file has one."""

_DATA: Final = re.compile(
    r".*@.*|[\d\s.,:;/+()$€£-]*\d[\d\s.,:;/+()$€£TZ-]*|[0-9a-fA-F]{32,}", re.DOTALL
)
_MAX_NAME_CHARS: Final = 80
_MAX_NAME_DIGITS: Final = 4
MAX_COLUMNS: Final = 1_000


class Wanted(Protocol):
    """The names that a header must have."""

    def lacks(self, header: Sequence[str], /) -> SourceError | None:
        """Return why a line is not the header, or None."""


@dataclass(frozen=True, slots=True)
class WantedNames:
    """The columns that a profile names. `required`: what the file must have."""

    required: Collection[Names]

    def lacks(self, header: Sequence[str]) -> SourceError | None:
        """Return why a line is not the header, or None."""
        missing = [names for names in self.required if not columns_named(names, header)]
        return not_the_header(missing, len(self.required) - len(missing), header)


def not_the_header(
    missing: Sequence[Names], found: int, header: Sequence[str]
) -> SourceError | None:
    """Return the error of a line that has so many wanted names, but not the `missing` ones.

    None: nothing is missing. The names of the line are shown only if half of the wanted ones, and
    two, are among them: otherwise it may be a person's row.
    """
    if not missing:
        return None
    wanted = ", ".join(" or ".join(f'"{name}"' for name in names) for names in missing)
    if found < max(2, len(missing)):
        detail = f"missing: {wanted}; no line has half of the names"
        return SourceError("NO_HEADER", detail, distance=2 * len(missing) + MAX_COLUMNS - found)
    names = ", ".join(shown(name, column) for column, name in enumerate(header) if name)
    detail = f"missing: {wanted}; the file has: {names}"
    return SourceError("COLUMN_MISSING", detail, distance=len(missing))


def columns_named(names: Names, header: Sequence[str]) -> list[int]:
    """Return the columns that have one of these names."""
    wanted = {comparable(name) for name in names}
    return [column for column, name in enumerate(header) if name and comparable(name) in wanted]


def column_of(names: Names, header: Sequence[str], purpose: str) -> int | None:
    """Return the column that has one of these names, or None.

    `purpose` is the field, or the key of the profile. Raises `SourceError` (DUPLICATE_COLUMN) if
    several columns have them.
    """
    columns = columns_named(names, header)
    if len(columns) > 1:
        where = " and ".join(quoted(header, column) for column in columns)
        raise SourceError("DUPLICATE_COLUMN", f"{purpose}: {where}")
    return columns[0] if columns else None


# ── which names may be shown ─────────────────────────────────────────────────────────────────


def looks_like_data(name: str) -> bool:
    """Return whether a whole name looks like an email address, a number, a time, a digest, or is
    too long for a name."""
    return len(name) > _MAX_NAME_CHARS or bool(_DATA.fullmatch(name))


def shown(name: str, column: int) -> str:
    """Return a header name that is safe to show, or `column 5` if the name could be user data."""
    few_digits = sum(map(str.isdigit, name)) <= _MAX_NAME_DIGITS
    is_harmless = name.isprintable() and few_digits and not looks_like_data(name)
    return name if name and is_harmless else f"column {column + 1}"


def shown_title(title: str) -> str:
    """Return the title of a sheet, unless it could be user data."""
    is_harmless = title.isprintable() and not looks_like_data(title)
    return title if is_harmless else "a title that looks like data"


def quoted(header: Sequence[str], column: int) -> str:
    """Return a header name and its column number, if the name is safe to show."""
    name = shown(header[column], column)
    return f'"{name}" (column {column + 1})' if name == header[column] else name
