"""The offline check: what would happen to the rows of a file, and where each problem occurs.

`lib.cli.check_command` is its command line, and `lib.cli.check_output` prints its results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile
from typing import IO, Final

from lib.adapters.workbook import read_in_child
from lib.catalogue.texts import EMPTY_SHOWN
from lib.cli.dry_run import MAX_FILE_BYTES, MAX_FILE_LINES, DryChunk, DryRun, offline
from lib.cli.header_words import DECIDES, likely_successor
from lib.config.profile import Profile
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.records import Record, line_of
from lib.model.spelling import comparable
from lib.results.document import RunSummary
from lib.rules.selection import value_as_listed
from lib.run.chunks import chunk_size_of
from lib.run.context import Connect
from lib.run.plan import Plan
from lib.run.reading import read_table
from lib.source.header import columns_named
from lib.source.table import Table
from lib.state.runs import FileFacts, Run
from lib.state.store import Readable, StoredObject

_LINES_SHOWN: Final = 5
_DETAILS_SHOWN: Final = 2
_FIRST_RECORDS: Final = 3
_MAX_VALUES: Final = 1_000
"""Different values that are counted for each code."""
_LONGEST_VALUE: Final = 60
"""Characters of a value that are kept."""


@dataclass(slots=True)
class Occurrences:
    """Where a code occurs: its first lines and its columns, with the file's own names.

    `rows` are the rows of a spreadsheet in which these lines are. `values` are the wrong values,
    with the number of their rows. They are raw values of the file, for the screen of the person who
    has it only. `details` are the first texts that are particular to a row; they never contain a
    value.
    """

    lines: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    values: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)

    def count_wrong_value(self, value: str) -> None:
        """Count a value, unless there are too many different ones."""
        value = value[:_LONGEST_VALUE]
        if value in self.values or len(self.values) < _MAX_VALUES:
            self.values[value] += 1


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The results of a check. `table` is None if the file could not be read as a table.

    `first` are the first records that would be sent, and `renamed` the names of columns that the
    file lacks, with those that they probably have now: none if they may not be shown.
    """

    summary: RunSummary
    occurrences: Mapping[str, Occurrences]
    table: Table | None
    first: Sequence[Record]
    renamed: Mapping[str, str]
    has_line_breaks: bool
    """Whether a line of the file may be another row of a spreadsheet: cells have line breaks, or
    there are blank lines, which `add_spreadsheet_rows` tells apart."""

    @property
    def refused(self) -> bool:
        """Whether the function would stop the file, or not send a row (except repeats)."""
        return self.summary.run.stop is not None or self.summary.totals.lost > 0


def check(
    stream: Readable,
    source: StoredObject,
    profile_name: str,
    profile: Profile,
    now: datetime,
    each: Callable[[ChunkOutcomes], None] = lambda chunk: None,
    *,
    connect: Connect = offline,
    list_all: bool = False,
    with_values: bool = False,
) -> CheckResult:
    """Validate every row of a file as a run that starts at `now` would.

    `each` gets the outcomes of every chunk, in order. Errors of the file are in the summary
    (`run.stop`), never exceptions. Only an `OSError` of the stream is raised.
    `list_all`: the outcomes list all rows. `with_values`: with wrong values and the first
    records, for the screen of the person who has the file.
    """
    dry_run = DryRun(profile, now, connect, list_all)
    first = list[Record]()
    occurrences: dict[str, Occurrences] = {}
    last_line = 0
    for chunk in dry_run.read(stream):
        last_line = line_of(chunk.rows[-1])
        _add_occurrences(occurrences, chunk, dry_run, with_values)
        if with_values:
            first += islice(chunk.records.values(), _FIRST_RECORDS - len(first))
        each(chunk.outcomes)
    header = dry_run.header
    run = Run(
        source=source,
        arrived=now,
        now=now,
        profile_name=profile_name,
        profile=profile.document() | {"validate_only": True},
        cut=chunk_size_of(profile),
        state="working",
        owner="",
        due=None,
        facts=FileFacts(
            chunks=0,
            customer_id=profile.customer_id,
            columns=dict(header.names) if header is not None else {},
        ),
        stop=dry_run.stop,
    )
    totals, notes = dry_run.totals, dry_run.notes()
    summary = RunSummary(run=run, totals=totals, request_ids=(), finished_at=now, notes=notes)
    table = dry_run.table
    renamed = _renamed(profile, table) if with_values else {}
    has_line_breaks = table is not None and last_line != table.header_line + totals.all_rows
    return CheckResult(summary, occurrences, table, first, renamed, has_line_breaks)


