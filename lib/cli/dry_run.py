"""A run without a network: what would happen to each row of a local file.

It follows the steps of `lib.run.deliver`, with a destination that accepts every account and sends
nothing. At most one chunk is in memory.

    table ──▶ header ──▶ plan ──▶ for each chunk: the outcome of each row, and the records
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from lib.adapters.workbook import read_in_child
from lib.cli.file_notes import FileNotes
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import Destination, MaybeSent, UploadResult
from lib.destinations.registry import capabilities_of
from lib.errors import PermanentError, SourceError
from lib.model.account import Account
from lib.model.capabilities import Capabilities
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log, SilentLog
from lib.model.outcomes import Problem
from lib.model.records import Call, Record, Row
from lib.model.totals import Totals
from lib.run.chunks import Chunk, chunk_size_of, chunks_of, not_attempted, outcomes, prepare
from lib.run.context import Connect
from lib.run.plan import Plan, notes_of, plan_file
from lib.run.reading import Header, read_header, read_table
from lib.source.table import Table
from lib.source.workbook import ReadSheet
from lib.state.store import Readable

MAX_FILE_BYTES: int = Settings.model_fields["max_file_bytes"].default
MAX_FILE_LINES: int = Settings.model_fields["max_file_lines"].default
_NEVER: Final = Deadline(math.inf, math.inf)


class OfflineRequest(NamedTuple):
    """A request that is never sent: the records themselves."""

    records: Sequence[Record]
    content: bytes = b""


@dataclass(slots=True)
class OfflineDestination:
    """A `Destination` without a network."""

    capabilities: Capabilities

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        """Return the account unchecked, and with it all conversion actions."""
        return Account(customer_id, customer_id)

    def encode(
        self, kind: RecordKind, records: Sequence[Record], customer_id: str, job_id: int
    ) -> Sequence[OfflineRequest]:
        """Return a request with all records."""
        return [OfflineRequest(records)]

    def send(
        self, requests: Sequence[OfflineRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        """Accept all rows."""
        return UploadResult({}, ())


def offline(profile: Profile, log: Log) -> Destination[Any]:
    """Return an offline destination with the capabilities of the profile's destination."""
    return OfflineDestination(capabilities_of(profile.destination))


class DryChunk(NamedTuple):
    """A chunk of a file, its outcomes, and the records that would be sent, by line. Their order IDs
    are those that Google gets: of a refund, that is also the one of its sale."""

    rows: Sequence[Row]
    outcomes: ChunkOutcomes
    records: Mapping[int, Record]


@dataclass(slots=True)
class DryRun:
    """What a run that starts at `now` would do with a file, as far as it has been read.

    `list_all`: the outcomes list all rows. Only the first `most_rows` are read. `totals` are the
    sums of all outcomes so far. `stop` is the reason why the file would be stopped. Without a
    `header` or `plan`, this is why there is none.
    """

    profile: Profile
    now: datetime
    connect: Connect = offline
    list_all: bool = False
    most_rows: int | None = None
    read_sheet: ReadSheet = read_in_child
    totals: Totals = field(default_factory=Totals, init=False)
    table: Table | None = field(default=None, init=False)
    header: Header | None = field(default=None, init=False)
    plan: Plan | None = field(default=None, init=False)
    stop: Problem | None = field(default=None, init=False)
    _file_notes: FileNotes = field(default_factory=FileNotes, init=False)

    def read(self, stream: Readable) -> Iterator[DryChunk]:
        """Yield the chunks of a file, up to its end or to the first part that cannot be read.

        Errors of the file are in `stop`. Only an `OSError` of the stream is raised.
        """
        try:
            table = self.table = read_table(
                stream, self.profile, MAX_FILE_BYTES, MAX_FILE_LINES, read_sheet=self.read_sheet
            )
            self._prepare(table)
            rows = table.records() if self.plan is None else self.plan.records()
            for chunk in chunks_of(
                islice(rows, self.most_rows), chunk_size_of(self.profile), table.width
            ):
                done = self._outcomes_of(chunk)
                self.totals.add(done.outcomes.totals())
                if self.plan is not None:
                    listed = done.outcomes.listed
                    self._file_notes.add(self.plan, done.rows, listed, done.records)
                yield done
        except SourceError as error:
            self.stop = self.stop or Problem(error.code, "", error.detail)

    def notes(self) -> tuple[Problem, ...]:
        """Return the remarks on the file as a whole, after its rows have been read."""
        notes = notes_of(self.header, self.plan, self.totals)
        if self.plan is not None:
            open_row = self.plan.table.open_row
            if open_row is not None and self.plan.when_to_hold() in ("always", open_row):
                notes.append(Problem("UNTERMINATED_LAST_LINE"))  # a run would hold this row
        return (*notes, *self._file_notes.found())

    def _prepare(self, table: Table) -> None:
        try:
            self.header = read_header(table, self.profile)
            log = SilentLog()
            self.plan = plan_file(table, self.header, self.profile, self.now, self.connect, log)
        except PermanentError as error:
            # The rows are still read, so that each one has its outcome.
            self.stop = Problem(error.code, "", error.detail)

    def _outcomes_of(self, chunk: Chunk) -> DryChunk:
        if self.plan is None:
            return DryChunk(chunk.rows, not_attempted(chunk), {})
        prepared = prepare(self.plan, chunk, 0)
        if isinstance(prepared, Problem):
            self.stop, self.plan = prepared, None
            return DryChunk(chunk.rows, not_attempted(chunk), {})
        answers = [
            part.destination.send(part.requests, _NEVER, lambda order_id: False)
            for part in prepared.parts
        ]
        records = {
            line: _with_order_id_as_sent(record, self.plan.sales)
            for part in prepared.parts
            for request in part.requests
            if isinstance(request, OfflineRequest)
            for line, record in zip(part.rows.lines, request.records, strict=True)
        }
        customer_id, list_all = self.plan.account.conversion_customer_id, self.list_all
        chunk_outcomes = outcomes(prepared, answers, "ok", self.now, customer_id, list_all=list_all)
        return DryChunk(chunk.rows, chunk_outcomes, records)


def _with_order_id_as_sent(record: Record, sales: Capabilities) -> Record:
    if isinstance(record, Call) or record.order_id is None:
        return record
    return record._replace(order_id=sales.sent_order_id(record.order_id))
