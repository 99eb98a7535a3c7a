"""The overview of all files: what is open, what they come to, and one card for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lib.catalogue.codes import lookup
from lib.catalogue.open_problems import (
    COLUMN_EMPTY,
    FILE_STOPPED,
    FILE_UNFINISHED,
    NO_FILE,
    ROWS_LOST,
    Found,
    OpenProblem,
    ProblemKind,
)
from lib.catalogue.texts import first_sentence
from lib.results.document import RunSummary, document_head
from lib.results.overview import render_overview
from lib.results.page import bucket_address
from lib.results.report import render_report
from lib.state.runs import RunEntry
from tests.results.files import NOW, entry_on, row, summary_of
from tests.results.test_report import words
from tests.results.test_sentences import CASES, had, said_of

CAUSE = lookup("INVALID_CUSTOMER_FOR_CLICK")


def problem(
    kind: ProblemKind = ROWS_LOST,
    *runs: str,
    usd: int = 9,
    code: str = "",
    text: str = "crm/deals.csv: 4 of 9 sales",
) -> OpenProblem:
    """Return a problem that these runs have, or a thing that is no file."""
    money = {"USD": usd * 1_000_000}
    found = [Found("crm", code, text, money, run) for run in runs or [""]]
    return OpenProblem(kind, "crm", code, "Use `fix`.", found)


def page_on(*entries: RunEntry, problems: object = (), **more: Any) -> str:
    return render_overview("out", entries, list(problems), NOW, **more)  # type: ignore[call-overload]


def named(name: str, summary: RunSummary = CASES["all"].summary, **changes: Any) -> RunEntry:
    return entry_on(summary, source=replace(summary.run.source, name=name), **changes)


def banner(page: str) -> str:
    """Return the words of the banner."""
    return words(page.partition('<section class="headline')[2].partition("</section>")[0])


@pytest.mark.parametrize("case", CASES)
def test_the_overview_says_of_a_file_what_its_report_says(case: str) -> None:
    """The same colour, status, line and numbers, from the same function."""
    summary = CASES[case].summary
    headline, _ = said_of(summary)
    page = page_on(entry_on(summary))
    assert f'class="file {headline.tone}"' in page
    assert f"{headline.status.capitalize()} {headline.line}" in words(page)
    for number in headline.numbers:
        shown = ", ".join(filter(None, (number.rows, number.money)))
        assert f"{number.name} {shown}" in words(page)


def test_the_main_reason_is_that_of_the_report() -> None:
    """Also if two reasons have equally many rows: the dearer one."""
    listed = [
        row(2, "rejected", "FUTURE_DATE"),
        row(3, "rejected", "INVALID_CONSENT")._replace(micros=10**9),
    ]
    summary = summary_of(listed, unlisted={"uploaded": 3})
    reason = first_sentence(lookup("INVALID_CONSENT").meaning)
    assert f"Main reason: {reason}." in words(page_on(entry_on(summary)))
    report = words(render_report(document_head(summary), summary.findings))
    assert report.index("INVALID_CONSENT") < report.index("FUTURE_DATE")


def test_the_overview_has_the_last_files_and_the_dearest_problem_first() -> None:
    """Forty files, the newest one first. The problems keep their order."""
    entries = [named(f"{hours}.csv", arrived=NOW - timedelta(hours=hours)) for hours in range(60)]
    dearest = problem(ROWS_LOST, entries[3].key, text="3.csv: 4 of 9 sales", code=CAUSE.code)
    page = page_on(*entries[::-1], problems=[dearest, problem(FILE_STOPPED, usd=0)])
    text = words(page)
    said = f"Rows do not count. {first_sentence(CAUSE.meaning)}"
    assert f"Needs attention 2 open problems. The most costly, 9 USD: {said}." in text
    assert "Next step: Use fix. 3.csv" in text
    assert text.index(f"{said} profile crm") < text.index("A file was stopped")
    assert "Use <code>fix</code>." in page
    assert "3.csv: 4 of 9 sales, 9 USD" in text
    assert page.count(f'<a href="{bucket_address("out", "3.csv.123.results.html")}">') == 3
    assert (page.count('<article class="file'), "The last 40 files" in text) == (40, True)
    assert text.index(" 0.csv") < text.index(" 39.csv")
    assert " 40.csv" not in text


def test_a_single_problem_is_compared_with_nothing() -> None:
    """It is neither the first nor the most costly."""
    said = banner(page_on(problems=[problem(NO_FILE, usd=0)]))
    assert "Needs attention 1 open problem: An expected file has not come." in said
    assert "1 open problem, 9 USD: Rows do not count." in banner(page_on(problems=[problem()]))


def test_two_problems_of_one_file_are_one_card() -> None:
    """A stopped file that has lost its rows is one mistake."""
    problems = [
        *(problem(FILE_STOPPED, "a"), problem(ROWS_LOST, "a")),
        *(problem(ROWS_LOST, "b"), problem(ROWS_LOST, "c", "d"), problem(NO_FILE)),
    ]
    page = page_on(problems=problems)
    assert page.count('<article class="card" id=') == 4
    assert "A file was stopped · Rows do not count profile crm" in words(page)
    assert "4 open problems" in banner(page)


def test_each_file_and_its_problem_name_the_account() -> None:
    """As Google Ads shows it: a wrong account is seen here first."""
    assert "profile crm · account 123-456-7890" in words(page_on(entry_on(CASES["all"].summary)))


def test_the_page_says_as_of_when() -> None:
    """In the same format as every other date."""
    assert "As of 24 November 2026, 12:00 UTC" in words(page_on())


def test_without_a_file_nothing_is_said_to_be_well() -> None:
    """Nobody knows yet."""
    assert banner(page_on()).endswith(
        "Waiting No file has come yet. Owner of the export: Upload the first file."
    )


def test_a_file_that_waits_is_not_green() -> None:
    """The banner says so, and that nobody needs to do anything now."""
    page = page_on(entry_on(CASES["awaiting"].summary))
    assert 'class="headline amber"' in page
    assert "1 file not finished yet. Nobody needs to do anything now." in banner(page)
    page = page_on(entry_on(CASES["all"].summary))
    assert 'class="headline green"' in page
    assert "Done No open problems. Nobody needs to do anything." in banner(page)


def test_the_banner_names_a_file_whose_report_has_a_next_step() -> None:
    """A few lost rows are no open problem, but the page does not say that all is well."""
    page = page_on(entry_on(CASES["some to correct"].summary))
    assert "No large problem. 1 file needs attention." in banner(page)
    assert "Do the next step of the report of crm/deals.csv" in banner(page)


@pytest.mark.parametrize("case", ["stopped", "only checked"])
def test_an_unsent_file_needs_no_look_once_a_newer_one_of_its_name_is_well(case: str) -> None:
    """Its rows are then not lost any more, and nobody is sent to its report."""
    unsent = entry_on(CASES[case].summary)
    assert "1 file needs attention" in banner(page_on(unsent))
    newer = entry_on(
        CASES["all"].summary,
        source=replace(CASES["all"].summary.run.source, generation=unsent.generation + 1),
    )
    assert "Done No open problems." in banner(page_on(unsent, newer))


def some_lost(**changes: Any) -> RunEntry:
    """Return a file of four sales, one of which is lost."""
    return named("crm/some.csv", CASES["some to correct"].summary, **changes)


def test_every_file_counts_for_the_banner() -> None:
    """Forty newer files that are well hide neither one that waits nor one that needs somebody."""
    newer = [named(f"{hour}.csv", arrived=NOW + timedelta(hours=hour)) for hour in range(41)]
    waiting = named("crm/waiting.csv", CASES["awaiting"].summary)
    assert "1 file needs attention" in banner(page_on(some_lost(), waiting, *newer))
    assert "1 file not finished yet" in banner(page_on(waiting, *newer))


def test_a_loss_counts_for_the_banner_from_when_it_became_known() -> None:
    """Google may refuse a row days after its file came."""
    days = timedelta(days=1)
    came = some_lost(arrived=NOW - 9 * days, changed_at=NOW - 8 * days)
    late = some_lost(arrived=NOW - 9 * days, changed_at=NOW - 2 * days)
    well = named("crm/well.csv")
    assert "Done No open problems." in banner(page_on(came, well))
    assert "1 file needs attention" in banner(page_on(late, well))


@pytest.mark.parametrize(
    ("case", "changes", "said"),
    [
        ("one sale", {}, "Done No open problems."),
        ("the only one to correct", {}, "1 file needs attention"),
        ("all skipped", {}, "2 files need attention"),
        ("only checked", {}, "2 files need attention"),
        ("stopped", {}, "2 files need attention"),
        ("one sale", {"published_at": None, "due": NOW}, "1 file needs attention"),
    ],
)
def test_a_file_of_fix_says_what_became_of_the_rows(
    case: str, changes: Mapping[str, Any], said: str
) -> None:
    """If all of them were sent with it. In a check, or if it was stopped, none was."""
    summary = CASES[case].summary
    fixed = named("crm/rows-to-fix-some.123.csv", summary, arrived=NOW, **changes)
    assert said in banner(page_on(some_lost(), fixed))


def test_a_file_of_fix_with_too_few_rows_mends_nothing() -> None:
    """The others are still lost, and no sum counts a row twice."""
    lost = named("crm/some.csv", CASES["most to correct"].summary)
    name = "crm/rows-to-fix-some.123.csv"
    page = page_on(lost, named(name, CASES["one sale"].summary))
    assert "1 file needs attention" in banner(page)
    assert "days Taken2 sales20 USDNot counted2 salesWaitingnone" in words(page)
    page = page_on(lost, named(name))
    assert "Done No open problems." in banner(page)
    assert "days Taken4 sales40 USDNot countednoneWaitingnone" in words(page)


def test_a_file_of_fix_may_come_in_parts() -> None:
    """Under one name. The same part again mends nothing more."""
    lost, only = named("crm/some.csv", CASES["most to correct"].summary), CASES["one sale"].summary
    name, two = "crm/rows-to-fix-some.123.csv", summary_of(unlisted={"uploaded": 2})
    first, second, again = (
        entry_on(summary, source=replace(summary.run.source, name=name, generation=generation))
        for summary, generation in ((only, 200), (two, 201), (two, 202))
    )
    assert "Done No open problems." in banner(page_on(lost, first, second))
    assert "Done No open problems." in banner(page_on(lost, first, second, again))
    assert "1 file needs attention" in banner(page_on(lost, second, again))


def test_the_sums_count_a_sale_once() -> None:
    """Rolling exports have most sales of the day before."""
    rolling = summary_of([had(2), had(3)], unlisted={"uploaded": 3})
    text = words(page_on(named("crm/1.csv"), named("crm/2.csv", rolling)))
    assert (
        "days, without 2 rows that Google had before Taken6 sales60 USDNot countednoneWaitingnone"
        in text
    )


DIED_TWICE = {"due": NOW, "attempts": 3, "cause": "DIED"}


@pytest.mark.parametrize(
    ("changes", "is_late", "said"),
    [
        ({"due": NOW}, False, "Waiting It has no results yet: the first attempt is running."),
        ({"due": NOW}, True, "Needs attention It has no results yet, after 1 attempt."),
        (
            DIED_TWICE,
            False,
            "Waiting It has no results yet, after 3 attempts. "
            "An attempt to process the file crashed, or was ended from outside.",
        ),
        (DIED_TWICE, True, "Needs attention It has no results yet, after 3 attempts."),
        (
            {"due": None, "attempts": 9, "cause": "DIED"},
            True,
            "Stopped It has no results after 9 attempts. Some of its rows may have reached Google.",
        ),
    ],
)
def test_a_file_without_results_says_so(
    changes: Mapping[str, Any], is_late: bool, said: str
) -> None:
    """It has no number of rows and no link, which would lead nowhere. It needs attention when that
    is an open problem, and no earlier."""
    file = entry_on(summary_of(), published_at=None, **changes)
    page = page_on(file, problems=[problem(FILE_UNFINISHED, file.key)] if is_late else [])
    assert said in words(page)
    assert "storage.cloud.google.com" not in page
    assert "row" not in banner(page)
    assert "Taken" not in words(page)
    assert 'class="headline green"' not in page


def test_what_google_says_later_cannot_be_read() -> None:
    """Then nobody knows whether the rows count."""
    page = page_on(entry_on(CASES["all"].summary, blocked="USER_PERMISSION_DENIED"))
    said = "Google took all 3 sales, but what Google says later cannot be read."
    assert f"Needs attention {said}" in words(page)
    assert 'class="headline green"' not in page


def test_a_run_that_cannot_be_read_is_on_the_page() -> None:
    """A newer version has saved it, or somebody has changed it."""
    page = page_on(
        entry_on(CASES["all"].summary),
        unreadable={"crm/a.csv": "NEWER_VERSION", "crm/b.csv": "STATE_UNREADABLE"},
    )
    assert "Needs attention The state of 2 files cannot be read." in words(page)
    for name, code in (("crm/a.csv", "NEWER_VERSION"), ("crm/b.csv", "STATE_UNREADABLE")):
        assert f"{name} {lookup(code).meaning}" in words(page)


def test_each_profile_has_its_sums_of_seven_and_thirty_days() -> None:
    """The one with most money first. What was sent again in a file of `fix` is not lost."""
    some = CASES["some to correct"].summary
    entries = [
        named("default/a.csv", profile_name="default"),
        named("crm/old.csv", some, arrived=NOW - timedelta(days=20)),
        named("crm/new.csv", some),
        named("crm/older.csv", some, arrived=NOW - timedelta(days=31)),
        named("crm/fixed.csv", some, arrived=NOW - timedelta(days=2)),
        named("crm/rows-to-fix-fixed.123.csv", CASES["one sale"].summary, arrived=NOW),
        named("crm/replaced.csv", superseded_by=9),
    ]
    text = words(page_on(*entries))
    assert (
        "profile crm Files of the last 7 days "
        "Taken7 sales70 USDNot counted1 sale10 USDWaitingnone "
        "Files of the last 30 days "
        "Taken10 sales100 USDNot counted2 sales20 USDWaitingnone"
    ) in text
    assert text.index("profile crm Files") < text.index("profile default Files")


@pytest.mark.parametrize(
    ("case", "kind", "tone"),
    [
        ("", NO_FILE, "red"),
        ("", COLUMN_EMPTY, "amber"),
        ("some to correct", ROWS_LOST, "amber"),
        ("most to correct", COLUMN_EMPTY, "red"),
    ],
)
def test_open_problems_are_as_serious_as_the_worst(case: str, kind: ProblemKind, tone: str) -> None:
    """As the files that they name, or as they are rated."""
    entry = entry_on(CASES[case or "all"].summary)
    page = page_on(entry, problems=[problem(kind, *([entry.key] if case else []))])
    assert f'class="headline {tone}"' in page
