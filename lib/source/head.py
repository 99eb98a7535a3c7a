"""The head of a file: its first lines → the header, and what the lines above it say.

In any order, blank lines may precede the header, Google's `Parameters:TimeZone=...` line
(support.google.com/google-ads/answer/7014069), the instruction lines of Google's older template
(`### INSTRUCTIONS ###`, `# For instructions ...`), and Excel's `sep=;`. The next line is the
header, unless the profile names another one (`header_row`) or there are titles above it:

    Sales report                   a title
    Period,November 2026           a filter
    Name,Phone,Id,Date,Amount      the header

    Salesperson,,Deal,,            merged cells: with `header_row` only, because they can say whose
    Name,Phone,Id,Date,Amount      phone number this is

No line above the header becomes a row. So a header below titles must be certain: its names are
known, the rows fit it, nothing above it looks like a row, and the first line is no header that
the rows fit.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import takewhile, zip_longest
from typing import Final, NamedTuple

from lib.source.delimited import strict_reader
from lib.source.errors import SourceError
from lib.source.header import Certainty, correction_columns, looks_like_data
from lib.source.text import UNDECODABLE

HEAD_LINES: Final = 50
HEAD_CHARS: Final = 1 << 20
"""The header, including its quoted newlines, must end within these limits."""
_TITLE_LINES: Final = 20
"""A header below titles must begin within this number of lines."""

_DELIMITERS: Final = ",;\t|"
_PADDING: Final = " \t,;|\"'\r\n"
_PARAMETERS: Final = re.compile(r"[\s\"']*parameters\s*:", re.IGNORECASE)
_TIME_ZONE: Final = re.compile(r"time\s?zone\s*=\s*([^;,\t|\"\r\n]*)", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"\"?sep=([^\"\r\n])\"?[\s,;|]*$", re.IGNORECASE)
_INSTRUCTION: Final = re.compile(r"\"?(##|#(\s+[^\s,;|]+){3})")
_QUOTED: Final = re.compile(r'"[^"]*"')

Recognize = Callable[[Sequence[str]], Certainty]
"""Names of a line → how certainly they are a header: `lib.source.header.recognize`."""


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
    is_merged: bool = False
    """Some of the names are in the line above it."""

    @property
    def filled(self) -> int:
        return sum(map(bool, self.names))

    @property
    def fewest(self) -> int:
        """The number of cells up to the last one that is not empty."""
        return max((at + 1 for at, name in enumerate(self.names) if name), default=0)


class Head(NamedTuple):
    """What the first lines of a file say about it."""

    header: HeaderRecord
    time_zone: str | None
    has_titles: bool
    """Lines that say nothing in a known form are above the header."""
    likely_line: int | None
    """A later line that looks more like the header, but is not certain."""


class _Fit(NamedTuple):
    """How the first rows fit a header: their number, those that have all its cells and no other
    one, and those with cells that have no name."""

    rows: int
    narrow: int
    wide: int

    @property
    def is_good(self) -> bool:
        return self.narrow > self.wide


def read_head(
    lines: Sequence[str],
    delimiter: str | None,
    max_columns: int,
    header_row: int | None,
    recognize: Recognize,
) -> Head:
    """Read the head from the first lines of a file. `delimiter` and `header_row` are from the
    profile.

    Raises `SourceError` with EMPTY_FILE, UNKNOWN_DELIMITER, NO_HEADER, UNREADABLE_HEADER or
    TOO_MANY_COLUMNS.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise SourceError("UNKNOWN_DELIMITER", "the delimiter in the profile must be one character")
    first_lines = _FirstLines(lines, delimiter, max_columns)
    if header_row is not None:
        return first_lines.head(first_lines.header_in(header_row))
    start = next(first_lines.starts(), None)
    if start is None:
        raise SourceError("EMPTY_FILE", "the file contains no header and no rows")
    first: HeaderRecord | SourceError
    can_be_header = False
    try:
        first = first_lines.record(start)
        # A single name does not show the delimiter, so every row would fit it.
        can_be_header = recognize(first.names) != "none" and len(first.names) > 1
        if can_be_header and not first_lines.fit(first, first.end).wide:
            return first_lines.head(first)
    except SourceError as error:
        first = error
    header = first_lines.header_below(recognize)
    if isinstance(first, SourceError):
        if header is None:
            raise first
        return first_lines.head(header)
    if header and not (can_be_header and first_lines.fit(first, header.end).is_good):
        return first_lines.head(header)
    return first_lines.head(first, first_lines.likely_header(first, recognize))


