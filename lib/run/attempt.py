"""An attempt at a run: its lease, its time, and what it knows of the outcomes so far."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from lib.config.profile import Profile
from lib.errors import LeaseLost, RetryableError
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.sent_requests import Requests
from lib.model.totals import Totals
from lib.results.findings import Findings
from lib.run.context import RunContext
from lib.state.markers import Marker, Markers
from lib.state.runs import Run, SavedRun


@dataclass(slots=True)
class Sums:
    """What the markers of a run add up to. Its size depends on the number of chunks, not of rows.

    `waits` has the chunks with deferred rows, and what is known of their times. `sent` are the
    numbers of the chunks of which an API has got rows, the newest of them at `sent_at`.
    """

    totals: Totals = field(default_factory=Totals)
    requests: Requests = field(default_factory=Requests)
    findings: Findings = field(default_factory=Findings)
    request_ids: list[str] = field(default_factory=list)
    chunk_numbers: set[int] = field(default_factory=set)
    waits: dict[int, ChunkWait] = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)
    sent_at: datetime | None = None

    def add(self, chunk: ChunkOutcomes) -> None:
        """Add a chunk that has a marker now."""
        self.totals.add(chunk.totals())
        self.requests.add(chunk.open_requests, chunk.closed_requests)
        self.findings.add(chunk)
        self.request_ids.extend(chunk.request_ids)
        self.chunk_numbers.add(chunk.number)
        if chunk.sent_at is not None:
            self.sent.append(chunk.number)
            self.sent_at = max(chunk.sent_at, self.sent_at or chunk.sent_at)
        if deferred := [row for row in chunk.listed if row.outcome == "deferred"]:
            due = [row.due for row in deferred if row.due is not None]
            until = [row.until for row in deferred if row.until is not None]
            self.waits[chunk.number] = ChunkWait(
                due=min(due, default=None),
                until=min(until, default=None),
                awaits_conversions=len(due) < len(deferred),
            )

    @property
    def next_due(self) -> datetime | None:
        """When the next deferred row can be sent; None: none has a time."""
        return min((wait.due for wait in self.waits.values() if wait.due), default=None)


@dataclass(frozen=True, slots=True)
class ChunkWait:
    """The deferred rows of a chunk: when the first of them is due, and when the first is sent for
    the last time. Some of them may await the conversions of the file, without a time."""

    due: datetime | None
    until: datetime | None
    awaits_conversions: bool


@dataclass(slots=True, eq=False)
class Attempt:
    """What one attempt does with a run, which it has `saved` last.

    The lease begins before the run is saved, and is never renewed: it lasts as long as an attempt
    may. It is looked at before each request, by the wall clock and by `elapsed_seconds`, until
    `lease_until`. No storage call is needed for that.

    `sums` are those of the markers; `must_sum_up`: a chunk in them has other outcomes now.
    `has_changed`: the results must be written again. `has_sent`: a request to an API has begun, and
    `has_saved`: a marker was saved.
    """

    saved: SavedRun
    profile: Profile | None
    context: RunContext
    deadline: Deadline
    log: Log
    lease_until: float
    markers: Markers = field(init=False)
    sums: Sums = field(default_factory=Sums)
    must_sum_up: bool = False
    has_changed: bool = field(init=False)
    has_sent: bool = False
    has_saved: bool = False
    _saving: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.markers = Markers(self.context.documents, self.run)
        # The last attempt may have changed markers, and failed before it wrote the results.
        self.has_changed = bool(self.run.cause)

    @property
    def run(self) -> Run:
        """The run as this attempt has saved it last."""
        return self.saved.run

    @property
    def is_first(self) -> bool:
        """Whether no other attempt can have sent a row."""
        return self.run.attempts == 1

    def save(self, **changes: Any) -> None:
        """Change the run. Raises `LeaseLost` if another attempt has it now."""
        with self._saving:
            self.saved = self.context.runs.save(self.saved, **changes)

    def keep(self, **changes: Any) -> None:
        """Change the run in memory; the next `save` writes it. If the attempt dies before, the next
        one finds out the same."""
        with self._saving:
            self.saved = replace(self.saved, run=replace(self.saved.run, **changes))

    def stop(self, problem: Problem) -> None:
        """Save why the rest of the file is not sent. The first reason counts.

        It is saved before the first row that is not attempted for it: the next attempt could find
        the account corrected, and would send the rest.
        """
        with self._saving:
            if self.run.stop is None:
                now = self.context.utc_now()
                self.saved = self.context.runs.save(self.saved, stop=problem, stopped_at=now)

    def save_marker(self, outcomes: ChunkOutcomes, before: Marker | None = None) -> ChunkOutcomes:
        """Save the outcomes of a chunk, and return what is saved now: those of another attempt, if
        it was faster. `before` is its earlier marker; None: it has none."""
        saved = self.markers.save(outcomes, before.generation if before is not None else 0).outcomes
        self.has_saved = True
        return saved

    def replace_marker(self, marker: Marker, outcomes: ChunkOutcomes) -> None:
        """Save other outcomes of a chunk that has a marker, if they differ."""
        if outcomes != marker.outcomes:
            self.save_marker(outcomes, marker)
            self.has_changed = self.must_sum_up = True

    def sum_up(self) -> None:
        """Read the sums of all markers again. Raises `UnreadableState` if one of
        them is beyond the last chunk of the file."""
        self.sums, self.must_sum_up = Sums(), False
        run, numbers = self.run, self.markers.numbers()
        if run.facts is not None and run.stop is None and not run.superseded_by:
            # The whole file was read, so it is known how many chunks it has.
            self.markers.check_numbers(numbers, run.facts.chunks)
        with self.markers.read_all(numbers) as markers:
            for marker in markers:
                self.sums.add(marker.outcomes)

    @property
    def conversions_are_answered(self) -> bool:
        """Whether each conversion of the file has its last outcome, so that adjustments of them can
        be sent. During the first pass, rows that are not read yet may be conversions."""
        is_open = self.sums.requests.open or self.sums.totals.sales().count("deferred")
        return self.run.facts is not None and not is_open

    def due_chunks(self) -> set[int]:
        """Return the numbers of the chunks with deferred rows that can be sent now."""
        now, are_answered = self.context.utc_now(), self.conversions_are_answered
        return {
            number
            for number, wait in self.sums.waits.items()
            if (wait.due is not None and wait.due <= now)
            or (wait.awaits_conversions and are_answered)
        }

    def check_lease(self) -> None:
        """Raise `LeaseLost` if another attempt may work on the run now."""
        lease_ends = self.run.due  # of a run that is worked on
        is_over = lease_ends is None or self.context.utc_now() >= lease_ends
        if is_over or self.context.elapsed_seconds() >= self.lease_until:
            raise LeaseLost("the lease has ended")

    def check_time(self) -> None:
        """Raise `RetryableError` when time is up or the platform ends the instance.

        This is called after every block of bytes too: a file can consist of blank lines, of one
        endless line, or of empty gzip members.
        """
        if self.context.elapsed_seconds() >= self.deadline.last_start:
            raise RetryableError(self.deadline.code, "while the file was read")
