"""Outcomes → the results document, as a stream. Its JSON Schema is docs/results.schema.json.

The document is built one chunk at a time, so a file with a million rejected rows needs no more
memory than a file with none. What a code means and what to do stands once, in `codes`; a problem
has only what is particular to it.

The answer to an upload may only confirm that records were accepted. What the API reports later
about single rows is then in the rows; `processing` has its reports as they are, by request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from lib.catalogue.codes import lookup
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.money import Sum, most_frequent_first
from lib.model.outcomes import OUTCOMES, WITH_MONEY, Outcome, Problem, RowOutcome
from lib.model.sent_requests import Requests, RequestStatus
from lib.model.totals import CodeTotals, Totals
from lib.results.findings import Findings
from lib.state.runs import FileFacts, Run, customer_id_of, run_id
from lib.state.store import ObjectMetadata

SCHEMA_VERSION: Final = 3

Status = Literal["completed", "waiting", "stopped", "superseded"]
"""`waiting`: rows will be sent again. `stopped`: see `file_error`. `superseded`: another generation
of the same upload has the rows."""


# The parts of the document, as they are written and read. The order is that in the file. A part
# with a default is left out of the file if it has that value.


class ResultsSource(msgspec.Struct, frozen=True):
    """The file that the results are about, with its checksums in base64, if they are known."""

    bucket: str
    name: str
    generation: str
    size: int | None
    md5: str
    crc32c: str


class MoneySum(msgspec.Struct, frozen=True):
    """The number of rows with a value in one currency, and their sum."""

    rows: int
    micros: int


class ResultsCode(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many rows have a code, what it means, what to do, and whether a person must do it.

    A note, and what stopped the file, count as one. `sums` are the values of the rows by currency.
    """

    count: int
    severity: str
    meaning: str
    action: str
    needs_action: bool
    sums: dict[str, MoneySum] = {}


class FileProblem(msgspec.Struct, frozen=True):
    """A problem of the file, or a note on it. `detail` is what is particular to this file."""

    code: str
    detail: str


class ResultsProblem(msgspec.Struct, frozen=True):
    """A problem of a row. `field` is empty if it concerns the row as a whole."""

    code: str
    field: str
    detail: str


class OutcomeMoney(msgspec.Struct, frozen=True):
    """What the rows of an outcome are worth by currency, the most frequent one first.

    `without_value` are its other rows: those without a readable value, and corrections.
    """

    sums: dict[str, MoneySum]
    without_value: int


class ResultsRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row as it is listed. Without a value, it has neither micros nor a currency."""

    line: int
    record: int
    outcome: Outcome
    order_id: str | None
    errors: tuple[ResultsProblem, ...]
    warnings: tuple[ResultsProblem, ...]
    micros: int | None = None
    currency: str | None = None

    def as_outcome(self) -> RowOutcome:
        """Return the row as a run knows it."""
        errors, warnings = (
            tuple(Problem(each.code, each.field, each.detail) for each in problems)
            for problems in (self.errors, self.warnings)
        )
        money = self.micros, self.currency or ""
        return RowOutcome(self.line, self.outcome, self.order_id, errors, warnings, *money)


class ResultsHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document without its rows.

    `profile_keys`: the profile with which the file was read, if one could be used. `corrections`
    are the rows by outcome that correct an earlier conversion: they are no sales. `awaiting_sums`
    are the values of the rows that await their final status. `unnamed`: see `Totals`.
    """

    schema_version: int
    run_id: str
    source: ResultsSource
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
    counts: dict[str, Annotated[int, msgspec.Meta(ge=0)]]
    columns: dict[str, str]
    codes: dict[str, ResultsCode]
    file_error: FileProblem | None
    notes: tuple[FileProblem, ...]
    money: dict[Outcome, OutcomeMoney]
    profile_keys: dict[str, Any] | None = None
    other_generation: str = ""
    processing: dict[str, Any] | None = None
    corrections: dict[Outcome, int] = {}
    awaiting_sums: dict[str, MoneySum] = {}
    unnamed: dict[str, int] = {}

    def totals(self) -> Totals:
        """Return what became of the rows, as the run has added it up.

        What only the run needs, for its notes, is not in it: `placeholders`, `matchable`,
        `consenting` and `last`.
        """
        counts = self.counts
        return Totals(
            rows={outcome: counts[outcome] for outcome in OUTCOMES if counts.get(outcome)},
            corrections=dict(self.corrections),
            money={outcome: _as_sums(each.sums) for outcome, each in self.money.items()},
            codes={
                code: CodeTotals(each.count, _as_sums(each.sums))
                for code, each in self.codes.items()
            },
            warned=counts.get("warnings", 0),
            awaiting=counts.get("awaiting", 0),
            awaiting_money=_as_sums(self.awaiting_sums),
            unmatched=counts.get("unmatched", 0),
            unnamed=dict(self.unnamed),
            unknown=counts.get("unknown", 0),
            denied=counts.get("denied", 0),
        )


