"""`init FILE`: each question, each refusal, and the profile that is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli.commands import main
from lib.cli.init.look import Look, has_look
from lib.config.profile import Profile

NOW = "2026-11-24T12:00:00Z"
CLICKS = [f"Cj0KCQiA{letter}example{number}wB" for number, letter in enumerate("ABCDEF")]
DEALS = f"""\
Deal,Stage,Closed,Amount,Currency,Number,Click,Mail,Phone,Opt-in,Account
Racks,Won,2026-11-20 10:00:00,100.50,USD,1001,{CLICKS[0]},ann@example.com,(212) 555-0101,Yes,Acme
Bins,Won,2026-11-20 11:00:00,200.00,USD,1002,{CLICKS[1]},bob@example.com,(212) 555-0102,No,Acme
Tape,Lost,2026-11-20 12:00:00,300.00,USD,1003,{CLICKS[2]},cy@example.com,(212) 555-0103,Yes,Acme
Desk,Lead,2026-11-21 12:00:00,400.00,USD,1004,{CLICKS[3]},dee@example.com,(212) 555-0104,Yes,Acme
Lamp,Won,2026-11-21 13:00:00,500.00,USD,1005,,eve@example.com,(212) 555-0105,,Test
Sofa,Won,2026-11-21 14:00:00,600.00,USD,1006,,,,Yes,Acme
"""
FIRST = {
    "rows": "Stage",
    "sales": "Won",
    "others": "0",
    "refunds": "0",
    "left out": "no others",
    "time": "Closed",
    "value": "Amount",
    "time of day": "",
    "new value": "",
    "time of change": "",
    "currency": "Currency",
    "order ID": "Number",
    "gclid": "Click",
    "email": "Mail",
    "phone": "Phone",
    "how cells are written": "",
    "zone": "America/Chicago",
    "country": "US",
    "consent": "Opt-in",
    "API": "Google Ads API",
    "account": "123-456-7890",
    "action": "Closed deal",
    "expect": "any time",
}
"""The answers to the questions about `DEALS`, in their order; "" to those that do not come."""
ANSWERS = [text for text in FIRST.values() if text]
OPTIONS = {
    "--rows": "Stage=Won",
    "--skip": ["Stage=Lost", "Stage=Lead"],
    "--column": [
        *("conversion_date_time=Closed", "conversion_value=Amount", "currency_code=Currency"),
        *("order_id=Number", "gclid=Click"),
    ],
    "--ad-user-data": "GRANTED",
    "--time-zone": "America/Chicago",
    "--destination": "google_ads",
    "--customer-id": "1234567890",
    "--action": "Closed deal",
    "--expect": "any time",
}
"""What a script gives for `DEALS`."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the file, on the screen of its owner."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lib.cli.init.asking.is_own_screen", lambda: True)
    return tmp_path


def init(content: str | bytes, lines: Sequence[str], *options: str) -> Result:
    """Run the command with these lines of input."""
    data = content if isinstance(content, bytes) else content.encode()
    Path("deals.csv").write_bytes(data)
    command = ["init", "deals.csv", "--now", NOW, *options]
    return CliRunner().invoke(main, command, input="".join(f"{line}\n" for line in lines))


def answer(content: str | bytes = DEALS, *options: str, **changed: str | Sequence[str]) -> Result:
    """Answer all questions, changed by `changed`, and save. Several lines are several answers;
    `""`: the question does not come."""
    given: dict[str, Any] = {**FIRST, **{key.replace("_", " "): v for key, v in changed.items()}}
    lines: list[str] = []
    for value in given.values():
        lines += [value] if isinstance(value, str) and value else value
    return init(content, [*lines, "s"], *options)


def saved(name: str = "default", path: str = "profiles.json") -> dict[str, Any]:
    """The profile that was written. It is valid."""
    profile: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))[name]
    Profile.model_validate(profile)
    return profile


