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

from lib.ledger import Run, run_id
from lib.rules.codes import lookup
from lib.rules.conversion import OUTCOMES, Problem, RowOutcome

SCHEMA_VERSION = 1


@dataclass(slots=True)
class Tally:
    """Running sums over a file (or a chunk): rows per outcome, rows with warnings, codes."""

    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    warnings: int = 0
    codes: dict[str, int] = field(default_factory=dict)

    def count(self, row: RowOutcome) -> None:
        """Count one row that is listed."""
        self.rows += 1
        self.outcomes[row.outcome] = self.outcomes.get(row.outcome, 0) + 1
        self.warnings += bool(row.warnings)
        for problem in row.errors + row.warnings:
            self.codes[problem.code] = self.codes.get(problem.code, 0) + 1

    def count_plain(self, outcome: str, rows: int) -> None:
        """Count rows that have neither errors nor warnings."""
        if rows:
            self.rows += rows
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + rows

    def add(self, other: Tally) -> None:
        """Add the sums of a chunk to those of the file."""
        self.rows += other.rows
        self.warnings += other.warnings
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count
        for code, count in other.codes.items():
            self.codes[code] = self.codes.get(code, 0) + count

    def counts(self) -> dict[str, int]:
        """The `counts` of the document; every outcome is named, also those with none."""
        named: dict[str, int] = {
            o: self.outcomes.get(o, 0) for o in OUTCOMES if o != "ok" or o in self.outcomes
        }
        return {"rows": self.rows, **named, "warnings": self.warnings}


@dataclass(frozen=True, slots=True)
class ChunkReport:
    """What became of the rows of one chunk.

    `listed` holds, in file order, every row that isn't plainly uploaded. `request_ids` are the
    API's names of the requests that carried the chunk; those of them are `superseded` whose rows
    later ones carried once more, all but `kept_back` uploaded rows (`lib.resend`).
    """

    number: int
    tally: Tally
    listed: tuple[RowOutcome, ...]
    request_ids: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    kept_back: int = 0

    @property
    def newest(self) -> list[str]:
        """The requests that count: those that no later one has superseded."""
        return [each for each in self.request_ids if each not in self.superseded]

    @property
    def repeatable(self) -> bool:
        """Whether any uploaded row could be sent again."""
        return self.kept_back < self.tally.outcomes.get("uploaded", 0)

    def to_marker(self) -> dict[str, Any]:
        """As the ledger keeps it. Holds lines, codes and order ids; never user data."""
        tally = self.tally
        return {
            "number": self.number,
            "rows": tally.rows,
            "outcomes": tally.outcomes,
            "warnings": tally.warnings,
            "codes": tally.codes,
            "request_ids": self.request_ids,
            "superseded": self.superseded,
            "kept_back": self.kept_back,
            "listed": self.listed,
        }

    @classmethod
    def from_marker(cls, marker: Mapping[str, Any]) -> ChunkReport:
        """The inverse of `to_marker`."""
        return cls(
            number=marker["number"],
            tally=Tally(marker["rows"], marker["outcomes"], marker["warnings"], marker["codes"]),
            listed=tuple(
                RowOutcome(line, outcome, order_id, _problems(errors), _problems(warnings))
                for line, outcome, order_id, errors, warnings in marker["listed"]
            ),
            request_ids=tuple(marker["request_ids"]),
            # A marker that an older version wrote has neither.
            superseded=tuple(marker.get("superseded", ())),
            kept_back=marker.get("kept_back", 0),
        )


def chunk_report(
    number: int,
    rows: Iterable[RowOutcome],
    plain: int,
    plain_outcome: str,
    request_ids: tuple[str, ...] = (),
) -> ChunkReport:
    """Count the listed rows, and the `plain` ones that need no line of their own."""
    tally = Tally()
    listed = tuple(rows)
    for row in listed:
        tally.count(row)
    tally.count_plain(plain_outcome, plain)
    return ChunkReport(number, tally, listed, request_ids)


@dataclass(frozen=True, slots=True)
class Facts:
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
    def from_json(cls, facts: Mapping[str, Any]) -> Facts:
        """The inverse of `to_json`."""
        error = facts["file_error"]
        return cls(
            **{
                **facts,
                "notes": _problems(facts["notes"]),
                "file_error": Problem(*error) if error else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything of the document but its rows."""

    run: Run
    facts: Facts
    tally: Tally
    request_ids: tuple[str, ...]
    finished_at: datetime

    @property
    def status(self) -> str:
        """`stopped` (see file_error), `waiting` (rows will be sent again), `completed`."""
        if self.tally.outcomes.get("deferred") or (self.facts.processing or {}).get("resend_at"):
            return "waiting"
        return "completed" if self.facts.file_error is None else "stopped"

    @property
    def not_counted(self) -> int | None:
        """Rows that the API took and then didn't count; None: it has said nothing (yet)."""
        processing = self.facts.processing
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


def results_document(summary: Summary, chunks: Iterable[ChunkReport]) -> Iterator[bytes]:
    """The document in pieces, rows last. `chunks` is read once, in order."""
    head = json.dumps(_head(summary), indent=1, ensure_ascii=False)
    yield head[:-2].encode() + b',\n "rows": ['
    separator = "\n  "
    for chunk in chunks:
        lines = []
        for row in chunk.listed:
            lines.append(separator)
            lines.append(json.dumps(_row(row, summary.facts.headers), ensure_ascii=False))
            separator = ",\n  "
        if lines:
            yield "".join(lines).encode()
    yield b"\n ]\n}\n"


def _head(summary: Summary) -> dict[str, Any]:
    run = summary.run
    tally = summary.tally
    facts = summary.facts
    codes = dict(tally.codes)
    for problem in (*facts.notes, *filter(None, [facts.file_error])):
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
        "destination": facts.destination,
        "customer_id": facts.customer_id,
        "job_id": run.job_id,
        "validate_only": facts.validate_only,
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
        "file_error": _file_problem(facts.file_error) if facts.file_error else None,
        "notes": [_file_problem(note) for note in facts.notes],
    }
    if facts.processing is not None:
        head["processing"] = facts.processing
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


def _problems(raw: Iterable[Iterable[str]]) -> tuple[Problem, ...]:
    return tuple(Problem(*each) for each in raw)