def possible_headers(
    lines: Sequence[str], delimiter: str | None, max_columns: int
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each of the first lines that could be the header, because rows below fit it, and its
    names."""
    first_lines = _FirstLines(lines, delimiter, max_columns)
    for line in range(1, min(len(lines), HEAD_LINES) + 1):
        with suppress(SourceError):
            header = first_lines.header_in(line)
            if first_lines.fit(header, header.end).narrow:
                yield line, header.names


class _FirstLines:
    """The first lines of a file, and the records in them."""

    def __init__(self, lines: Sequence[str], delimiter: str | None, max_columns: int) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._max_columns = max_columns

    def starts(self) -> Iterator[int]:
        """Yield the index of each record that may be a title, the header or a row."""
        at = 0
        while at < len(self._lines):
            if _is_preamble(self._lines[at]):
                at += 1
            else:
                yield at
                at += len(_balanced(self._lines[at:]))

    def record(self, start: int) -> HeaderRecord:
        """Read a record as a header. Raises `SourceError` if it cannot be one."""
        lines = self._lines[start:]
        text = "".join(_balanced(lines))
        if "\0" in text or UNDECODABLE in text:
            raise SourceError("UNREADABLE_HEADER", f"line {start + 1} cannot be decoded as text")
        delimiter = (
            self._delimiter
            or self._said_above(start)[0]
            or max(_DELIMITERS, key=_QUOTED.sub("", text).count)
        )
        try:
            names, height, spaced = _read_names(lines, delimiter)
        except csv.Error:
            raise SourceError(
                "UNREADABLE_HEADER", f"line {start + 1} has an open quote or does not end"
            ) from None
        if len(names) > self._max_columns:
            raise SourceError(
                "TOO_MANY_COLUMNS", f"line {start + 1} has more than {self._max_columns} columns"
            )
        names = [name.strip() for name in names]
        return HeaderRecord(start, start + height, tuple(names), delimiter, spaced)

    def head(self, header: HeaderRecord, likely: HeaderRecord | None = None) -> Head:
        return Head(
            header,
            time_zone=self._said_above(header.start)[1],
            has_titles=next(self.starts()) < header.start,
            likely_line=likely.start + 1 if likely else None,
        )

    def header_in(self, line: int) -> HeaderRecord:
        """Return the header in the line that the profile names."""
        if line > len(self._lines) or _is_preamble(self._lines[line - 1]):
            detail = f"header_row in the profile is {line}, but this line has no column names"
            raise SourceError("NO_HEADER", detail)
        return self._with_merged(self.record(line - 1), [*self.starts()])

    def header_below(self, recognize: Recognize) -> HeaderRecord | None:
        """Return the header below titles, if there is one for certain."""
        starts = [*self.starts()]
        found = [each for each in self._below(starts) if recognize(each.names) == "certain"]
        header = max(found, key=lambda each: each.filled, default=None)
        if header is None:
            return None
        fit = self.fit(header, header.end)
        if fit.rows and not fit.is_good:
            return None
        above = takewhile(header.start.__gt__, starts)
        return header if all(self._is_title(start, header) for start in above) else None

    def likely_header(self, first: HeaderRecord, recognize: Recognize) -> HeaderRecord | None:
        """Return the record that looks more like a header than the first one."""
        starts = [*self.starts()]
        records = [self._with_merged(each, starts) for each in self._below(starts)]
        found = [
            each
            for each in records
            if each.filled > first.filled and recognize(each.names) == "certain"
        ]
        return max(found, key=lambda each: each.filled, default=None)

    def fit(self, header: HeaderRecord, start: int) -> _Fit:
        """Compare the rows from a line on with a header."""
        narrow = wide = rows = 0
        width, fewest = len(header.names), header.fewest
        unnamed = [at for at, name in enumerate(header.names) if not name]
        with suppress(csv.Error):
            for row in strict_reader(self._lines[start:], header.delimiter, header.spaced):
                others = row[width:]
                others += [row[at] for at in unnamed if at < len(row)]
                if any(map(str.strip, others)):
                    wide += 1
                elif any(map(str.strip, row)):
                    rows += 1
                    narrow += len(row) >= fewest
        return _Fit(rows + wide, narrow, wide)

    def _below(self, starts: Sequence[int]) -> Iterator[HeaderRecord]:
        """Yield the records below the first one that may be the header."""
        for start in starts[1:]:
            if start < _TITLE_LINES:
                with suppress(SourceError):
                    yield self.record(start)

    def _is_title(self, start: int, header: HeaderRecord) -> bool:
        """Return whether a record above the header is not a row, and names no columns."""
        cells, end = self._cells(start, header.delimiter)
        # A text with unquoted delimiters is one cell: "Sales, by region".
        filled = [
            at for at, cell in enumerate(cells) if cell.strip() and not (at and cell[0] == " ")
        ]
        names = [at for at in filled if not looks_like_data(cells[at].strip())]
        if end == header.start and len(names) > 1 and names != [0, 1]:
            return False
        return len(cells) < header.fewest or 2 * len(filled) <= header.filled

    def _with_merged(self, header: HeaderRecord, starts: Sequence[int]) -> HeaderRecord:
        """Return the header with the names of cells that reach into it from the row above.

        A merged cell is written as one cell and empty ones. A title is one cell only. `fix` shifts
        the header by its columns, but not the row above it.
        """
        at = bisect_left(starts, header.start) - 1
        above, end = self._cells(starts[at], header.delimiter) if at >= 0 else ([], 0)
        above = [cell.strip() for cell in above]
        if end != header.start or sum(map(bool, above)) < 2 or correction_columns(header.names):
            return header
        pairs = zip_longest(header.names, above, fillvalue="")
        names = tuple(name or merged for name, merged in pairs)
        return header._replace(names=names, is_merged=names != header.names)

    def _cells(self, start: int, delimiter: str) -> tuple[list[str], int]:
        """Return the cells of a record above the header, whatever it is, and where it ends."""
        reader = csv.reader(self._lines[start:], delimiter=delimiter)
        with suppress(csv.Error):  # a cell that is longer than the limit of the csv module
            return next(reader), start + reader.line_num
        return self._lines[start].split(delimiter), start + 1

    def _said_above(self, index: int) -> tuple[str | None, str | None]:
        """Return the delimiter and the time zone that the lines above a line state."""
        delimiter: str | None = None
        time_zone: str | None = None
        for line in self._lines[:index]:
            if _PARAMETERS.match(line):
                zone = _TIME_ZONE.search(line)
                time_zone = zone[1].strip() or None if zone else time_zone
            elif separator := _SEPARATOR.match(line):
                delimiter = separator[1]
        return delimiter, time_zone


def _is_preamble(line: str) -> bool:
    """Return whether a line is blank, or states something about the file in a known form."""
    forms = (_PARAMETERS, _SEPARATOR, _INSTRUCTION)
    return not line.strip(_PADDING) or any(form.match(line) for form in forms)


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