def _renamed(profile: Profile, table: Table | None) -> dict[str, str]:
    """Return the columns that the file lacks, with those that probably replace them."""
    if table is None or table.header_error is None:
        return {}
    wanted = {names: field for entry in profile.entries for field, names in entry.columns.items()}
    conditions = (profile.skip, *(entry.rows for entry in profile.entries))
    wanted |= {(name,): DECIDES for columns in conditions for name in columns}
    known = {comparable(name) for names in wanted for name in names}
    free = [name for name in table.header if name and comparable(name) not in known]
    found = {
        names: likely_successor(names, field, free)
        for names, field in wanted.items()
        if not columns_named(names, table.header)
    }
    return {" or ".join(names): new for names, new in found.items() if new}


def _add_occurrences(
    occurrences: dict[str, Occurrences],
    chunk: DryChunk,
    dry_run: DryRun,
    with_values: bool,
) -> None:
    """Record where the codes of a chunk occur."""
    listed = chunk.outcomes.listed
    cells = {line: cells for line, cells, *_ in chunk.rows} if with_values and listed else {}
    for row in listed:
        for problem in row.errors + row.warnings:
            occurrence = occurrences.setdefault(problem.code, Occurrences())
            if len(occurrence.lines) < _LINES_SHOWN and row.line not in occurrence.lines:
                occurrence.lines.append(row.line)
            details = occurrence.details
            if problem.detail and len(details) < _DETAILS_SHOWN and problem.detail not in details:
                details.append(problem.detail)
            header, plan = dry_run.header, dry_run.plan
            if problem.code == "NO_ENTRY_FITS" and plan is not None and row.line in cells:
                for value in _unknown_values(dry_run.profile, plan, cells[row.line]):
                    occurrence.count_wrong_value(value)
            if not problem.field or header is None:
                continue
            name = header.names.get(problem.field, problem.field)
            if name not in occurrence.columns:
                occurrence.columns.append(name)
            columns, row_cells = header.columns_of(problem.field), cells.get(row.line)
            # Of several, it is not known which one the entry of the row reads.
            if len(columns) == 1 and row_cells and plan is not None:
                value = row_cells[plan.places[columns[0]]].strip()
                occurrence.count_wrong_value(value)


def _unknown_values(profile: Profile, plan: Plan, cells: Sequence[str]) -> Iterator[str]:
    """Yield the values of a row for which no entry has a list: `Deal Stage: Won (self-serve)`.

    A column that only `skip` names is left out: there, any value that `skip` does not list is fine.
    """
    conditions = (profile.skip, *(entry.rows for entry in profile.entries))
    for name in dict.fromkeys(name for entry in profile.entries for name in entry.rows):
        listed = {comparable(v) for columns in conditions for v in columns.get(name, ())}
        cell = cells[plan.places[plan.header.of_values[name]]]
        if value_as_listed(cell, frozenset(listed)) not in listed:
            yield f"{name}: {cell.strip() or EMPTY_SHOWN}"


def add_spreadsheet_rows(checked: CheckResult, stream: IO[bytes], profile: Profile) -> None:
    """Read the file again for the rows of a spreadsheet, if they may differ from the lines."""
    lines = {line for each in checked.occurrences.values() for line in each.lines}
    if not checked.has_line_breaks or not lines:
        return
    stream.seek(0)
    table = read_table(stream, profile, MAX_FILE_BYTES, MAX_FILE_LINES, read_sheet=read_in_child)
    up_to_last = takewhile(lambda original: original.line <= max(lines), table.originals())
    rows = {original.line: original.row for original in up_to_last if original.line in lines}
    for occurrence in checked.occurrences.values():
        occurrence.rows = [rows.get(line, line) for line in occurrence.lines]
