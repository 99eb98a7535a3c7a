"""The results of a run so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from lib.catalogue.texts import number_of_rows
from lib.model.outcomes import ChunkOutcomes, Problem, Selection, Tally
from lib.model.sent_requests import RequestSummary, ranges_of
from lib.results.findings import Findings

_MOST_KEPT_BYTES: Final = 1 << 20
"""Reports that are kept until the results document is written, in bytes: some 8,000 listed rows.
Encoded, because as objects they would need four times as much. The last one may exceed it."""


@dataclass(slots=True)
class Progress:
    """Sums, and the outcomes that are kept. Its size depends on the number of chunks, not of rows.

    `superseded_by` is the newer generation that replaced the file before it was read completely.
    `saved` is the number of chunks that this attempt has finished, `sent` are the numbers of those
    that the API was sent.
    """

    tally: Tally = field(default_factory=Tally)
    selection: Selection = field(default_factory=Selection)
    numbers: list[int] = field(default_factory=list)
    only: ChunkOutcomes | None = None
    request_ids: list[str] = field(default_factory=list)
    requests: RequestSummary = field(default_factory=RequestSummary)
    findings: Findings = field(default_factory=Findings)
    stop: Problem | None = None
    superseded_by: int = 0
    saved: int = 0
    sent: list[int] = field(default_factory=list)
    kept_outcomes: dict[int, bytes] = field(default_factory=dict)
    kept_bytes: int = 0

    def add(self, chunk: ChunkOutcomes, *, is_only: bool) -> None:
        """Count a finished chunk. Keep its outcomes only if no marker has them."""
        self.tally.add(chunk.tally)
        self.selection.add(chunk.selection)
        self.request_ids.extend(chunk.request_ids)
        self.requests.add(chunk.sent)
        self.findings.add(chunk)
        self.numbers.append(chunk.number)
        if chunk.request_ids:
            self.sent.append(chunk.number)
        if is_only:
            self.only = chunk

    def keep(self, chunk: ChunkOutcomes) -> ChunkOutcomes:
        """Keep outcomes that a marker has too, within a limit: they need not be read again.

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
        """Return the file's error if every account that the rows name was refused."""
        codes, counts = self.tally.codes, self.tally.outcomes
        rows = self.tally.rows - counts.get("skipped", 0)
        if not rows or counts.get("not_attempted") != rows:
            return None
        code = max(codes, key=lambda code: codes[code], default="")
        return Problem(code, "", "for every row") if code else None
