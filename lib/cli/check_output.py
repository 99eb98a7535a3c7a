"""Prints the results of an offline check: how the file was read, and its problems."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from lib.catalogue.codes import Code, lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import CheckResult, Occurrences
from lib.cli.offending_values import OffendingValue
from lib.model.outcomes import Problem
from lib.source.table import Table

_VALUES_SHOWN = 5
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}


class _Block(NamedTuple):
    """A problem as it is printed: its code and what it does, then texts below."""

    title: Text
    texts: list[Text]


def show(checked: CheckResult, console: Console, remarks: Sequence[str] = ()) -> None:
    """Print the results for one file. Names from the file are printed as text, never as markup.

    `remarks` are printed above the counts: what was assumed, what is missing.
    """
    summary = checked.summary
    console.print(Text(_printable(summary.run.source.name), "bold"), soft_wrap=True)
    for line in (*_how_it_was_read(checked), *remarks, _counts(checked)):
        console.print(_wrapped(Text(line), console.width, indent=2))
    for problem in _problems(checked, console.is_terminal):
        console.print()
        # A code is never cut, so that it can be searched for.
        console.print(problem.title, no_wrap=True, overflow="ignore", crop=False)
        for text in problem.texts:
            console.print(_wrapped(text, console.width, indent=4))
    console.print()


def _printable(name: str) -> str:
    """Return the name of a file without control characters, which a terminal would obey."""
    return "".join(each if each.isprintable() else "\ufffd" for each in name)


def _wrapped(text: Text, width: int, indent: int) -> Text:
    """Wrap a text between its words, so that no code and no name is cut."""
    lines = textwrap.wrap(
        text.plain,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return Text("\n".join(lines), text.style, no_wrap=True, overflow="ignore")


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


def _problems(checked: CheckResult, on_terminal: bool) -> Iterator[_Block]:
    """Yield the lines of each problem: that of the file, then by code, then the notes."""
    metadata = checked.summary.metadata
    if metadata.file_error is not None:
        yield _file_problem(metadata.file_error, "file stopped")
    codes = checked.summary.tally.codes
    for code, count in sorted(codes.items(), key=lambda each: (-each[1], each[0])):
        occurrence = checked.occurrences[code]
        entry = lookup(code)
        more = ", ..." if count > len(occurrence.lines) else ""
        lines = f"{number_of_rows(count)}: {_lines('line', occurrence.lines)}{more}"
        if _differ(occurrence, checked.table):
            lines += f" ({_lines('record', occurrence.records)}{more})"
        where = ", ".join(f'"{name}"' for name in occurrence.columns)
        meaning = f"{entry.meaning} Column: {where}." if where else entry.meaning
        values = _values(checked.values.of(code)) if checked.values and on_terminal else ""
        yield _advice(entry, _fate(entry, occurrence.sent), meaning, *filter(None, (lines, values)))
    for note in metadata.notes:
        yield _file_problem(note, "note")


def _values(values: Sequence[OffendingValue]) -> str:
    shown = [f'"{v.value}" ×{v.rows:,} (line {v.line})' for v in values[:_VALUES_SHOWN]]
    if others := len(values) - len(shown):
        shown.append(f"and {others:,} other values")
    return ", ".join(shown)


def _lines(word: str, numbers: Sequence[int]) -> str:
    return f"{word}{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"


def _differ(occurrence: Occurrences, table: Table | None) -> bool:
    """Whether the records below the header are not on the lines that somebody would expect."""
    if table is None or table.sheet is not None:
        return False  # the lines of a workbook are the row numbers that it shows
    pairs = zip(occurrence.lines, occurrence.records, strict=True)
    return any(line != table.header_line + record for line, record in pairs)


def _file_problem(problem: Problem, fate: str) -> _Block:
    entry = lookup(problem.code)
    meaning = f"{entry.meaning} ({problem.detail})" if problem.detail else entry.meaning
    return _advice(entry, fate, meaning)


def _advice(entry: Code, fate: str, meaning: str, *lines: str) -> _Block:
    style = _STYLES[entry.severity]
    title = Text.assemble((entry.code, f"bold {style}"), (f"  {fate}", style))
    texts = [*map(Text, lines), Text(meaning), Text(f"→ {entry.action}", "green")]
    return _Block(title, texts)


def _fate(entry: Code, sent: bool) -> str:
    if entry.outcome is None:
        # All of its rows may be rejected for another reason.
        return "sent with a warning" if sent else "warning, row not sent"
    return entry.outcome.replace("_", " ")
