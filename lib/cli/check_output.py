"""Prints the results of an offline check: how the file was read, and a table of its problems."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lib.catalogue.codes import Code, lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import CheckResult
from lib.model.outcomes import Problem

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}


def show(checked: CheckResult, console: Console) -> None:
    """Print the results for one file. Names from the file are printed as text, never as markup."""
    summary = checked.summary
    console.print(Text(summary.run.source.name, style="bold"))
    for line in (*_how_it_was_read(checked), _counts(checked)):
        console.print(Text(f"  {line}"))
    table = _problems(checked)
    if table.row_count:
        console.print(table)
    console.print()


def _how_it_was_read(checked: CheckResult) -> list[str]:
    table = checked.table
    if table is None:
        return []
    delimiter = _DELIMITERS.get(table.delimiter, repr(table.delimiter))
    place = f"Encoding {table.encoding}, delimiter {delimiter}"
    if table.sheet is not None:
        place = f'Workbook, sheet "{table.sheet}"'
    lines = [f"{place}, column names in line {table.header_line}."]
    if table.time_zone:
        lines.append(f"Time zone of the file: {table.time_zone}.")
    headers = checked.summary.metadata.headers
    if headers:
        names = (f if f == h else f'{f} ← "{h}"' for f, h in headers.items())
        lines.append(f"Fields: {', '.join(names)}.")
    return lines


def _counts(checked: CheckResult) -> str:
    tally = checked.summary.tally
    outcomes = tally.outcomes
    parts = [
        (outcomes.get("ok", 0), "would be sent"),
        (outcomes.get("rejected", 0), "would be rejected"),
        (outcomes.get("duplicate", 0), "would be duplicate"),
        (outcomes.get("skipped", 0), "would be skipped"),
        (outcomes.get("not_attempted", 0), "would not be attempted"),
    ]
    said = [f"{count:,} {what}" for count, what in parts if count or what == "would be sent"]
    if tally.warnings:
        said.append(f"{tally.warnings:,} with a warning")
    return f"{number_of_rows(tally.rows)}: {', '.join(said)}."


def _problems(checked: CheckResult) -> Table:
    metadata = checked.summary.metadata
    table = Table(show_lines=True, expand=True, highlight=False)
    table.add_column("Rows", justify="right")
    table.add_column("Lines", overflow="fold", max_width=20)
    table.add_column("What it means, and what to do", overflow="fold", ratio=1)
    if metadata.file_error is not None:
        _add_file_problem(table, metadata.file_error, "file stopped")
    codes = checked.summary.tally.codes
    for code, count in sorted(codes.items(), key=lambda each: (-each[1], each[0])):
        occurrence = checked.occurrences[code]
        shown = ", ".join(map(str, occurrence.lines)) + (
            ", ..." if count > len(occurrence.lines) else ""
        )
        entry = lookup(code)
        where = ", ".join(f'"{name}"' for name in occurrence.columns)
        meaning = f"{entry.meaning} Column: {where}." if where else entry.meaning
        table.add_row(f"{count:,}", shown, _advice(entry, _fate(entry, occurrence.sent), meaning))
    for note in metadata.notes:
        _add_file_problem(table, note, "note")
    return table


def _add_file_problem(table: Table, problem: Problem, fate: str) -> None:
    entry = lookup(problem.code)
    meaning = f"{entry.meaning} ({problem.detail})" if problem.detail else entry.meaning
    table.add_row("", "", _advice(entry, fate, meaning))


def _advice(entry: Code, fate: str, meaning: str) -> Text:
    style = _STYLES[entry.severity]
    return Text.assemble(
        (entry.code, f"bold {style}"),
        (f"  {fate}\n", style),
        f"{meaning}\n",
        (f"→ {entry.action}", "green"),
    )


def _fate(entry: Code, sent: bool) -> str:
    if entry.outcome is None:
        # All of its rows may be rejected for another reason.
        return "sent with a warning" if sent else "warning, row not sent"
    return {"not_attempted": "not attempted"}.get(entry.outcome, entry.outcome)
