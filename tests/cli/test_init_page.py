"""The page of `init`: each decision, each refusal, and the profile that is written."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lib.cli.init.look import MAX_ROWS, read_sample
from tests.cli.person import Person, person_with
from tests.cli.test_init import CLICKS, DEALS

COLUMNS = {
    "Closed": "conversion_date_time",
    "Amount": "conversion_value",
    "Currency": "currency_code",
    "Number": "order_id",
    "Click": "gclid",
    "Mail": "email",
    "Phone": "phone",
    "Opt-in": "ad_user_data",
}
ANSWERS = {
    "time_zone": "America/Chicago",
    "country_code": "US",
    "destination": "Google Ads API",
    "customer_id": "123-456-7890",
    "conversion_action": "Closed deal",
    "expect": "any time",
}
REFUND_KINDS = ["a refund of the whole sale", "a change: a column has the new total"]
STAGES = {"Won": "a sale", "Lost": "left out", "Lead": "left out"}
GOOGLE = {"destination": "google_ads", "customer_id": "1234567890", "expect": "any time"}

Open = Callable[..., Person]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open the page for a file."""

    def page(content: str = DEALS, **keys: Any) -> Person:
        return person_with(tmp_path, content, **keys)

    return page


def answer(
    person: Person,
    columns: Mapping[str, str] = COLUMNS,
    stages: Mapping[str, str] = STAGES,
    **answers: str,
) -> Person:
    """Answer everything. An answer of "" leaves the question out."""
    for column, meaning in columns.items():
        person.mean(column, meaning)
    if stages:
        person.mean("Stage", "decides")
        person.decide("Stage", **stages)
    for question, text in {**ANSWERS, **answers}.items():
        if text:
            person.answer(question, text)
    return person


def without(*names: str) -> dict[str, str]:
    """The columns without some."""
    return {column: field for column, field in COLUMNS.items() if column not in names}


def test_the_answers_become_a_profile(opened: Open) -> None:
    """There is one key for each answer, and what is not chosen is left out by name."""
    person = answer(opened())
    assert person.open() == []
    assert person.save() == {
        **GOOGLE,
        "action": "Closed deal",
        "columns": {field: column for column, field in COLUMNS.items()},
        "conversions": [{"rows": {"Stage": ["Won"]}}],
        "skip": {"Stage": ["Lost", "Lead"]},
        "time_zone": "America/Chicago",
        "phone_region": "US",
    }


def test_nothing_is_chosen_before_somebody_does(opened: Open) -> None:
    """A suggestion is a button. No control has a value, and nothing can be saved."""
    page = opened().page
    assert {control.value for control in page.controls.values()} == {""}
    assert not page.can_save
    assert {row.name: row.suggestion for row in page.columns if row.suggestion} == {
        "Stage": "decides",
        "Closed": "conversion_date_time",
        "Amount": "conversion_value",
        "Currency": "currency_code",
        "Number": "order_id",
        "Click": "gclid",
        "Mail": "email",
        "Phone": "phone",
        "Opt-in": "ad_user_data",
    }


@pytest.mark.parametrize(
    "name, cells, suggested",
    [
        ("TaxTotal", ["15800.00", "1200.00"], ""),
        ("InvoiceNumber", ["INV-1", "INV-2"], "order_id"),
        ("Item ID", ["5551", "5552"], "order_id"),
        ("Teléfono", ["600 555 010", "600 555 011"], "phone"),
        ("Order number", ["5035550142", "5035550143"], "order_id"),
        ("Reference", ["5035550142", "5035550143"], "order_id"),
        ("Canceled", ["true", "false"], "decides"),
        ("Test Record", ["true", "false"], "decides"),
        ("Is Test", ["true", "false"], "decides"),
        ("Demo account", ["Yes", "No"], "decides"),
        ("Internal", ["1", "0"], "decides"),
        (
            "Deal Owner Email",
            ["ann@example.com", "bob@example.com"] * 4 + ["cy@example.com"],
            "email",
        ),
        ("Deal Owner Email", ["ann@example.com", "bob@example.com"] * 5, ""),
        ("Store Phone", ["(212) 555-0101", "(212) 555-0102"] * 5, ""),
        ("Email", [f"{name}@example.com" for name in "aabbccddeeff"], "email"),
        ("Subscribed", ["1", "0"], ""),
        ("Notes", ["ann@example.com", "bob@example.com"], "email"),
        ("Devise", ["EUR", "USD"], "currency_code"),
        ("Result", ["Won", "Won", "Lost"], ""),
    ],
)
def test_a_suggestion_needs_the_name_and_the_cells(
    opened: Open, name: str, cells: list[str], suggested: str
) -> None:
    """Only an address and a click ID are known by the cells alone; every column has every menu."""
    person = opened(f"{name},Other\n" + "".join(f"{cell},x\n" for cell in cells))
    row = person.page.columns[0]
    assert row.suggestion == suggested
    values = {option.value for option in row.menus[0].options}
    assert {"gclid", "phone", "order_id", "decides", "conversion_value"} <= values


