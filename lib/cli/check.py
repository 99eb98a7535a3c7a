"""The offline check: validates a local file by the rules of a run, without a network.

It follows the steps of `lib.run.deliver`, with a destination that accepts every account and sends
nothing. At most one chunk is in memory. `lib.cli.check_command` is its command line, and
`lib.cli.check_output` prints its results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from typing import Any, Final

from lib.adapters.workbook import read_in_child
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import Destination, EncodedRequest, MaybeSent, UploadResult
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log, SilentLog
from lib.model.outcomes import ChunkOutcomes, Problem, Tally
from lib.model.records import Record, Row
from lib.results.document import RunSummary
from lib.run.chunks import Chunk, chunks_of, cut_of, not_attempted, outcomes, prepare
from lib.run.context import Connect
from lib.run.notes import notes_on_skipped
from lib.run.plan import Plan, notes_of, plan_file
from lib.run.reading import Header, read_header, read_table
from lib.source.errors import SourceError
from lib.source.table import Table
from lib.state.runs import FileFacts, Run
from lib.state.store import Readable, StoredObject

MAX_FILE_BYTES: int = Settings.model_fields["max_file_bytes"].default
MAX_FILE_LINES: int = Settings.model_fields["max_file_lines"].default
LINES_SHOWN = 5
DETAILS_SHOWN = 2

MOST_VALUES: Final = 1_000
"""Different values that are counted for each code."""
_LONGEST_VALUE: Final = 60
"""Characters of a value that are kept."""


FIRST_RECORDS: Final = 3
"""So many conversions are shown as Google will get them."""


@dataclass(slots=True)
class OfflineDestination:
    """A `Destination` without a network: it asks nothing, and keeps the `first` records."""

    capabilities: Capabilities
    sunset: date | None = None
    first: list[Record] = field(default_factory=list)

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        """Return the account unchecked, and with it all conversion actions."""
        return Account(customer_id, customer_id, names_on_trust=True)

    def encode(
        self, kind: RecordKind, records: Sequence[Record], job_id: int
    ) -> Sequence[EncodedRequest]:
        """Keep the first records. Nothing is sent, so there is no request."""
        self.first += records[: FIRST_RECORDS - len(self.first)]
        return ()

    def send(
        self, requests: Sequence[EncodedRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        """Accept all rows."""
        return UploadResult({}, ())


def offline(profile: Profile, log: Log) -> Destination[Any]:
    """Return an offline destination with the capabilities of the profile's destination."""
    return OfflineDestination(capabilities_of(profile.destination))


