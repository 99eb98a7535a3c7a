"""The results document for people: one HTML file, `.results.html` beside the `.results.json`.

It is made of the document's head and of `Findings`, so its size is bounded however many rows have
problems. `report_of` makes the same report of a results document that lies on a disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from jinja2 import UndefinedError

from lib.catalogue.codes import lookup
from lib.catalogue.texts import first_sentence
from lib.model.outcomes import OUTCOMES
from lib.results.document import FileProblem, ResultsHead
from lib.results.findings import MOST_DETAILS, Cause, Findings, ListedRow, root_problems
from lib.results.headline import headline_of, meant_rows
from lib.results.page import money, render, share_of
from lib.results.reading import NotResults, read_results

ROWS_AT_A_TIME: Final = 50
"""The script shows the next ones. Without it, there are no more."""
_OPEN_CAUSES: Final = 3
_FIRST_CAUSES: Final = 8
_BAR_WIDTH: Final = 1_000
_SMALLEST_PART: Final = 8
_MALFORMED: Final = (ArithmeticError, LookupError, TypeError, ValueError, UndefinedError)
"""What a document raises in which a code or a count is missing, or is no such thing."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the other parts of the results are. Empty: not known, so there is no link."""

    document: str = ""
    overview: str = ""


def report_of(results: IO[bytes]) -> str:
    """Return the report on a results document. Raises `NotResults`."""
    head, rows = read_results(results)
    findings = Findings()
    for row in rows:
        findings.add_row(ListedRow(row.record, row.as_outcome()))
    try:
        return render_report(head, findings)
    except _MALFORMED:
        raise NotResults("its parts contradict each other") from None


def render_report(head: ResultsHead, findings: Findings, links: Links = Links()) -> str:
    """Return the report on a file."""
    causes = findings.by_importance()
    to_correct = [each for each in causes if each.to_correct]
    rows = findings.listed()
    return render(
        "report.html",
        head=head,
        account=re.sub(r"^(\d{3})(\d{3})(\d{4})$", r"\1-\2-\3", head.customer_id),
        headline=headline_of(head, findings),
        meant=meant_rows(head.counts),
        parts=list(_parts(head)),
        listed_outcomes={each.row.outcome for each in rows},
        causes=[_cause(each, head) for each in to_correct[:_FIRST_CAUSES]],
        more_causes=[_cause(each, head) for each in to_correct[_FIRST_CAUSES:]],
        open_causes=_OPEN_CAUSES,
        warned=[_cause(each, head) for each in findings.warned_by_importance()],
        remarks=[_cause(each, head) for each in causes if not each.to_correct],
        notes_to_read=_notes(head, needs_action=True),
        other_notes=_notes(head, needs_action=False),
        rows=[_row(each, head) for each in rows],
        rows_at_a_time=ROWS_AT_A_TIME,
        with_problem=findings.with_problem,
        links=links,
    )


def _parts(head: ResultsHead) -> Iterator[dict[str, Any]]:
    """Yield the outcomes that have rows. In the bar, each can be seen, however few rows it has.

    Shares are of the rows that were meant to be sent, so skipped rows have none.
    """
    meant = meant_rows(head.counts)
    present: list[tuple[str, int]] = [
        (each, head.counts[each]) for each in OUTCOMES if head.counts.get(each)
    ]
    widths = {
        outcome: max(_SMALLEST_PART, count * _BAR_WIDTH / meant)
        for outcome, count in present
        if outcome != "skipped"
    }
    legends: dict[str, str] = {each: meaning.legend for each, meaning in OUTCOMES.items()}
    scale, start = _BAR_WIDTH / (sum(widths.values()) or 1), 0.0
    for outcome, count in present:
        worth = head.money.get(outcome)
        width = widths.get(outcome, 0) * scale
        yield {
            "outcome": outcome,
            "count": count,
            "share": share_of(count, meant) if outcome in widths else "",
            "words": legends[outcome],
            "worth": money(worth.as_sums()) if worth is not None else "",
            "x": round(start, 2),
            "width": round(width, 2),
        }
        start += width


def _cause(cause: Cause, head: ResultsHead) -> dict[str, Any]:
    meaning = _meaning(cause.code, head)
    title = first_sentence(meaning)
    more = meaning[len(title) + 2 :]  # behind a full stop or a colon
    if cause.to_correct and lookup(cause.code).severity == "warning":
        more = "The row has nothing else by which Google could find the click or the person."
    first = cause.first.rows()
    return {
        "code": cause.code,
        "title": title,
        "more": more[:1].upper() + more[1:],
        "action": (head.codes.get(cause.code) or lookup(cause.code)).action,
        "rows": cause.rows,
        "to_correct": cause.to_correct,
        "worth": money(cause.sums),
        "outcomes": [(each, cause.outcomes[each]) for each in OUTCOMES if cause.outcomes[each]],
        "columns": [head.columns.get(name, name) for name, _ in cause.fields.most_common()],
        "lines": ", ".join(str(each.row.line) for each in first),
        "more_lines": cause.rows - len(first),
        "details": sorted(cause.details) if len(cause.details) <= MOST_DETAILS else [],
    }


def _meaning(code: str, head: ResultsHead) -> str:
    return (head.codes.get(code) or lookup(code)).meaning


def _row(listed: ListedRow, head: ResultsHead) -> dict[str, Any]:
    row = listed.row
    return {
        "record": listed.record,
        "line": row.line,
        "outcome": row.outcome,
        "order_id": row.order_id,
        "value": money(row.sums),
        "problems": [
            {
                "code": each.code,
                "words": first_sentence(_meaning(each.code, head)),
                "column": head.columns.get(each.field, each.field),
                "detail": each.detail,
            }
            for each in root_problems(row)
        ],
    }


def _notes(head: ResultsHead, *, needs_action: bool) -> list[tuple[FileProblem, Any]]:
    """Return the notes on the file, each with the text of its code."""
    notes = [(note, head.codes[note.code]) for note in head.notes]
    return [each for each in notes if each[1].needs_action == needs_action]