@pytest.mark.parametrize(
    "names, suggested",
    [
        ("Created Date,Closing Date,Refund Time,Won Time", ["Won Time"]),
        ("Created Date,Close Date,Last Modified Date", ["Close Date"]),
        ("Expected Close Date,CreateDate,Updated at", []),
        ("Order Date,Delivery Date", []),
        ("Order Date,Paid at,Closed On", []),
        ("Created at", []),
    ],
)
def test_only_one_time_is_suggested(opened: Open, names: str, suggested: list[str]) -> None:
    """That of a won, paid or closed sale before any other, and none that is surely another time."""
    cells = ",".join(["2026-11-20 10:00:00"] * (names.count(",") + 1))
    person = opened(f"Other,{names}\nx,{cells}\n")
    assert [row.name for row in person.page.columns if row.suggestion] == suggested


def test_an_amount_that_is_not_that_of_the_sale_is_not_suggested(opened: Open) -> None:
    """It is a forecast, that of a refund, or the same amount in another currency."""
    names = "Amount,Amount (Company Currency),Converted Amount,Expected Revenue,Weighted amount"
    person = opened(f"{names},Forecast Amount,Refund value\n{','.join(['10.50'] * 7)}\n")
    assert [row.name for row in person.page.columns if row.suggestion] == ["Amount"]


ACTION_VALUE = "the value that the action has in Google Ads"
CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"columns": without("Opt-in"), "ad_user_data": "all people in this file agreed"},
        {"ad_user_data": "GRANTED"},
    ),
    (
        {"stages": {**STAGES, "Lead": "a sale"}},
        {"conversions": [{"rows": {"Stage": ["Won", "Lead"]}}]},
    ),
    ({"columns": without("Amount"), "conversion_value": "49.90"}, {"value": 49.9}),
    ({"columns": without("Amount"), "conversion_value": ACTION_VALUE}, {"value": "action_default"}),
    ({"columns": without("Currency"), "currency_code": "€"}, {"currency_code": "EUR"}),
    ({"country_code": "Austria"}, {"phone_region": "AT"}),
    (
        {"destination": "Data Manager API", "conversion_action": "7155501002"},
        {"destination": "data_manager", "action": "7155501002"},
    ),
    (
        {"expect": "every Monday, thu by 6:30 Europe/Berlin"},
        {"expect": "every Monday, thu by 6:30 Europe/Berlin"},
    ),
]


@pytest.mark.parametrize("answers, keys", CHANGES)
def test_each_answer_is_a_key(
    opened: Open, answers: dict[str, Any], keys: Mapping[str, Any]
) -> None:
    """Other answers to a question give other values of its keys."""
    person = answer(opened(), **answers)
    assert person.open() == []
    profile = person.save()
    assert {key: profile[key] for key in keys} == keys


@pytest.mark.parametrize(
    "question, wrong, said",
    [
        ("time_zone", "Mars", "Not the time zone of a place. Write one such as America/Chicago."),
        ("time_zone", "Mars/North", "Not an IANA time zone."),
        ("time_zone", "EST", "Write one such as America/Chicago."),
        ("expect", "every day by 06:30 Chicago", "Not the time zone of a place."),
        ("expect", "each night", "Not understood. Write"),
        ("country_code", "Ruritania", "Not known. Write two capital letters, such as DE."),
        ("customer_id", "12345", "Wrong format. Write the 10 digits of a Google Ads account"),
    ],
)
def test_a_wrong_answer_is_refused_where_it_is_given(
    opened: Open, question: str, wrong: str, said: str
) -> None:
    """What was typed stays beside the reason, and the rest goes on."""
    person = answer(opened(), **{question: ""})
    person.answer(question, wrong)
    assert said in person.refused()
    assert f'value="{wrong}"' in person.html
    person.answer(question, ANSWERS[question])
    assert (person.refused(), person.open()) == ("", [])


@pytest.mark.parametrize(
    "column, meaning, said",
    [
        (
            "Stage",
            "ad_user_data",
            'No cell of "Stage" can be read as: yes or no. If it tells who refused, choose '
            "“decides which rows count”, and leave out these people.",
        ),
        ("Amount", "conversion_date_time", 'No cell of "Amount" can be read as: date or time.'),
        ("Deal", "conversion_value", 'No cell of "Deal" can be read as: amount.'),
        ("Mail", "gclid", 'No cell of "Mail" can be read as: click ID.'),
    ],
)
def test_a_column_that_cannot_mean_it_is_refused(
    opened: Open, column: str, meaning: str, said: str
) -> None:
    """No cell of it can be read."""
    person = opened()
    person.mean(column, meaning)
    assert person.refused() == said
    assert "columns" not in person.session.draft.profile


@pytest.mark.parametrize("cell", ["Euro", "US Dollar", "€", "usd", "EUR - Euro"])
def test_each_currency_that_a_run_reads_may_be_chosen(opened: Open, cell: str) -> None:
    """Also a name, which is suggested to nobody: the stage of a deal may be `Won`."""
    person = opened(f"Devise,Montant\n{cell},10\n")
    person.mean("Devise", "currency_code")
    assert person.refused() == ""


