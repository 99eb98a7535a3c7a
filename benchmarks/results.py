"""What the results of a file cost: the report for people, and the document of refused rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time
from typing import Any, TypeVar

import msgspec

from benchmarks import ours
from benchmarks.figures import Figure
from benchmarks.rows import PROFILE, file_of
from lib.config.profile import Profile
from lib.model.chunk_outcomes import ChunkOutcomes
from lib.model.money import Sum
from lib.model.outcomes import Outcome
from lib.model.totals import Totals
from lib.results.document import RunSummary, document_head, results_document
from lib.results.findings import Findings
from lib.results.overview import MAX_FILES, render_overview
from lib.results.report import render_report
from lib.state.runs import entry_of

T = TypeVar("T")

ROWS = 100_000
REFUSED_ROWS = 20_000
MIB = 1 << 20


def measure(quick: bool) -> Iterator[Figure]:
    """The report against the rows of its file, and the results of rows that are all refused."""
    yield report_cost(3 if quick else 9)
    yield refused_results(3 if quick else 9)


def report_cost(turns: int) -> Figure:
    """CPU of report and overview against preparing the file, without reading and sending it."""
    content = file_of(ROWS, 100)
    measured = []
    for _ in range(turns):
        markers, file = timed(prepared, content)
        reports = [read(marker) for marker in markers]
        measured.append((timed(report_of, reports)[1] + timed(overview)[1], file))
    page, file = (median(each) * 1e3 for each in zip(*measured, strict=True))
    notes = (
        f"{ROWS:,} rows, one in 100 refused: report and overview {page:.0f} ms, "
        f"preparing the rows {file:.0f} ms"
    )
    return Figure("report_cost", median(page / file for page, file in measured), notes)


def refused_results(turns: int) -> Figure:
    """The results document of a million rows, if every row is refused."""
    markers = prepared(file_of(REFUSED_ROWS, 1))
    measured = []
    for _ in range(turns):
        reports, reading = timed(lambda: [read(marker) for marker in markers])
        size, writing = timed(size_of_document, reports)
        measured.append((reading, writing, timed(findings_of, reports)[1]))
    scale = 1_000_000 / REFUSED_ROWS
    reading, writing, finding = (median(each) * scale for each in zip(*measured, strict=True))
    notes = (
        f"{reading + writing + finding:.1f} s of CPU: markers {reading:.1f}, document "
        f"{writing:.1f}, what the report shows {finding:.1f}"
    )
    return Figure("results_refused", size * scale / MIB, notes)


def timed(work: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    """The result of a call, and the CPU seconds that it took."""
    start = process_time()
    result = work(*arguments)
    return result, process_time() - start


def prepared(content: bytes) -> list[bytes]:
    """Prepare a file, and return its markers."""
    markers: list[bytes] = []
    for _ in ours.prepare_file(content, None, markers):
        pass
    return markers


def read(marker: bytes) -> ChunkOutcomes:
    """The report of a chunk, as the end of a run reads it."""
    return msgspec.json.decode(marker, type=ChunkOutcomes)


def findings_of(reports: list[ChunkOutcomes]) -> Findings:
    """What the report shows of the rows."""
    findings = Findings()
    for report in reports:
        findings.add(report)
    return findings


def report_of(reports: list[ChunkOutcomes]) -> str:
    """The page about a file."""
    return render_report(document_head(summary_of(reports)), findings_of(reports))


def size_of_document(reports: list[ChunkOutcomes]) -> int:
    """Write the results document of a file. Return its size in bytes."""
    return sum(map(len, results_document(summary_of(reports), reports)))


def overview() -> str:
    """The page about all files, which the sweep makes."""
    counts: dict[Outcome, int] = {"uploaded": ROWS - ROWS // 100, "rejected": ROWS // 100}
    totals = Totals(counts, money={"uploaded": {"USD": Sum(ROWS, 10**12)}})
    entry = entry_of(replace(RUN, totals=totals))
    days = [NOW - timedelta(days=number) for number in range(MAX_FILES)]
    entries = [msgspec.structs.replace(entry, arrived=day) for day in days]
    return render_overview("results", entries, [], NOW)


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RUN = ours.run_of(Profile.model_validate(PROFILE))


def summary_of(reports: list[ChunkOutcomes]) -> RunSummary:
    """What a run knows at its end."""
    totals = Totals()
    for report in reports:
        totals.add(report.totals())
    return RunSummary(RUN, totals, (), NOW)
