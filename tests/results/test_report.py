"""The report for people, as text: what it says, what it never does, and how large it can be."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lib.model.outcomes import Outcome, Problem, RecordLines, RowOutcome, Tally, chunk_outcomes
from lib.results.findings import MOST_RANGES, MOST_ROWS, Findings, root_first
from lib.results.report import Links, NotADocument, render_report, report_of

ROOT = Path(__file__).parents[2]
HOSTILE = '</script><img src=x onerror=alert(1)>"\'=HYPERLINK("x")\x1b[31m\u202eabc'


def example() -> dict[str, Any]:
    """Return the document that docs/results.md shows."""
    text = (ROOT / "docs" / "results.md").read_text("utf-8")
    found = re.search(r"<!-- results -->\n```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


class Elements(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def words(page: str) -> str:
    """Return the text of a page, in one line."""
    return " ".join("".join(Elements(page).text).split())


def test_the_report_says_what_happened_and_what_to_do() -> None:
    """File, destination, verdict, causes with their places, and notes are on the page."""
    document = example()
    page = words(report_of(document))
    assert "hubspot/2026-11-24.csv" in page
    assert "Google Ads, account 123-456-7890" in page
    assert "24 November 2026, 12:00 UTC" in page
    assert "Somebody needs to act: 2 sales (16,100.50 USD) need correction." in page
    assert "The other 119 rows need no action." in page
    for code, entry in document["codes"].items():
        assert code in page
        assert entry["action"] in page
    assert "ColumnClose DateRecord11Line12" in page
    assert "DetailsThe imported event could not be found." in page
    assert "Record ID, Lifecycle Stage" in page
    assert "118 uploaded 98 %, accepted by Google214,320 USD" in page
    assert "When they appear: in Google Ads, the uploaded rows are under Goals" in page


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"rows": []}, "Nobody needs to act."),
        ({"rows": [], "status": "same_as", "other_generation": "1"}, "Nobody needs to act."),
        ({"file_error": {"code": "FUTURE_DATE", "detail": ""}}, "the file was stopped"),
        ({"rows": [], "counts": {"deferred": 3}}, "Nobody needs to act now."),
        ({"rows": [], "counts": {"awaiting": 3, "unmatched": 0}}, "Nobody needs to act now."),
    ],
)
def test_one_sentence_says_whether_anybody_must_act(changes: dict[str, Any], title: str) -> None:
    """The title depends on the file's error, its rows, and what is still to come."""
    document = example()
    changes["counts"] = document["counts"] | changes.get("counts", {})
    assert title in words(report_of(document | changes))


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"rows": 1, "uploaded": 1}, "Its only row was uploaded."),
        ({"rows": 2, "uploaded": 1, "skipped": 1}, "1 row was uploaded. The others did not need"),
        (
            {"rows": 3, "uploaded": 3, "warnings": 1},
            "All 3 rows were uploaded. 1 row has a warning",
        ),
        ({"rows": 2, "skipped": 2}, "None of its rows needed to be uploaded, see below."),
        ({"rows": 9, "deferred": 1}, "1 row cannot be counted yet. The function sends it again"),
        ({"rows": 0}, "The file has no rows."),
    ],
)
def test_the_verdict_is_a_correct_sentence(counts: dict[str, int], text: str) -> None:
    """Whether it is about no row, one or several."""
    document = example() | {"rows": [], "counts": dict.fromkeys(example()["counts"], 0) | counts}
    assert text in words(report_of(document))


def row(line: int, errors: str, micros: int | None = None, currency: str = "") -> RowOutcome:
    """Return a rejected row: its errors, and after a bar its warnings."""
    codes = [tuple(map(Problem, part.split())) for part in (errors + "|").split("|")[:2]]
    return RowOutcome(line, "rejected", None, *codes, micros, currency)


