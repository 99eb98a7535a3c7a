"""What is said of a file, in every case: a status word, one line, three numbers, the next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from lib.catalogue.codes import CATALOGUE, lookup
from lib.catalogue.texts import first_sentence, inside
from lib.model.outcomes import Outcome, Problem, RowOutcome
from lib.model.sent_requests import Requests
from lib.model.totals import CodeTotals, Totals
from lib.results.document import RunSummary, document_head
from lib.results.sentences import (
    MAX_WORDS,
    Headline,
    NextStep,
    headline_of,
    headline_of_results,
    looks_of,
    next_steps,
    with_objection,
)
from lib.state.store import StoredObject
from tests.results.files import NOW, row, summary_of

FIX = "offline-conversions fix deals.csv deals.csv.123.results.json"
INIT = "offline-conversions init deals.csv --profile crm"
AGAIN = "Owner of the export: After that, upload the file again, once: no sale counts twice."
NOBODY = "Nobody needs to do anything."
ONE = (
    "Owner of the export: Correct this sale in the CRM or in the file. "
    "Then upload the file again: no sale counts twice."
)
MANY = ONE.replace("this sale", "these sales")
WITHOUT_UPLOAD = MANY.partition(" Then")[0]
LATER = (
    "Nobody needs to do anything now. Google usually answers within a day, and this report is "
    "replaced then. If it still says Waiting after 1 December 2026, ask your engineer"
)

WRONG_DATE = row(2, "rejected", "FUTURE_DATE")
WRONG_DATES = [row(line, "rejected", "FUTURE_DATE") for line in (2, 3, 4)]
SETTINGS = [row(line, "rejected", "DECIMAL_SIGN_MISMATCH") for line in range(2, 8)]
TOO_LATE = [row(line, "failed", "EXPIRED_EVENT") for line in range(10, 16)]
REFUND_THAT_WAITS = row(2, "deferred", "AWAITS_CONVERSIONS", micros=None)._replace(corrects=True)
STOPPED = lookup("CUSTOMER_NOT_ENABLED")
STOP = {"stop": Problem(STOPPED.code)}
CHECK = {"validate_only": True}
MAYBE_SENT = [Problem("MAYBE_SENT")]
DENIED = "NEARLY_ALL_DENIED"
NOT_COUNTED = [Problem("NOT_COUNTED")]
JOB = {
    "read_at": NOW.isoformat(),
    "status": "NEEDS_ATTENTION",
    "alerts": [],
    "job": {"successful": 5, "failed": 5, "pending": 0},
}


def rejected(code: str, *lines: int) -> list[RowOutcome]:
    return [row(line, "rejected", code) for line in lines]


def had(line: int) -> object:
    """Return a row that Google had before."""
    return row(line, "duplicate", "CLICK_CONVERSION_ALREADY_EXISTS")


class Case(NamedTuple):
    """A file, and what is said of it: the colour and the status, the line, the three numbers, and
    the next step."""

    summary: RunSummary
    status: str
    line: str
    numbers: str
    step: str


CASES: dict[str, Case] = {
    "one sale": Case(
        summary_of(unlisted={"uploaded": 1}),
        "green done",
        "Google took the only sale.",
        "1 sale, 10 USD | none | none",
        NOBODY,
    ),
    "all": Case(
        summary_of(unlisted={"uploaded": 3, "skipped": 7}),
        "green done",
        "Google took all 3 sales.",
        "3 sales, 30 USD | none | none",
        NOBODY,
    ),
    "the only one to correct": Case(
        summary_of([WRONG_DATE]),
        "red needs attention",
        "The only sale was not sent because the conversion time is in the future.",
        "none | 1 sale, 10 USD | none",
        ONE,
    ),
    "some to correct": Case(
        summary_of([WRONG_DATE], unlisted={"uploaded": 3, "skipped": 7}),
        "amber needs attention",
        "Google took 3 of 4 sales; 1 was not sent because the conversion time is in the future.",
        "3 sales, 30 USD | 1 sale, 10 USD | none",
        ONE,
    ),
    "most to correct": Case(
        summary_of(WRONG_DATES, unlisted={"uploaded": 1}),
        "red needs attention",
        "Google took 1 of 4 sales; 3 were not sent because the conversion time is in the future.",
        "1 sale, 10 USD | 3 sales, 30 USD | none",
        MANY,
    ),
    "few rows with most of the money": Case(
        summary_of([WRONG_DATE._replace(micros=10**9)], unlisted={"uploaded": 9}),
        "red needs attention",
        "Google took 9 of 10 sales; 1 was not sent because the conversion time is in the future.",
        "9 sales, 90 USD | 1 sale, 1,000 USD | none",
        ONE,
    ),
    "not all have a value": Case(
        summary_of(
            [WRONG_DATE, row(3, "rejected", "FUTURE_DATE", micros=None)], unlisted={"uploaded": 3}
        ),
        "amber needs attention",
        "Google took 3 of 5 sales; 2 were not sent because the conversion time is in the future.",
        "3 sales, 30 USD | 2 sales, at least 10 USD | none",
        MANY,
    ),
    "no value": Case(
        summary_of(
            [
                row(2, "rejected", "FUTURE_DATE", micros=None),
                row(3, "uploaded", warnings="INVALID_PHONE", micros=None),
            ]
        ),
        "amber needs attention",
        "Google took 1 of 2 rows; 1 was not sent because the conversion time is in the future.",
        "1 row | 1 row | none",
        ONE.replace("this sale", "this row"),
    ),
    "a value that the profile does not know": Case(
        summary_of([row(2, "rejected", "NO_ENTRY_FITS")], unlisted={"uploaded": 3}),
        "amber needs attention",
        "Google took 3 of 4 sales; 1 was not sent because the profile does not know such a row.",
        "3 sales, 30 USD | 1 sale, 10 USD | none",
        "Owner of the export: Is a row with the new value a sale, a refund, or neither? Ask your "
        "engineer to open the profile with the command below, and to choose that.",
    ),
    "one setting": Case(
        summary_of(SETTINGS, unlisted={"uploaded": 2}),
        "red needs attention",
        "Google took 2 of 8 sales; 6 were not sent because "
        "the number has another decimal sign than the profile.",
        "2 sales, 20 USD | 6 sales, 60 USD | none",
        lookup("DECIMAL_SIGN_MISMATCH").if_most,
    ),
    "click IDs of another account": Case(
        summary_of([row(line, "failed", "EVENT_NOT_FOUND") for line in range(2, 8)]),
        "red needs attention",
        "Google refused all 6 sales because Google found no ad click.",
        "none | 6 sales, 60 USD | none",
        "Owner of the export: Did these clicks come from ads of account 123-456-7890?",
    ),
    "some click IDs of another account": Case(
        summary_of(
            [WRONG_DATE, *(row(line, "failed", "EVENT_NOT_FOUND") for line in range(3, 9))],
            unlisted={"uploaded": 30},
        ),
        "amber needs attention",
        "Google took 30 of 37 sales; 7 do not count.",
        "30 sales, 300 USD | 7 sales, 70 USD | none",
        MANY,
    ),
    "all came too late": Case(
        summary_of(TOO_LATE, unlisted={"uploaded": 9}),
        "amber needs attention",
        "Google took 9 of 15 sales; it refused 6.",
        "9 sales, 90 USD | 6 sales, 60 USD | none",
        lookup("EXPIRED_EVENT").action,
    ),
    "some wait": Case(
        summary_of([WRONG_DATE, row(3, "deferred", "TOO_RECENT_EVENT")], unlisted={"uploaded": 3}),
        "amber needs attention",
        "Google took 3 of 5 sales; 1 was not sent; 1 is sent again automatically.",
        "3 sales, 30 USD | 1 sale, 10 USD | 1 sale, 10 USD",
        ONE,
    ),
    "only a refund waits": Case(
        summary_of([REFUND_THAT_WAITS], unlisted={"uploaded": 3}),
        "amber waiting",
        "Google took 3 of 4 rows; 1 is sent again automatically.",
        "3 sales, 30 USD | none | 1 refund or change",
        LATER,
    ),
    "a refund that names no sale": Case(
        summary_of(
            [row(2, "failed", "CONVERSION_NOT_FOUND", micros=None)._replace(corrects=True)],
            unlisted={"uploaded": 3},
        ),
        "amber needs attention",
        "Google took 3 of 4 rows; it refused 1.",
        "3 sales, 30 USD | 1 refund or change | none",
        ONE.replace("this sale", "this row"),
    ),
    "stopped": Case(
        summary_of(unlisted={"not_attempted": 4}, run=STOP),
        "red stopped",
        "The file was stopped before anything was sent.",
        "none | 4 sales, 40 USD | none",
        STOPPED.advice_with_upload(),
    ),
    "stopped later": Case(
        summary_of(unlisted={"uploaded": 3, "not_attempted": 1}, run=STOP),
        "amber stopped",
        "Google took 3 of 4 sales before the file was stopped.",
        "3 sales, 30 USD | 1 sale, 10 USD | none",
        STOPPED.advice_with_upload(),
    ),
    "not read": Case(
        summary_of(run=STOP),
        "red stopped",
        "The file was stopped before anything was sent.",
        "",
        STOPPED.advice_with_upload(),
    ),
    "stopped, and perhaps sent": Case(
        summary_of(unlisted={"not_attempted": 4}, run=STOP, notes=MAYBE_SENT),
        "red stopped",
        "Some of 4 sales may have reached Google.",
        "none | 4 sales, 40 USD | none",
        STOPPED.advice_with_upload(),
    ),
    "not read, and perhaps sent": Case(
        summary_of(run=STOP, notes=MAYBE_SENT),
        "red stopped",
        "Some rows may have reached Google.",
        "",
        STOPPED.advice_with_upload(),
    ),
    "deferred": Case(
        summary_of([row(2, "deferred", "TOO_RECENT_CONVERSION")], unlisted={"uploaded": 3}),
        "amber waiting",
        "Google took 3 of 4 sales; 1 is sent again automatically.",
        "3 sales, 30 USD | none | 1 sale, 10 USD",
        LATER,
    ),
    "all deferred": Case(
        summary_of([row(line, "deferred", "TOO_RECENT_CONVERSION") for line in (2, 3)]),
        "amber waiting",
        "Google took none of 2 sales; 2 are sent again automatically.",
        "none | none | 2 sales, 20 USD",
        LATER,
    ),
    "awaiting": Case(
        summary_of(unlisted={"uploaded": 3}, requests=Requests(1, open=1), awaiting=2),
        "amber waiting",
        "Google took 1 of 3 sales; it is still checking 2.",
        "1 sale, 10 USD | none | 2 sales, 20 USD",
        LATER,
    ),
    "some awaiting, some deferred": Case(
        summary_of(
            [row(2, "deferred", "TOO_RECENT_EVENT")],
            unlisted={"uploaded": 3},
            requests=Requests(1, open=1),
            awaiting=3,
        ),
        "amber waiting",
        "Google is still checking 3 of 4 sales; 1 is sent again automatically.",
        "none | none | 4 sales, 40 USD",
        LATER,
    ),
    "all awaiting": Case(
        summary_of(unlisted={"uploaded": 3}, requests=Requests(1, open=1), awaiting=3),
        "amber waiting",
        "Google is still checking all 3 sales.",
        "none | none | 3 sales, 30 USD",
        LATER,
    ),
    "cannot be corrected": Case(
        summary_of([row(2, "failed", "CONVERSION_EXPIRED")], unlisted={"uploaded": 3}),
        "amber needs attention",
        "Google took 3 of 4 sales; it refused 1.",
        "3 sales, 30 USD | 1 sale, 10 USD | none",
        "Nobody can correct these rows. The reasons are below.",
    ),
    "sales and refunds": Case(
        summary_of(
            [WRONG_DATE, row(9, "rejected", "INVALID_DATE", micros=None)._replace(corrects=True)],
            unlisted={"uploaded": 3},
            corrected=2,
        ),
        "amber needs attention",
        "Google took 5 of 7 rows; 2 were not sent.",
        "3 sales, 2 refunds or changes, 30 USD | 1 sale, 1 refund or change, 10 USD | none",
        MANY.replace("sales", "rows"),
    ),
    "all sales and refunds": Case(
        summary_of(unlisted={"uploaded": 3}, corrected=2),
        "green done",
        "Google took all 5 rows.",
        "3 sales, 2 refunds or changes, 30 USD | none | none",
        NOBODY,
    ),
    "only refunds": Case(
        summary_of(corrected=2),
        "green done",
        "Google took all 2 rows.",
        "2 refunds or changes | none | none",
        NOBODY,
    ),
    "had all before": Case(
        summary_of([had(2), had(3)]),
        "green done",
        "Google already had all 2 sales.",
        "2 sales, 20 USD | none | none",
        NOBODY,
    ),
    "had some before": Case(
        summary_of([had(2), had(3)], unlisted={"uploaded": 3}),
        "green done",
        "Google took all 5 sales; it had 2 of them before.",
        "5 sales, 50 USD | none | none",
        NOBODY,
    ),
    "repeats": Case(
        summary_of([row(3, "duplicate", "REPEATED_LINE")], unlisted={"uploaded": 3}),
        "green done",
        "Google took all 3 sales.",
        "3 sales, 30 USD | none | none",
        NOBODY,
    ),
    "repeats with another value": Case(
        summary_of([row(3, "duplicate", "REPEATED_WITH_OTHER_VALUE")], unlisted={"uploaded": 3}),
        "amber needs attention",
        "Google took all 3 sales, but look at 1: "
        "The row repeats an earlier line with another value.",
        "3 sales, 30 USD | none | none",
        lookup("REPEATED_WITH_OTHER_VALUE").action,
    ),
    "the job counts failed rows": Case(
        summary_of(unlisted={"uploaded": 10}, run={"diagnostics": JOB}, notes=NOT_COUNTED),
        "amber needs attention",
        "Google took 5 of 10 sales; it refused 5.",
        "5 sales, at most 100 USD | 5 sales | none",
        lookup("NOT_COUNTED").action,
    ),
    "consent is refused, without names": Case(
        summary_of(
            unlisted={"uploaded": 10},
            requests=Requests(1),
            notes=NOT_COUNTED,
            unnamed={"PROCESSING_ERROR_REASON_DENIED_CONSENT": 10},
        ),
        "red needs attention",
        "Google refused all 10 sales because the person has refused consent, or the account's "
        "default setting does.",
        "none | 10 sales | none",
        lookup("NOT_COUNTED").action,
    ),
    "some have a reason without names": Case(
        summary_of(
            [WRONG_DATE],
            unlisted={"uploaded": 9},
            requests=Requests(1),
            notes=NOT_COUNTED,
            unnamed={"PROCESSING_ERROR_REASON_NO_CONSENT": 3, "": 1},
        ),
        "amber needs attention",
        "Google took 5 of 10 sales; 5 do not count.",
        "5 sales, at most 90 USD | 5 sales, at least 10 USD | none",
        ONE,
    ),
    "all denied": Case(
        summary_of(unlisted={"uploaded": 3}, notes=[Problem(DENIED, "", "3 of 3 rows")]),
        "amber needs attention",
        "Google took all 3 sales, but consent is refused, so Google must not use the sales.",
        "3 sales, 30 USD | none | none",
        lookup(DENIED).action,
    ),
    "a total at the end": Case(
        summary_of(unlisted={"uploaded": 3}, notes=[Problem("LOOKS_LIKE_A_TOTAL", "", "line 4")]),
        "amber needs attention",
        "Google took all 3 sales, but one of the last rows looks like a total, not like a sale.",
        "3 sales, 30 USD | none | none",
        lookup("LOOKS_LIKE_A_TOTAL").action,
    ),
    "old without a click ID": Case(
        summary_of([row(2, "uploaded", warnings="OLD_WITHOUT_CLICK_ID")], unlisted={"uploaded": 2}),
        "amber needs attention",
        "Google took all 3 sales, but look at 1: A row without a click ID is over 63 days old.",
        "3 sales, 30 USD | none | none",
        lookup("OLD_WITHOUT_CLICK_ID").action,
    ),
    "all skipped": Case(
        summary_of(unlisted={"skipped": 4}, notes=[Problem("FILTER_KEEPS_NO_ROW", "", "4 rows")]),
        "amber needs attention",
        "The profile skips every row of the file.",
        "",
        lookup("FILTER_KEEPS_NO_ROW").action,
    ),
    "all superseded": Case(
        summary_of([row(2, "skipped", "OLDER_THAN_CORRECTION")]),
        "green done",
        "Newer values of 1 row count already.",
        "",
        NOBODY,
    ),
    "some superseded, the others skipped": Case(
        summary_of([row(2, "skipped", "OLDER_THAN_CORRECTION")], unlisted={"skipped": 4}),
        "green done",
        "The profile skips 4 rows; newer values of 1 row count already.",
        "",
        NOBODY,
    ),
    "replaced": Case(
        summary_of(run={"superseded_by": 124}),
        "green done",
        "Another version of the file has replaced this one before it was read.",
        "",
        "The results of generation 124 have the rows.",
    ),
    "only checked": Case(
        summary_of([WRONG_DATE], unlisted={"ok": 3}, profile=CHECK),
        "amber needs attention",
        "This was only a check: 3 of 4 sales can be uploaded; 1 cannot.",
        "3 sales, 30 USD | 1 sale, 10 USD",
        ONE,
    ),
    "check of a wrong file": Case(
        summary_of(run=STOP, profile=CHECK),
        "red stopped",
        "This was only a check: the file would be stopped.",
        "",
        STOPPED.action,
    ),
}


def said_of(summary: RunSummary) -> tuple[Headline, Sequence[NextStep]]:
    head = document_head(summary)
    headline = headline_of_results(head, summary.findings)
    return headline, next_steps(head, summary.findings, headline)


@pytest.mark.parametrize("case", CASES)
def test_a_report_begins_with_what_happened_and_what_to_do(case: str) -> None:
    """Status, line, numbers and next step. Red: most of the money does not count."""
    summary, status, line, numbers, step = CASES[case]
    headline, (found, *_) = said_of(summary)
    assert (f"{headline.tone} {headline.status}", headline.line) == (status, line)
    words = [", ".join(filter(None, (each.rows, each.money))) for each in headline.numbers]
    assert " | ".join(words) == numbers
    assert step in found.text
    commands = {"a value that the profile does not know": INIT}
    has_fix = found.text.startswith("Owner of the export: Correct th")
    assert found.command == commands.get(case, FIX if has_fix else "")
    assert len(headline.line.split()) <= MAX_WORDS


def test_rows_that_came_too_late_are_a_step_of_their_own() -> None:
    """They do not count either, and nobody can correct them."""
    _, (late, correct) = said_of(summary_of([WRONG_DATE, *TOO_LATE[:2]], unlisted={"uploaded": 9}))
    assert (late.text, late.rows) == (lookup("EXPIRED_EVENT").action, 2)
    assert (correct.text, correct.rows) == (ONE, 1)
    assert correct.why == (
        "The conversion time is in the future. Correct the date: day and month may be swapped."
    )


def test_a_change_of_the_profile_is_a_step_of_its_own() -> None:
    """However many rows it mends: their cells are right. What brings most money comes first. The
    file is uploaded once after all steps, so no command writes the rows of one of them."""
    summary = summary_of(
        [*rejected("DATE_ORDER_UNDECLARED", 2, 3), *rejected("FUTURE_DATE", 4, 5, 6)],
        unlisted={"uploaded": 9},
    )
    _, (correct, profile, upload) = said_of(summary)
    assert (correct.text, correct.rows, correct.command) == (WITHOUT_UPLOAD, 3, "")
    assert profile.text == lookup("DATE_ORDER_UNDECLARED").action
    assert (profile.rows, profile.sums["USD"].micros, profile.command) == (2, 20_000_000, "")
    assert upload.text == AGAIN


def test_a_row_with_a_wrong_cell_too_is_one_to_correct() -> None:
    """A change of the profile alone would not bring it to Google."""
    both = row(2, "rejected", "DATE_ORDER_UNDECLARED", "INVALID_CURRENCY")
    _, (step,) = said_of(summary_of([both], unlisted={"uploaded": 9}))
    assert step.text == ONE


def test_a_setting_that_most_rows_need_leaves_the_others_to_correct() -> None:
    """The command would write all of them, so there is none."""
    listed = [*SETTINGS, *rejected("FUTURE_DATE", 8, 9)]
    _, (setting, correct, upload) = said_of(summary_of(listed, unlisted={"uploaded": 2}))
    assert lookup("DECIMAL_SIGN_MISMATCH").if_most in setting.text
    assert (setting.rows, correct.rows) == (6, 2)
    assert (correct.text, correct.command) == (WITHOUT_UPLOAD, "")
    assert upload.text == AGAIN


def test_a_note_is_a_step_below_the_rows_that_do_not_count() -> None:
    """It counts the rows that Google took, and not those that are among the others."""
    old = "OLD_WITHOUT_CLICK_ID"
    taken = [row(line, "uploaded", warnings=old) for line in (3, 4)]
    listed = [row(2, "rejected", "FUTURE_DATE", warnings=old), *taken]
    notes = [Problem(DENIED, "", "9 of 9 rows")]
    _, (correct, of_file, of_rows) = said_of(summary_of(listed, notes=notes))
    assert correct.text == ONE
    assert (of_file.code, of_file.rows, of_rows.code, of_rows.rows) == (DENIED, 0, old, 2)
    assert of_file.why.endswith("This is so in all or nearly all rows. (9 of 9 rows)")


def test_the_money_of_a_file_that_was_not_read_is_unknown() -> None:
    """`none` and no money would say that nothing is at stake."""
    headline = headline_of(Totals(rows={"not_attempted": 187}), stop="COLUMN_MISSING")
    assert headline.numbers[1] == ("Not counted", "187 rows", "value unknown")


def test_refused_consent_is_counted_beside_the_sales() -> None:
    """A green `324 taken` would say that Google may use them."""
    headline = headline_of(Totals(rows={"uploaded": 324}, denied=320, consenting=4), [DENIED])
    assert headline.line == (
        "Google took all 324 rows, but look at 320: "
        "Consent is refused, so Google must not use the sales."
    )
    assert headline.numbers[0].rows == "324 rows, 320 with refused consent"


def test_google_and_this_function_refuse_in_different_words() -> None:
    """Who has refused the rows decides where people look."""
    not_sent, refused = {"rejected": 2}, {"failed": 2}
    lines = [
        headline_of(Totals(rows=rows)).line
        for rows in (not_sent, refused, not_sent | refused)  # type: ignore[arg-type]
    ]
    assert lines == [
        "None of 2 rows was sent.",
        "Google refused all 2 rows.",
        "Google took none of 4 rows.",
    ]


def test_the_line_says_why_nearly_all_of_the_lost_rows_are_lost() -> None:
    """Not why most are: the others would seem to have the same reason."""
    lines = [
        headline_of(
            Totals(
                rows={"uploaded": 9, "rejected": 10},
                codes={"FUTURE_DATE": CodeTotals(number)},
                reason="FUTURE_DATE",
            )
        ).line
        for number in (10, 9, 8)
    ]
    sent = "Google took 9 of 19 rows; 10 were not sent"
    assert lines == [
        f"{sent} because the conversion time is in the future.",
        f"{sent}, nearly all because the conversion time is in the future.",
        f"{sent}.",
    ]


def test_a_file_that_waits_says_why_rows_are_sent_again_and_until_when() -> None:
    """Google's last word comes within seven days."""
    _, (step,) = said_of(summary_of([row(2, "deferred", "TOO_RECENT_CONVERSION")]))
    assert "after 1 December 2026, ask your engineer" in step.text
    assert step.why == "Why 1 sale is sent again: The conversion is less than 24 hours old."


