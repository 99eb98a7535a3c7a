"""The outcomes of a file's chunks, kept for what can be written only after the last one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import msgspec

from lib.model.outcomes import ChunkOutcomes
from lib.results.findings import Findings


class KeptOutcomes:
    """Keeps the rows in `spool` (a document has the counts before them) and the findings of a page.

    Each only if it is needed. Like the markers of the ledger, the rows contain lines, codes and
    order IDs.
    """

    def __init__(self, spool: IO[bytes], *, rows: bool, findings: bool) -> None:
        self._spool = spool
        self._keeps_rows = rows
        self._keeps_findings = findings
        self.findings = Findings()

    def add(self, chunk: ChunkOutcomes) -> None:
        """Keep the outcomes of a chunk."""
        if self._keeps_rows:
            self._spool.write(msgspec.json.encode(chunk) + b"\n")
        if self._keeps_findings:
            self.findings.add(chunk)

    def __iter__(self) -> Iterator[ChunkOutcomes]:
        self._spool.seek(0)
        return (msgspec.json.decode(line, type=ChunkOutcomes) for line in self._spool)
