"""The head of a file: its first lines → the header, and what the lines above it say.

In any order, blank lines may precede the header, Google's `Parameters:TimeZone=...` line
(support.google.com/google-ads/answer/7014069), the instruction lines of Google's older template
(`### INSTRUCTIONS ###`, `# For instructions ...`), and Excel's `sep=;`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from lib.source.delimited import strict_reader
from lib.source.errors import SourceError
from lib.source.text import UNDECODABLE

HEAD_LINES = 50
HEAD_CHARS = 1 << 20
"""The header, including its quoted newlines, must end within these limits."""

_DELIMITERS = ",;\t|"
_PADDING = " \t,;|\"'\r\n"
_PARAMETERS = re.compile(r"[\s\"']*parameters\s*:", re.IGNORECASE)
_TIME_ZONE = re.compile(r"time\s?zone\s*=\s*([^;,\t|\"\r\n]*)", re.IGNORECASE)
_SEPARATOR = re.compile(r"\"?sep=([^\"\r\n])\"?[\s,;|]*$", re.IGNORECASE)
_INSTRUCTION = re.compile(r"\"?(##|#(\s+[^\s,;|]+){3})")
_QUOTED = re.compile(r'"[^"]*"')


class Head(NamedTuple):
    """What the first lines of a file say about it."""

    header: tuple[str, ...]
    line: int
    """Line number of the header, from 1."""
    length: int
    """Number of lines up to and including the header."""
    delimiter: str
    spaced: bool
    """A space follows each delimiter (`a, "b"`). It is not part of the cells."""
    time_zone: str | None


class _Preamble(NamedTuple):
    length: int
    delimiter: str | None
    time_zone: str | None


def read_head(lines: Sequence[str], delimiter: str | None, max_columns: int) -> Head:
    """Read the head from the first lines of a file. `delimiter` is from the profile.

    Raises `SourceError` with EMPTY_FILE, UNKNOWN_DELIMITER, UNREADABLE_HEADER or TOO_MANY_COLUMNS.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise SourceError("UNKNOWN_DELIMITER", "the delimiter in the profile must be one character")
    before = _read_preamble(lines)
    index = before.length
    text = "".join(_balanced(lines[index:]))
    if "\0" in text or UNDECODABLE in text:
        raise SourceError("UNREADABLE_HEADER", f"line {index + 1} cannot be decoded as text")
    delimiter = delimiter or before.delimiter or _most_frequent_delimiter(text)
    try:
        names, height, spaced = _read_names(lines[index:], delimiter)
    except csv.Error:
        raise SourceError(
            "UNREADABLE_HEADER", f"line {index + 1} has an open quote or does not end"
        ) from None
    if len(names) > max_columns:
        raise SourceError(
            "TOO_MANY_COLUMNS", f"line {index + 1} has more than {max_columns} columns"
        )
    return Head(
        header=tuple(name.strip() for name in names),
        line=index + 1,
        length=index + height,
        delimiter=delimiter,
        spaced=spaced,
        time_zone=before.time_zone,
    )


def _read_preamble(lines: Sequence[str]) -> _Preamble:
    delimiter: str | None = None
    time_zone: str | None = None
    for index, line in enumerate(lines):
        if not line.strip(_PADDING):
            continue
        if _PARAMETERS.match(line):
            zone = _TIME_ZONE.search(line)
            time_zone = zone[1].strip() or None if zone else time_zone
        elif separator := _SEPARATOR.match(line):
            delimiter = separator[1]
        elif not _INSTRUCTION.match(line):
            return _Preamble(index, delimiter, time_zone)
    raise SourceError("EMPTY_FILE", "the file contains no header and no rows")


def _balanced(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines up to where all quotes are closed, or the first if a quote stays open."""
    quotes = 0
    for index, line in enumerate(lines):
        quotes += line.count('"')
        if quotes % 2 == 0:
            return lines[: index + 1]
    return lines[:1]


def _most_frequent_delimiter(header: str) -> str:
    outside_quotes = _QUOTED.sub("", header)
    return max(_DELIMITERS, key=outside_quotes.count)


def _read_names(lines: Sequence[str], delimiter: str) -> tuple[list[str], int, bool]:
    """Return the header's cells, its number of lines, and whether a space follows delimiters."""
    reader = strict_reader(lines, delimiter, spaced=False)
    names = next(reader)
    spaced = len(names) > 1 and all(name.startswith(" ") for name in names[1:])
    if spaced:
        reader = strict_reader(lines, delimiter, spaced=True)
        names = next(reader)
    return names, reader.line_num, spaced