@pytest.mark.parametrize(
    ("rows", "title"),
    [
        ([row(2, "TOO_OLD", 12_500_000, "EUR")], "1 sale (12.50 EUR) needs correction"),
        ([row(2, "TOO_OLD")], "1 row needs correction"),
        (
            [row(2, "TOO_OLD", 10**9, "EUR"), row(3, "TOO_OLD")],
            "2 rows need correction; 1 of them is worth 1,000 EUR",
        ),
        (
            [row(n, "TOO_OLD", n * 10**6, c) for n, c in enumerate(("EUR", "", "USD", "JPY"), 2)],
            "4 sales (3 (the account's currency), 2 EUR, 5 JPY and 1 more currency) need "
            "correction",
        ),
    ],
)
def test_the_headline_says_what_is_at_stake(rows: list[RowOutcome], title: str) -> None:
    """In money, as far as it is known, each currency apart."""
    found = Findings()
    for each in rows:
        found.add_row(each, each.line - 1)
    head = {name: part for name, part in example().items() if name != "rows"}
    assert f"Somebody needs to act: {title}." in words(render_report(head, found))


def test_the_root_cause_comes_first() -> None:
    """A row that has nothing to match because its email address is wrong needs a right one.

    So that is the first cause and the first problem of the row, although it is a warning. If rows
    have a cause of their own, the one of most rows to correct comes first, not the most frequent.
    """
    found = Findings()
    for line in range(2, 6):
        found.add_row(row(line, "NO_CLICK_ID_OR_IDENTIFIER|INVALID_EMAIL", 10**6, "USD"), line - 1)
    found.add_row(row(6, "NO_CLICK_ID_OR_IDENTIFIER", 10**6, "USD"), 5)
    found.add_row(row(7, "TOO_OLD"), 6)
    for line in range(8, 30):
        warned = RowOutcome(line, "uploaded", None, (), (Problem("INVALID_PHONE"),))
        found.add_row(warned, line - 1)
    order = [each.code for each in found.by_importance()]
    assert order == ["INVALID_EMAIL", "TOO_OLD", "NO_CLICK_ID_OR_IDENTIFIER", "INVALID_PHONE"]
    assert [each.code for each in root_first(found.rows[0].row)] == order[:3:2]
    head = {name: part for name, part in example().items() if name != "rows"}
    page = words(render_report(head, found))
    assert (
        "In 4 of these rows, another problem is the cause. Correct that first: INVALID_EMAIL."
        in page
    )
    assert "INVALID_EMAIL warning NO_CLICK_ID_OR_IDENTIFIER" in page.replace(
        "warningNO", "warning NO"
    )


def test_a_problem_of_another_cell_is_no_root_cause() -> None:
    """Nobody finds the click of a row by correcting its date."""
    found = Findings()
    found.add_row(row(2, "NO_CLICK_ID_OR_IDENTIFIER INVALID_DATE|DATE_WITHOUT_TIME"), 1)
    cause = found.causes["NO_CLICK_ID_OR_IDENTIFIER"]
    assert (cause.to_correct, cause.explained, cause.roots) == (1, 0, {})


def test_hostile_values_are_text() -> None:
    """A name, a column, an order ID and a detail are shown as they are, and make no element."""
    document = example()
    plain = Elements(report_of(document)).tags
    document["source"]["name"] = document["profile"] = document["request_ids"][0] = HOSTILE
    document["columns"]["phone"] = HOSTILE
    row = document["rows"][0]
    row["order_id"] = row["warnings"][0]["detail"] = HOSTILE
    document["notes"][0]["detail"] = HOSTILE
    page = report_of(document)
    found = Elements(page)
    assert "img" not in found.tags
    assert found.tags.count("script") == plain.count("script") == 2
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
    assert "".join(found.text).count(HOSTILE) >= 6


