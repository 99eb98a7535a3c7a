"""The screen of `init`: everything before it is written, and what changes an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.catalogue.codes import lookup
from lib.catalogue.texts import first_sentence
from tests.cli.test_init import ANSWERS, CLICKS, DEALS, OPTIONS, answer, folder, init, saved, script

__all__ = ["folder"]


def screen(output: str) -> str:
    """The last screen, with single spaces."""
    text = output.rpartition('Profile "')[2]
    return " ".join(text.split())


def test_the_screen_shows_each_answer_beside_what_google_gets() -> None:
    """The samples come from the rules of a run."""
    shown = screen(answer().output)
    for text in (
        'default" for deals.csv, names in line 1',
        "Opt-in Yes (2 rows) → GRANTED No (1 row) → DENIED (empty) (1 row) → nothing is stated",
        "Stage: Won → sale Stage: a value not listed → rejected",
        "Closed 2026-11-20 10:00:00 → 20 November 2026, 10:00:00 (-06:00)",
        "Amount 100.50 → 100.50 USD",
        "Number: 4 different in 4 sales",
        "ann@example.com → ann@example.com, hashed",
        "(212) 555-0101 → +12125550101, hashed",
    ):
        assert text in shown


def test_the_funnel_leads_from_all_rows_to_a_sum() -> None:
    """Each column of `skip` has its number, and each reason of a refusal its lines."""
    shown = screen(answer(left_out=["Account", "Test", "Opt-in", "No", "no others"]).output)
    for text in (
        "6 rows in the file",
        "-2 left out by Stage: Lost, Lead",
        "-1 left out by Account: Test",
        "-1 left out by Opt-in: No",
        "-1 rejected, line 7: The row has no click ID",
        "1 sent to Google: 1 sale, 100.50 USD Is this right?",
        "Columns that are not used: Deal",
    ):
        assert text in shown


def test_warnings_of_rows_that_are_sent_are_counted() -> None:
    """Each has its meaning, its code and its number of rows."""
    shown = screen(answer(DEALS.replace("2026-11-20 10:00:00", "2026-11-20", 1)).output)
    assert "1 of them with a warning: The cell has a date without a time" in shown
    assert "(DATE_WITHOUT_TIME)" in shown


def test_refunds_and_new_values_are_counted_and_shown_apart() -> None:
    """There is one sample of each, with its value."""
    rows = "".join(
        f"Rug,Won,2026-11-21 14:00:0{n},{n}.00,EUR,200{n},{CLICKS[0]},,,Yes,Acme\n"
        for n in range(5)
    )
    done = answer(
        f"{DEALS}{rows}",
        refunds="Lost",
        new_value="Amount",
        time_of_change="Closed",
    )
    assert done.exit_code == 0, done.output
    shown = screen(done.output)
    assert "Stage: Lost → new value" in shown
    assert "1 new value" in shown
    samples = shown.partition("Some of them")[2]
    assert "2026-11-20 12:00:00-06:00" in samples
    assert "300.00 USD" in samples
    assert "order 1003" in samples


def test_sales_that_differ_are_shown() -> None:
    """One that was refused consent, and one without a click, are unlike the first."""
    shown = screen(answer().output)
    for line in (2, 3, 6):
        assert f"line {line}: 2026-11-2" in shown
    assert CLICKS[0] not in shown.partition("Some of them")[2]


def test_a_click_id_that_looks_like_none_is_among_the_samples() -> None:
    """A note in the same column would be sent as a click ID."""
    shown = screen(answer(DEALS.replace(CLICKS[1], "TEL-2281-77")).output)
    assert "TEL-2281-77 → TEL-2281-77" in shown


@pytest.mark.parametrize(
    "answers, is_named",
    [
        ({"gclid": ["none"] * 3}, True),
        ({"gclid": "", "order_ID": "Click"}, True),
        ({"gclid": ["none", "Click"]}, False),
        ({}, False),
    ],
)
def test_click_ids_that_are_not_sent_are_named(answers: dict[str, Any], is_named: bool) -> None:
    """Nobody is to lose them without a word, even if they are the order ID."""
    said = 'Click ID (gclid) none But the cells of "Click" look like click IDs'
    assert (said in screen(answer(**answers).output)) == is_named


def test_click_ids_of_an_existing_profile_are_asked_for_when_they_are_free() -> None:
    """They were its order ID."""
    columns = [each.replace("order_id=Number", "order_id=Click") for each in OPTIONS["--column"]]
    script(column=[each for each in columns if not each.startswith("gclid")] + ["email=Mail"])
    done = init(DEALS, ["6", "Number", "Click", "s"])
    assert done.exit_code == 0, done.output
    assert saved()["columns"]["order_id"] == "Number"
    assert saved()["columns"]["gclid"] == "Click"


def test_a_new_stage_is_named() -> None:
    """Another file of the profile may have a value that nobody has listed."""
    script()
    shown = screen(init(DEALS.replace(",Lead,", ",On hold,"), ["q"]).output)
    meaning = first_sentence(lookup("NO_ENTRY_FITS").meaning)
    assert f"-1 rejected, line 5: {meaning}" in shown


def test_a_change_asks_only_what_it_makes_open() -> None:
    """With another API, the action's name is no answer any more."""
    lines = [*ANSWERS, "Sent by", "15", "Data Manager API", "7155501002", "s"]
    done = init(DEALS, lines)
    assert done.exit_code == 0, done.output
    assert "Answer with a number from 1 to" in done.output
    assert (saved()["destination"], saved()["action"]) == ("data_manager", "7155501002")