@dataclass(slots=True)
class Occurrences:
    """Where a code occurs: its first lines and its columns, with the file's own names.

    `records` are the numbers of the data rows in these lines. `sent`: at least one row with the
    code would be sent. `values` are the wrong values, each with the number of its rows and the line
    of the first. They are raw values of the file, for the screen of the person who has it only.
    `details` are the first texts that are particular to a row; they never contain a value.
    """

    lines: list[int] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    sent: bool = False
    values: dict[str, tuple[int, int]] = field(default_factory=dict)
    details: list[str] = field(default_factory=list)

    def add_value(self, value: str, line: int) -> None:
        """Count a value, unless there are too many different ones."""
        value = value[:_LONGEST_VALUE]
        if value in self.values or len(self.values) < MOST_VALUES:
            rows, first_line = self.values.get(value, (0, line))
            self.values[value] = (rows + 1, first_line)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The results of a check. `table` is None if the file could not be read as a table.

    `with_values`: they are for the screen of the person who has the file. `first` are the first
    records that would be sent.
    """

    summary: RunSummary
    occurrences: dict[str, Occurrences]
    table: Table | None
    with_values: bool = False
    first: Sequence[Record] = ()

    @property
    def refused(self) -> bool:
        """Whether the function would stop the file, or not send a row (except repeats)."""
        outcomes_ = self.summary.tally.outcomes
        lost = outcomes_.get("rejected", 0) + outcomes_.get("not_attempted", 0)
        return self.summary.run.stop is not None or lost > 0


@dataclass(slots=True)
class _Check:
    """The results of a check so far."""

    run: Run
    profile: Profile
    list_all: bool
    max_lines: int
    with_values: bool
    header: Header | None = None
    names: Sequence[str] = ()
    plan: Plan | None = None
    stop: Problem | None = None
    tally: Tally = field(default_factory=Tally)
    occurrences: dict[str, Occurrences] = field(default_factory=dict)

    def prepare(self, table: Table, connect: Connect) -> None:
        """Read the header, and prepare for the rows."""
        try:
            self.header = read_header(table, self.profile)
            self.names = table.header
            self.plan = plan_file(
                table, self.header, self.profile, self.run.now, connect, SilentLog()
            )
        except (SourceError, PermanentError) as error:
            # The rows are still read, so that each one has its outcome.
            self.stop = Problem(error.code, "", error.detail)

    def validate(self, table: Table, each: Callable[[ChunkOutcomes], None]) -> None:
        """Validate chunk by chunk, as a run does, up to the end or the first unreadable part."""
        try:
            rows = self.plan.records() if self.plan is not None else table.records()
            for chunk in chunks_of(rows, self.run.cut, table.width):
                found = self._outcomes_of(chunk)
                self._add(found, chunk.rows)
                each(found)
        except SourceError as error:
            self.stop = self.stop or Problem(error.code, "", error.detail)

    def _outcomes_of(self, chunk: Chunk) -> ChunkOutcomes:
        plan = self.plan
        if plan is None:
            return not_attempted(chunk)
        prepared = prepare(plan, chunk, 0)
        if isinstance(prepared, Problem):
            self.stop, self.plan = prepared, None
            return not_attempted(chunk)
        never = Deadline(math.inf, math.inf)
        answers = [
            part.destination.send(part.requests, never, lambda order_id: False)
            for part in prepared.parts
        ]
        return outcomes(prepared, answers, "ok", self.list_all)

    def _add(self, found: ChunkOutcomes, rows: Sequence[Row]) -> None:
        """Count the outcomes of a chunk, and record where its codes occur."""
        header = self.header
        self.tally.add(found.tally)
        numbers = found.record_numbers() if found.listed else {}
        cells = {row[0]: row[1] for row in rows} if self.with_values and found.listed else {}
        for row in found.listed:
            for problem in row.errors + row.warnings:
                occurrence = self.occurrences.setdefault(problem.code, Occurrences())
                occurrence.sent = occurrence.sent or row.outcome == "ok"
                if len(occurrence.lines) < self.max_lines and row.line not in occurrence.lines:
                    occurrence.lines.append(row.line)
                    occurrence.records.append(numbers[row.line])
                if problem.detail and len(occurrence.details) < DETAILS_SHOWN:
                    occurrence.details += {problem.detail}.difference(occurrence.details)
                if problem.field and header is not None:
                    places, row_cells = header.columns_of(problem.field), cells.get(row.line)
                    at = places[0] if len(places) == 1 else None
                    column = header.names.get(problem.field, problem.field)
                    if self.with_values and at is not None:
                        column = self.names[at]
                    if column not in occurrence.columns:
                        occurrence.columns.append(column)
                    if at is not None and row_cells and self.plan is not None:
                        occurrence.add_value(row_cells[self.plan.places[at]].strip(), row.line)

    def first(self) -> list[Record]:
        """Return the first records that would be sent, those of refunds last."""
        destinations = [part.destination for part in self.plan.parts] if self.plan else []
        kept = {
            id(each): each.first for each in destinations if isinstance(each, OfflineDestination)
        }
        return [*chain.from_iterable(kept.values())][:FIRST_RECORDS]

    def notes(self, table: Table | None) -> list[Problem]:
        """Return the remarks on the file as a whole."""
        notes = notes_of(self.header, self.plan, self.tally)
        if self.plan is not None:
            open_row = table.open_row if table is not None else None
            if open_row is not None and self.plan.hold() in ("always", open_row):
                notes.append(Problem("NO_FINAL_LINE_END"))  # a run would hold this row
            if self.stop is None:
                notes += notes_on_skipped(self.tally)
        return notes

    def finished_run(self) -> Run:
        """Return the run as it would be saved."""
        facts = FileFacts(
            customer_id=self.profile.customer_id,
            columns=dict(self.header.names) if self.header is not None else {},
        )
        profile = self.profile.document() | {"validate_only": True}
        return replace(self.run, profile=profile, facts=facts, stop=self.stop)


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
    max_lines: int = LINES_SHOWN,
    with_values: bool = False,
) -> CheckResult:
    """Validate every row of a file as a run that starts at `now` would.

    `each` gets the outcomes of every chunk, in order. Errors of the file are in the summary
    (`run.stop`), never exceptions. Only an `OSError` of the stream is raised.
    `list_all`: the outcomes list all rows. At most `max_lines` lines are kept for each code.
    `with_values`: the wrong values are counted too, and columns have the names that they have in
    the file, whatever they are.
    """
    run = Run(source, now, now, profile_name, None, cut_of(profile), "working", "", None)
    checking = _Check(run, profile, list_all, max_lines, with_values)
    table: Table | None = None
    try:
        table = read_table(
            stream, profile, MAX_FILE_BYTES, MAX_FILE_LINES, read_sheet=read_in_child
        )
    except SourceError as error:
        checking.stop = Problem(error.code, "", error.detail)
    else:
        checking.prepare(table, connect)
        checking.validate(table, each)
    summary = RunSummary(
        run=checking.finished_run(),
        tally=checking.tally,
        request_ids=(),
        finished_at=now,
        notes=tuple(checking.notes(table)),
    )
    return CheckResult(summary, checking.occurrences, table, with_values, checking.first())