# ── columns ──────────────────────────────────────────────────────────────────────────────────


def test_a_second_address_has_a_name_of_its_own(opened: Open) -> None:
    """Several columns of people are `email` and `email_2`, those of another field replace."""
    header, *rows = DEALS.splitlines()
    rows = [f"{row},work{number}@example.com" for number, row in enumerate(rows)]
    person = answer(opened("\n".join([f"{header},Work", *rows])))
    person.mean("Work", "email")
    person.mean("Account", "order_id")
    columns = person.save()["columns"]
    assert (columns["email"], columns["email_2"]) == ("Mail", "Work")
    assert columns["order_id"] == "Account"
    (row,) = (row for row in person.page.columns if row.name == "Work")
    person.press(row.menus[0].name, "")
    assert "email_2" not in person.session.draft.profile["columns"]


def test_columns_of_one_name_cannot_be_used(opened: Open) -> None:
    """The page says so at once, and what needs none of them can be saved."""
    header, *rows = DEALS.splitlines()
    doubled = "\n".join([f"{header},MAIL", *(f"{row},owner@example.com" for row in rows)])
    person = opened(doubled)
    same = [row for row in person.page.columns if row.name in ("Mail", "MAIL")]
    assert [(row.menus, row.suggestion, row.is_repeated) for row in same] == [([], "", True)] * 2
    assert person.html.count("several times in this file") == 2
    answer(person, without("Mail"))
    assert "email" not in person.save()["columns"]


def test_a_column_replaces_the_answer_for_all_rows(opened: Open) -> None:
    """What one value said of every row is not that of the empty cells of the column."""
    person = answer(opened(), without("Amount", "Opt-in"))
    person.answer("conversion_value", "50")
    person.answer("ad_user_data", "all people in this file agreed")
    person.mean("Amount", "conversion_value")
    person.mean("Opt-in", "ad_user_data")
    assert {"value", "ad_user_data"}.isdisjoint(person.save())


@pytest.mark.parametrize(
    "columns, api, is_found",
    [
        ({}, None, False),
        ({"hashed_phone_number": "Phone"}, None, True),
        ({"session_attributes_encoded": "Deal"}, None, True),
        ({"session_attributes_encoded": "Deal"}, "google_ads", False),
        ({"session_attributes_encoded": "Deal"}, "data_manager", True),
        ({"first_name": "Deal"}, "data_manager", False),
    ],
)
def test_what_finds_a_sale_is_asked_unless_a_column_does(
    opened: Open, columns: dict[str, str], api: str | None, is_found: bool
) -> None:
    """As the chosen API can, or any if none is chosen; of an address, all parts are needed."""
    keys: dict[str, Any] = {"columns": columns} if columns else {}
    person = opened(**keys, **({"destination": api} if api else {}))
    person.press("rows", "conversion")
    asked = "A click ID, an email address or a phone number"
    assert (asked not in person.open()) is is_found


def test_a_column_may_mean_two_things(opened: Open) -> None:
    """Consent that was refused may leave a row out, too."""
    person = answer(opened())
    person.mean("Opt-in", "decides")
    person.decide("Opt-in", Yes="a sale", No="left out", **{"(empty)": "left out"})
    profile = person.save()
    assert profile["columns"]["ad_user_data"] == "Opt-in"
    assert profile["skip"]["Opt-in"] == ["No", ""]


def test_samples_are_those_of_sales(opened: Open) -> None:
    """As soon as it is known which rows are sales."""
    content = DEALS.replace("Racks", "Zebra").replace("\nZebra,Won", "\nZebra,Lost")
    person = opened(content)
    assert person.page.columns[0].samples == ["Zebra", "Bins", "Tape"]
    person.mean("Stage", "decides")
    person.decide("Stage", Won="a sale")
    assert person.page.columns[0].samples == ["Bins", "Lamp", "Sofa"]


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def test_values_have_their_rows_and_their_sum(opened: Open) -> None:
    """The sum is that of the column of values, as far as it can be read."""
    person = answer(opened())
    (rows,) = person.page.deciders.values()
    assert [(row.text, row.rows, row.amount) for row in rows] == [
        ("Won", 4, 1400.5),
        ("Lost", 1, 300.0),
        ("Lead", 1, 400.0),
        ("any other value", 0, None),
    ]


@pytest.mark.parametrize(("has_fix_columns", "rows"), [(False, 0), (True, 2)])
def test_only_a_file_that_fix_did_not_write_has_a_footer(
    opened: Open, has_fix_columns: bool, rows: int
) -> None:
    """Each row that `fix` wrote is one to correct, however empty it is."""
    column, cell = ("fix: line,", "7,") if has_fix_columns else ("", "")
    header, *deals = DEALS.splitlines()
    lines = (cell + each for each in (*deals, ",Lost,,,,,,,,,", ",Lost,,,,,,,,,"))
    person = answer(opened("\n".join([column + header, *lines, ""])))
    (found,) = person.page.deciders.values()
    assert next(each.rows for each in found if each.text == "Lost") == 1 + rows