def test_the_page_asks_for_nothing() -> None:
    """The policy allows the page's own style and script by hash, and the page loads nothing."""
    page = report_of(example())
    attributes = dict(Elements(page).attributes)
    policy = next(
        value for _, value in Elements(page).attributes if value and "default-src" in value
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not {"src", "srcset", "action", "background"} & attributes.keys()
    assert {"link", "iframe", "object", "form", "base"}.isdisjoint(Elements(page).tags)
    assert "://" not in page
    links = Links("https://example.com/a b", "https://example.com/index.html")
    assert report_of(example(), links).count("https://example.com/") == 2


def findings_of_a_million() -> Findings:
    """A million rows, of which every tenth was refused, with details and order IDs of their own."""
    found = Findings()
    codes = ["INVALID_DATE"] * 7 + ["FUTURE_DATE", "TOO_FEW_CELLS", "VALUE_NOT_A_NUMBER"]
    for chunk in range(500):
        lines = list(range(2 + chunk * 2_000, 2 + (chunk + 1) * 2_000))
        outcomes: list[Outcome] = ["rejected", "failed"]
        rows = [
            RowOutcome(
                line,
                outcomes[line % 2],
                f"order-{line:056}",
                (Problem(codes[line // 10 % 10], "conversion_date_time", f"a detail of {line}"),),
            )
            for line in lines[::10]
        ]
        report = chunk_outcomes(
            chunk,
            rows,
            Tally(1_800, {"uploaded": 1_800}),
            records=RecordLines.of(lines[0] - 1, lines),
        )
        found.add(report)
    last = RowOutcome(1_000_002, "failed", None, (Problem("CLICK_NOT_FOUND"),))
    found.add_row(last, 1_000_001)
    return found


def test_a_million_rows_are_a_small_page() -> None:
    """With 100,000 refused rows, the page has less than 2 MB, and says what it omits."""
    found = findings_of_a_million()
    head = {name: part for name, part in example().items() if name != "rows"}
    head["counts"] |= {"rows": 1_000_001, "uploaded": 900_000, "rejected": 100_000, "failed": 1}
    page = render_report(head, found)
    assert len(page.encode()) < 2_000_000
    text = words(page)
    assert "70,000 rows" in text
    assert f"{70_000 - MOST_RANGES:,} others, which are in the results document" in text
    assert f"{MOST_ROWS + 1:,} of the 100,001 rows with a problem are listed here" in text
    # A rare cause has its rows, although it comes last.
    assert found.listed()[-1].row.errors[0].code == "CLICK_NOT_FOUND"


def test_chunks_may_come_in_another_order() -> None:
    """Ranges and rows are those of the file, whichever chunk was added first."""
    one, other = Findings(), Findings()
    rows = [RowOutcome(line, "rejected", None, (Problem("INVALID_DATE"),)) for line in range(2, 8)]
    for found, order in ((one, rows), (other, rows[3:] + rows[:3])):
        for row in order:
            found.add_row(row, row.line - 1)
    assert one.listed() == other.listed()
    assert other.causes["INVALID_DATE"].lines.ranges() == [(2, 7)]


def test_details_are_in_the_order_of_the_lines_that_they_name() -> None:
    """Line 9 comes before line 10. Details that differ much are only with the rows."""
    document = example()
    repeat = document["rows"][2]
    document["rows"] = [
        repeat | {"line": n, "errors": [repeat["errors"][0] | {"detail": f"as in line {first}"}]}
        for n, first in ((30, 10), (31, 9), (32, 9), (33, 2))
    ]
    assert "Detailsas in line 2; as in line 9; as in line 10Records" in words(report_of(document))
    document["rows"] += [document["rows"][0] | {"errors": [repeat["errors"][0]]}]
    assert "Details" not in words(report_of(document)).split("The rows")[0]


@pytest.mark.parametrize("document", [{}, {"schema_version": 1}, {"schema_version": 3, "rows": []}])
def test_another_document_is_refused(document: dict[str, Any]) -> None:
    """A document of another version, or none at all, has an error of its own."""
    with pytest.raises(NotADocument):
        report_of(document)