def script(content: str = DEALS, **changed: str | Sequence[str] | None) -> Result:
    """Give options instead of answers. None: without this one."""
    given = {**OPTIONS, **{f"--{key.replace('_', '-')}": value for key, value in changed.items()}}
    options = [
        text
        for option, values in given.items()
        for value in ([values] if isinstance(values, str) else values or [])
        for text in (option, value)
    ]
    return init(content, [], "--yes", *options)


def test_the_answers_become_a_profile() -> None:
    """There is one key for each answer, and what is not chosen is left out by name."""
    done = answer()
    assert done.exit_code == 0, done.output
    assert saved() == {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "expect": "any time",
        "action": "Closed deal",
        "columns": {
            "ad_user_data": "Opt-in",
            "conversion_date_time": "Closed",
            "conversion_value": "Amount",
            "currency_code": "Currency",
            "order_id": "Number",
            "gclid": "Click",
            "email": "Mail",
            "phone": "Phone",
        },
        "conversions": [{"rows": {"Stage": ["Won"]}}],
        "skip": {"Stage": ["Lost", "Lead"]},
        "time_zone": "America/Chicago",
        "phone_region": "US",
    }


CHANGES: list[tuple[dict[str, str | list[str]], dict[str, Any]]] = [
    (
        {"left out": ["Opt-in", "No", "no others"]},
        {"skip": {"Stage": ["Lost", "Lead"], "Opt-in": ["No"]}},
    ),
    ({"consent": "no column: all people agreed"}, {"ad_user_data": "GRANTED"}),
    ({"sales": "1, Lead"}, {"conversions": [{"rows": {"Stage": ["Won", "Lead"]}}]}),
    ({"sales": "1,=Signed"}, {"conversions": [{"rows": {"Stage": ["Won", "Signed"]}}]}),
    (
        {"left out": ["Account", "Test", "no others"]},
        {"skip": {"Stage": ["Lost", "Lead"], "Account": ["Test"]}},
    ),
    (
        {"left out": ["Phone", "*", "no others"]},
        {"skip": {"Stage": ["Lost", "Lead"], "Phone": ["*"]}},
    ),
    ({"value": "=49.90"}, {"value": 49.9}),
    ({"value": "=1"}, {"value": 1}),
    ({"value": "none: the value that the action has in Google Ads"}, {"value": "action_default"}),
    ({"currency": "€"}, {"currency_code": "EUR"}),
    ({"currency": "=usd"}, {"currency_code": "USD"}),
    ({"country": "Austria"}, {"phone_region": "AT"}),
    (
        {"API": "Data Manager API", "action": "7155501002"},
        {"destination": "data_manager", "action": "7155501002"},
    ),
    (
        {"expect": "every weekday by 06:30 Europe/Berlin"},
        {"expect": "every weekday by 06:30 Europe/Berlin"},
    ),
    (
        {"expect": "every Monday, thu by 6:30 Europe/Berlin"},
        {"expect": "every Monday, thu by 6:30 Europe/Berlin"},
    ),
]


@pytest.mark.parametrize("answers, keys", CHANGES)
def test_each_answer_is_a_key(
    answers: Mapping[str, str | Sequence[str]], keys: Mapping[str, Any]
) -> None:
    """Other answers to a question give other values of its keys."""
    done = answer(**{key.replace(" ", "_"): value for key, value in answers.items()})
    assert done.exit_code == 0, done.output
    profile = saved()
    assert {key: profile[key] for key in keys} == keys


@pytest.mark.parametrize(
    "cell, look, is_one",
    [
        ("5035550142", "phone number", True),
        ("+44 (20) 7946-0102", "phone number", True),
        ("20261120", "phone number", False),
        ("15800.00", "phone number", False),
        (CLICKS[0], "click ID", True),
        ("IwAR2xExampleOfMeta00fbclid1", "click ID", False),
        ("fb.1.1554763741205.AbCdEfGhIjKl", "click ID", False),
    ],
)
def test_what_a_cell_looks_like(cell: str, look: Look, is_one: bool) -> None:
    """A number may be that of a phone; another company's click ID is none of Google's."""
    assert has_look(cell, look) is is_one