def test_a_value_that_nobody_decided_blocks_the_save(opened: Open) -> None:
    """It is the first of what is missing, and its rows are in the panel as refused."""
    person = answer(opened(), stages={"Won": "a sale", "Lost": "left out"})
    assert person.open() == ["“Stage”: 1 to decide"]
    with pytest.raises(Exception, match="Nothing was saved"):
        person.save()


def test_a_column_that_decides_no_longer_takes_its_refunds_along(opened: Open) -> None:
    """Their entry would take all rows, so that each sale became a refund of itself."""
    person = opened(REFUNDS)
    refunds(person, Refund="a refund of the whole sale")
    person.mean("Related", "decides")
    for value in [*person.session.draft.values_of(person.session.draft.deciders[1])]:
        person.decide("Related", **{value.text or "(empty)": "what the other columns say"})
    menu = next(row for row in person.page.columns if row.name == "Type").menus[0]
    person.press(menu.name, "")
    assert [entry.get("send") for entry in person.session.draft.entries] == [None]


def test_a_new_value_is_heard_of_or_left_out(opened: Open) -> None:
    """It is never a sale."""
    person = answer(opened())
    control = person.value("Stage", "any other value")
    assert [option.value for option in control.options] == ["", "out"]
    person.choose(control, "left out")
    assert person.save()["skip"] == {"Stage": ["Lost", "Lead", "*"]}


def test_another_value_may_be_what_the_other_columns_say(opened: Open) -> None:
    """A column that only names exceptions lets other values pass, whether it has few or many. Then
    they are no sale by themselves, and the page says how the columns count together."""
    person = answer(opened())
    assert "All of these columns count" not in person.html
    for column, value in (("Account", "Test"), ("Phone", "(212) 555-0101")):
        person.mean(column, "decides")
        assert [option.label for option in person.value(column, "any other value").options] == [
            "refused until you decide" if column == "Account" else "choose for all at once …",
            *([] if column == "Account" else REFUND_KINDS),
            "what the other columns say",
            "left out, and nobody is told",
        ]
        person.decide(column, **{value: "left out", "any other value": "what the other"})
    person.decide("Account", Acme="a sale")
    person.decide("Phone", **{"(empty)": "a sale"})
    assert "All of these columns count" in person.html
    control = person.value("Account", "any other value")
    assert control.value == "any"
    assert person.open() == []
    (entry,) = person.save()["conversions"]
    assert entry["rows"] == {"Stage": ["Won"], "Account": ["*", "Acme"], "Phone": ["*", ""]}


def test_a_value_whose_rows_another_column_leaves_out_is_not_decided(opened: Open) -> None:
    """It may wait, and the page does not call it answered."""
    person = answer(opened())
    person.mean("Opt-in", "decides")
    person.decide("Opt-in", Yes="a sale", No="a sale", **{"(empty)": "left out"})
    person.mean("Account", "decides")
    person.decide("Account", Acme="a sale")
    control = person.value("Account", "Test")
    assert (control.is_open, control.value) == (False, "")
    assert control.options[0].label == "not decided: another column leaves these rows out"
    person.decide("Account", Test="left out")
    assert person.save()["skip"]["Account"] == ["Test"]


def test_another_conversion_has_its_own_time_value_currency_and_action(opened: Open) -> None:
    """It is another entry, and what it has is not that of the others."""
    person = answer(opened(), stages={**STAGES, "Lead": "a sale of another action"})
    titles = [title for title in person.open() if "(Lead)" in title]
    assert titles == ["When it happened (Lead)", "Value (Lead)", "Action (Lead)"]
    person.answer("conversion_date_time", "Closed", 1)
    person.answer("conversion_value", "50", 1)
    assert person.open() == ["Currency (Lead)", "Action (Lead)"]
    person.answer("currency_code", "GBP", 1)
    person.answer("conversion_action", "Qualified lead", 1)
    profile = person.save()
    assert profile["conversions"] == [
        {"rows": {"Stage": ["Won"]}},
        {
            "rows": {"Stage": ["Lead"]},
            "columns": {
                "conversion_date_time": "Closed",
                "conversion_value": None,
                "currency_code": None,
            },
            "value": 50,
            "currency_code": "GBP",
            "action": "Qualified lead",
        },
    ]
    assert ("currency_code" in profile, profile["columns"]["currency_code"]) == (False, "Currency")
    for text in ("sale (Qualified lead), 50.00 GBP", "sales (Closed deal), 800.50 USD"):
        assert text in person.html


def test_each_fixed_value_beside_a_column_has_its_own_currency(opened: Open) -> None:
    """The first conversion too: the column of currencies is about the values in the file."""
    stages = {**STAGES, "Lead": "a sale of another action"}
    person = answer(opened(), without("Amount"), stages, conversion_value="50")
    person.answer("conversion_date_time", "Closed", 1)
    person.answer("conversion_value", "Amount", 1)
    person.answer("conversion_action", "Qualified lead", 1)
    assert person.open() == ["Currency (Won)"]
    person.answer("currency_code", "GBP", 0)
    profile = person.save()
    won, lead = profile["conversions"]
    assert (profile["value"], won["currency_code"]) == (50, "GBP")
    assert "currency_code" not in lead
    for text in ("sales (Closed deal), 150.00 GBP", "sale (Qualified lead), 400.00 USD"):
        assert text in person.html


