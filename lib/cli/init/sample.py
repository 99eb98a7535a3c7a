"""The first rows of a file, and what the name and the cells of a column say about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import IO, Any, Final, Literal

from lib.cli.init.encodings import likely_encoding
from lib.config.profile import Profile
from lib.destinations import registry
from lib.rules.identity import CLICK_IDS
from lib.rules.roles import amount_in
from lib.rules.values.cells import unwrap, without_accents
from lib.rules.values.dates import is_moment, is_time_of_day
from lib.run.column_content import columns_by_content
from lib.run.plan import key_columns
from lib.run.reading import Header, read_header, source_options
from lib.source.errors import SourceError
from lib.source.header import columns_named
from lib.source.table import Table, open_table
from lib.state.store import Readable

_MOST_ROWS: Final = 2_000
"""As many as in a chunk: enough for every kind of value, and read within a second."""
_MOST_CHARS: Final = 2 << 20
"""Ten times the size of these rows in an ordinary file. Wider rows make a smaller sample."""
_LONGEST_NAME: Final = 80
_FEWEST_NAMES: Final = 3
_CENT: Final = 0.015
"""Amounts that differ by less are the same: both may be rounded."""
_WORDS: Final = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row: its line, its cells without what spreadsheets add to them, and the columns of those
    that are numbers of a workbook, not text."""

    line: int
    cells: Sequence[str]
    numbers: Set[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sample:
    """The head of a file and its first readable rows."""

    table: Table
    header: Header
    rows: Sequence[SampleRow]
    found: Mapping[str, Any] = field(default_factory=dict)
    """Key of the profile → what the file needs to be read like this, although nobody gave it."""

    @property
    def names(self) -> Sequence[str]:
        """The names of all columns."""
        return self.table.header

    def free_columns(self) -> list[int]:
        """Return the columns that have no meaning yet, and that a profile can name."""
        known = self.known_columns
        return [at for at in range(len(self.names)) if at not in known and self.can_be_named(at)]

    @property
    def known_columns(self) -> set[int]:
        """The columns that have a meaning."""
        return set(self.header.fields.values())

    def can_be_named(self, at: int) -> bool:
        """Return whether a profile can name a column: no other column has its name."""
        name = self.names[at]
        return bool(name) and columns_named(name, self.names) == [at]

    def field_of(self, field: str) -> int | None:
        """Return the column of a field, if it has one."""
        return self.header.fields.get(field)


def has_names(sample: Sample) -> bool:
    """Return whether the first line has names of columns, though none of them is known: no name
    looks like a cell."""
    return _are_names(sample.names) and bool(sample.rows)


def _are_names(cells: Sequence[str]) -> bool:
    names = [name for name in cells if name.strip()]
    looks_like_cells = any(
        "@" in name or is_moment(name) or is_amount(name) or len(name) > _LONGEST_NAME
        for name in names
    )
    return len(set(names)) >= _FEWEST_NAMES and not looks_like_cells


def read_likely(stream: IO[bytes], values: Mapping[str, Any], max_bytes: int) -> Sample:
    """Read a sample with the keys of the profile in `values`, and in the encoding and with the
    header that the file probably has. Raises `SourceError`."""
    found: dict[str, Any] = {}
    values = {"destination": registry.OPEN_TO_ALL, **values}
    if "encoding" not in values and (encoding := likely_encoding(stream)):
        found["encoding"] = encoding

    def read(headers: Mapping[str, Any]) -> Sample:
        stream.seek(0)
        profile = Profile.model_validate({**values, **found, "headers": headers})
        try:
            return read_sample(stream, profile, max_bytes)
        except SourceError as error:
            if not error.fields or not headers.keys().isdisjoint(error.fields):
                raise
            # The cells or a person choose one.
            return read({**headers, **{field: [] for field in error.fields}})

    headers = values.get("headers", {})
    sample = read(headers)
    table = sample.table
    if "header_row" in values:
        return sample
    if sample.header.stop and table.likely_header_line:
        found["header_row"] = table.likely_header_line
        sample = read(headers)
    elif sample.header.stop and not has_names(sample):
        named = {line: names for line, names in table.possible_headers() if _are_names(names)}
        if named:
            found["header_row"] = max(named, key=lambda line: len(set(named[line])))
            sample = read(headers)
    elif table.has_titles:
        found["header_row"] = table.header_line
    return replace(sample, found=found, header=_of_clicks(sample, {**values, **found}))


def _of_clicks(sample: Sample, values: Mapping[str, Any]) -> Header:
    """Return the header of a file with the numbers of callers as one of conversions if it lacks
    what calls need, and has click IDs: a person may choose their column."""
    header, headers = sample.header, values.get("headers", {})
    if header.kind != "call" or header.stop is None:
        return header
    cells, taken = [row.cells for row in sample.rows], header.fields.values()
    for fields, columns in columns_by_content(sample.names, cells, taken):
        for at in columns if CLICK_IDS[0] in fields else ():
            profile = {**values, "headers": {**headers, CLICK_IDS[0]: [sample.names[at]]}}
            header = read_header(sample.table, Profile.model_validate(profile))
            others = {each: at for each, at in header.fields.items() if each != CLICK_IDS[0]}
            return replace(header, fields=others)
    return header


def read_sample(stream: Readable, profile: Profile, max_bytes: int) -> Sample:
    """Read the header of a file and its first rows, without a report's footer. Raises
    `SourceError`."""
    options = replace(source_options(profile, max_bytes), keep_cells=True)
    table = open_table(stream, options)
    header = read_header(table, profile)
    table.expect_footer(key_columns(header.fields))
    readable = ((line, cells) for line, cells, problem, _ in table.records() if not problem)
    rows: list[SampleRow] = []
    chars = 0
    for line, cells in islice(readable, _MOST_ROWS):
        texts = [unwrap(cell, "text") for cell in cells]
        rows.append(SampleRow(line, texts, table.number_columns(line)))
        chars += sum(map(len, cells))
        if chars > _MOST_CHARS:
            break
    return Sample(table, header, rows)


def filled(rows: Sequence[SampleRow], at: int) -> list[str]:
    """Return the cells of a column that are not empty."""
    return [row.cells[at] for row in rows if row.cells[at]]


def begins_with(name: str, stems: tuple[str, ...]) -> bool:
    """Return whether a word of a name or stage begins with one of the stems."""
    words = _WORDS.findall(without_accents(name).casefold())
    return any(word.removeprefix("zuruck").removeprefix("ruck").startswith(stems) for word in words)


def kind_of_cells(rows: Sequence[SampleRow], at: int) -> Literal["amount", "date"] | None:
    """Return whether the cells of a column are amounts or dates; None: neither."""
    cells = set(filled(rows, at))
    if cells and all(map(is_amount, cells)):
        return "amount"
    return "date" if all(map(is_moment, cells)) else None


def are_times_of_day(rows: Sequence[SampleRow], at: int) -> bool:
    """Return whether all cells of a column are times without a date, such as 14:05."""
    cells = filled(rows, at)
    return bool(cells) and all(is_time_of_day(cell) and not is_amount(cell) for cell in cells)


def is_amount(cell: str) -> bool:
    """Return whether a cell is an amount in any spelling."""
    return amount_in(cell) is not None


def amounts_of(rows: Sequence[Sequence[str]], at: int) -> Iterator[float]:
    """Yield the amounts in a column, in any spelling; 0 for a cell without one."""
    return (amount_in(row[at]) or 0 for row in rows)


def is_sum(wholes: Iterable[float], rests: Iterable[float], parts: Iterable[float]) -> bool:
    """Return whether in every row, the whole is the sum of the rest and the part. The first row in
    which it is not ends the reading."""
    sums = zip(wholes, rests, parts, strict=True)
    return all(abs(whole - rest - part) < _CENT for whole, rest, part in sums)


def is_nothing(cell: str) -> bool:
    """Return whether a cell says that nothing happened: it is empty or zero."""
    digits = [each for each in cell if each.isdigit()]
    return not cell or (set(digits) == {"0"} and is_amount(cell))


@dataclass(frozen=True, slots=True)
class Basis:
    """What the keys are inferred from: the sample, its `rows` that count, and the column of each
    field. `now` and `local_zone` do not come from the file; `known` are the keys so far, and
    `filters` those that say which rows count."""

    sample: Sample
    rows: Sequence[SampleRow]
    columns: Mapping[str, int]
    now: datetime
    local_zone: str
    known: dict[str, Any]
    filters: Collection[str]

    @property
    def time_column(self) -> int | None:
        """The column in which the dates show: every row of such a file has one."""
        is_adjustment = self.sample.header.kind == "adjustment"
        return self.columns.get("adjustment_date_time" if is_adjustment else "conversion_date_time")
