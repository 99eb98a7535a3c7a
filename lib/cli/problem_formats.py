"""The problems of a file for other programs: JSON Lines, or annotations of GitHub Actions.

Like results, they name lines, columns and rules, never values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from lib.catalogue.codes import Severity, lookup
from lib.catalogue.texts import number_of_rows
from lib.cli.check import CheckResult
from lib.model.outcomes import ChunkOutcomes, Outcome, Problem

Format = Literal["text", "json", "jsonl", "github"]

_GITHUB: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "notice"}


class FoundProblem(NamedTuple):
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


def found_problems(checked: CheckResult, chunks: Iterable[ChunkOutcomes]) -> Iterator[FoundProblem]:
    """Return the problems of the file, then those of its rows, in their order."""
    summary = checked.summary
    file, headers = summary.run.source.name, summary.metadata.headers
    stop = summary.metadata.file_error
    for problem in (*((stop,) if stop else ()), *summary.metadata.notes):
        yield _found(problem, file, "", None, None, None)
    for chunk in chunks:
        numbers = chunk.record_numbers()
        for row in chunk.listed:
            for problem in row.errors + row.warnings:
                column = headers.get(problem.field, problem.field)
                yield _found(problem, file, column, row.line, numbers.get(row.line), row.outcome)


def as_jsonl(problems: Iterable[FoundProblem]) -> Iterator[str]:
    """Return one JSON object for each problem."""
    for problem in problems:
        yield msgspec.json.encode(problem._asdict()).decode()


def as_github(problems: Iterable[FoundProblem], max_lines: int) -> Iterator[str]:
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


def _found(
    problem: Problem,
    file: str,
    column: str,
    line: int | None,
    record: int | None,
    outcome: Outcome | None,
) -> FoundProblem:
    entry = lookup(problem.code)
    message = f"{entry.meaning} ({problem.detail})" if problem.detail else entry.meaning
    return FoundProblem(
        file, line, record, outcome, entry.severity, entry.code, column, message, entry.action
    )


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
