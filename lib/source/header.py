"""The header of a file: the line that has the wanted names, and which column has which name.

The header is the first line that has all names that are wanted. Above it may be anything: blank
lines, titles, Google's `Parameters:TimeZone=...` line
(support.google.com/google-ads/answer/7014069), or Excel's `sep=;`. No line above it becomes a row.

Names are compared as `comparable` does. In a file without a header, the
first line is a row of raw user data. So the names of a file are shown only if at least half of
the wanted names, and at least two, are among them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from lib.errors import SourceError
from lib.model.spelling import comparable
from lib.source.delimited import strict_reader
from lib.source.text import MAX_COLUMNS, UNDECODABLE

NOT_DECODED: Final = "cannot be decoded as text"
"""The end of the detail of an error: another encoding may help."""

_DELIMITERS: Final = ",;\t|"
_PADDING: Final = " \t,;|\"'\r\n"
_PARAMETERS: Final = re.compile(r"[\s\"']*parameters\s*:", re.IGNORECASE)
_TIME_ZONE: Final = re.compile(r"time\s?zone\s*=\s*([^;,\t|\"\r\n]*)", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\"?sep=([^\"\r\n])\"?[\s,;|]*$", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"[^"]*"')

_DATA: Final = re.compile(
    r".*@.*|[\d\s.,:;/+()$€£-]*\d[\d\s.,:;/+()$€£TZ-]*|[0-9a-fA-F]{32,}", re.DOTALL
)
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_MAX_NAME_CHARS: Final = 80
_MAX_NAME_DIGITS: Final = 4

Names = tuple[str, ...]
"""The name of a column, or several names of which a file has one."""


# ── the wanted names ─────────────────────────────────────────────────────────────────────────────


class Match(NamedTuple):
    """Which wanted names a line does not have, and how many it has."""

    missing: Sequence[Names]
    found: int

    @property
    def is_close(self) -> bool:
        """Whether at least half of the wanted names, and at least two, are there: the line is a
        header, and no row of user data."""
        return not self.missing or self.found >= max(2, len(self.missing))

    @property
    def rank(self) -> tuple[bool, int, int]:
        """The line with the highest rank is the header, or comes closest to it."""
        return self.is_close, -len(self.missing), self.found


Wanted = Callable[[Sequence[str]], Match]
"""Compares the names of a line with those that a header must have."""


def match_names(required: Collection[Names], names: Sequence[str]) -> Match:
    """Compare the names of a line with the columns that a file must have, for example those that a
    profile names."""
    missing = [wanted for wanted in required if not columns_named(wanted, names)]
    return Match(missing, len(required) - len(missing))


# ── the line of the header ───────────────────────────────────────────────────────────────────────


class HeaderLine(NamedTuple):
    """One of the first lines, read as a header. It may have several lines, by quoted newlines."""

    names: tuple[str, ...]
    """Without outer spaces. The name of a column that only pads the rows is empty."""
    start: int
    """Index of its first line."""
    end: int
    """Index of the line below it."""
    delimiter: str
    spaced: bool
    """A space follows each delimiter (`a, "b"`). It is not part of the cells."""
    time_zone: str | None
    """The raw text after `Parameters:TimeZone=` above it."""
    separator: str | None
    """The delimiter, if only a line `sep=` above it says so."""

    @property
    def fewest(self) -> int:
        """The number of cells up to the last one that is not empty."""
        return max((column + 1 for column, name in enumerate(self.names) if name), default=0)


def find_header(
    lines: Sequence[str], delimiter: str | None, wanted: Wanted | None
) -> tuple[HeaderLine, SourceError | None]:
    """The first lines of a file → the header. `delimiter` is that of the profile. If no names are
    `wanted`, the first line is the header.

    With an error, the line only comes closest to the header: its rows may be counted, but not sent.
    Raises `SourceError` with EMPTY_FILE, INVALID_PROFILE, CORRUPT_FILE or FILE_TOO_LARGE.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise SourceError("INVALID_PROFILE", "the delimiter in the profile must be one character")
    closest: tuple[HeaderLine, Match] | None = None
    unreadable: SourceError | None = None
    for line in header_lines(lines, delimiter):
        if isinstance(line, SourceError):
            if wanted is None:
                raise line
            unreadable = unreadable or line
            continue
        if wanted is None or not (match := wanted(line.names)).missing:
            return line, None
        if closest is None or match.rank > closest[1].rank:
            closest = line, match
    if wanted is None or closest is None or (unreadable and not closest[1].is_close):
        raise unreadable or SourceError("EMPTY_FILE", "the file contains no header and no rows")
    line, match = closest
    return line, _error_of(match, line.names, wanted)


def _error_of(match: Match, header: Sequence[str], wanted: Wanted) -> SourceError:
    """Return why the line that comes closest is not the header: which names are missing there."""
    missing = ", ".join(" or ".join(f'"{name}"' for name in names) for names in match.missing)
    if not match.is_close:
        comparison = "no line has half of the names"
    else:
        visible, hidden = [], []
        for column, name in enumerate(header):
            if is_safe_to_show(name) and _is_familiar(name, match.missing, wanted):
                visible.append(name)
            elif name:
                hidden.append(f"{column + 1}")
        comparison = f"the file has: {', '.join(visible)}"
        if hidden:
            comparison += f"; names that are not shown here: column {', '.join(hidden)}"
    return SourceError("COLUMN_MISSING", f"missing: {missing}; {comparison}")


