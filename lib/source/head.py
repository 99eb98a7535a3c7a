"""The head of a file: its first lines → the header, and what the lines above it say.

The header is the first line that has all the names that are wanted. Above it may be anything:
blank lines, titles, Google's `Parameters:TimeZone=...` line
(support.google.com/google-ads/answer/7014069), or Excel's `sep=;`. No line above it becomes a row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from lib.source.delimited import strict_reader
from lib.source.errors import SourceError
from lib.source.text import UNDECODABLE

HEAD_LINES: Final = 50
HEAD_CHARS: Final = 1 << 20
"""The header, including its quoted newlines, must end within these limits."""

_DELIMITERS: Final = ",;\t|"
_PADDING: Final = " \t,;|\"'\r\n"
_PARAMETERS: Final = re.compile(r"[\s\"']*parameters\s*:", re.IGNORECASE)
_TIME_ZONE: Final = re.compile(r"time\s?zone\s*=\s*([^;,\t|\"\r\n]*)", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\"?sep=([^\"\r\n])\"?[\s,;|]*$", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"[^"]*"')

Lacks = Callable[[Sequence[str]], SourceError | None]
"""Names of a line → why it is not the header; None: it is. The error of the line that comes closest
has the lowest `distance`."""


class HeaderRecord(NamedTuple):
    """A record among the first lines, read as a header."""

    start: int
    """Index of its first line."""
    end: int
    """Index of the line below it."""
    names: tuple[str, ...]
    delimiter: str
    spaced: bool
    """A space follows each delimiter (`a, "b"`). It is not part of the cells."""

    @property
    def fewest(self) -> int:
        """The number of cells up to the last one that is not empty."""
        return max((column + 1 for column, name in enumerate(self.names) if name), default=0)


class Head(NamedTuple):
    """What the first lines of a file say about it. `error`: why the header is none, although it
    comes closest: then the rows below it are counted, and none is sent."""

    header: HeaderRecord
    time_zone: str | None
    error: SourceError | None = None

    @property
    def is_far(self) -> bool:
        """Whether it has few of the wanted names."""
        return self.error is not None and self.error.code == "NO_HEADER"


def read_head(
    lines: Sequence[str], delimiter: str | None, max_columns: int, lacks: Lacks | None
) -> Head:
    """Read the head from the first lines of a file. `delimiter` is from the profile. Without
    `lacks`, the first line is the header.

    Raises `SourceError` with EMPTY_FILE, UNKNOWN_DELIMITER, UNREADABLE_HEADER or TOO_MANY_COLUMNS.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise SourceError("UNKNOWN_DELIMITER", "the delimiter in the profile must be one character")
    closest: Head | None = None
    unreadable: SourceError | None = None
    for header in header_records(lines, delimiter, max_columns):
        if isinstance(header, SourceError):
            if lacks is None:
                raise header
            unreadable = unreadable or header
            continue
        error = lacks(header.names) if lacks is not None else None
        head = Head(header, _said_above(lines[: header.start])[1], error)
        if error is None:
            return head
        if closest is None or closest.error is None or error.distance < closest.error.distance:
            closest = head
    if closest is None or (unreadable is not None and closest.is_far):
        raise unreadable or SourceError("EMPTY_FILE", "the file contains no header and no rows")
    return closest


def header_records(
    lines: Sequence[str], delimiter: str | None, max_columns: int
) -> Iterator[HeaderRecord | SourceError]:
    """Yield each of the first lines as a header, or why it cannot be one."""
    at = 0
    while at < len(lines):
        if _is_preamble(lines[at]):
            at += 1
            continue
        record = _balanced(lines[at:])
        try:
            yield _header_record(lines, at, "".join(record), delimiter, max_columns)
        except SourceError as error:
            yield error
        at += len(record)


def _header_record(
    lines: Sequence[str], start: int, text: str, delimiter: str | None, max_columns: int
) -> HeaderRecord:
    """Read the record that begins in a line as a header. Raises `SourceError`."""
    if "\0" in text or UNDECODABLE in text:
        raise SourceError("UNREADABLE_HEADER", f"line {start + 1} cannot be decoded as text")
    stated = delimiter or _said_above(lines[:start])[0]
    used = stated or max(_DELIMITERS, key=_QUOTED.sub("", text).count)
    try:
        names, height, spaced = _read_names(lines[start:], used)
    except csv.Error:
        detail = f"line {start + 1} has an open quote or does not end"
        raise SourceError("UNREADABLE_HEADER", detail) from None
    if len(names) > max_columns:
        detail = f"line {start + 1} has more than {max_columns} columns"
        raise SourceError("TOO_MANY_COLUMNS", detail)
    return HeaderRecord(start, start + height, tuple(map(str.strip, names)), used, spaced)


def _said_above(lines: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the delimiter and the time zone that the lines above the header state."""
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
    """Return the lines up to where all quotes are closed, or the first if a quote stays open."""
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
