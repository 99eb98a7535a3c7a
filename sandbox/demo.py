"""`make demo`: sends a CRM export through the function, and checks the results.

The check is independent of the function: it reads the file with `csv` and the results as JSON, and
asks the API which conversions it holds.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox.examples import write_crm_export
from sandbox.show import show_results
from sandbox.up import OUTPUT_BUCKET, Sandbox

OUTCOMES = (
    *("uploaded", "duplicate", "rejected", "failed", "deferred", "skipped", "not_attempted"),
)
_CLICK_IDS = ("gclid", "gbraid", "wbraid")


def data_rows(path: Path) -> dict[int, dict[str, str]]:
    """The data rows of a CSV file, by their line in the file."""
    rows = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        line = reader.line_num + 1
        for cells in reader:
            rows[line] = dict(zip(header, cells, strict=False))
            line = reader.line_num + 1
    return rows


def _identity(row: Mapping[str, str]) -> str:
    """What identifies a row at the API: its click ID, or otherwise its hashed email address."""
    click_id = next((row[name] for name in _CLICK_IDS if row.get(name)), "")
    return click_id or hashlib.sha256(row.get("email", "").strip().lower().encode()).hexdigest()


def _first(document: Any, names: Iterable[str]) -> str:
    """The first value of one of `names`, at any depth: the two APIs nest differently."""
    if isinstance(document, dict):
        for name in names:
            if document.get(name):
                return str(document[name])
    elif not isinstance(document, list):
        return ""
    parts = document.values() if isinstance(document, dict) else document
    return next((found for part in parts if (found := _first(part, names))), "")


def disagreements(
    rows: Mapping[int, Mapping[str, str]],
    document: Mapping[str, Any],
    conversions: Iterable[Mapping[str, Any]],
    lost_in_processing: int = 0,
) -> list[str]:
    """The contradictions between the file, its results and the API; empty if there are none.

    `lost_in_processing` is the number of events that the Data Manager API accepted and then did
    not count. It reports them later, as totals and not per row.
    """
    problems = []
    if document.get("file_error"):
        problems.append(f"the file as a whole failed: {document['file_error']}")
    counts = document.get("counts", {})
    if counts.get("rows") != len(rows):
        problems.append(
            f"the file has {len(rows)} data rows, the results have {counts.get('rows')}"
        )
    total = sum(counts.get(outcome, 0) for outcome in OUTCOMES)
    if total != len(rows):
        problems.append(f"the outcomes add up to {total}, but the file has {len(rows)} data rows")
    listed = Counter(int(row["line"]) for row in document.get("rows", ()))
    outcomes = {int(row["line"]): row["outcome"] for row in document.get("rows", ())}
    if twice := sorted(line for line, times in listed.items() if times > 1):
        problems.append(f"lines with more than one outcome: {twice[:10]}")
    if strange := sorted(set(listed) - set(rows)):
        problems.append(f"outcomes for lines that are not data rows: {strange[:10]}")
    # The results document does not list rows that were uploaded without a warning.
    by_outcome = Counter(outcomes.get(line, "uploaded") for line in rows)
    for outcome in OUTCOMES:
        if by_outcome[outcome] != counts.get(outcome, 0):
            problems.append(
                f"the results count {counts.get(outcome, 0)} rows as {outcome}, "
                f"but {by_outcome[outcome]} rows have this outcome"
            )
    uploaded = Counter(
        _identity(row) for line, row in rows.items() if outcomes.get(line, "uploaded") == "uploaded"
    )
    accepted = Counter(
        _first(conversion["conversion"], _CLICK_IDS)
        or _first(conversion["conversion"], ("hashed_email", "email_address"))
        for conversion in conversions
    )
    missing = (uploaded - accepted).total()
    if missing != lost_in_processing:
        problems.append(
            f"{missing} rows are reported as uploaded, but the API did not count them; "
            f"its processing dropped {lost_in_processing}"
        )
    if surplus := accepted - uploaded:
        problems.append(
            f"the API has {surplus.total()} conversions that are not reported as uploaded"
        )
    return problems


def run_demo(console: Console, route: str, source: Path, output: Path, rows: int) -> int:
    """Runs the demo and prints it; returns the exit code. The files stay in `output`."""
    output.mkdir(exist_ok=True)
    export = write_crm_export(output / "crm_export.csv", rows, datetime.now(UTC))
    console.print(
        f"Wrote {export.path}: a CRM export of {export.rows:,} rows, {len(export.wrong)} of them "
        "wrong on purpose"
    )
    begun = time.monotonic()
    with Sandbox(source=source) as sandbox:
        console.print(f"Started the sandbox in {time.monotonic() - begun:.1f} s")
        sandbox.state.register_clicks(export.clicks)
        folder = None if route == "google_ads" else route
        begun = time.monotonic()
        name, generation = sandbox.drop(export.path, folder=folder)
        console.print(
            f"Uploaded {name} to the input bucket; the function gets an event, as from Eventarc"
        )
        try:
            document = _wait(sandbox, console, name, generation, rows)
        except TimeoutError as problem:
            document = None
            console.print(f"[red]{problem}[/red]")
        took = time.monotonic() - begun
        conversions = list(sandbox.state.conversions())
        dropped = Counter(each.reason for each in sandbox.state.processing_errors)
        log = output / "function.log"
        log.write_text(sandbox.function_output(), encoding="utf-8")
    if document is None:
        console.print(f"The end of the function log, {log}:")
        console.print(log.read_text(encoding="utf-8")[-3000:], markup=False, highlight=False)
        return 1
    results = output / "results.json"
    results.write_text(json.dumps(document, indent=2), encoding="utf-8")
    show_results(document, console)
    console.print(f"From upload to results: {took:.1f} s ({rows / took:,.0f} rows a second)")
    console.print(f"Results: {results}   Function log: {log}", highlight=False)
    if dropped:
        console.print(
            f"Google's processing will not count {dropped.total()} of the uploaded rows: "
            + ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))
            + ". The sweep reads these counts after 30 minutes (`processing` in the results)."
        )
    lost = dropped.total()
    problems = disagreements(data_rows(export.path), document, conversions, lost)
    if astray := {one["route"] for one in conversions} - {route}:
        problems.append(f"conversions arrived through {', '.join(astray)}, not through {route}")
    if problems:
        console.print("[red]The file, its results and the API do not agree:[/red]")
        for disagreement in problems:
            console.print(f"  - {disagreement}", markup=False)
        return 1
    console.print(
        f"[green]Checked:[/green] each of the {export.rows:,} rows has exactly one outcome, and "
        f"the {len(conversions):,} conversions accepted by the API are exactly the uploaded rows"
        + (f", minus the {lost} that processing drops" if lost else "")
    )
    return 0


def _wait(
    sandbox: Sandbox, console: Console, name: str, generation: int, rows: int
) -> dict[str, Any]:
    """Waits for the results while a bar shows how many conversions the API has accepted."""
    columns = (
        TextColumn("Conversions accepted by the API"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
        TimeElapsedColumn(),
    )
    blob = sandbox.storage_client().bucket(OUTPUT_BUCKET).blob(f"{name}.{generation}.results.json")
    deadline = time.monotonic() + 90
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=rows)
        while not blob.exists() and time.monotonic() < deadline:
            progress.update(bar, completed=len(sandbox.state.accepted))
            time.sleep(0.1)
        progress.update(bar, completed=len(sandbox.state.accepted))
    return sandbox.results(name, generation, timeout_seconds=0)