REFUSALS: list[tuple[str, str, str]] = [
    ("consent", "Stage", 'No cell of "Stage" can be read as: yes or no.'),
    ("sales", "Wonn", 'No row has "Wonn" under "Stage". Did you mean "Won"?'),
    ("left out", "Stage", "This column says already what a row is."),
    ("time", "Amount", 'No cell of "Amount" can be read as: date or time.'),
    ("time", "Closde", 'The file has no column "Closde". Did you mean "Closed"?'),
    ("time", "", "Answer with 1, or the name of a column."),
    ("time", "9", 'The file has no column "9".'),
    ("value", "Deal", 'No cell of "Deal" can be read as: amount.'),
    ("value", "Amuont", 'The file has no column "Amuont". Did you mean "Amount"?'),
    ("value", "=much", "Write a number of 0 or more"),
    ("currency", "Dollars", "Not known. Write three capital letters, such as EUR."),
    ("gclid", "Mail", 'No cell of "Mail" can be read as: click ID.'),
    ("zone", "Mars", "Not the time zone of a place. Write one such as America/Chicago.\n"),
    ("zone", "Mars/North", "Not an IANA time zone."),
    ("zone", "Chicago", 'Did you mean "America/Chicago"?'),
    ("zone", "EST", "Write one such as America/Chicago.\n"),
    ("zone", "GMT+5", "Write one such as America/Chicago.\n"),
    ("zone", "Central time", 'Did you mean "US/Central"?'),
    ("zone", "new york", 'Did you mean "America/New_York"?'),
    ("zone", "CEST", "Write one such as America/Chicago.\n"),
    ("expect", "every day by 06:30 Chicago", 'Did you mean "America/Chicago"?'),
    ("country", "Ruritania", "Not known. Write two capital letters, such as DE."),
    ("country", "Deal", 'No cell of "Deal" can be read as: country or calling code.'),
    ("account", "12345", "Wrong format. Write the 10 digits of a Google Ads account"),
    ("expect", "each night", "not understood. Write"),
]


@pytest.mark.parametrize("key, wrong, said", REFUSALS)
def test_a_wrong_answer_is_refused_where_it_is_given(key: str, wrong: str, said: str) -> None:
    """The question comes again, with what to answer instead, and the rest goes on."""
    done = answer(**{key.replace(" ", "_"): [wrong, FIRST[key]]})
    assert done.exit_code == 0, done.output
    assert said.lower() in done.output.lower()
    assert saved()["action"] == "Closed deal"


LEADS: Mapping[str, Any] = {
    "others": ["Lead", "0"],
    "time": ["Closed", "Closed"],
    "value": ["Amount", "=50"],
    "currency": ["Currency", "GBP"],
    "action": ["Closed deal", "Qualified lead"],
}
"""The answers if a lead is another conversion, with one value for all."""
TITLES_OF_LEADS = [
    *("Rows", "Left out", "Time", "Time (Lead)", "Value", "Value (Lead)", "Currency"),
    "Currency (Lead)",
]
"""The first lines of the screen then."""


def test_another_conversion_has_its_own_time_value_currency_and_action() -> None:
    """It is another entry. The profile's code is also the currency of empty cells."""
    done = answer(**LEADS)
    assert done.exit_code == 0, done.output
    assert saved()["conversions"] == [
        {"rows": {"Stage": ["Won"]}},
        {
            "rows": {"Stage": ["Lead"]},
            "columns": {
                "conversion_date_time": "Closed",
                "conversion_value": None,
                "currency_code": None,
            },
            "value": 50,
            "action": "Qualified lead",
        },
    ]
    assert saved()["currency_code"] == "GBP"
    assert saved()["columns"]["currency_code"] == "Currency"
    shown = " ".join(done.output.split())
    for text in ("1 conversion (Lead), 50.00 GBP", "(empty) → GBP", "3 sales, 800.50 USD"):
        assert text in shown