def test_the_currency_of_empty_cells_is_not_that_of_another_conversion(opened: Open) -> None:
    """A sale without one is in the account's currency until somebody says more, and the lead keeps
    its own."""
    person = answer(
        opened(DEALS.replace("100.50,USD", "100.50,", 1)),
        stages={**STAGES, "Lead": "a sale of another action"},
    )
    person.answer("conversion_date_time", "Closed", 1)
    person.answer("conversion_value", "50", 1)
    person.answer("currency_code", "GBP", 1)
    person.answer("conversion_action", "Qualified lead", 1)
    of_empty = person.page.controls["q.currency_code"]
    assert [option.label for option in of_empty.options] == ["the account's currency"]
    assert of_empty.value == of_empty.options[0].value
    assert "100.50 (the account&#39;s currency)" in person.html
    person.answer("currency_code", "EUR")
    profile = person.save()
    assert (profile["currency_code"], profile["conversions"][1]["currency_code"]) == ("EUR", "GBP")
    person.answer("currency_code", "the account's currency")
    profile = person.save()
    assert "currency_code" not in profile
    assert profile["conversions"][1]["currency_code"] == "GBP"


def test_an_empty_country_leaves_out_the_phone_number(opened: Open) -> None:
    """Its row is sent."""
    person = opened(DEALS.replace("Acme", "US").replace("US\nBins", "\nBins"))
    answer(person, {**COLUMNS, "Account": "country_code"}, country_code="")
    label = person.page.controls["q.country_code"].options[0].label
    assert label == "not known, so that a phone number without + is left out"


REFUNDS = f"""\
Type,Time,Amount,Order,Related,Rest,Click
Payment,2026-11-20 10:00:00,100.50,T-1,,,{CLICKS[0]}
Payment,2026-11-20 11:00:00,200.00,T-2,,,{CLICKS[1]}
Refund,2026-11-21 10:00:00,-100.50,T-3,T-1,0.00,
Part,2026-11-21 11:00:00,-50.00,T-4,T-2,150.00,
Refund,2026-11-22 10:00:00,-80.00,T-5,T-0,0.00,
"""
OF_REFUNDS = {
    "Time": "conversion_date_time",
    "Amount": "conversion_value",
    "Order": "order_id",
    "Click": "gclid",
    "Type": "decides",
}


def refunds(person: Person, **types: str) -> Person:
    """Answer everything about REFUNDS but what is special of refunds."""
    for column, meaning in OF_REFUNDS.items():
        person.mean(column, meaning)
    person.decide("Type", Payment="a sale", **types)
    consent = "all people in this file agreed"
    return answer(person, {}, {}, ad_user_data=consent, country_code="", currency_code="USD")


def test_which_column_names_the_refunded_sale_is_asked(opened: Open) -> None:
    """Each column says how many of its cells are among the sales. Data Manager restates only."""
    person = refunds(opened(REFUNDS), Refund="a refund", Part="a change")
    assert person.open() == [
        "New total (Part)",
        *("When it was refunded (Refund)", "When it was refunded (Part)"),
        *("Which sale (Refund)", "Which sale (Part)"),
    ]
    control = person.page.controls["q.1.order_id"]
    notes = {option.label: option.note for option in control.options}
    assert notes["Related"] == "1 of 2 name a sale of this file"
    assert notes["Order"] == ""
    for entry in (1, 2):
        person.answer("adjustment_date_time", "Time", entry)
        person.answer("order_id", "Related", entry)
    person.answer("adjusted_value", "Rest", 2)
    assert person.open() == []
    profile = person.save()
    assert profile["conversions"][1:] == [
        {
            "send": "retraction",
            "columns": {"adjustment_date_time": "Time", "order_id": "Related"},
            "rows": {"Type": ["Refund"]},
        },
        {
            "send": "restatement",
            "columns": {
                "adjustment_date_time": "Time",
                "order_id": "Related",
                "adjusted_value": "Rest",
            },
            "rows": {"Type": ["Part"]},
        },
    ]
    assert "1 of them are about a sale of this file" in person.html
    assert "cannot find the sale of a refund or change if it was never uploaded" in person.html
    assert "without another row for the sale" not in person.html
    assert "“Time” is the time of sales and of refunds" in person.html


@pytest.mark.parametrize("paid_back, is_part", [("-100.50", False), ("-30.00", True), ("", False)])
def test_a_refund_of_less_than_its_sale_is_said(
    opened: Open, paid_back: str, is_part: bool
) -> None:
    """Google would take back the whole sale."""
    person = refunds(
        opened(REFUNDS.replace("-100.50", paid_back)), Refund="a refund", Part="left out"
    )
    person.answer("adjustment_date_time", "Time", 1)
    person.answer("order_id", "Related", 1)
    assert ("1 refund of less than the sale" in person.html) == is_part


