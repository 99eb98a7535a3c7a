"""An attempt at a run: its lease, its time, and what it knows of the outcomes so far."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from lib.config.profile import Profile
from lib.errors import LeaseLost, RetryableError
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import ChunkOutcomes, Problem, RowOutcome, Tally
from lib.model.sent_requests import RequestSummary
from lib.results.findings import Findings
from lib.run.context import RunContext
from lib.state.markers import Markers
from lib.state.runs import Run, SavedRun

UNTERMINATED_LAST_LINE: Final = "UNTERMINATED_LAST_LINE"
"""The row in a last line without a line end, which may have been cut there by a broken upload.

A cut value is worse than a late one: 1270.00 that arrives as 1 is counted as 1, and the complete
upload that follows is a duplicate."""

AWAITS_CONVERSIONS: Final = "AWAITS_CONVERSIONS"
"""An adjustment in a file with conversions: it is sent once all of them are answered."""


@dataclass(slots=True)
class Sums:
    """What the markers of a run add up to. Its size depends on the number of chunks, not of rows.

    `due` has the chunks with deferred rows, each with the time at which the first of them is due,
    and `awaiting` those in which an adjustment awaits the conversions of the file. `sent` are the
    numbers of the chunks of which an API has got rows, the newest of them at `sent_at`.
    """

    tally: Tally = field(default_factory=Tally)
    requests: RequestSummary = field(default_factory=RequestSummary)
    findings: Findings = field(default_factory=Findings)
    request_ids: list[str] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)
    due: dict[int, datetime] = field(default_factory=dict)
    awaiting: set[int] = field(default_factory=set)
    sent: list[int] = field(default_factory=list)
    sent_at: datetime | None = None

    def add(self, chunk: ChunkOutcomes) -> None:
        """Add a chunk that has a marker now."""
        self.tally.add(chunk.tally)
        self.requests.add(chunk.sent)
        self.findings.add(chunk)
        self.request_ids.extend(chunk.request_ids)
        self.numbers.add(chunk.number)
        if chunk.sent_at is not None:
            self.sent.append(chunk.number)
            self.sent_at = max(chunk.sent_at, self.sent_at or chunk.sent_at)
        if (due := chunk.next_due()) is not None:
            self.due[chunk.number] = due
            if AWAITS_CONVERSIONS in chunk.tally.codes:
                self.awaiting.add(chunk.number)

    @property
    def next_due(self) -> datetime | None:
        """When the next deferred row is due; None: no row is deferred."""
        return min(self.due.values(), default=None)


class Attempt:
    """What one attempt does with a run.

    The lease begins before the run is saved, and is never renewed: it lasts as long as an attempt
    may. It is looked at before each request, by the wall clock and by `elapsed_seconds`. No storage
    call is needed for that.

    `sums` are those of the markers; `must_sum_up`: a chunk in them has other outcomes now.
    `has_changed`: the results must be written again. `has_sent`: a request to an API has begun.
    """

    def __init__(
        self,
        saved: SavedRun,
        profile: Profile | None,
        context: RunContext,
        deadline: Deadline,
        log: Log,
        *,
        lease_until: float,
    ) -> None:
        self._saved = saved
        self._saving = threading.Lock()
        self._lease_until = lease_until
        self.profile = profile
        self.context = context
        self.deadline = deadline
        self.log = log
        self.markers = Markers(context.documents, saved.run)
        self.sums = Sums()
        self.must_sum_up = False
        # The last attempt may have changed markers, and failed before it wrote the results.
        self.has_changed = bool(saved.run.cause)
        self.has_sent = False

    @property
    def run(self) -> Run:
        """The run as this attempt has saved it last."""
        return self._saved.run

    @property
    def is_first(self) -> bool:
        """Whether no other attempt can have sent a row."""
        return self.run.attempts == 1

    def save(self, **changes: Any) -> None:
        """Change the run. Raises `LeaseLost` if another attempt has it now."""
        with self._saving:
            self._saved = self.context.runs.save(self._saved, **changes)

    def keep(self, **changes: Any) -> None:
        """Change the run in memory: the next `save` writes it. After a crash, it is found again."""
        with self._saving:
            self._saved = replace(self._saved, run=replace(self._saved.run, **changes))

    def stop(self, problem: Problem) -> None:
        """Save why the rest of the file is not sent. The first reason counts.

        It is saved before the first row that is not attempted for it: the next attempt could find
        the account corrected, and would send the rest.
        """
        with self._saving:
            if self.run.stop is None:
                self._saved = self.context.runs.save(self._saved, stop=problem)

    def sum_up(self) -> None:
        """Read the sums of all markers again."""
        self.sums, self.must_sum_up = Sums(), False
        with self.markers.read_all(self.markers.numbers()) as markers:
            for marker in markers:
                self.sums.add(marker.outcomes)

    @property
    def conversions_are_answered(self) -> bool:
        """Whether each conversion of the file has its outcome, so that adjustments can be sent."""
        tally = self.sums.tally
        are_deferred = tally.outcomes.get("deferred", 0) > tally.corrections.get("deferred", 0)
        return self.run.facts is not None and not self.sums.requests.open and not are_deferred

    def is_due(self, row: RowOutcome) -> bool:
        """Return whether a deferred row can be sent now."""
        if row.outcome != "deferred" or row.due is None:
            return False
        is_released = self.conversions_are_answered and row.has_error(AWAITS_CONVERSIONS)
        return is_released or row.due <= self.context.utc_now()

    def due_chunks(self) -> set[int]:
        """Return the chunks with rows that can be sent now."""
        now = self.context.utc_now()
        due = {number for number, due in self.sums.due.items() if due <= now}
        return due | self.sums.awaiting if self.conversions_are_answered else due

    def check_lease(self) -> None:
        """Raise `LeaseLost` if another attempt may work on the run now."""
        lease_ends = self.run.due
        is_over = lease_ends is None or self.context.utc_now() >= lease_ends
        if is_over or self.context.monotonic() >= self._lease_until:
            raise LeaseLost("the lease has ended")

    def check_time(self) -> None:
        """Raise `RetryableError` when time is up or the platform ends the instance.

        This is called after every block of bytes too: a file can consist of blank lines, of one
        endless line, or of empty gzip members.
        """
        self.check_lease()
        if self.context.monotonic() >= self.deadline.last_start:
            raise RetryableError(self.deadline.code, "while the file was read")
