"""The first sentences of a report: what a boss asks, in every case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lib.catalogue.codes import lookup
from lib.catalogue.texts import first_sentence
from lib.model.outcomes import Problem
from lib.model.sent_requests import Requests
from lib.results.document import RunSummary, document_head
from lib.results.headline import headline_of
from lib.results.overview import render_overview
from lib.results.page import bucket_address
from lib.state.runs import RunEntry
from lib.state.store import StoredObject
from tests.results.files import NOW, entry_on, row, summary_of
from tests.results.test_report import words

FIX = "offline-conversions fix deals.csv deals.csv.123.results.json"
NOBODY = "Nobody needs to do anything."
UPLOAD = "Correct these rows in the file, and upload it again: nothing counts twice."
LATER = "Nobody needs to do anything now. This report is replaced when Google has said more."

WRONG_DATE = row(2, "rejected", "FUTURE_DATE")
WRONG_DATES = [row(line, "rejected", "FUTURE_DATE") for line in (2, 3, 4)]
SETTINGS = [row(line, "rejected", "DECIMAL_SIGN_MISMATCH") for line in range(2, 8)]
TOO_LATE = [row(line, "failed", "EXPIRED_EVENT") for line in range(10, 16)]
REFUND_THAT_WAITS = row(2, "deferred", "AWAITS_CONVERSIONS", micros=None)._replace(corrects=True)
STOPPED = lookup("CUSTOMER_NOT_ENABLED")
STOP = {"stop": Problem(STOPPED.code)}
FUTURE = first_sentence(lookup("FUTURE_DATE").meaning)
CHECK = {"validate_only": True}

CASES: dict[str, tuple[RunSummary, str, str, str]] = {
    "no row": (summary_of(), "done", "The file has no row.", NOBODY),
    "one sale": (
        summary_of(unlisted={"uploaded": 1}),
        *("done", "Google took the only sale, worth 10 USD.", NOBODY),
    ),
    "all": (
        summary_of(unlisted={"uploaded": 3, "skipped": 7}),
        *("done", "Google took all 3 sales, worth 30 USD.", NOBODY),
    ),
    "the only one to correct": (
        summary_of([WRONG_DATE]),
        "alarm",
        "Google did not take the only sale. 1 sale, worth 10 USD, needs correction.",
        UPLOAD,
    ),
    "some to correct": (
        summary_of([WRONG_DATE], unlisted={"uploaded": 3, "skipped": 7}),
        "correct",
        "Google took 3 of 4 sales, worth 30 USD. 1 sale, worth 10 USD, needs correction.",
        UPLOAD,
    ),
    "most to correct": (
        summary_of(WRONG_DATES, unlisted={"uploaded": 1}),
        "alarm",
        "Google took 1 of 4 sales, worth 10 USD. 3 sales, worth 30 USD, need correction.",
        UPLOAD,
    ),
    "few rows with most of the money": (
        summary_of([WRONG_DATE._replace(micros=10**9)], unlisted={"uploaded": 9}),
        "alarm",
        "Google took 9 of 10 sales, worth 90 USD. 1 sale, worth 1,000 USD, needs correction.",
        UPLOAD,
    ),
    "not all have a value": (
        summary_of(
            [WRONG_DATE, row(3, "rejected", "FUTURE_DATE", micros=None)], unlisted={"uploaded": 3}
        ),
        "correct",
        "Google took 3 of 5 sales, worth 30 USD. 2 sales, worth at least 10 USD, need correction.",
        UPLOAD,
    ),
    "no value": (
        summary_of(
            [
                row(2, "rejected", "FUTURE_DATE", micros=None),
                row(3, "uploaded", warnings="INVALID_PHONE", micros=None),
            ]
        ),
        "correct",
        "Google took 1 of 2 rows. 1 row needs correction.",
        UPLOAD,
    ),
    "one setting": (
        summary_of(SETTINGS, unlisted={"uploaded": 2}),
        "alarm",
        "Google took 2 of 8 sales, worth 20 USD. 6 sales, worth 60 USD, need correction.",
        lookup("DECIMAL_SIGN_MISMATCH").if_most,
    ),
    "click IDs of another account": (
        summary_of([row(line, "failed", "EVENT_NOT_FOUND") for line in range(2, 8)]),
        "alarm",
        "Google took none of 6 sales. 6 sales, worth 60 USD, need correction.",
        lookup("EVENT_NOT_FOUND").if_most,
    ),
    "some click IDs of another account": (
        summary_of(
            [WRONG_DATE, *(row(line, "failed", "EVENT_NOT_FOUND") for line in range(3, 9))],
            unlisted={"uploaded": 30},
        ),
        "correct",
        "Google took 30 of 37 sales, worth 300 USD. 7 sales, worth 70 USD, need correction.",
        UPLOAD,
    ),
    "some came too late": (
        summary_of([WRONG_DATE, *TOO_LATE[:2]], unlisted={"uploaded": 9}),
        "correct",
        "Google took 9 of 12 sales, worth 90 USD. 1 sale, worth 10 USD, needs correction. "
        "2 sales, worth 20 USD, came too late and cannot be corrected.",
        UPLOAD,
    ),
    "all came too late": (
        summary_of(TOO_LATE, unlisted={"uploaded": 9}),
        "correct",
        "Google took 9 of 15 sales, worth 90 USD. "
        "6 sales, worth 60 USD, came too late and cannot be corrected.",
        lookup("EXPIRED_EVENT").action,
    ),
    "some wait": (
        summary_of([WRONG_DATE, row(3, "deferred", "TOO_RECENT_EVENT")], unlisted={"uploaded": 3}),
        "correct",
        "Google took 3 of 5 sales, worth 30 USD. 1 sale, worth 10 USD, needs correction. "
        "1 sale is sent again automatically.",
        UPLOAD,
    ),
    "only a refund waits": (
        summary_of([REFUND_THAT_WAITS], unlisted={"uploaded": 3}),
        "wait",
        "Google took all 3 sales, worth 30 USD. 1 refund or change is sent again automatically.",
        LATER,
    ),
    "stopped": (
        summary_of(unlisted={"not_attempted": 4}, run=STOP),
        "alarm",
        "Google took none of 4 sales. The file was stopped.",
        STOPPED.action_if_stopped,
    ),
    "stopped later": (
        summary_of(unlisted={"uploaded": 3, "not_attempted": 1}, run=STOP),
        "correct",
        "Google took 3 of 4 sales, worth 30 USD. The file was stopped.",
        STOPPED.action_if_stopped,
    ),
    "not read": (
        summary_of(run=STOP),
        *("alarm", "Google took nothing. The file was stopped.", STOPPED.action_if_stopped),
    ),
    "deferred": (
        summary_of([row(2, "deferred", "TOO_RECENT_CONVERSION")], unlisted={"uploaded": 3}),
        "wait",
        "Google took 3 of 4 sales, worth 30 USD. 1 sale is sent again automatically.",
        LATER,
    ),
    "awaiting": (
        summary_of(unlisted={"uploaded": 3}, requests=Requests(1, open=1), awaiting=2),
        "wait",
        "Google took all 3 sales, worth 30 USD. It is still processing 2 of them.",
        LATER,
    ),
    "not counted": (
        summary_of(unlisted={"uploaded": 3}, notes=[Problem("NOT_COUNTED", "", "2 of 3 rows")]),
        "correct",
        "Google took all 3 sales, worth 30 USD. But 2 of 3 rows will never count.",
        lookup("NOT_COUNTED").action,
    ),
    "cannot be corrected": (
        summary_of([row(2, "failed", "CONVERSION_EXPIRED")], unlisted={"uploaded": 3}),
        "done",
        "Google took 3 of 4 sales, worth 30 USD. 1 sale does not count.",
        f"{NOBODY} The reasons are below.",
    ),
    "sales and refunds": (
        summary_of(
            [WRONG_DATE, row(9, "rejected", "INVALID_DATE", micros=None)._replace(corrects=True)],
            unlisted={"uploaded": 3},
            corrected=2,
        ),
        "correct",
        "Google took 3 of 4 sales, worth 30 USD. Google took 2 of 3 refunds or changes. "
        "2 rows, worth at least 10 USD, need correction.",
        UPLOAD,
    ),
    "only refunds": (
        summary_of(corrected=2),
        *("done", "Google took all 2 refunds or changes.", NOBODY),
    ),
    "had before": (
        summary_of([row(2, "duplicate", "REPEATED_LINE"), row(3, "duplicate", "REPEATED_LINE")]),
        *("done", "Google took none of 2 sales; it had 2 before.", NOBODY),
    ),
    "all skipped": (
        summary_of(unlisted={"skipped": 4}, notes=[Problem("FILTER_KEEPS_NO_ROW", "", "4 rows")]),
        *("correct", "Google got none of 4 rows.", lookup("FILTER_KEEPS_NO_ROW").action),
    ),
    "replaced": (
        summary_of(run={"superseded_by": 124}),
        "done",
        "Another version of the file has replaced this one before it was read.",
        "The results of generation 124 have the rows.",
    ),
    "only checked": (
        summary_of([WRONG_DATE], unlisted={"ok": 3}, profile=CHECK),
        "correct",
        "This was only a check: 3 of 4 sales can be uploaded. "
        "1 sale, worth 10 USD, needs correction.",
        UPLOAD,
    ),
    "check of a wrong file": (
        summary_of(run=STOP, profile=CHECK),
        "alarm",
        "This was only a check: the file would be stopped.",
        STOPPED.action,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_sentences_say_what_happened_and_what_to_do(case: str) -> None:
    """Money, sales, rows that need somebody, and the next step. Red: most money does not count."""
    summary, tone, title, step = CASES[case]
    found = headline_of(document_head(summary), summary.findings)
    assert (found.tone, found.title.replace("\xa0", " ")) == (tone, title)
    assert step in found.step
    assert found.command == (FIX if step == UPLOAD else "")


def test_the_command_is_safe_to_paste() -> None:
    """A shell takes the name of a file as one word, whatever it contains."""
    source = StoredObject("in", "a/b $(rm -r).csv", 5, 1)
    summary = summary_of([WRONG_DATE], run={"source": source})
    command = headline_of(document_head(summary), summary.findings).command
    assert command.endswith("fix 'b $(rm -r).csv' 'b $(rm -r).csv.5.results.json'")


def test_a_file_on_a_disk_is_corrected_where_it_is() -> None:
    """The results of an offline check have no bucket, so `fix` is not the next step."""
    summary = summary_of([WRONG_DATE], run={"source": StoredObject("", "deals.csv", 1, 1)})
    found = headline_of(document_head(summary), summary.findings)
    assert (found.command, found.step) == (
        "",
        "Correct these rows in the file, and check it again.",
    )


@pytest.mark.parametrize(
    ("case", "tone", "text"),
    [
        ("all", "done", "Google took all 3 sales, worth 30 USD."),
        (
            "only a refund waits",
            "wait",
            "3 sales, worth 30 USD. 1 refund or change is sent again automatically.",
        ),
        (
            "some to correct",
            "correct",
            "Google took 3 of 4 sales, worth 30 USD. 1 sale does not count. Most frequent reason: "
            f"{FUTURE}.",
        ),
        ("few rows with most of the money", "alarm", "1 sale does not count"),
        ("stopped", "alarm", f"The file was stopped: {first_sentence(STOPPED.meaning)}."),
        ("deferred", "wait", "1 sale is sent again automatically."),
        ("replaced", "done", "Another version of the file has replaced this one."),
    ],
)
def test_the_overview_says_the_same_in_short(case: str, tone: str, text: str) -> None:
    """For each file, in the same colour as its report."""
    page = render_overview("out", [entry_on(CASES[case][0])], [])
    assert f'class="file {tone}"' in page
    assert text in words(page)


def test_the_overview_has_the_last_files_and_the_dearest_problem_first() -> None:
    """Forty files, the newest one first. The problems keep their order."""
    summary = CASES["all"][0]
    entries: list[RunEntry] = [
        entry_on(
            summary,
            arrived=NOW - timedelta(hours=hours),
            source=replace(summary.run.source, name=f"{hours}.csv"),
        )
        for hours in range(60)
    ]
    problem = dict.fromkeys(("kind", "profile", "code", "severity", "detail", "at_stake"), "x")
    detail = "3.csv: 4 of 9 rows, mostly FUTURE_DATE; 13.csv"
    problems = [
        problem
        | {"title": "Rows do not count", "at_stake": "9 USD", "action": "Use `fix`."}
        | {"detail": detail},
        problem | {"title": "A file was stopped", "action": ""},
    ]
    page = render_overview("out", entries[::-1], problems)
    text = words(page)
    assert "2 open problems. The costliest: 9 USD." in text
    assert text.index("Rows do not count") < text.index("A file was stopped")
    assert "Use <code>fix</code>." in page
    assert f"mostly “{FUTURE}”" in text
    assert page.count(f'<a href="{bucket_address("out", "3.csv.123.results.html")}">') == 2
    assert (page.count('<article class="file'), "The last 40 files" in text) == (40, True)
    assert text.index(" 0.csv") < text.index(" 39.csv")
    assert " 40.csv" not in text
    assert "No open problems. Nobody needs to do anything." in words(render_overview("out", [], []))


def test_the_overview_names_a_file_whose_report_has_a_next_step() -> None:
    """A few lost rows are no open problem, but the page does not say that all is well."""
    text = words(render_overview("out", [entry_on(CASES["some to correct"][0])], []))
    assert "No large problem. 1 file has rows that do not count." in text
    assert "Open the report of crm/deals.csv." in text


@pytest.mark.parametrize(
    ("case", "severity", "tone"),
    [("all", "ERROR", "alarm"), ("all", "WARNING", "correct"), ("most to correct", "x", "alarm")],
)
def test_open_problems_are_as_serious_as_the_worst(case: str, severity: str, tone: str) -> None:
    """As the files that they name, or as they are rated."""
    detail = "crm/deals.csv" if severity == "x" else "no file"
    problem = dict.fromkeys(("kind", "profile", "code", "at_stake", "title", "action"), "x")
    problems = [problem | {"severity": severity, "detail": detail}]
    page = render_overview("out", [entry_on(CASES[case][0])], problems)
    assert f'class="headline {tone}"' in page
