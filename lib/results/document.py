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
from datetime import datetime
from typing import Any, Literal

import msgspec

from lib.catalogue.codes import lookup
from lib.model.money import most_frequent_first
from lib.model.outcomes import WITH_MONEY, ChunkOutcomes, Problem, RowOutcome, Tally
from lib.model.sent_requests import RequestStatus, RequestSummary
from lib.results.findings import Findings
from lib.state.runs import FileFacts, Run, run_id
from lib.state.store import Label

SCHEMA_VERSION = 3

Status = Literal["completed", "waiting", "stopped", "superseded"]
"""`waiting`: rows will be sent again. `stopped`: see `file_error`. `superseded`: another generation
of the same upload has the rows."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Everything in the document except its rows.

    `requests` is what an API reports later about the accepted requests; None: it reports nothing.
    `notes` are remarks on the file as a whole. `findings` are for the report.
    """

    run: Run
    tally: Tally
    request_ids: tuple[str, ...]
    finished_at: datetime
    requests: RequestSummary | None = None
    notes: tuple[Problem, ...] = ()
    findings: Findings = field(default_factory=Findings)

    @property
    def profile(self) -> Mapping[str, Any]:
        """The profile that the first attempt fixed."""
        return self.run.profile if isinstance(self.run.profile, dict) else {}

    @property
    def facts(self) -> FileFacts:
        """What is known of the file."""
        return self.run.facts or FileFacts()

    @property
    def validate_only(self) -> bool:
        """Whether Google only checked the rows."""
        return bool(self.profile.get("validate_only"))

    @property
    def status(self) -> Status:
        """How the file as a whole ended, or that it waits."""
        if self.tally.outcomes.get("deferred"):
            return "waiting"
        if self.run.superseded_by:
            return "superseded"
        return "completed" if self.run.stop is None else "stopped"

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows for each outcome.

        If the API reports final outcomes later, also how many uploaded rows await them, and how
        many have no ad click.
        """
        counts = self.tally.counts()
        if self.requests is not None:
            counts |= {"awaiting": self.tally.awaiting, "unmatched": self.tally.unmatched}
        return counts


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
    run, source, stop = summary.run, summary.run.source, summary.run.stop
    codes = dict(summary.tally.codes)
    for problem in (*summary.notes, *filter(None, [stop])):
        codes[problem.code] = codes.get(problem.code, 0) + 1
    stop_code = stop.code if stop is not None and not summary.validate_only else ""
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
        destination=str(summary.profile.get("destination", "")),
        customer_id=summary.facts.customer_id or str(summary.profile.get("customer_id") or ""),
        job_id=run.job_id,
        validate_only=summary.validate_only,
        request_ids=summary.request_ids,
        status=summary.status,
        started_at=run.now.isoformat(),
        finished_at=summary.finished_at.isoformat(),
        attempts=run.attempts,
        counts=summary.counts,
        columns=dict(summary.facts.columns),
        codes={
            code: _advice(code, count, summary.tally.validated, is_stop=code == stop_code)
            for code, count in sorted(codes.items(), key=lambda each: (-each[1], each[0]))
        },
        file_error=_file_problem(stop) if stop is not None else None,
        notes=[_file_problem(note) for note in summary.notes],
        money=_money(summary.tally),
        profile_keys=_profile_keys(run.profile),
        other_generation=str(run.superseded_by or "") or msgspec.UNSET,
        processing=_processing(summary),
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


def _processing(summary: RunSummary) -> dict[str, Any] | msgspec.UnsetType:
    """Return what the API has reported later.

    `status` is `finished` when every request is final, else `processing`. `codes` has the API's
    reasons with our advice, most frequent first.
    """
    part: dict[str, Any] = {}
    requests, followed = summary.requests, summary.run.followed
    if requests is not None:
        part = {
            "status": "processing" if requests.open else "finished",
            "polled_at": followed.polled_at.isoformat() if followed.polled_at else None,
            "polls": followed.polls,
            "counts": {
                "requests": requests.requests,
                "requests_polled": requests.polled,
                "requests_open": requests.open,
                "not_counted": requests.not_counted.total(),
            },
            "codes": _reasons(requests.statuses),
            "requests": [_request(each) for each in requests.statuses],
        }
    if followed.diagnostics is not None:
        part["diagnostics"] = followed.diagnostics
    return part or msgspec.UNSET


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

PAGE = Label("text/html; charset=utf-8", _ALWAYS_ASK)
"""The label of a page for people."""

DOCUMENT = Label("application/json", _ALWAYS_ASK)
"""The label of a results document."""
