"""`make demo`: sends a CRM export through the function, and checks the results.

The check is independent of the function: it reads the file with `csv` and the results as JSON, and
asks the API which conversions it holds.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox.conversions import NotCounted
from sandbox.examples import write_crm_export
from sandbox.show import OUTCOMES, show_processing_errors, show_results
from sandbox.up import OUTPUT_BUCKET, Sandbox

_CLICK_IDS = ("gclid", "gbraid", "wbraid")
_REASON = "PROCESSING_ERROR_REASON_"
_ASK_AFTER_MINUTES = 31


def run_demo(console: Console, route: str, source: Path, output: Path, rows: int) -> int:
    """Runs the demo and prints it; returns the exit code. The files stay in `output`."""
    output.mkdir(exist_ok=True)
    counts_later = route == "data_manager"
    now = datetime.now(UTC)
    export = write_crm_export(output / "crm_export.csv", rows, now, late=counts_later)
    console.print(
        f"Wrote {export.path}: a CRM export of {export.rows:,} rows, {len(export.wrong)} of them "
        "wrong on purpose"
    )
    begun = time.monotonic()
    with Sandbox(source=source) as sandbox:
        console.print(f"Started the sandbox in {time.monotonic() - begun:.1f} s")
        sandbox.state.register_clicks(export.clicks)
        sandbox.state.data_manager.no_click |= export.no_click
        sandbox.state.order_keys |= export.orders
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
        if document is not None and counts_later:
            document = _ask_later(sandbox, console, name, generation, document)
        if document is not None:
            _save_pages(sandbox, name, generation, output)
        conversions = list(sandbox.state.conversions())
        not_counted = list(sandbox.state.processing_errors)
        log = output / "function.log"
        log.write_text(sandbox.function_output(), encoding="utf-8")
    if document is None:
        console.print(f"The end of the function log, {log}:")
        console.print(log.read_text(encoding="utf-8")[-3000:], markup=False, highlight=False)
        return 1
    results = output / "results.json"
    results.write_text(json.dumps(document, indent=2), encoding="utf-8")
    show_results(document, console)
    if not_counted:
        show_processing_errors(document, console, export.wrong)
    console.print(f"From upload to results: {took:.1f} s ({rows / took:,.0f} rows a second)")
    console.print(f"Results: {results}   Function log: {log}", highlight=False)
    console.print(
        f"The report, to look at: {output / 'results.html'}   All files: {output / 'index.html'}",
        highlight=False,
    )
    unmatched = sum(map(is_unmatched, not_counted))
    of_file = data_rows(export.path)
    problems = disagreements(of_file, document, conversions, unmatched)
    problems += late_disagreements(of_file, document, not_counted)
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
        + (f", minus {unmatched} without an ad click" if unmatched else "")
    )
    if not_counted:
        late = len(not_counted) - unmatched
        console.print(
            f"[green]Checked:[/green] the API accepted {late} more rows and did not count them. "
            "The results name the line and the reason of each of them"
        )
    return 0


def _ask_later(
    sandbox: Sandbox,
    console: Console,
    name: str,
    generation: int,
    document: dict[str, Any],
) -> dict[str, Any]:
    """Lets the sweep ask for the final status of the rows; returns the document after that."""
    counts = document["counts"]
    console.print(
        f"After {_ASK_AFTER_MINUTES} minutes, the sweep asks Google about the "
        f"{counts['uploaded']:,} uploaded rows"
    )
    sandbox.clock.advance(_ASK_AFTER_MINUTES / 60)
    sandbox.delivery.wait_until_idle(10)
    sandbox.run_sweep()
    return sandbox.results(name, generation)


def _save_pages(sandbox: Sandbox, name: str, generation: int, output: Path) -> None:
    """Saves the report of the file, and the overview of all files, which the sweep writes."""
    sandbox.delivery.wait_until_idle(10)
    sandbox.run_sweep()
    _save(sandbox, f"{name}.{generation}.results.html", output / "results.html")
    _save(sandbox, "index.html", output / "index.html")


def _save(sandbox: Sandbox, page: str, path: Path) -> None:
    bucket = sandbox.storage_client().bucket(OUTPUT_BUCKET)
    bucket.blob(page).download_to_filename(str(path))


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


# The check


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


def disagreements(
    rows: Mapping[int, Mapping[str, str]],
    document: Mapping[str, Any],
    conversions: Iterable[Mapping[str, Any]],
    unmatched: int = 0,
) -> list[str]:
    """The contradictions between the file, its results and the API; empty if there are none.

    `unmatched` is the number of rows that stay uploaded although the API found no click for them.
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
        identity_of_row(row)
        for line, row in rows.items()
        if outcomes.get(line, "uploaded") == "uploaded"
    )
    accepted = Counter(identity_of_event(each["conversion"]) for each in conversions)
    missing = (uploaded - accepted).total()
    if missing != unmatched:
        problems.append(
            f"{missing} rows are reported as uploaded, but the API did not count them; "
            f"{unmatched} of them have no ad click"
        )
    if surplus := accepted - uploaded:
        problems.append(
            f"the API has {surplus.total()} conversions that are not reported as uploaded"
        )
    return problems