def _as_sums(sums: Mapping[str, MoneySum]) -> dict[str, Sum]:
    return {currency: Sum(each.rows, each.micros) for currency, each in sums.items()}


def _money_sums(sums: Mapping[str, Sum]) -> dict[str, MoneySum]:
    return {currency: MoneySum(*each) for currency, each in most_frequent_first(sums).items()}


# ── how it is made ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Everything in the document except its rows.

    `requests` is what an API reports later about the accepted requests; None: it reports nothing.
    `notes` are remarks on the file as a whole. `findings` are for the report.
    """

    run: Run
    totals: Totals
    request_ids: tuple[str, ...]
    finished_at: datetime
    requests: Requests | None = None
    notes: tuple[Problem, ...] = ()
    findings: Findings = field(default_factory=Findings)

    @property
    def profile(self) -> Mapping[str, Any]:
        """The profile that the first attempt fixed."""
        return self.run.profile if isinstance(self.run.profile, dict) else {}

    @property
    def facts(self) -> FileFacts:
        """What is known of the file."""
        return self.run.facts or FileFacts(chunks=0)

    @property
    def validate_only(self) -> bool:
        """Whether Google only checked the rows."""
        return bool(self.profile.get("validate_only"))

    @property
    def status(self) -> Status:
        """How the file as a whole ended, or that it waits."""
        if self.totals.count("deferred"):
            return "waiting"
        if self.run.superseded_by:
            return "superseded"
        return "completed" if self.run.stop is None else "stopped"

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows for each outcome, and of those that refuse consent.

        If the API reports final outcomes later, also how many uploaded rows await them, have no ad
        click, and have no known status.
        """
        counts = self.totals.counts()
        if self.totals.denied:
            counts["denied"] = self.totals.denied
        if self.requests is not None:
            counts |= {
                "awaiting": self.totals.awaiting,
                "unmatched": self.totals.unmatched,
                "unknown": self.totals.unknown,
            }
        return counts


def document_head(summary: RunSummary) -> ResultsHead:
    """Return the document without its rows."""
    run, source, facts = summary.run, summary.run.source, summary.facts
    profile = {k: value for k, value in summary.profile.items() if value not in (None, {}, [])}
    return ResultsHead(
        schema_version=SCHEMA_VERSION,
        run_id=run_id(source),
        source=ResultsSource(
            source.bucket,
            source.name,
            str(source.generation),
            source.size,
            source.md5,
            source.crc32c,
        ),
        profile=run.profile_name,
        destination=str(summary.profile.get("destination", "")),
        customer_id=customer_id_of(run),
        job_id=run.job_id,
        validate_only=summary.validate_only,
        request_ids=summary.request_ids,
        status=summary.status,
        started_at=run.now.isoformat(),
        finished_at=summary.finished_at.isoformat(),
        attempts=run.attempts,
        counts=summary.counts,
        columns=dict(facts.columns),
        codes=_codes(summary),
        file_error=_file_problem(run.stop) if run.stop is not None else None,
        notes=tuple(map(_file_problem, summary.notes)),
        money=_money(summary.totals),
        profile_keys=profile if isinstance(run.profile, dict) else None,
        other_generation=str(run.superseded_by or ""),
        processing=_processing(summary),
        corrections={outcome: rows for outcome, rows in summary.totals.corrections.items() if rows},
        awaiting_sums=_money_sums(summary.totals.awaiting_money),
        unnamed=dict(summary.totals.unnamed),
    )


def results_document(summary: RunSummary, chunks: Iterable[ChunkOutcomes]) -> Iterator[bytes]:
    """Return the document in pieces, rows last. `chunks` is read once, in order."""
    head = msgspec.json.format(msgspec.json.encode(document_head(summary)), indent=1)
    yield head.removesuffix(b"\n}") + b',\n "rows": ['
    separator, encode = b"\n  ", msgspec.json.Encoder().encode
    for chunk in chunks:
        if chunk.listed:
            numbers = chunk.records.numbers()
            lines = [encode(_row(row, numbers[row.line])) for row in chunk.listed]
            yield separator + b",\n  ".join(lines)
            separator = b",\n  "
    yield b"\n ]\n}\n"


