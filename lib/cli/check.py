"""The offline check: a local file judged by the rules of a run, without any network.

It goes the way of `lib.run.ingest`, on a destination that takes every account on trust and sends
nothing. Rows are judged while they are read, so memory grows with neither rows nor their width.
`lib.__main__` is its command line, `lib.cli.check_output` what a person sees of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain, islice
from typing import Any, Literal

from lib.adapters.logging import Log
from lib.config.profile import Profile
from lib.config.settings import CHUNK_ROWS, Settings
from lib.destinations.base import Destination, UploadResult
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.outcomes import Problem
from lib.model.records import Conversion
from lib.results.chunk_report import ChunkReport, Tally
from lib.results.document import DocumentMetadata, RunSummary
from lib.run.chunks import Unsendable, not_attempted, outcomes, prepare
from lib.run.preflight import Header, UploadJob, notes_of, prepare_job, read_header, read_table
from lib.source.errors import SourceError
from lib.source.records import Record
from lib.source.table import Table
from lib.state.run import Run
from lib.state.store import Readable, StoredObject

Route = Literal["google_ads", "data_manager"]

ANY_CUSTOMER = "0000000000"
"""Stands for the account when no profile was given; the results leave it out."""

MAX_FILE_BYTES: int = Settings.model_fields["max_file_bytes"].default
_LINES_SHOWN = 5


class _Counter:
    """A batch that only counts."""

    def __init__(self) -> None:
        self._size = 0

    def add(self, conversion: Conversion, /) -> None:
        self._size += 1

    def __len__(self) -> int:
        return self._size


@dataclass(slots=True)
class Offline:
    """`lib.destinations.base.Destination` without a network: nothing is asked, nothing is sent."""

    name: str
    sunset: date | None = None

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Any account, its actions taken on trust."""
        return Account(customer_id, customer_id, verified=False, names_on_trust=True)

    def with_custom_variables(self, account: Account) -> Account:
        """The same: custom variables are taken on trust too."""
        return account

    def batch(self, job_id: int) -> _Counter:
        """Counts what would be sent."""
        return _Counter()

    def send(self, batch: _Counter, deadline: float) -> UploadResult:
        """Everything is taken."""
        return UploadResult({}, ())


def offline(profile: Profile, log: Log) -> Destination[Any]:
    """The destination of a check: the profile's route, offline."""
    return Offline(profile.destination)


@dataclass(slots=True)
class Occurrences:
    """Where a code was met: the first lines, the columns (as the file names them), and whether any
    of its rows would be sent."""

    lines: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    sent: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found. `table` is None when the file couldn't be read as one."""

    summary: RunSummary
    places: dict[str, Occurrences]
    table: Table | None

    @property
    def refused(self) -> bool:
        """Whether the function would stop the file, or not send a row that isn't a repeat."""
        outcomes_ = self.summary.tally.outcomes
        lost = outcomes_.get("rejected", 0) + outcomes_.get("not_attempted", 0)
        return self.summary.metadata.file_error is not None or lost > 0


def check(
    stream: Readable,
    source: StoredObject,
    profile_name: str,
    profile: Profile,
    now: datetime,
    each: Callable[[ChunkReport], None] = lambda report: None,
    *,
    connect: Callable[[Profile, Log], Destination[Any]] = offline,
    list_all: bool = False,
) -> CheckResult:
    """Judge every row of a file as a run that begins at `now` would.

    `each` gets the report of every chunk, in order. What is wrong with the file is in the summary
    (`metadata.file_error`), never an exception; only the stream's own `OSError` gets through.
    """
    table: Table | None = None
    header: Header | None = None
    job: UploadJob | None = None
    stop: Problem | None = None
    tally = Tally()
    places: dict[str, Occurrences] = {}
    try:
        table = read_table(stream, profile, MAX_FILE_BYTES)
    except SourceError as error:
        stop = Problem(error.code, "", error.detail)
    else:
        try:
            header = read_header(table, profile)
            job = prepare_job(table, header, profile, now, connect, Log())
        except (SourceError, PermanentError) as error:
            # The rows are still read, so that each has its outcome.
            stop = Problem(error.code, "", error.detail)
        rows = _Rows(table)
        for report in _reports(rows, job, list_all):
            tally.add(report.tally)
            _note_places(report, places, header)
            each(report)
        stop = stop or rows.end
    run = Run(source, "", 1, now, "finished", now, profile_name, None)
    metadata = _facts(profile, header, job, stop)
    return CheckResult(RunSummary(run, metadata, tally, (), datetime.now(UTC)), places, table)


class _Rows:
    """The records of a table, up to its end or to where the file breaks off: then `end` says why.

    So the rows before a broken end are judged like any others.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self.end: Problem | None = None

    def __iter__(self) -> Iterator[Record]:
        try:
            yield from self._table.records()
        except SourceError as error:
            self.end = Problem(error.code, "", error.detail)


def _reports(rows: _Rows, job: UploadJob | None, list_all: bool) -> Iterator[ChunkReport]:
    """Chunk by chunk as in a run, but each row is judged when it is read, and none is kept."""
    records = iter(rows)
    for number, first in enumerate(records):
        chunk = chain([first], islice(records, CHUNK_ROWS - 1))
        if job is None:
            yield not_attempted(number, chunk)
        else:
            batch = job.destination.batch(0)
            prepared = prepare(number, chunk, job.plan, batch)
            if isinstance(prepared, Unsendable):
                rows.end = prepared.problem
                job = None
                yield not_attempted(number, chunk, prepared.lines)
                continue
            yield outcomes(prepared, job.destination.send(batch, 0.0), "ok", list_all)


def _note_places(
    report: ChunkReport, places: dict[str, Occurrences], header: Header | None
) -> None:
    for row in report.listed:
        for problem in row.errors + row.warnings:
            place = places.get(problem.code)
            if place is None:
                place = places[problem.code] = Occurrences()
            place.sent = place.sent or row.outcome == "ok"
            if len(place.lines) < _LINES_SHOWN and row.line not in place.lines:
                place.lines.append(row.line)
            if problem.field and header is not None:
                column = header.names.get(problem.field, problem.field)
                if column not in place.columns:
                    place.columns.append(column)


def _facts(
    profile: Profile, header: Header | None, job: UploadJob | None, stop: Problem | None
) -> DocumentMetadata:
    # That the account wasn't asked is no news here.
    notes = [each for each in notes_of(header, job) if each.code != "PREFLIGHT_NOT_PERMITTED"]
    customer_id = (job.customer_id if job is not None else profile.customer_id) or ""
    return DocumentMetadata(
        customer_id="" if customer_id == ANY_CUSTOMER else customer_id,
        destination=profile.destination,
        validate_only=True,
        headers=header.names if header is not None else {},
        notes=tuple(notes),
        file_error=stop,
    )