def _is_familiar(name: str, missing: Sequence[Names], wanted: Wanted) -> bool:
    """Return whether a name is one of ours, or resembles one that is missing. Any other could be
    that of a person, even beside names of ours."""
    if wanted([name]).found:
        return True
    others = [comparable(other) for names in missing for other in names]
    words = {word for other in others for word in _WORD.findall(other)}
    plain = comparable(name)
    return not words.isdisjoint(_WORD.findall(plain)) or bool(get_close_matches(plain, others, 1))


def header_lines(lines: Sequence[str], delimiter: str | None) -> Iterator[HeaderLine | SourceError]:
    """Yield each of the first lines as a header, or why it cannot be one."""
    start = 0
    while start < len(lines):
        if _is_preamble(lines[start]):
            start += 1
            continue
        record = _balanced(lines[start:])
        try:
            header = _header_line(lines, start, "".join(record), delimiter)
        except SourceError as error:
            yield error
            start += len(record)
        else:
            yield header
            # Of a title with an inch sign, `Report 19" screens`, only its own line was read.
            start = header.end


def _header_line(lines: Sequence[str], start: int, text: str, delimiter: str | None) -> HeaderLine:
    """Read the record that begins in a line as a header. Raises `SourceError`."""
    if "\0" in text or UNDECODABLE in text:
        raise SourceError("CORRUPT_FILE", f"line {start + 1} {NOT_DECODED}")
    separator, time_zone = _stated_above(lines[:start])
    likely = delimiter or max(_DELIMITERS, key=_QUOTED.sub("", text).count)
    used = delimiter or separator or likely
    try:
        names, height, spaced = _read_names(lines[start:], used)
    except csv.Error:
        detail = f"line {start + 1} has an open quote or does not end"
        raise SourceError("CORRUPT_FILE", detail) from None
    if len(names) > MAX_COLUMNS:
        detail = f"line {start + 1} has more than {MAX_COLUMNS} columns"
        raise SourceError("FILE_TOO_LARGE", detail)
    stripped = tuple(map(str.strip, names))
    stated = used if used != likely else None
    return HeaderLine(stripped, start, start + height, used, spaced, time_zone, stated)


def _stated_above(lines: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the delimiter and the time zone that the lines above the header state.

    >>> _stated_above(["sep=;", "Parameters:TimeZone=America/Chicago"])
    (';', 'America/Chicago')
    """
    delimiter: str | None = None
    time_zone: str | None = None
    for line in lines:
        if _PARAMETERS.match(line):
            zone = _TIME_ZONE.search(line)
            time_zone = zone[1].strip() or None if zone else time_zone
        elif separator := _SEPARATOR.match(line):
            delimiter = separator[1]
    return delimiter, time_zone


def _is_preamble(line: str) -> bool:
    """Return whether a line is blank, or states something about the file in a known form."""
    return not line.strip(_PADDING) or any(form.match(line) for form in (_PARAMETERS, _SEPARATOR))


def _balanced(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines up to where the number of quotes is even, or the first if it never is. A
    quote inside a cell without quotes counts too."""
    quotes = 0
    for index, line in enumerate(lines):
        quotes += line.count('"')
        if quotes % 2 == 0:
            return lines[: index + 1]
    return lines[:1]


def _read_names(lines: Sequence[str], delimiter: str) -> tuple[list[str], int, bool]:
    """Return the header's cells, its number of lines, and whether a space follows delimiters."""
    reader = strict_reader(lines, delimiter, spaced=False)
    names = next(reader)
    spaced = len(names) > 1 and all(name.startswith(" ") for name in names[1:])
    if spaced:
        reader = strict_reader(lines, delimiter, spaced=True)
        names = next(reader)
    return names, reader.line_num, spaced


# ── the columns of a header ──────────────────────────────────────────────────────────────────────


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


# ── which names may be shown ─────────────────────────────────────────────────────────────────────


def looks_like_data(name: str) -> bool:
    """Return whether a whole name looks like an email address, a number, a time, a digest, or is
    too long for a name."""
    return len(name) > _MAX_NAME_CHARS or bool(_DATA.fullmatch(name))


def is_safe_to_show(name: str) -> bool:
    """Return whether a header name cannot be user data."""
    few_digits = sum(map(str.isdigit, name)) <= _MAX_NAME_DIGITS
    return bool(name) and name.isprintable() and few_digits and not looks_like_data(name)


def shown(name: str, column: int) -> str:
    """Return a header name that is safe to show, or `column 5` if the name could be user data."""
    return name if is_safe_to_show(name) else f"column {column + 1}"


def shown_title(title: str) -> str:
    """Return the title of a sheet, unless it could be user data."""
    is_harmless = title.isprintable() and not looks_like_data(title)
    return title if is_harmless else "a title that looks like data"


def quoted(header: Sequence[str], column: int) -> str:
    """Return a header name and its column number, if the name is safe to show."""
    name = shown(header[column], column)
    return f'"{name}" (column {column + 1})' if name == header[column] else name