def test_the_answers_of_a_column_of_consent_are_read_aloud(opened: Open) -> None:
    """A column of those who refuse would turn each answer round."""
    content = DEALS.replace("Opt-in", "Opt-out")
    person = opened(content)
    person.mean("Opt-out", "ad_user_data")
    (row,) = (row for row in person.page.columns if row.name == "Opt-out")
    assert row.uses == ["Yes (4): agreed, No (1): refused, (empty) (1): not stated"]


def test_a_change_shows_the_data_that_is_sent_again(opened: Open) -> None:
    """The Data Manager API gets the whole sale once more, with the person whom it is about."""
    content = (
        "Type,Time,Amount,Order,Mail,Rest,Click\n"
        f"Payment,2026-11-20 10:00:00,200.00,T-2,ann@example.com,,{CLICKS[1]}\n"
        f"Part,2026-11-20 10:00:00,200.00,T-2,ann@example.com,150.00,{CLICKS[1]}\n"
    )
    person = refunds(opened(content), Part="a change")
    person.mean("Mail", "email")
    person.answer("destination", "Data Manager API")
    person.answer("conversion_action", "7155501002")
    person.answer("adjustment_date_time", "Time", 1)
    person.answer("order_id", "Order", 1)
    person.answer("adjusted_value", "Rest", 1)
    shown = person.html.partition("Line 3")[2]
    assert "<bdi>ann@example.com</bdi> → <bdi>ann@example.com, hashed</bdi>" in shown
    assert f"<bdi>{CLICKS[1]}</bdi> → <bdi>{CLICKS[1]}</bdi>" in shown
    assert "not needed" not in shown


def test_data_manager_leaves_refunds_to_the_other_api(opened: Open) -> None:
    """It only restates."""
    person = refunds(opened(REFUNDS), Refund="a refund", Part="left out")
    person.answer("destination", "Data Manager API")
    person.answer("conversion_action", "7155501002")
    person.answer("adjustment_date_time", "Time", 1)
    person.answer("order_id", "Related", 1)
    assert "The Data Manager API cannot send all of them, so they go to the Google Ads API" in (
        person.html
    )
    assert person.save()["adjustments_via"] == "google_ads"
    person.answer("destination", "Google Ads API")
    assert "adjustments_via" not in person.save()


def test_a_number_as_order_id_is_the_same_for_a_sale_and_its_refund(opened: Open) -> None:
    """The Data Manager API gets it with a word before it, so the refund names it like this."""
    content = REFUNDS.replace("T-", "4821")
    person = refunds(opened(content), Refund="a refund", Part="left out")
    person.answer("destination", "Data Manager API")
    person.answer("conversion_action", "7155501002")
    person.answer("adjustment_date_time", "Time", 1)
    person.answer("order_id", "Related", 1)
    assert "1 of them are about a sale of this file" in person.html
    assert person.html.count("<bdi>48211</bdi> → <bdi>order-48211</bdi>") == 2


def test_a_row_that_is_a_sale_and_its_refund_is_counted(opened: Open) -> None:
    """If its order first comes when it is refunded, it was never sent."""
    person = answer(opened(), stages={"Won": "a sale", "Lost": "a refund", "Lead": "left out"})
    person.answer("adjustment_date_time", "Closed", 1)
    person.answer("order_id", "Number", 1)
    assert person.open() == []
    assert "1 refund or change without another row for the sale" in person.html


def test_every_row_may_be_a_refund(opened: Open) -> None:
    """Then the sale is named by each row, and no sale is asked about."""
    content = "\n".join(line for line in REFUNDS.splitlines() if not line.startswith("Pay"))
    person = opened(content)
    assert person.page.all_rows is not None
    person.choose(person.page.all_rows, "Every row is a refund")
    assert "Value" not in person.open()
    person.answer("adjustment_date_time", "Time", 0)
    answer(person, {}, {}, ad_user_data="all people in this file agreed", country_code="")
    person.answer("order_id", "Related", 0)
    assert person.open() == []
    assert person.save()["conversions"] == [
        {"send": "retraction", "columns": {"adjustment_date_time": "Time", "order_id": "Related"}}
    ]


def test_a_column_with_many_values_decides_by_being_filled(opened: Open) -> None:
    """All its values are one answer, and some of them may have another."""
    person = opened()
    person.mean("Phone", "decides")
    (rows,) = person.page.deciders.values()
    assert rows[0].text == "any other value"
    assert person.open()[-1] != person.open()[0] == "“Phone”: 6 to decide"
    person.decide("Phone", **{"(empty)": "left out", "any other value": "a sale"})
    assert "Phone" not in person.open()[0]
    assert person.page.deciders["Phone"][0].rows == 5
    person.decide("Phone", **{"(212) 555-0101": "left out"})
    profile = answer(person, stages={}).save()
    assert profile["skip"] == {"Phone": ["", "(212) 555-0101"]}
    assert profile["conversions"] == [{"rows": {"Phone": ["*"]}}]


