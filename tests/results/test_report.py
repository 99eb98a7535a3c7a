"""The report for people, as text: what it says, what it never does, and how large it can be."""

from __future__ import annotations

import html
import json
import re
import shlex
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

from lib.model.outcomes import Problem, RowOutcome
from lib.model.sent_requests import Requests
from lib.results.document import results_document
from lib.results.findings import MAX_ROWS, Findings, ListedRow, root_problems
from lib.results.page import bucket_address
from lib.results.report import ROWS_AT_A_TIME, Links, report_of
from tests.results.files import file_of, report_on, row, summary_of
from tests.results_schema import check_results

ROOT = Path(__file__).parents[2]
HOSTILE = '</script><img src=x onerror=alert(1)>"\'=HYPERLINK("x")\x1b[31m\u202eabc'


def example() -> dict[str, Any]:
    """Return the document that docs/results.md shows."""
    text = (ROOT / "docs" / "results.md").read_text("utf-8")
    found = re.search(r"<!-- results -->\n```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


def report(document: dict[str, Any]) -> str:
    """Return the report on a document that another program has formatted."""
    return report_of(BytesIO(json.dumps(document).encode()))


class _Text(HTMLParser):
    """The text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def words(page: str) -> str:
    """Return the text of a page, in one line."""
    return " ".join("".join(_Text(page).parts).split())


def test_the_report_says_what_happened_and_what_to_do() -> None:
    """File, destination, headline, causes with their places, and notes are on the page."""
    document = check_results(example())
    page = words(report(document))
    assert "hubspot/2026-11-24.csv" in page
    assert "Google Ads, account 123-456-7890" in page
    assert "24 November 2026, 12:00 UTC" in page
    assert "Needs attention Google took 118 of 120 sales; 2 do not count." in page
    assert "Taken118 sales214,320 USDNot counted2 sales16,100.50 USDWaitingnone" in page
    assert "fix 2026-11-24.csv 2026-11-24.csv.1795521600000001.results.json" in page
    for code, entry in document["codes"].items():
        assert code in page
        assert entry["action"] in page
    assert "ColumnClose DateLine12" in page
    assert "DetailsThe imported event could not be found." in page
    assert "118 uploaded 98.3 %, 214,320 USD accepted by Google" in page


def test_the_report_of_a_document_is_that_of_its_run() -> None:
    """`report` makes of the document what the function wrote beside it."""
    summary = file_of(40)
    written = b"".join(results_document(summary, []))
    rows = [
        {"line": each.row.line, "record": each.record, "outcome": each.row.outcome}
        | {"order_id": each.row.order_id, "micros": each.row.micros, "currency": each.row.currency}
        | {
            part: [{"code": p.code, "field": p.field, "detail": p.detail} for p in problems]
            for part, problems in (("errors", each.row.errors), ("warnings", each.row.warnings))
        }
        for each in summary.findings.listed()
    ]
    document = check_results(json.loads(written) | {"rows": rows})
    assert report(document) == report_on(summary, Links())


def test_percentages_are_of_the_rows_that_were_meant_to_be_sent() -> None:
    """A skipped row is no sale: it has no share, and is not in the bar."""
    page = report_on(summary_of(unlisted={"uploaded": 3, "skipped": 97}))
    assert "3 sales for Google, 97 rows skipped" in words(page)
    assert "3 uploaded 100 %, 30 USD accepted by Google" in words(page)
    assert "97 skipped left out, by the profile or for a newer value" in words(page)
    assert page.count("<rect") == 1


def test_the_page_says_that_google_is_asked_again() -> None:
    """It is not replaced each time, so it names no time at which Google was asked last."""
    waiting = summary_of(unlisted={"uploaded": 3}, requests=Requests(1, open=1), awaiting=2)
    assert "Google is asked again, for seven days." in words(report_on(waiting))
    finished = summary_of(unlisted={"uploaded": 3}, requests=Requests(1))
    assert "Google is asked again" not in words(report_on(finished))


def test_notes_that_need_nobody_are_closed() -> None:
    """Warnings of uploaded rows, and notes without an action, are not what somebody must read."""
    listed = [row(line, "uploaded", warnings="INVALID_PHONE") for line in (2, 3)]
    notes = [Problem("REPORT_FOOTER", "", "line 3"), Problem("ENCODING_GUESSED")]
    page = report_on(summary_of(listed, notes=notes))
    warned = page.partition("2 sales with only a warning</summary>")[2]
    warned, _, closed = warned.partition("1 note, no action needed</summary>")
    closed = closed.partition("Google Ads")[0]
    assert "INVALID_PHONE" in warned
    assert "They count already." in warned, "Google could count a corrected row again"
    assert "REPORT_FOOTER" in closed
    assert "ENCODING_GUESSED" not in closed
    assert "What to correct" not in page


def test_what_came_too_late_is_not_among_what_to_correct() -> None:
    """However many rows it has, nobody can correct them: it has a section of its own, below."""
    late = [row(line, "failed", "EXPIRED_EVENT") for line in range(3, 9)]
    page = words(report_on(summary_of([row(2, "rejected", "FUTURE_DATE"), *late])))
    to_correct, _, too_late = page.partition("What to correct")[2].partition("What came too late")
    assert "FUTURE_DATE" in to_correct
    assert "EXPIRED_EVENT" not in to_correct
    assert "EXPIRED_EVENT" in too_late


def test_what_another_problem_explains_is_no_cause() -> None:
    """A row that has nothing to match because its email address is wrong needs a right one.

    Nobody finds the click of a row by correcting its date, so that explains nothing.
    """
    found = Findings()
    for line in range(2, 6):
        explained = row(line, "rejected", "NO_CLICK_ID_OR_IDENTIFIER", warnings="INVALID_EMAIL")
        found.add_row(ListedRow(line - 1, explained))
    found.add_row(ListedRow(5, row(6, "rejected", "NO_CLICK_ID_OR_IDENTIFIER", "INVALID_DATE")))
    for line in range(8, 30):
        found.add_row(ListedRow(line - 1, row(line, "uploaded", warnings="INVALID_PHONE")))
    found.add_row(ListedRow(40, row(41, "rejected", "INVALID_DATE", warnings="INVALID_PHONE")))
    causes = [(each.code, each.rows) for each in found.groups["correct"].by_importance()]
    assert causes == [
        *(("INVALID_EMAIL", 4), ("INVALID_DATE", 2), ("NO_CLICK_ID_OR_IDENTIFIER", 1)),
    ]
    # A warning has the money of the rows that it does not keep out in no case.
    warned = found.groups["warned"].causes["INVALID_PHONE"]
    assert (warned.rows, warned.sums, found.groups["warned"].rows) == (22, {}, 22)
    assert [each.code for each in root_problems(explained)] == ["INVALID_EMAIL"]


def test_a_lost_row_is_not_retried() -> None:
    """What deferred it before the file was stopped needs no correction, and promises nothing."""
    found, stopped = Findings(), row(2, "not_attempted", "TOO_RECENT_EVENT", "CUSTOMER_NOT_ENABLED")
    found.add_row(ListedRow(1, stopped))
    assert [*found.groups["correct"].causes] == ["CUSTOMER_NOT_ENABLED"]


def test_a_row_with_an_error_does_not_have_only_a_warning() -> None:
    """Its error says what becomes of it."""
    found = Findings()
    found.add_row(ListedRow(1, row(2, "deferred", "TOO_RECENT_EVENT", warnings="INVALID_PHONE")))
    assert not found.groups["warned"].rows
    assert found.groups["nobody"].rows == 1


def test_the_policy_allows_nothing_but_the_page_itself() -> None:
    """Its own style and script are allowed by their hash."""
    (policy,) = re.findall(r'Policy" content="([^"]+)"', report(example()))
    assert re.fullmatch(
        "default-src 'none'; style-src '(sha256-[^']+)'; script-src '(?!\\1)sha256-[^']+'; "
        "base-uri 'none'; form-action 'none'",
        policy,
    )


def test_a_large_file_has_a_small_page() -> None:
    """Of 20,000 rows with a problem, the page has less than 700 kB, and says what it omits."""
    summary = file_of(100_000)
    last = RowOutcome(100_002, "failed", None, (Problem("INVALID_ADDRESS"),))
    summary.totals.add_row(last)
    summary.findings.add_row(ListedRow(100_001, last))
    page = report_on(summary)
    assert len(page.encode()) < 700_000
    assert f"{MAX_ROWS + 1:,} of 20,001 rows with a problem" in words(page)
    assert page.count("<tr hidden") == MAX_ROWS + 1 - ROWS_AT_A_TIME
    # A rare cause has its rows, although it comes last.
    assert summary.findings.listed()[-1].row.errors[0].code == "INVALID_ADDRESS"


def test_chunks_may_come_in_another_order() -> None:
    """The rows are the first ones of the file, whichever chunk was added first."""
    one, other = Findings(), Findings()
    rows = [row(line, "rejected", "INVALID_DATE") for line in range(2, 5_000)]
    for found, order in ((one, rows), (other, rows[3_000:] + rows[:3_000])):
        for each in order:
            found.add_row(ListedRow(each.line - 1, each))
    assert one.listed() == other.listed()
    assert [each.row.line for each in one.listed()] == list(range(2, MAX_ROWS + 2))
    assert [each.row.line for each in other.groups["correct"].causes["INVALID_DATE"].first] == [
        *range(2, 12)
    ]


def test_each_link_has_the_command_that_works_too() -> None:
    """Links of storage.cloud.google.com answer 403 where Data Access logs are on."""
    document = bucket_address("out", "shop/it's; new.csv.1.results.json")
    page = report_on(summary_of(), Links(document, bucket_address("out", "index.html")))
    (command,) = re.findall(r"<bdi>(gcloud storage cp .+?)</bdi>", page)
    words = shlex.split(html.unescape(command))
    assert words[-2:] == ["gs://out/shop/it's; new.csv.1.results.json", "."]