def identity_of_row(row: Mapping[str, str]) -> str:
    """The click ID of a row, or otherwise the hash of its email address."""
    click_id = next((row[name] for name in _CLICK_IDS if row.get(name)), "")
    return click_id or hashlib.sha256(row.get("email", "").strip().lower().encode()).hexdigest()


def identity_of_event(conversion: Mapping[str, Any]) -> str:
    """The same of what arrived at the API: the two APIs nest differently."""
    return _first(conversion, _CLICK_IDS) or _first(conversion, ("hashed_email", "email_address"))


def _first(document: Any, names: Iterable[str]) -> str:
    """The first value of one of `names`, at any depth."""
    if isinstance(document, Mapping):
        for name in names:
            if document.get(name):
                return str(document[name])
    elif not isinstance(document, list):
        return ""
    parts = document.values() if isinstance(document, Mapping) else document
    return next((found for part in parts if (found := _first(part, names))), "")


def is_unmatched(event: NotCounted) -> bool:
    """Whether nobody clicked, which is normal for an event with user data alone."""
    has_click = event.message.get("ad_identifiers", {}).keys() & set(_CLICK_IDS)
    return event.reason == f"{_REASON}CLICK_NOT_FOUND" and not has_click


def _expected_outcome(event: NotCounted) -> str:
    reason = event.reason.removeprefix(_REASON)
    if is_unmatched(event):
        return "uploaded"
    if reason.startswith("DUPLICATE_"):
        return "duplicate"
    return "deferred" if reason.startswith("TOO_RECENT_") else "failed"


def late_disagreements(
    rows: Mapping[int, Mapping[str, str]],
    document: Mapping[str, Any],
    not_counted: Iterable[NotCounted],
) -> Iterator[str]:
    """The contradictions between the document and what the API did not count.

    For every event that it accepted and did not count, this finds the line in the file, and what
    the document says about it.
    """
    lines = defaultdict(list)
    for line, row in rows.items():
        lines[identity_of_row(row)].append(line)
    listed = {row["line"]: row for row in document["rows"]}
    named = {
        (row["line"], error["code"])
        for row in document["rows"]
        for error in row["errors"]
        if error["code"].startswith("PROCESSING_ERROR_")
    }
    unmatched = 0
    for event in not_counted:
        expected = _expected_outcome(event)
        at = lines[identity_of_event(event.message)]
        if is_unmatched(event):
            unmatched += 1
            found = [line for line in at if line not in listed]
        else:
            found = [line for line in at if (line, event.reason) in named]
            named -= {(line, event.reason) for line in found}
            found = [line for line in found if listed[line]["outcome"] == expected]
        if not found:
            yield f"the API found {event.reason} in one of the lines {at}: not {expected}"
    if document["counts"].get("unmatched", 0) != unmatched:
        yield f"the API found no click for {unmatched} rows without a click ID"
    for line, code in sorted(named):
        yield f"line {line} has {code}, but the API counted its event"
