"""Which rows need a hand, and what to tell the person who corrects them."""

from __future__ import annotations

from typing import Final, NamedTuple

from lib.catalogue.codes import lookup
from lib.results.reading import WrittenHead, WrittenProblem, WrittenRow

_FORMULA: Final = ("=", "+", "-", "@")
_NOTHING_TO_DO: Final = "No action needed"


class Advice(NamedTuple):
    """The texts for a row, and the names of the columns that its problems are about."""

    problem: str
    what_to_do: str
    columns: frozenset[str]


def needs_a_hand(row: WrittenRow, head: WrittenHead) -> bool:
    """Return whether the row is sent only if somebody corrects something.

    A row that Google refused for a reason that nobody can change is not worth another try.
    """
    if row.outcome == "failed":
        return not row.errors or any(_can_act(error, head) for error in row.errors)
    return row.outcome in ("rejected", "not_attempted")


def advice_on(row: WrittenRow, head: WrittenHead) -> Advice:
    """Return what to tell about a row. A row without an error of its own has that of the file."""
    errors = row.errors or ((head.file_error,) if head.file_error else ())
    problems = errors + row.warnings
    actions = [_action(problem, head) for problem in problems]
    to_do = [action for action in actions if not action.startswith(_NOTHING_TO_DO)] or actions
    return Advice(
        _safe(" ".join(_described(problem, head) for problem in problems)),
        _safe(" ".join(dict.fromkeys(to_do))),
        frozenset(filter(None, (_column(problem, head) for problem in problems))),
    )


def _described(problem: WrittenProblem, head: WrittenHead) -> str:
    code = head.codes.get(problem.code)
    meaning = code.meaning if code else lookup(problem.code).meaning
    particular = problem.particular
    parts = [meaning if particular in ("", meaning) else f"{meaning} ({particular})"]
    if column := _column(problem, head):
        parts.append(f'Column: "{column}".')
    return " ".join(parts)


def _action(problem: WrittenProblem, head: WrittenHead) -> str:
    code = head.codes.get(problem.code)
    return code.action if code else lookup(problem.code).action


def _can_act(problem: WrittenProblem, head: WrittenHead) -> bool:
    code = head.codes.get(problem.code)
    if code is not None and code.needs_action is not None:
        return code.needs_action
    return not _action(problem, head).startswith(_NOTHING_TO_DO)


def _column(problem: WrittenProblem, head: WrittenHead) -> str:
    return problem.column or head.columns.get(problem.field, problem.field)


def _safe(text: str) -> str:
    """Return one line that no spreadsheet takes for a formula, whatever Google's message is."""
    text = " ".join(text.split())
    return f"'{text}" if text.startswith(_FORMULA) else text