@pytest.mark.parametrize(
    "lines, currencies",
    [
        (["Currency (Lead)", "Currency"], "800.50 USD 50.00 USD"),
        (["Value (Lead)", "Amount", "Currency"], "800.50 USD 400.00 USD"),
        (["Currency", "USD"], "800.50 USD 50.00 USD"),
        (["Currency", "Currency"], "800.50 USD 50.00 GBP"),
    ],
)
def test_the_currency_of_one_value_is_asked_again_if_it_changes(
    lines: list[str], currencies: str
) -> None:
    """No other answer leaves it with a currency that nobody has given."""
    title, *answers = lines
    number = str(TITLES_OF_LEADS.index(title) + 1)
    done = answer(**{**LEADS, "expect": ["any time", number, *answers]})
    assert done.exit_code == 0, done.output
    sums = re.findall(r"(?:sales|conversion \(Lead\)), (\S+ \S+)", done.output)
    assert " ".join(sums[-2:]) == currencies


def test_refunds_retract_sales() -> None:
    """They have their own time, and Data Manager leaves them to the Google Ads API."""
    done = answer(
        refunds="Lost",
        new_value="refunded completely: the sale no longer counts",
        time_of_change="Closed",
        API="Data Manager API",
        action="7155501002",
    )
    assert done.exit_code == 0, done.output
    assert saved()["conversions"][1] == {
        "rows": {"Stage": ["Lost"]},
        "send": "retraction",
        "columns": {"adjustment_date_time": "Closed"},
    }
    assert saved()["adjustments_via"] == "google_ads"
    assert "1 refund" in done.output
    assert "Also in the profile: adjustments_via google_ads" in done.output
    assert "cannot find the sale of a refund or change if it was never uploaded" in done.output


def test_refunds_go_with_the_sales_if_another_api_sends_both() -> None:
    """Changing the API on the screen changes who sends the refunds."""
    done = answer(
        refunds="Lost",
        new_value="refunded completely: the sale no longer counts",
        time_of_change="Closed",
        API="Data Manager API",
        action="7155501002",
        expect=["any time", "17", "Google Ads API"],
    )
    assert done.exit_code == 0, done.output
    assert saved()["destination"] == "google_ads"
    assert "adjustments_via" not in saved()


def test_a_value_that_the_file_does_not_have_is_not_sent() -> None:
    """Each entry lists the values that are kept, so that a new one fits none and is rejected."""
    done = answer(
        others=["Lead", "0"],
        left_out=["Account", "only Acme", "no others"],
        time=["Closed", "Closed"],
        value=["Amount", "Amount"],
        action=["Closed deal", "Qualified lead"],
    )
    assert done.exit_code == 0, done.output
    assert saved()["skip"] == {"Stage": ["Lost"], "Account": ["Test"]}
    assert [entry["rows"] for entry in saved()["conversions"]] == [
        {"Stage": ["Won"], "Account": ["Acme"]},
        {"Stage": ["Lead"], "Account": ["Acme"]},
    ]
    Path("next.csv").write_text(DEALS.replace("Desk", "Bank").replace("Yes,Acme", "Yes,Partner"))
    checked = CliRunner().invoke(
        main, ["check", "next.csv", "--profiles", "profiles.json", "--now", NOW]
    )
    assert "NO_ENTRY_FITS" in checked.output


def test_other_sales_keep_which_values_of_another_column_are_sent() -> None:
    """A change of what is a sale must not let rows through that were left out."""
    done = answer(
        left_out=["Account", "only Acme", "no others"],
        expect=["any time", "1", "Stage", "1", "0", "0"],
    )
    assert done.exit_code == 0, done.output
    assert saved()["conversions"] == [{"rows": {"Stage": ["Won"], "Account": ["Acme"]}}]


