"""An attempt at a file: its lease, its time, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from lib.catalogue.texts import number_of_rows
from lib.errors import NothingDone, RetryableError
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import ChunkOutcomes, Problem, Tally
from lib.model.sent_requests import RequestSummary, ranges_of
from lib.results.findings import Findings
from lib.run.context import RunContext
from lib.state.claims import Lease
from lib.state.newer_values import NewerValues
from lib.state.run import Run

_MOST_KEPT_BYTES: Final = 1 << 20
"""Size of the outcomes that are kept until the results document is written: some 8,000 listed rows.
Encoded, because as objects they would need four times as much. The last one may exceed it."""


@dataclass(slots=True)
class Progress:
    """Sums, and the outcomes that are kept. Its size depends on the number of chunks, not of rows.

    `superseded_by` is the newer generation that replaced the file before it was read completely.
    `saved` is the number of chunks that this attempt has finished, `sent` are the numbers of those
    that the API was sent.
    """

    tally: Tally = field(default_factory=Tally)
    numbers: list[int] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    requests: RequestSummary = field(default_factory=RequestSummary)
    findings: Findings = field(default_factory=Findings)
    stop: Problem | None = None
    superseded_by: int = 0
    saved: int = 0
    sent: list[int] = field(default_factory=list)
    kept_outcomes: dict[int, bytes] = field(default_factory=dict)
    kept_bytes: int = 0

    def add(self, chunk: ChunkOutcomes) -> None:
        """Count a finished chunk."""
        self.tally.add(chunk.tally)
        self.request_ids.extend(chunk.request_ids)
        self.requests.add(chunk.sent)
        self.findings.add(chunk)
        self.numbers.append(chunk.number)
        if chunk.request_ids:
            self.sent.append(chunk.number)

    def keep(self, chunk: ChunkOutcomes) -> ChunkOutcomes:
        """Keep outcomes that a marker has, within a limit: they need not be read again.

        Returns them without the rows.
        """
        if self.kept_bytes < _MOST_KEPT_BYTES:
            content = msgspec.msgpack.encode(chunk)
            self.kept_bytes += len(content)
            self.kept_outcomes[chunk.number] = content
        return chunk.without_rows()

    def name_sent_chunks(self, stop: Problem) -> Problem:
        """Return the reason of a stop, with the chunks that were sent before it."""
        sent = ", ".join(f"{a} to {b}" if a != b else f"{a}" for a, b in ranges_of(self.sent))
        rows = number_of_rows(self.tally.outcomes.get("uploaded", 0))
        told = f"chunks sent before: {sent} ({rows} uploaded)" if sent else "no chunk was sent"
        return stop._replace(detail=f"{stop.detail}; {told}")

    def refusal_of_all(self) -> Problem | None:
        """Return the file's error if the actions of all rows were refused."""
        codes, counts = self.tally.codes, self.tally.outcomes
        rows = self.tally.rows - counts.get("skipped", 0)
        if not rows or counts.get("not_attempted") != rows:
            return None
        code = max(codes, key=lambda code: codes[code], default="")
        return Problem(code, "", "for every row") if code else None


@dataclass(slots=True)
class Attempt:
    """What all steps of an attempt need. `has_sent`: it has begun to send or to report a chunk.

    `newer_values` are the values of orders, as far as it has seen them. `blocked` is the code of
    what a person must fix before a follow-up can go on.
    """

    lease: Lease
    deadline: Deadline
    context: RunContext
    log: Log
    progress: Progress = field(default_factory=Progress)
    newer_values: NewerValues = field(init=False)
    has_sent: bool = False
    blocked: str = ""

    def __post_init__(self) -> None:
        self.newer_values = self.context.newer_values

    @property
    def run(self) -> Run:
        """The claim as it was last written."""
        return self.lease.run

    def check(self) -> None:
        """Raise `LeaseLost`, or `RetryableError` when time is up or the platform ends the instance.

        It is a `NothingDone` if only the file can be the reason why nothing was sent. Not every
        byte makes a row: a file can consist of blank lines, of one endless line, or of empty gzip
        members. So this is called after every block of bytes, and before each chunk.
        """
        self.lease.check()
        if self.context.monotonic() < self.deadline.last_start:
            return
        code = self.deadline.code
        if code == "DEADLINE" and not self.has_sent:
            raise NothingDone(code, "while the file was read")
        raise RetryableError(code, "while the file was read")
