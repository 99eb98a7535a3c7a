"""The results document for people: one HTML file, `.results.html` beside the `.results.json`.

It is made of the document's head and of `Findings`, so its size is bounded however many rows have
problems. `report_of` makes the same report of a results document that lies on a disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Final

from jinja2 import UndefinedError

from lib.errors import NotResults
from lib.model.outcomes import OUTCOMES
from lib.results.document import ResultsHead
from lib.results.findings import MAX_DETAILS, Findings, ListedRow, root_problems
from lib.results.page import render
from lib.results.reading import read_results
from lib.results.sentences import (
    NEARLY_ALL_DENIED,
    headline_of_results,
    next_steps,
    noun_of,
)

ROWS_AT_A_TIME: Final = 50
"""The script shows the next ones. Without it, these are all that the page shows."""
_MALFORMED_ERRORS: Final = (ArithmeticError, LookupError, TypeError, ValueError, UndefinedError)
"""What a document raises in which a code or a count is missing, or is no such thing."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the other parts of the results are. Empty: not known, so there is no link."""

    document: str = ""
    overview: str = ""


def report_of(results: IO[bytes]) -> str:
    """Return the report on a results document. Raises `NotResults`."""
    head, findings = read_findings(results)
    try:
        return render_report(head, findings)
    except _MALFORMED_ERRORS:
        raise NotResults("its parts contradict each other") from None


def read_findings(results: IO[bytes]) -> tuple[ResultsHead, Findings]:
    """Return the head of a results document, and what its report shows of the rows. Raises
    `NotResults`."""
    head, rows = read_results(results)
    findings = Findings()
    for row in rows:
        findings.add_row(ListedRow(row.record, row.as_outcome()))
    return head, findings


def render_report(head: ResultsHead, findings: Findings, links: Links = Links()) -> str:
    """Return the report on a file."""
    rows, headline = findings.listed(), headline_of_results(head, findings)
    steps, totals = next_steps(head, findings, headline), head.totals()
    to_read = [note for note in head.notes if head.codes[note.code].needs_action]
    said = {step.code for step in steps}
    is_denied = any(note.code == NEARLY_ALL_DENIED for note in head.notes)
    return render(
        "report.html",
        head=head,
        headline=headline,
        steps=steps,
        what=noun_of(totals),
        totals=totals,
        denied=totals.denied if is_denied else 0,
        outcomes=OUTCOMES,
        listed_outcomes={each.row.outcome for each in rows},
        groups=findings.groups,
        most_details=MAX_DETAILS,
        notes_to_read=[note for note in to_read if note.code not in said],
        other_notes=[note for note in head.notes if note not in to_read],
        rows=rows,
        rows_at_a_time=ROWS_AT_A_TIME,
        with_problem=findings.with_problem,
        root_problems=root_problems,
        links=links,
    )
