"""Outcomes → results document, streamed.

Outcomes travel in one shape, `ChunkReport`: kept in memory for a file of one chunk, written as a
marker by the ledger for longer ones. The document is put together from them at the end, one chunk
at a time, so a file with a million bad rows needs no more memory than one with none.
The document's JSON Schema is `docs/results.schema.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lib.catalogue.codes import lookup
from lib.model.outcomes import Problem, RowOutcome
from lib.results.chunk_report import ChunkReport, Tally, _problems
from lib.state.run import Run, run_id

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    """What the document says of a file beside its rows; kept for a document written again.

    `headers` maps fields to the file's own column names, `processing` is what became of the
    requests at an API that works them off later (Data Manager).
    """

    customer_id: str
    destination: str
    validate_only: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    file_error: Problem | None = None
    processing: Any = None

    def to_json(self) -> dict[str, Any]:
        """As the ledger keeps them."""
        return {
            "customer_id": self.customer_id,
            "destination": self.destination,
            "validate_only": self.validate_only,
            "headers": dict(self.headers),
            "notes": self.notes,
            "file_error": self.file_error,
            "processing": self.processing,
        }

    @classmethod
    def from_json(cls, metadata: Mapping[str, Any]) -> DocumentMetadata:
        """The inverse of `to_json`."""
        error = metadata["file_error"]
        return cls(
            **{
                **metadata,
                "notes": _problems(metadata["notes"]),
                "file_error": Problem(*error) if error else None,
            }
        )


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Everything of the document but its rows."""

    run: Run
    metadata: DocumentMetadata
    tally: Tally
    request_ids: tuple[str, ...]
    finished_at: datetime

    @property
    def status(self) -> str:
        """`stopped` (see file_error), `waiting` (rows will be sent again), `completed`."""
        if self.tally.outcomes.get("deferred") or (self.metadata.processing or {}).get("resend_at"):
            return "waiting"
        return "completed" if self.metadata.file_error is None else "stopped"

    @property
    def not_counted(self) -> int | None:
        """Rows that the API took and then didn't count; None: it has said nothing (yet)."""
        processing = self.metadata.processing
        if processing is None or processing["asked_at"] is None:
            return None
        count: int = processing["counts"]["not_counted"]
        return count


def results_name(object_name: str, generation: int) -> str:
    """Name of the results document in the output bucket.

    An object name of more than 1,024 bytes isn't possible: a longer one is shortened, and told
    apart by the digest of the whole.
    """
    name = f"{object_name}.{generation}.results.json"
    if len(name.encode()) <= 1024:
        return name
    digest = hashlib.sha256(object_name.encode()).hexdigest()[:32]
    start = object_name.encode()[:900].decode("utf-8", "ignore")
    return f"{start}.{digest}.{generation}.results.json"


def results_document(summary: RunSummary, chunks: Iterable[ChunkReport]) -> Iterator[bytes]:
    """The document in pieces, rows last. `chunks` is read once, in order."""
    head = json.dumps(_head(summary), indent=1, ensure_ascii=False)
    yield head[:-2].encode() + b',\n "rows": ['
    separator = "\n  "
    for chunk in chunks:
        lines = []
        for row in chunk.listed:
            lines.append(separator)
            lines.append(json.dumps(_row(row, summary.metadata.headers), ensure_ascii=False))
            separator = ",\n  "
        if lines:
            yield "".join(lines).encode()
    yield b"\n ]\n}\n"


def _head(summary: RunSummary) -> dict[str, Any]:
    run = summary.run
    tally = summary.tally
    metadata = summary.metadata
    codes = dict(tally.codes)
    for problem in (*metadata.notes, *filter(None, [metadata.file_error])):
        codes[problem.code] = codes.get(problem.code, 0) + 1
    head: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id(run.source),
        "source": {
            "bucket": run.source.bucket,
            "name": run.source.name,
            "generation": str(run.source.generation),
            "size": run.source.size,
            "md5": run.source.md5,
        },
        "profile": run.profile_name,
        "destination": metadata.destination,
        "customer_id": metadata.customer_id,
        "job_id": run.job_id,
        "validate_only": metadata.validate_only,
        "request_ids": list(summary.request_ids),
        "status": summary.status,
        "started_at": run.now.isoformat(),
        "finished_at": summary.finished_at.isoformat(),
        "attempts": run.attempts,
        "counts": tally.counts(),
        "codes": {
            code: {"count": count, "meaning": lookup(code).meaning, "action": lookup(code).action}
            for code, count in sorted(codes.items(), key=lambda each: (-each[1], each[0]))
        },
        "file_error": _file_problem(metadata.file_error) if metadata.file_error else None,
        "notes": [_file_problem(note) for note in metadata.notes],
    }
    if metadata.processing is not None:
        head["processing"] = metadata.processing
    return head


def _file_problem(problem: Problem) -> dict[str, str]:
    entry = lookup(problem.code)
    message = f"{entry.meaning} ({problem.detail})" if problem.detail else entry.meaning
    return {"code": problem.code, "message": message, "action": entry.action}


def _row(row: RowOutcome, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "line": row.line,
        "outcome": row.outcome,
        "order_id": row.order_id,
        "errors": [_row_problem(row.line, problem, headers) for problem in row.errors],
        "warnings": [_row_problem(row.line, problem, headers) for problem in row.warnings],
    }


def _row_problem(line: int, problem: Problem, headers: Mapping[str, str]) -> dict[str, str]:
    entry = lookup(problem.code)
    place = f"line {line}"
    if problem.field:
        place += f', column "{headers.get(problem.field, problem.field)}"'
    message = f"{place}: {problem.detail or entry.meaning}"
    return {
        "code": problem.code,
        "field": problem.field,
        "message": message,
        "action": entry.action,
    }