@pytest.mark.parametrize("code", [code for code, entry in CATALOGUE.items() if entry.needs_look])
def test_a_note_that_needs_somebody_is_never_below_a_green_headline(code: str) -> None:
    """Its first sentence is short enough for the line."""
    headline = headline_of(Totals(rows={"uploaded": 3}), [code])
    assert (headline.status, headline.tone) == ("needs attention", "amber")
    assert inside(first_sentence(lookup(code).meaning)) in headline.line
    assert len(headline.line.split()) <= MAX_WORDS


def test_an_older_value_that_google_may_count_needs_somebody() -> None:
    """Although Google took all rows."""
    not_sent = row(2, "uploaded", warnings="NEWEST_VALUE_NOT_SENT")
    headline, (step,) = said_of(summary_of([not_sent], unlisted={"uploaded": 2}))
    assert (headline.status, headline.tone) == ("needs attention", "amber")
    said = "but look at 1: Google may count an older value of this order."
    assert headline.line == f"Google took all 3 sales, {said}"
    assert step.text == "Owner of the export: Upload the file with the change again."


@pytest.mark.parametrize("outcome", ["rejected", "failed", "not_attempted", "deferred"])
def test_a_file_with_rows_that_do_not_count_is_never_done(outcome: Outcome) -> None:
    """Nor is one with rows that wait."""
    assert headline_of(Totals(rows={"uploaded": 999, outcome: 1})).tone != "green"


