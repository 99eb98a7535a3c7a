"""Outcomes → the results document, as a stream, and the label of its object.

The document is built one chunk at a time, so a file with a million rejected rows needs no more
memory than a file with none. What a code means and what to do stands once, in `codes`; a problem
has only what is particular to it. Its JSON Schema is docs/results.schema.json.

The answer to an upload may only confirm that records were accepted. What the API reports later
about single rows is then in the rows; `processing` has its reports as they are, by request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from lib.catalogue.codes import lookup
from lib.model.money import Sum, add_sums, most_frequent_first
from lib.model.outcomes import OUTCOMES, WITH_MONEY, ChunkOutcomes, Problem, RowOutcome, Tally
from lib.model.sent_requests import RequestStatus, RequestSummary
from lib.results.findings import Findings
from lib.state.run import Run, run_id
from lib.state.store import Label

SCHEMA_VERSION = 3

Status = Literal["completed", "waiting", "stopped", "superseded", "same_as"]
"""`waiting`: rows will be sent again. `stopped`: see `file_error`. `superseded`, `same_as`: another
generation of the same upload has the rows."""


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    """What the document contains about the file as a whole. Kept in case the document is replaced.

    `headers` maps fields to the file's own column names. `processing` is what an API reports later
    about accepted requests (`processing_of`), `diagnostics` what it counted for the file's
    job; both are in the `processing` of the document. `superseded_by` is the newer generation that
    replaced this one before it could be read; 0: none did.

    For `lib.followup.watch`: of the rows that the first document deferred (`waited`), and that it
    failed (`failed_at_first`), and `uncounted`: accepted rows that the API has not counted, and did
    not name, for a reason that somebody can correct. `matchable` are the rows without a click ID
    with a final status: the unmatched ones are some of them.
    """

    customer_id: str
    destination: str
    validate_only: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    file_error: Problem | None = None
    processing: dict[str, Any] | None = None
    diagnostics: dict[str, Any] | None = None
    superseded_by: int = 0
    waited: int = 0
    failed_at_first: int = 0
    uncounted: int = 0
    matchable: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Everything in the document except its rows. `findings` are for the report."""

    run: Run
    metadata: DocumentMetadata
    tally: Tally
    request_ids: tuple[str, ...]
    finished_at: datetime
    findings: Findings = field(default_factory=Findings)

    @property
    def status(self) -> Status:
        """How the file as a whole ended, or that it waits."""
        if self.run.same_as:
            return "same_as"
        if self.tally.outcomes.get("deferred"):
            return "waiting"
        if self.metadata.superseded_by:
            return "superseded"
        return "completed" if self.metadata.file_error is None else "stopped"

    @property
    def other_generation(self) -> int:
        """The generation that has the rows instead, if the status says so; otherwise 0."""
        return self.run.same_as or self.metadata.superseded_by

    @property
    def all_counted(self) -> bool:
        """Whether every row of the file counts or need not, and nothing remains to be done."""
        tally, metadata = self.tally, self.metadata
        if not tally.rows or metadata.file_error or metadata.superseded_by or self.not_counted:
            return False
        done = [o for o, meaning in OUTCOMES.items() if meaning.counts in ("yes", "need not")]
        return tally.rows == sum(tally.outcomes.get(each, 0) for each in done)

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows for each outcome.

        If the API reports final outcomes later, also how many uploaded rows await them, and how
        many have no ad click.
        """
        counts = self.tally.counts()
        if self.metadata.processing is not None:
            counts |= {"awaiting": self.tally.awaiting, "unmatched": self.tally.unmatched}
        return counts

    @property
    def not_counted(self) -> int | None:
        """Number of rows that the API accepted but did not count; None: it reported nothing."""
        processing = self.metadata.processing
        if processing is None or processing["polled_at"] is None:
            return None
        count: int = processing["counts"]["not_counted"]
        return count


# The parts of the document. The order of the attributes is the order in the file.


@dataclass(frozen=True, slots=True)
class _Source:
    bucket: str
    name: str
    generation: str
    size: int
    md5: str
    crc32c: str


@dataclass(frozen=True, slots=True)
class _Advice:
    count: int
    severity: str
    meaning: str
    action: str
    needs_action: bool


@dataclass(frozen=True, slots=True)
class _FileProblem:
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Sum:
    rows: int
    micros: int


@dataclass(frozen=True, slots=True)
class _Money:
    sums: dict[str, _Sum]
    without_value: int


# Structs, because a file can have a million of these: creating them takes a fifth of the time.


class _RowProblem(msgspec.Struct):
    code: str
    field: str
    detail: str


class _Row(msgspec.Struct):
    line: int
    record: int
    outcome: str
    order_id: str | None
    errors: list[_RowProblem]
    warnings: list[_RowProblem]
    micros: int | msgspec.UnsetType = msgspec.UNSET
    currency: str | msgspec.UnsetType = msgspec.UNSET


class _Head(msgspec.Struct):
    schema_version: int
    run_id: str
    source: _Source
    profile: str
    destination: str
    customer_id: str
    job_id: int
    validate_only: bool
    request_ids: tuple[str, ...]
    status: str
    started_at: str
    finished_at: str
    attempts: int
    counts: dict[str, int]
    columns: dict[str, str]
    codes: dict[str, _Advice]
    file_error: _FileProblem | None
    notes: list[_FileProblem]
    money: dict[str, _Money]
    profile_keys: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    other_generation: str | msgspec.UnsetType = msgspec.UNSET
    processing: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def document_head(summary: RunSummary) -> dict[str, Any]:
    """Return the document without its rows."""
    head: dict[str, Any] = msgspec.to_builtins(_head(summary))
    return head


def results_document(summary: RunSummary, chunks: Iterable[ChunkOutcomes]) -> Iterator[bytes]:
    """Return the document in pieces, rows last. `chunks` is read once, in order."""
    head = msgspec.json.format(msgspec.json.encode(_head(summary)), indent=1)
    yield head.removesuffix(b"\n}") + b',\n "rows": ['
    separator = b"\n  "
    encode = msgspec.json.Encoder().encode
    for chunk in chunks:
        lines = []
        numbers = chunk.record_numbers() if chunk.listed else {}
        for row in chunk.listed:
            lines.append(separator)
            lines.append(encode(_row(row, numbers[row.line])))
            separator = b",\n  "
        if lines:
            yield b"".join(lines)
    yield b"\n ]\n}\n"


def _head(summary: RunSummary) -> _Head:
    run = summary.run
    metadata = summary.metadata
    codes = dict(summary.tally.codes)
    stop = "" if metadata.validate_only or not metadata.file_error else metadata.file_error.code
    for problem in (*metadata.notes, *filter(None, [metadata.file_error])):
        codes[problem.code] = codes.get(problem.code, 0) + 1
    source = run.source
    return _Head(
        schema_version=SCHEMA_VERSION,
        run_id=run_id(source),
        source=_Source(
            source.bucket,
            source.name,
            str(source.generation),
            source.size,
            source.md5,
            source.crc32c,
        ),
        profile=run.profile_name,
        destination=metadata.destination,
        customer_id=metadata.customer_id,
        job_id=run.job_id,
        validate_only=metadata.validate_only,
        request_ids=summary.request_ids,
        status=summary.status,
        started_at=run.now.isoformat(),
        finished_at=summary.finished_at.isoformat(),
        attempts=run.attempts,
        counts=summary.counts,
        columns=dict(metadata.headers),
        codes={
            code: _advice(code, count, summary.tally.validated, is_stop=code == stop)
            for code, count in sorted(codes.items(), key=lambda each: (-each[1], each[0]))
        },
        file_error=_file_problem(metadata.file_error) if metadata.file_error else None,
        notes=[_file_problem(note) for note in metadata.notes],
        money=_money(summary.tally),
        profile_keys=_profile_keys(run.profile),
        other_generation=str(summary.other_generation or "") or msgspec.UNSET,
        processing=_processing(metadata),
    )


def _money(tally: Tally) -> dict[str, _Money]:
    """Return the money of the outcomes that have rows. The most frequent currency comes first."""
    found: dict[str, _Money] = {}
    for outcome in WITH_MONEY:
        if rows := tally.outcomes.get(outcome, 0):
            sums = tally.money.get(outcome, {})
            of_currencies = {c: _Sum(*each) for c, each in most_frequent_first(sums).items()}
            valued = sum(each.rows for each in sums.values())
            found[outcome] = _Money(of_currencies, rows - valued)
    return found


def _profile_keys(profile: Any) -> dict[str, Any] | msgspec.UnsetType:
    """Return the keys of the profile that the claim has fixed, without those that say nothing."""
    if not isinstance(profile, dict):
        return msgspec.UNSET
    return {key: value for key, value in profile.items() if value not in (None, {}, [])}


def _advice(code: str, count: int, rows: int, *, is_stop: bool) -> _Advice:
    entry = lookup(code)
    action = entry.action_if_stopped if is_stop else entry.advice(count, rows)
    return _Advice(count, entry.severity, entry.meaning, action, entry.needs_action)


def _file_problem(problem: Problem) -> _FileProblem:
    return _FileProblem(problem.code, problem.detail)


def _row(row: RowOutcome, record: int) -> _Row:
    return _Row(
        row.line,
        record,
        row.outcome,
        row.order_id,
        [_RowProblem(*problem) for problem in row.errors],
        [_RowProblem(*problem) for problem in row.warnings],
        msgspec.UNSET if row.micros is None else row.micros,
        msgspec.UNSET if row.micros is None else row.currency,
    )


def _processing(metadata: DocumentMetadata) -> dict[str, Any] | msgspec.UnsetType:
    part = dict(metadata.processing or {})
    if metadata.diagnostics is not None:
        part["diagnostics"] = metadata.diagnostics
    return part or msgspec.UNSET


def processing_of(
    summary: RequestSummary, polled_at: datetime | None, previous: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the `processing` part; `previous` is the one of the last document.

    `polled_at` is None if the API was not polled now. `status` is `finished` when every request is
    final, else `processing`. `codes` has the API's reasons with our advice, most frequent first.
    """
    before = previous or {}
    return {
        "status": "processing" if summary.open else "finished",
        "polled_at": polled_at.isoformat() if polled_at else before.get("polled_at"),
        "polls": before.get("polls", 0) + (polled_at is not None),
        "counts": {
            "requests": summary.requests,
            "requests_polled": summary.polled,
            "requests_open": summary.open,
            "not_counted": summary.not_counted.total(),
        },
        "codes": _reasons(summary.statuses),
        "requests": [_request(each) for each in summary.statuses],
    }