def test_each_of_many_numeric_stages_is_chosen_by_its_number_and_sum(opened: Open) -> None:
    """Nothing is typed. What nobody decides is left out or heard of as all others are."""
    rows = "".join(
        f"2026-11-20 10:00:00,{100 + n},{n}.50\n" for n in range(50) for _ in range(1 + n % 3)
    )
    person = opened(f"Time,Stage,Amount\n{rows}")
    person.mean("Amount", "conversion_value")
    person.mean("Stage", "decides")
    (rows,) = person.page.deciders.values()
    by_text = {row.text: (row.rows, row.amount) for row in rows}
    assert len(by_text) == 51
    assert by_text["141"] == (3, 124.5)
    person.decide("Stage", **{"141": "a sale", "any other value": "left out"})
    assert person.session.draft.profile["conversions"] == [{"rows": {"Stage": ["141"]}}]
    assert person.session.draft.profile["skip"] == {"Stage": ["*"]}


# ── cells ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "old, new, key, told, value, shown",
    [
        ("10:00:00", "10:00:00", "", "", None, ""),
        (",100.50,", ',"1,234",', "decimal_sign", "a point", ".", "1,234 → 1,234.00"),
        (",100.50,", ',"1,234",', "decimal_sign", "a comma", ",", "1,234 → 1.23"),
        (".00,USD", ",USD", "", "", None, ""),
        ("2026-11-20 10:00:00", "11/10/2026 10:00", "date_order", "month first", "MDY", "10 Nov"),
        ("2026-11-20 10:00:00", "11/10/2026 10:00", "date_order", "day first", "DMY", "11 Oct"),
        (",1001,", ",1001.0,", "order_ids", "no", "integer", "1001.0 → 1001"),
    ],
)
def test_only_a_cell_that_needs_it_asks_how_cells_are_written(
    opened: Open, old: str, new: str, key: str, told: str, value: object, shown: str
) -> None:
    """The question shows a cell of the chosen column, and what it means with each answer."""
    person = answer(opened(DEALS.replace(old, new, 1) if key else DEALS.replace(old, new)))
    assert bool(person.open()) == bool(key)
    if key:
        person.answer(key, told)
    assert person.open() == []
    assert shown in person.html
    assert person.save().get(key) == value


@pytest.mark.parametrize(
    "cells, is_asked",
    [
        (["1999", "-5050", "", "n/a"], True),
        (["1999", "50.50"], False),
        (["1999", "$50"], False),
        (["-5050", ""], False),
    ],
)
def test_whole_numbers_may_be_cents(opened: Open, cells: list[str], is_asked: bool) -> None:
    """Cells that are no positive number say nothing of it."""
    rows = "".join(f"2026-11-20 10:00:00,{cell}\n" for cell in cells)
    person = opened(f"Time,Amount\n{rows}")
    person.mean("Amount", "conversion_value")
    assert person.page.all_rows is not None
    person.choose(person.page.all_rows, "Every row is a sale")
    assert ("q.value_scale" in person.page.controls) is is_asked


def test_an_order_id_that_repeats_is_said(opened: Open) -> None:
    """Beside the sales, with its line."""
    person = answer(opened(DEALS.replace("1002", "1001")))
    assert "duplicate, line 3: The row repeats an earlier line" in person.html


def test_empty_cells_of_values_and_currencies_may_mean_something(opened: Open) -> None:
    """Only if there are some. The default is that they are refused."""
    assert "q.conversion_value" not in answer(opened()).page.controls
    person = answer(opened(DEALS.replace("100.50,USD", ",")))
    person.answer("conversion_value", ACTION_VALUE)
    person.answer("currency_code", "usd")
    profile = person.save()
    assert (profile["value"], profile["currency_code"]) == ("action_default", "USD")


# ── what Google would get ────────────────────────────────────────────────────────────────────


def test_the_panel_shows_sums_before_everything_is_answered(opened: Open) -> None:
    """Rows whose cells wait for an answer are refused so far."""
    person = opened()
    for column in ("Closed", "Amount", "Currency", "Click"):
        person.mean(column, COLUMNS[column])
    person.mean("Stage", "decides")
    person.decide("Stage", **STAGES)
    assert "DATE_WITHOUT_ZONE" in person.html
    person.answer("time_zone", "America/Chicago")
    assert "sales, 300.50 USD" in person.html


def test_what_looks_wrong_in_the_whole_file_is_said(opened: Open) -> None:
    """Nothing is refused, and somebody must look all the same: at consent, also beside refunds."""
    person = refunds(opened(REFUNDS), Refund="a refund", Part="left out")
    for question, column in (("adjustment_date_time", "Time"), ("order_id", "Related")):
        person.answer(question, column, 1)
    assert "Consent is refused, so Google must not use" not in person.html
    person.answer("ad_user_data", "all people in this file refused")
    assert "Consent is refused, so Google must not use" in person.html


