"""Results documents and running sandboxes, for people to read on a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

# Messages begin with their place, which has columns of its own in the table.
_PLACE = re.compile(r'^line \d+(, column "[^"]*")?: ')
_OUTCOMES = ("uploaded", "duplicate", "rejected", "failed", "deferred", "not_attempted")


def wide_console() -> Console:
    """A console for tables: as wide as the terminal, and wide enough for them in a log."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def show_results(document: Mapping[str, Any], console: Console, rows: int = 8) -> None:
    """The counts, the codes with what to do about each, and the first `rows` rows in trouble."""
    source = document.get("source", {})
    console.print(
        f"[bold]{source.get('name', '?')}[/bold] to {document.get('destination')} "
        f"{document.get('customer_id')}: {document.get('status')}"
    )
    if problem := document.get("file_error"):
        console.print(f"[red]{problem.get('code')}[/red]: {problem.get('message')}")
        console.print(f"  {problem.get('action', '')}", style="yellow")
    counts = document.get("counts", {})
    table = Table("outcome", "rows", box=None)
    for outcome in _OUTCOMES:
        if counts.get(outcome):
            table.add_row(outcome, f"{counts[outcome]:,}")
    table.add_row("[bold]all[/bold]", f"[bold]{counts.get('rows', 0):,}[/bold]")
    console.print(table)
    if codes := document.get("codes"):
        table = Table("code", "count", "what it means", "what to do")
        for code, entry in codes.items():
            table.add_row(
                code, f"{entry['count']:,}", entry.get("meaning", ""), entry.get("action", "")
            )
        console.print(table)
    trouble = [row for row in document.get("rows", ()) if row.get("errors")]
    if trouble:
        table = Table("line", "outcome", "field", "message", title="The first rows in trouble")
        for row in trouble[:rows]:
            error = row["errors"][0]
            table.add_row(
                str(row["line"]),
                row["outcome"],
                error.get("field") or "",
                _PLACE.sub("", error.get("message", "")),
            )
        console.print(table)


def show_sandbox(description: Mapping[str, Any], console: Console) -> None:
    """Where everything is, and what to do next."""
    table = Table(show_header=False, box=None)
    for name, value in description.items():
        if name not in {"env", "function_urls"} and value is not None:
            table.add_row(name, str(value))
    console.print(table)
    lines = [
        "",
        "[bold]Try[/bold] (from this directory, in another terminal)",
        "  python -m sandbox drop examples/crm_export.csv --wait",
        f"  curl {description['control_url']}/conversions",
        f"  curl {description['control_url']}/deliveries",
        "Ctrl-C ends all of it.",
    ]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