def _row(row: RowOutcome, record: int) -> ResultsRow:
    return ResultsRow(
        row.line,
        record,
        row.outcome,
        row.order_id,
        tuple([ResultsProblem(*problem) for problem in row.errors]),
        tuple([ResultsProblem(*problem) for problem in row.warnings]),
        row.micros,
        None if row.micros is None else row.currency,
    )


def _codes(summary: RunSummary) -> dict[str, ResultsCode]:
    """Return every code in the document."""
    stop, codes = summary.run.stop, summary.totals.codes
    counts = Counter({code: each.number for code, each in codes.items()})
    counts.update(problem.code for problem in (*summary.notes, *filter(None, [stop])))
    stopped_by = stop.code if stop is not None and not summary.validate_only else ""
    entries = _entries(counts, summary.totals.meant, stopped_by)
    sums = {code: _money_sums(codes[code].sums) for code in entries.keys() & codes.keys()}
    return {
        code: msgspec.structs.replace(entry, sums=sums.get(code, {}))
        for code, entry in entries.items()
    }


def _entries(counts: Counter[str], rows: int, stopped_by: str = "") -> dict[str, ResultsCode]:
    """Return what each code means and what to do about it, the most frequent code first.

    `rows` is the number of rows that were meant to be sent: if most of them have a code, a setting
    may be the cause. `stopped_by` is the code that stopped the file.
    """
    found = {}
    for code, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        entry = lookup(code)
        action = entry.advice_with_upload() if code == stopped_by else entry.advice(count, rows)
        found[code] = ResultsCode(count, entry.severity, entry.meaning, action, entry.needs_action)
    return found


def _money(totals: Totals) -> dict[Outcome, OutcomeMoney]:
    """Return the money of the outcomes that have rows, without `skipped`: its rows are no
    conversions. The most frequent currency comes first."""
    found: dict[Outcome, OutcomeMoney] = {}
    for outcome in WITH_MONEY:
        if rows := totals.count(outcome):
            sums = totals.money.get(outcome, {})
            valued = sum(each.rows for each in sums.values())
            found[outcome] = OutcomeMoney(_money_sums(sums), rows - valued)
    return found


def _file_problem(problem: Problem) -> FileProblem:
    return FileProblem(problem.code, problem.detail)


def _processing(summary: RunSummary) -> dict[str, Any] | None:
    """Return what the API has reported later.

    `status` is `finished` when every request is final, else `processing`.
    """
    part: dict[str, Any] = {}
    requests, run = summary.requests, summary.run
    if requests is not None:
        part = {
            "status": "processing" if requests.open else "finished",
            "polled_at": run.polled_at.isoformat() if run.polled_at else None,
            "counts": {
                "requests": requests.number,
                "requests_polled": requests.polled,
                "requests_open": requests.open,
            },
            "codes": _entries(_reasons(requests.statuses), summary.totals.meant),
            "requests": [_status_entry(each) for each in requests.statuses],
        }
    if run.diagnostics is not None:
        part["diagnostics"] = run.diagnostics
    return part or None


def _status_entry(status: RequestStatus) -> dict[str, Any]:
    """Return a status without the positions of its records."""
    entry = status._asdict()
    left_out = {"error_records", "warning_records", *([] if status.code else ["code"])}
    return {name: value for name, value in entry.items() if name not in left_out}


def _reasons(statuses: Iterable[RequestStatus]) -> Counter[str]:
    """Count the reasons that the API gives for records or requests."""
    reasons: Counter[str] = Counter()
    for status in statuses:
        reasons.update(status.errors)
        reasons.update(status.warnings)
        reasons.update(filter(None, [status.code]))
    return reasons


# ── how it is stored ─────────────────────────────────────────────────────────────────────────────

_ALWAYS_ASK: Final = "private, no-cache"
"""Results are replaced when Google reports more, so no browser may show an old version unasked."""

PAGE: Final = ObjectMetadata("text/html; charset=utf-8", _ALWAYS_ASK)
"""The metadata of a page for people."""

DOCUMENT: Final = ObjectMetadata("application/json", _ALWAYS_ASK)
"""The metadata of a results document."""