def test_the_country_of_phones_may_be_a_column_of_calling_codes() -> None:
    """It is offered, and the screen shows each number with the code of its row."""
    lines = DEALS.splitlines()
    codes = ["Dial", "1", "1", "1", "44", "1", ""]
    content = "\n".join(f"{a},{b}" for a, b in zip(lines, codes, strict=True))
    content = content.replace("(212) 555-0102", "+44 20 7946 0102")
    done = answer(content, country="Dial")
    assert done.exit_code == 0, done.output
    offered = done.output.split("From which country are phone numbers without +?")[1]
    assert "1  Dial  1 (4), 44 (1)" in offered
    assert saved()["columns"]["country_code"] == "Dial"
    assert "phone_region" not in saved()
    assert "(212) 555-0101 → +12125550101, hashed" in done.output
    assert "+44 20 7946 0102 → +442079460102, hashed" in done.output


def test_consent_makes_no_sale() -> None:
    """A column of yes and no is not among those that say what a row is, unless it is named."""
    done = answer(rows="Opt-in", sales="Yes", left_out=["Stage", "Lost", "no others"])
    assert done.exit_code == 0, done.output
    (offered,) = done.output.split("Which column says whether a row is a sale")[1:]
    assert "Opt-in" not in offered.partition("or the name of a column:")[0]
    assert saved()["conversions"] == [{"rows": {"Opt-in": ["Yes"]}}]


def test_an_order_id_that_repeats_is_said() -> None:
    """The question says how many differ, and so does the screen."""
    done = answer(DEALS.replace("1002", "1001"))
    assert done.exit_code == 0, done.output
    assert done.output.count("3 different in 4 sales: 1 would count as repeats") == 2


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
    old: str, new: str, key: str, told: str, value: object, shown: str
) -> None:
    """The question shows a cell of the chosen column, and what it means with each answer."""
    done = answer(
        DEALS.replace(old, new, 1) if key else DEALS.replace(old, new),
        how_cells_are_written=told,
    )
    assert done.exit_code == 0, done.output
    assert saved().get(key) == value
    assert shown in done.output


def test_a_file_that_cannot_be_decoded_says_how_to_name_its_encoding() -> None:
    """The names of the columns are read first."""
    done = init(DEALS.replace("Deal,", "商談,").encode("shift_jis"), [])
    assert done.exit_code == 1
    assert "line 1 cannot be decoded as text. Name the encoding: --encoding" in done.output
    done = init(DEALS.replace("Acme", "Möbel").encode("windows-1252"), [])
    assert done.exit_code == 1
    assert "how its letters are decoded. Name the encoding: --encoding" in done.output


def test_the_names_may_be_below_titles() -> None:
    """The fullest of the first lines has them."""
    done = answer(f"Report of deals\n\n{DEALS}")
    assert done.exit_code == 0, done.output
    assert "names in line 3" in done.output


def test_a_file_without_names_is_refused() -> None:
    """Its first line is somebody's row, which is not shown."""
    done = init(DEALS.partition("\n")[2], [])
    assert done.exit_code == 1
    assert "no line looks like names of columns" in done.output
    assert "ann@example.com" not in done.output