def test_another_stage_replaces_what_is_left_out() -> None:
    """The rows of the answer before are not kept."""
    done = init(DEALS, [*ANSWERS, "1", "Stage", "Lost", "0", "0", "s"])
    assert done.exit_code == 0, done.output
    assert saved()["skip"] == {"Stage": ["Won", "Lead"]}


def test_a_column_that_is_left_out_by_stays_if_another_is_added() -> None:
    """The question shows what is left out now."""
    lines = ["2", "Account", "Test", "no others"]
    lines += ["2", "Currency", "=EUR", "no others", "s"]
    done = init(DEALS, [*ANSWERS, *lines])
    assert done.exit_code == 0, done.output
    assert "Left out: Account: Test" in done.output
    assert saved()["skip"] == {"Stage": ["Lost", "Lead"], "Account": ["Test"], "Currency": ["EUR"]}


def test_each_column_says_what_happens_to_a_value_that_the_file_lacks() -> None:
    """It is the answer to the question of that column."""
    lines = ["2", "Account", "only Acme", "Currency", "=EUR", "no others", "q"]
    done = init(DEALS, [*ANSWERS, *lines])
    assert done.exit_code == 0, done.output
    shown = screen(done.output)
    assert "Account: a value not listed → rejected" in shown
    assert "Currency: a value not listed → sent" in shown
    assert "Stage: a value not listed → rejected" in shown


def test_a_profile_that_stops_its_file_is_not_saved() -> None:
    """Without a person and without a click nothing can be sent."""
    lines = [*ANSWERS]
    start = lines.index("Click")
    lines[start : start + 3] = ["none"] * 5  # gclid, gbraid, wbraid, email, phone
    lines.remove("US")
    done = init(DEALS, [*lines, "s", "q"])
    assert "no column by which the Google Ads API finds the conversion" in done.output
    assert "It cannot be saved yet" in done.output


def test_an_existing_profile_begins_on_the_screen() -> None:
    """Its answers can be changed, and the other profiles of the document stay."""
    script()
    document = json.loads(Path("profiles.json").read_text())
    Path("profiles.json").write_text(json.dumps({"shop": {"destination": "x"}, **document}))
    done = init(DEALS, ["2", "Account", "Test", "no others", "s"], "--profiles", "profiles.json")
    assert done.exit_code == 0, done.output
    assert done.output.lstrip().startswith('Profile "default" for deals.csv')
    assert saved()["skip"] == {"Stage": ["Lost", "Lead"], "Account": ["Test"]}
    assert json.loads(Path("profiles.json").read_text())["shop"] == {"destination": "x"}
    assert "Account 1234567890" in screen(done.output)


def test_another_file_of_a_profile_says_what_it_lacks() -> None:
    """The screen has the name of the column that is missing."""
    script()
    done = init(DEALS.replace("Amount", "Net"), ["q"])
    assert done.exit_code == 0, done.output
    assert 'missing: "Amount"' in screen(done.output)
    assert "Value Amount (not in this file)" in screen(done.output)


def test_a_value_of_an_entry_hides_the_column_of_the_profile() -> None:
    """A profile that somebody has written is shown as a run reads it."""
    script()
    document = json.loads(Path("profiles.json").read_text())
    document["default"]["conversions"].append(
        {"rows": {"Stage": ["Lead"]}, "action": "Lead", "value": 50}
    )
    document["default"] |= {"skip": {"Stage": ["Lost"]}, "value": "action_default"}
    Path("profiles.json").write_text(json.dumps(document))
    shown = screen(init(DEALS, ["q"]).output)
    assert "Value Amount 100.50 → 100.50 USD" in shown
    assert "(empty) → the value that the action has in Google Ads" in shown
    assert "Value (Lead) 50" in shown
    assert "1 conversion (Lead), 50.00 USD" in shown


@pytest.mark.parametrize(
    "document, said",
    [
        ("{", "is not valid JSON"),
        ('// Ann\n{"default": {}}', "has comments, which would be lost"),
        ('{"default": {"customer_id": "1"}}', 'profile "default": destination: not set'),
    ],
)
def test_a_document_that_cannot_be_kept_is_refused(document: str, said: str) -> None:
    """Exit code 2, and the document stays as it is."""
    Path("profiles.json").write_text(document)
    done = init(DEALS, ["q"])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert Path("profiles.json").read_text() == document


def test_a_name_that_is_there_twice_is_refused() -> None:
    """Exit code 1 or 2, with the reason, and nothing is written."""
    done = script(DEALS.replace("Deal,Stage", "Stage ,Stage", 1))
    assert (done.exit_code, Path("profiles.json").exists()) == (2, False)
    assert 'several columns "Stage"' in done.output