def test_the_longest_line_has_twenty_words() -> None:
    """All clauses at once still fit."""
    totals = Totals(
        rows={"uploaded": 30, "rejected": 4, "failed": 1, "deferred": 5},
        corrections={"uploaded": 1},
        awaiting=9,
    )
    line = headline_of(totals).line
    assert line == (
        "Google took 21 of 40 rows; 5 do not count; it is still checking 9; "
        "5 are sent again automatically."
    )
    assert len(line.split()) == MAX_WORDS
    assert with_objection(line, "One more.") == "One more."


def test_rows_whose_value_is_unknown_are_mostly_lost_by_their_number() -> None:
    """One lost row with a small value does not hide the ninety without one."""
    sent = [row(line, "uploaded", micros=9_000_000) for line in range(2, 11)]
    unread = [row(line, "rejected") for line in range(11, 101)]
    small = row(101, "rejected", micros=1_000_000)
    assert Totals.of([*sent, *unread]).is_mostly_lost
    assert Totals.of([*sent, *unread, small]).is_mostly_lost
    assert Totals.of([*sent, unread[0], row(101, "rejected", micros=90_000_000)]).is_mostly_lost
    assert not Totals.of([*sent, unread[0], small]).is_mostly_lost


def test_rows_that_are_worth_nothing_are_mostly_lost_by_their_number() -> None:
    """0 of 0 USD is no share, so three of four rows count."""
    worthless = [each._replace(micros=0) for each in WRONG_DATES]
    totals = Totals.of([*worthless, row(9, "uploaded", micros=0)])
    assert totals.is_mostly_lost
    assert not Totals.of([*worthless[:1], row(9, "uploaded", micros=0)]).is_mostly_lost


def test_rows_and_notes_are_reasons_to_look() -> None:
    """Notes first: they are about the whole file."""
    totals = Totals.of([row(3, "duplicate", "REPEATED_WITH_OTHER_VALUE")])
    assert looks_of(["ENCODING_GUESSED", DENIED], totals) == [DENIED, "REPEATED_WITH_OTHER_VALUE"]


def test_the_command_is_safe_to_paste() -> None:
    """A shell takes the name of a file as one word, whatever it contains."""
    source = StoredObject("in", "a/b $(rm -r).csv", 5, 1)
    _, (step,) = said_of(summary_of([WRONG_DATE], run={"source": source}))
    assert step.command.endswith("fix 'b $(rm -r).csv' 'b $(rm -r).csv.5.results.json'")


def test_a_file_on_a_disk_is_corrected_where_it_is() -> None:
    """The results of an offline check have no bucket, so `fix` is not the next step."""
    summary = summary_of([WRONG_DATE], run={"source": StoredObject("", "deals.csv", 1, 1)})
    _, (step,) = said_of(summary)
    assert (step.command, step.text) == (
        "",
        "Owner of the export: Correct this sale in the file, and check it again.",
    )