def test_sales_that_are_worth_nothing_are_said(opened: Open) -> None:
    """They are sent, and somebody must look. One value for all rows is no mistake."""
    content = DEALS.replace(",100.50,", ",0.00,").replace(",200.00,", ",0,")
    assert "Some sales are worth 0.00" in answer(opened(content)).html
    assert "(2 sales)" in answer(opened(content)).html
    same = answer(opened(), without("Amount"), conversion_value="0")
    assert "worth 0.00" not in same.html


def test_rows_are_shown_cell_by_cell(opened: Open) -> None:
    """The samples come from the rules of a run, and rows that differ come first."""
    shown = answer(opened()).html
    for cell, sent in (
        ("2026-11-20 10:00:00", "20 November 2026, 10:00:00 (-06:00)"),
        ("100.50", "100.50 USD"),
        ("ann@example.com", "ann@example.com, hashed"),
        ("(212) 555-0101", "+12125550101, hashed"),
        ("Yes", "GRANTED"),
        ("No", "DENIED"),
    ):
        assert f"<bdi>{cell}</bdi> → <bdi>{sent}</bdi>" in shown
    assert [f"Line {line}<" in shown for line in (2, 3, 6)] == [True] * 3


@pytest.mark.parametrize(
    "columns, is_named",
    [
        (without("Click"), True),
        ({**without("Number", "Click"), "Click": "order_id"}, True),
        (COLUMNS, False),
    ],
)
def test_click_ids_that_are_not_sent_are_named(
    opened: Open, columns: Mapping[str, str], is_named: bool
) -> None:
    """Nobody is to lose them without a word, even if they are the order ID."""
    shown = answer(opened(), columns).html
    assert ("“Click” look like Google&#39;s click IDs, and are not sent" in shown) == is_named


def test_another_api_asks_for_the_id_of_an_action(opened: Open) -> None:
    """With it, the action's name is no answer any more."""
    person = answer(opened())
    person.answer("destination", "Data Manager API")
    assert person.open() == ["Action"]


def test_a_long_file_is_tried_as_a_whole_before_it_is_saved(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is about its first rows, and says so. Values are counted in all of them."""
    for module in ("look", "server", "page"):
        monkeypatch.setattr(f"lib.cli.init.{module}.MAX_ROWS", 3)
    person = answer(opened())
    assert "more than 3 rows" in person.html
    (rows,) = person.page.deciders.values()
    assert [(row.text, row.rows) for row in rows][:3] == [("Won", 4), ("Lost", 1), ("Lead", 1)]
    assert person.page.trial is not None
    assert person.page.trial.totals.all_rows == 3
    person.save()


def test_what_may_be_typed_is_listed(opened: Open) -> None:
    """Zones, countries, currencies and times are no free text for those who look them up."""
    html = answer(opened(), without("Currency")).html
    listed = [*re.findall(r' list="(\w+)"', html)]
    assert sorted(listed) == ["currency_code", "expect", "phone_region", "time_zone"]
    for name in listed:
        assert f'<datalist id="{name}"><option ' in html


def test_each_control_has_a_name_of_its_own(opened: Open) -> None:
    """A screen reader reads it without what stands around it."""
    person = opened()
    for column in ("Stage", "Account", "Opt-in"):
        person.mean(column, "decides")
    person.decide("Stage", Won="a sale", Lead="a sale of another action", Lost="a refund")
    labels = [control.label for control in person.page.controls.values()]
    repeated = {label for label in labels if labels.count(label) > 1}
    assert repeated == set()


@pytest.mark.parametrize("content", [DEALS, REFUNDS])
@pytest.mark.parametrize("seed", range(2))
def test_no_order_of_answers_breaks_the_page(opened: Open, content: str, seed: int) -> None:
    """Whatever is chosen, changed and taken back, there is a page, and what is saved is valid."""
    chance = random.Random(f"{seed}{content[:5]}")
    person = opened(content)
    typed = [*ANSWERS.values(), "50", "EUR", "", "nonsense", "Won"]
    for _ in range(40):
        controls = [*person.page.controls.values()]
        first = chance.choice(["column", "value", "q.", "rows", "others"])
        control = chance.choice([c for c in controls if c.name.startswith(first)] or controls)
        values = [option.value for option in control.options] or typed
        person.press(control.name, chance.choice(values))
        assert "</html>" in person.html
        if person.page.can_save and not person.session.errors:
            person.save()


def test_a_long_file_that_breaks_off_is_looked_at_as_far_as_it_goes(tmp_path: Path) -> None:
    """The page must live to say, when it saves, where the file breaks off."""
    rows = (f"Won,{random.Random(number).random()}\n" for number in range(2 * MAX_ROWS))
    content = gzip.compress(f"Stage,Amount\n{''.join(rows)}".encode())
    file = tmp_path / "cut.csv.gz"
    file.write_bytes(content[: len(content) * 9 // 10])
    sample = read_sample(file, {})
    assert MAX_ROWS < sample.cells_of(sample.column("Stage"))["Won"] < 2 * MAX_ROWS