def test_elsewhere_than_at_the_terminal_no_cell_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of answers has names of columns, and no samples."""
    monkeypatch.setattr("lib.cli.init.asking.is_own_screen", lambda: False)
    done = answer()
    assert done.exit_code == 0, done.output
    for cell in ("ann@example.com", CLICKS[0], "555-0101", "+12125550101", "Acme"):
        assert cell not in done.output


# ── options ──────────────────────────────────────────────────────────────────────────────────


def test_a_script_answers_by_options() -> None:
    """With --yes nothing is asked."""
    done = script()
    assert done.exit_code == 0, done.output
    assert saved() == {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "expect": "any time",
        "action": "Closed deal",
        "columns": {
            "conversion_date_time": "Closed",
            "conversion_value": "Amount",
            "currency_code": "Currency",
            "order_id": "Number",
            "gclid": "Click",
        },
        "conversions": [{"rows": {"Stage": ["Won"]}}],
        "skip": {"Stage": ["Lost", "Lead"]},
        "time_zone": "America/Chicago",
        "ad_user_data": "GRANTED",
    }


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"ad_user_data": None}, "--ad-user-data GRANTED|DENIED|none"),
        ({"rows": None}, "--rows COLUMN=VALUE or --rows all"),
        ({"time_zone": None}, "--time-zone VALUE"),
        ({"time_zone": "EST"}, "Not the time zone of a place."),
        ({"customer_id": None}, "--customer-id VALUE"),
        ({"action": None}, "--action VALUE"),
        ({"expect": None}, "--expect VALUE"),
        ({"column": ["conversion_value=Amount"]}, "--column conversion_date_time=NAME"),
        ({"column": ["gclid=GLCID"]}, 'no column "GLCID"'),
        ({"column": ["conversion_date_time=Closde"]}, 'Did you mean "Closed"?'),
        ({"column": ["gclick=Click"]}, "gclick is not a field."),
        ({"column": ["email=Amount"]}, 'No cell of "Amount" can be read as: email address.'),
        ({"rows": "Stage=Wonn"}, 'No row has "Wonn" under "Stage". Did you mean "Won"?'),
        (
            {"skip": "Stage=Lost"},
            "1 row (line 5, ...) fit neither --rows nor --skip. Add --skip",
        ),
        ({"customer_id": "12345"}, "Write the 10 digits"),
        ({"destination": "data_manager"}, "needs the ID of the conversion action"),
        ({"destination": "bing"}, 'Write "google_ads" or "data_manager"'),
        ({"date_order": "YMD"}, "--date-order"),
        ({"value": "much"}, "Write a number of 0 or more"),
        ({"value": "50"}, "columns.conversion_value names a column too"),
    ],
)
def test_what_is_missing_or_misspelled_ends_the_command(changed: Any, said: str) -> None:
    """Exit code 2, what to give, and nothing is written."""
    done = script(**changed)
    assert (done.exit_code, Path("profiles.json").exists()) == (2, False), done.output
    assert said.lower() in " ".join(done.output.split()).lower()


@pytest.mark.parametrize("answered", range(len(ANSWERS) + 1))
def test_q_ends_at_every_question(answered: int) -> None:
    """And on the screen. Nothing is written."""
    done = init(DEALS, [*ANSWERS[:answered], "q"])
    assert (done.exit_code, Path("profiles.json").exists()) == (0, False), done.output
    assert done.output.endswith("Nothing was saved.\n")


def test_without_a_terminal_and_options_it_says_what_to_give() -> None:
    """A pipe that ends is nobody who answers."""
    done = init(DEALS, [])
    assert done.exit_code == 2
    for option in ("--rows", "--ad-user-data", "--destination", "--expect"):
        assert option in done.output


def test_options_answer_questions_in_a_terminal_too() -> None:
    """Only the rest is asked."""
    lines = [text for text in ANSWERS if text not in ("America/Chicago", "Closed deal")]
    done = init(DEALS, [*lines, "s"], "--time-zone", "America/Chicago", "--action", "Closed deal")
    assert done.exit_code == 0, done.output
    assert "In which time zone" not in done.output


def test_a_script_says_how_the_file_is_written() -> None:
    """`tab` is easier to type than the character."""
    done = script(DEALS.replace(",", "\t"), delimiter="tab")
    assert done.exit_code == 0, done.output
    assert saved()["delimiter"] == "\t"


def test_every_row_may_be_a_sale() -> None:
    """`--rows all` says so."""
    done = script(rows="all", skip=None)
    assert done.exit_code == 0, done.output
    assert "conversions" not in saved()
