"""Prints results documents and running sandboxes on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.running import command

_MAX_ROWS = 8
_LATE = "PROCESSING_ERROR_"
OUTCOMES = (
    *("ok", "uploaded", "duplicate", "rejected", "failed", "deferred", "skipped"),
    "not_attempted",
)


def wide_console() -> Console:
    """A console for tables: as wide as the terminal, or 140 columns if there is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def printable(value: object) -> str:
    """The text as it can be shown: a name from a bucket may contain control characters, which a
    terminal would obey."""
    return "".join(each if each.isprintable() else "\ufffd" for each in str(value))


def _plain(value: object, style: str = "") -> Text:
    """The text without any markup: `[red]` in a name stays `[red]`."""
    return Text(printable(value), style)


def show_results(document: Mapping[str, Any], console: Console) -> None:
    """Prints the counts, the codes with their actions, and the first rows with errors."""
    source = document.get("source", {})
    where = f"{document.get('destination')} {document.get('customer_id')}"
    console.print(_plain(source.get("name", "?"), "bold"), f"to {where}: {document.get('status')}")
    codes = document.get("codes", {})
    if problem := document.get("file_error"):
        console.print(_plain(problem.get("code"), "red") + ": " + _explanation(problem, codes))
        advice = codes.get(problem.get("code"), {}).get("action", "")
        console.print(_plain(f"  {advice}", "yellow"))
    counts = document.get("counts", {})
    table = Table("outcome", "rows", box=None)
    for outcome in OUTCOMES:
        if counts.get(outcome):
            table.add_row(outcome, f"{counts[outcome]:,}")
    table.add_row("[bold]total[/bold]", f"[bold]{counts.get('rows', 0):,}[/bold]")
    console.print(table)
    if codes:
        table = Table("code", "count", "what it means", "what to do")
        for code, entry in codes.items():
            texts = (_plain(entry.get(part, "")) for part in ("meaning", "action"))
            table.add_row(code, f"{entry['count']:,}", *texts)
        console.print(table)
    faulty = [row for row in document.get("rows", ()) if row.get("errors")]
    if faulty:
        table = Table(
            "line", "record", "outcome", "column", "problem", title="The first rows with problems"
        )
        columns = document.get("columns", {})
        for row in faulty[:_MAX_ROWS]:
            error = row["errors"][0]
            field = str(error.get("field", ""))
            table.add_row(
                str(row["line"]),
                str(row.get("record") or ""),
                row["outcome"],
                _plain(columns.get(field, field)),
                _explanation(error, codes),
            )
        console.print(table)


def _explanation(problem: Mapping[str, Any], codes: Mapping[str, Any]) -> Text:
    """What is particular to a problem, or else what its code means."""
    meaning = codes.get(str(problem.get("code")), {}).get("meaning", "")
    return _plain(problem.get("detail") or meaning)


def show_processing_errors(
    document: Mapping[str, Any], console: Console, planted: Mapping[int, str]
) -> None:
    """Prints the rows that the API refused when it processed them, and what was wrong with them."""
    title = "Rows that the API accepted, and refused when it processed them"
    table = Table("line", "outcome", "what was planted", "Google's reason", title=title)
    for row in document.get("rows", ()):
        reasons = [error["code"] for error in row["errors"] if error["code"].startswith(_LATE)]
        if reasons:
            reason = reasons[0].removeprefix(_LATE).removeprefix("REASON_")
            table.add_row(str(row["line"]), row["outcome"], planted.get(row["line"], ""), reason)
    console.print(table)
    counts = document["counts"]
    console.print(
        f"Still awaiting Google: {counts['awaiting']}   Without an ad click: {counts['unmatched']}"
    )


def show_sandbox(description: Mapping[str, Any], console: Console) -> None:
    """Prints where everything is, and what to do next."""
    table = Table(show_header=False, box=None)
    for name, value in description.items():
        if name not in {"env", "function_urls"} and value is not None:
            table.add_row(name, str(value))
    console.print(table)
    lines = [
        "",
        "[bold]Try[/bold] (from this directory, in another terminal)",
        f"  {command('drop examples/crm_export.csv --wait')}",
        f"  curl {description['control_url']}/conversions",
        f"  curl {description['control_url']}/deliveries",
        "Press Ctrl-C to stop everything.",
    ]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
