"""The output of a check: text, the results document, JSON Lines, annotations, the report.

Only the text shows values of the file, and only on a terminal. The other forms name lines, columns
and rules, as results do.
"""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Final, Literal, NamedTuple

import click
import msgspec
from rich.console import Console
from rich.text import Text

from lib.catalogue.codes import Code, Severity, lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import CheckResult, Occurrences
from lib.model.outcomes import ChunkOutcomes, Outcome, Problem
from lib.results.document import document_head, results_document
from lib.results.findings import Findings
from lib.source.table import Table

Format = Literal["text", "json", "jsonl", "github"]

_VALUES_SHOWN: Final = 5
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_FATES: Final[Mapping[Outcome, str]] = {
    "rejected": "would be rejected",
    "duplicate": "would be duplicate",
    "skipped": "would be skipped",
    "not_attempted": "would not be attempted",
}
_STYLES: Final[dict[Severity, str]] = {"error": "red", "warning": "yellow", "note": "cyan"}
_GITHUB: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "notice"}


class KeptOutcomes:
    """The outcomes of all chunks, for output that needs the counts or the notes before the rows.

    The rows are in the file `spool`, and like the markers of the ledger contain no values except
    order IDs. The findings are those of the report. Both are kept only if they are needed.
    """

    def __init__(self, spool: IO[bytes], *, rows: bool, findings: bool) -> None:
        self._spool = spool
        self._keeps_rows = rows
        self._keeps_findings = findings
        self.findings = Findings()

    def add(self, chunk: ChunkOutcomes) -> None:
        """Keep the outcomes of a chunk."""
        if self._keeps_rows:
            self._spool.write(msgspec.json.encode(chunk) + b"\n")
        if self._keeps_findings:
            self.findings.add(chunk)

    def __iter__(self) -> Iterator[ChunkOutcomes]:
        self._spool.seek(0)
        return (msgspec.json.decode(line, type=ChunkOutcomes) for line in self._spool)


def write(form: Format, checked: CheckResult, kept: KeptOutcomes, max_lines: int) -> None:
    """Write the results for one file to standard output, in a form for other programs."""
    if form == "json":
        sys.stdout.buffer.writelines(results_document(checked.summary, kept))
    else:
        problems = _found_problems(checked, kept)
        lines = _as_jsonl(problems) if form == "jsonl" else _as_github(problems, max_lines)
        sys.stdout.buffer.writelines(f"{line}\n".encode() for line in lines)
    sys.stdout.flush()


def write_page(page: IO[str], checked: CheckResult, findings: Findings) -> None:
    """Write the report for people."""
    from lib.results.report import render_report  # jinja2 takes long to import

    page.write(render_report(document_head(checked.summary), findings))
    page.close()
    click.echo(f"Wrote {page.name}", err=True)


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
    texts = [f"{outcomes.get('ok', 0):,} would be sent"]
    texts += [f"{outcomes[name]:,} {text}" for name, text in _FATES.items() if outcomes.get(name)]
    if tally.warnings:
        texts.append(f"{tally.warnings:,} with a warning")
    return f"{number_of_rows(tally.rows)}: {', '.join(texts)}."


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
        values = _values(occurrence.values) if on_terminal else ""
        yield _advice(entry, _fate(entry, occurrence.sent), meaning, *filter(None, (lines, values)))
    for note in metadata.notes:
        yield _file_problem(note, "note")


def _values(values: Mapping[str, tuple[int, int]]) -> str:
    """Return the most frequent values. Those that are equally frequent are in their order."""
    found = sorted(values.items(), key=lambda each: (-each[1][0], each[1][1]))
    shown = [f'"{value}" ×{rows:,} (line {line})' for value, (rows, line) in found[:_VALUES_SHOWN]]
    if others := len(found) - len(shown):
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
    return _advice(lookup(problem.code), fate, _meaning(problem))


def _meaning(problem: Problem) -> str:
    meaning = lookup(problem.code).meaning
    return f"{meaning} ({problem.detail})" if problem.detail else meaning


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


class _FoundProblem(NamedTuple):
    """One problem of a row, or of the file (then `line` is None)."""

    file: str
    line: int | None
    record: int | None
    outcome: Outcome | None
    severity: Severity
    code: str
    column: str
    message: str
    action: str


def _found_problems(
    checked: CheckResult, chunks: Iterable[ChunkOutcomes]
) -> Iterator[_FoundProblem]:
    """Yield the problems of the file, then those of its rows, in their order."""
    file, metadata = checked.summary.run.source.name, checked.summary.metadata

    def found(
        problem: Problem,
        line: int | None = None,
        record: int | None = None,
        outcome: Outcome | None = None,
    ) -> _FoundProblem:
        entry = lookup(problem.code)
        column = "" if line is None else metadata.headers.get(problem.field, problem.field)
        message = _meaning(problem)
        severity, code, action = entry.severity, entry.code, entry.action
        return _FoundProblem(file, line, record, outcome, severity, code, column, message, action)

    if metadata.file_error is not None:
        yield found(metadata.file_error)
    yield from map(found, metadata.notes)
    for chunk in chunks:
        numbers = chunk.record_numbers()
        for row in chunk.listed:
            for problem in row.errors + row.warnings:
                yield found(problem, row.line, numbers.get(row.line), row.outcome)


def _as_jsonl(problems: Iterable[_FoundProblem]) -> Iterator[str]:
    """Return one JSON object for each problem."""
    for problem in problems:
        yield msgspec.json.encode(problem._asdict()).decode()


def _as_github(problems: Iterable[_FoundProblem], max_lines: int) -> Iterator[str]:
    """Return workflow commands, for at most `max_lines` rows with the same code.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    rows: Counter[str] = Counter()
    for problem in problems:
        if problem.line is not None:
            rows[problem.code] += 1
            if rows[problem.code] > max_lines:
                continue
        place = f"file={_property(problem.file)}"
        if problem.line is not None:
            place += f",line={problem.line}"
        column = f' Column: "{problem.column}".' if problem.column else ""
        text = _text(f"{problem.message}{column} {problem.action}")
        kind = _GITHUB[problem.severity]
        yield f"::{kind} {place},title={_property(problem.code)}::{text}"
    for code, count in rows.items():
        if count > max_lines:
            yield f"::notice title={_property(code)}::{number_of_rows(count)} in all"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