def _request(status: RequestStatus) -> dict[str, Any]:
    entry = {
        "request_id": status.request_id,
        "conversion_action": status.conversion_action,
        "status": status.status,
        "record_count": status.record_count,
        "errors": dict(status.errors),
        "warnings": dict(status.warnings),
    }
    return entry | {"code": status.code} if status.code else entry


def _reasons(statuses: Iterable[RequestStatus]) -> dict[str, dict[str, Any]]:
    totals: Counter[str] = Counter()
    for status in statuses:
        totals.update(status.errors)
        totals.update(status.warnings)
        if status.code:
            totals[status.code] += 1
    return {
        code: {"count": count, "meaning": lookup(code).meaning, "action": lookup(code).action}
        for code, count in sorted(totals.items(), key=lambda each: (-each[1], each[0]))
    }


ALERTING = "alert"
"""The `field` of a note that somebody must know of: it is about the whole file, so it has none."""

_ALWAYS_ASK = "private, no-cache"
"""Results are replaced when Google reports more, so no browser may show an old version unasked."""

MOST_LABELLED_CURRENCIES = 30
MOST_LABELLED_CHARS = 200

PAGE = Label("text/html; charset=utf-8", _ALWAYS_ASK)
"""The label of a page for people."""


def label_of(summary: RunSummary) -> Label:
    """Return the label of a results document: its status, counts, and when it was written.

    The overview of all files is made of one listing of the bucket, and so is what
    `lib.followup.watch` knows of them: so the label has what both need.
    """
    run, document = summary.run, summary.metadata
    counts = {
        **summary.counts,
        "waited": document.waited,
        "uncounted": document.uncounted,
        "matchable": document.matchable,
    }
    if document.waited:
        failed = summary.tally.outcomes.get("failed", 0)
        counts["failed_later"] = max(0, failed - document.failed_at_first)
    arrived = run.source.created or run.source.updated or run.now
    metadata = {
        "status": summary.status,
        "finished_at": summary.finished_at.isoformat(timespec="seconds"),
        "arrived_at": arrived.astimezone(UTC).isoformat(timespec="seconds"),
        "profile": run.profile_name,
        "counts": _compact({n: c for n, c in counts.items() if c}),
        "money": _compact(_most_frequent(summary.tally.money)),
        "to_correct": str(summary.findings.to_correct),
        "code": document.file_error.code if document.file_error else "",
        "cause": _cause(summary),
        "alerts": " ".join(note.code for note in document.notes if note.field == ALERTING),
        "validate_only": "true" if document.validate_only else "",
    }
    shown = {name: text for name, text in metadata.items() if text}
    return Label("application/json", _ALWAYS_ASK, shown)


def _cause(summary: RunSummary) -> str:
    """Return the detail of what stopped the file, or the code of most rows to correct."""
    if error := summary.metadata.file_error:
        return " ".join(error.detail.split())[:MOST_LABELLED_CHARS]
    causes = summary.findings.by_importance() if summary.findings.to_correct else []
    return causes[0].code if causes else ""


def _compact(content: Mapping[str, Any]) -> str:
    return msgspec.json.encode(content).decode() if content else ""


def _most_frequent(money: Mapping[str, Mapping[str, Sum]]) -> dict[str, dict[str, Sum]]:
    """Return the sums without the rarest currencies: a label has 8 KiB at most."""
    total: dict[str, Sum] = {}
    for sums in money.values():
        add_sums(total, sums)
    kept = [*most_frequent_first(total)][:MOST_LABELLED_CURRENCIES]
    found = {o: {c: each for c, each in sums.items() if c in kept} for o, sums in money.items()}
    return {outcome: sums for outcome, sums in found.items() if sums}
