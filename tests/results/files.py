"""Results of files of any size, as a run makes them, for the tests of pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lib.model.chunk_outcomes import ChunkOutcomes, RecordLines
from lib.model.money import Sum
from lib.model.outcomes import Outcome, Problem, RowOutcome
from lib.model.sent_requests import Requests, ranges_of
from lib.model.totals import Totals
from lib.results.document import RunSummary, document_head
from lib.results.findings import Findings
from lib.results.report import Links, render_report
from lib.results.sentences import looks_of
from lib.run.attempt import Sums
from lib.run.finish import digest_of, totals_of
from lib.state.runs import ChunkSize, FileFacts, Run, RunEntry, entry_of
from lib.state.store import StoredObject

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SALE = 10_000_000
"""What a row is worth, in micros."""
LINKS = Links("https://storage.cloud.google.com/out/a.json", "https://storage.cloud.google.com/b")
PROBLEMS: Sequence[tuple[Outcome, Problem]] = (
    ("rejected", Problem("FUTURE_DATE", "conversion_date_time")),
    ("rejected", Problem("NO_CLICK_ID_OR_IDENTIFIER")),
    ("failed", Problem("EXPIRED_EVENT", "", "The click occurred before the click-through window.")),
    ("rejected", Problem("INVALID_CLICK_ID", "gclid")),
    ("rejected", Problem("INVALID_CURRENCY", "currency_code")),
    ("rejected", Problem("INVALID_DATE", "conversion_date_time")),
    ("rejected", Problem("NEGATIVE_VALUE", "conversion_value")),
    ("rejected", Problem("INVALID_CONSENT", "ad_user_data")),
    ("rejected", Problem("WRONG_NUMBER_OF_CELLS")),
    ("rejected", Problem("INVALID_ORDER_ID", "order_id")),
    ("failed", Problem("CLICK_NOT_FOUND", "", "The click could not be found. " * 8)),
    ("uploaded", Problem("INVALID_PHONE", "phone")),
    ("duplicate", Problem("REPEATED_LINE", "", "the same order ID as in line 2")),
    ("deferred", Problem("TOO_RECENT_CONVERSION", "", "is sent again tomorrow")),
)


def row(
    line: int, outcome: Outcome, *codes: str, warnings: str = "", micros: int | None = SALE
) -> RowOutcome:
    """Return the outcome of a row with these errors."""
    problems = tuple(map(Problem, codes)), tuple(map(Problem, warnings.split()))
    return RowOutcome(line, outcome, f"order-{line}", *problems, micros, "USD")


def summary_of(
    listed: Iterable[RowOutcome] = (),
    *,
    unlisted: Mapping[Outcome, int] | None = None,
    run: Mapping[str, Any] | None = None,
    profile: Mapping[str, Any] | None = None,
    notes: Sequence[Problem] = (),
    requests: Requests | None = None,
    awaiting: int = 0,
    corrected: int = 0,
    unnamed: Mapping[str, int] | None = None,
) -> RunSummary:
    """Return the results of a file with these rows, and with these numbers of unlisted ones.

    So many more uploaded rows have `corrected` a sale. Google has refused `unnamed` ones of the
    uploaded rows for these reasons.
    """
    totals, findings = Totals(awaiting=awaiting, unnamed=dict(unnamed or {})), Findings()
    if awaiting:
        totals.awaiting_money["USD"] = Sum(awaiting, awaiting * SALE)
    rows = sorted(listed)
    for start in range(0, len(rows), 1_000):
        part = rows[start : start + 1_000]
        lines = [each.line for each in part]
        records = RecordLines(lines[0] - 1, ranges_of(lines))
        chunk = ChunkOutcomes(start, tuple(part), Totals(), records)
        totals.add(chunk.totals())
        findings.add(chunk)
    for outcome, count in (unlisted or {}).items():
        totals.add_plain(outcome, count, {"USD": Sum(count, count * SALE)})
    totals.add_plain("uploaded", corrected, corrections=corrected)
    keys = {"destination": "google_ads", "customer_id": "1234567890", **(profile or {})}
    columns = {"conversion_date_time": "Close Date", "phone": "Phone"}
    begun = Run(
        StoredObject("in", "crm/deals.csv", 123, 48_211, "1B2M2Y8AsgTpgAmY7PhCfg=="),
        *(NOW, NOW, "crm", keys, ChunkSize(1_000, 1_000_000, 0), "done", "", None),
        facts=FileFacts(1, "1234567890", columns),
        published_at=NOW,
    )
    begun = replace(begun, **(run or {}))
    return RunSummary(
        run=begun,
        totals=totals_of(begun, Sums(totals, sent_at=NOW)),
        request_ids=("request-1",),
        finished_at=NOW,
        requests=requests,
        notes=tuple(notes),
        findings=findings,
    )


def file_of(rows: int) -> RunSummary:
    """Return the results of a file of so many rows, of which a fifth has a problem."""
    listed = []
    for line in range(2, rows + 2, 5):
        outcome, problem = PROBLEMS[line // 5 % len(PROBLEMS)]
        errors, warnings = ((), (problem,)) if outcome == "uploaded" else ((problem,), ())
        listed.append(RowOutcome(line, outcome, f"HS-{line}", errors, warnings, SALE, "USD"))
    return summary_of(listed, unlisted={"uploaded": rows - len(listed), "skipped": 9})


def report_on(summary: RunSummary, links: Links = LINKS) -> str:
    """Return the report."""
    return render_report(document_head(summary), summary.findings, links)


def entry_on(summary: RunSummary, **changes: Any) -> RunEntry:
    """Return what a listing shows of the run."""
    sums = Sums(summary.totals, findings=summary.findings, sent_at=NOW)
    looks = tuple(looks_of([note.code for note in summary.notes], summary.totals))
    totals = digest_of(summary.run, sums, looks)
    return entry_of(replace(summary.run, **{"totals": totals, "looks": looks, **changes}))
