"""`init`: its questions, its options, and the documents that it writes."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli.commands import main
from lib.cli.init import command, sample
from lib.cli.init.proposal import Choice, Question, WrongAnswer
from lib.cli.init.stage_actions import read_stages
from lib.config.profile import Profile, read_profiles
from lib.source.table import open_table
from tests.cli.validating import NOW
from tests.terraform.conftest import evaluated

ROOT = Path(__file__).parents[2]
ACCOUNT = ("--customer-id", "123-456-7890", "--action", "Deal")
HEADER = "Record ID,Deal Stage,Close Date,Amount,Email,Phone"
ROWS = (
    "1,Closed Won,2026-11-18 09:30,120.50,ada@example.com,(212) 555-0111",
    "2,Closed Lost,2026-11-19 10:00,99,ben@example.com,(212) 555-0112",
    "3,Closed Won,2026-11-20 11:00,80,eve@example.com,(212) 555-0113",
)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Write an export and return its path."""

    def write(header: str = HEADER, rows: Sequence[str] = ROWS, name: str = "deals.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *rows, ""]), "utf-8")
        return path

    return write


def init(*arguments: str | Path, answers: str | None = None) -> Result:
    """Run the command in this process, at the fixed time."""
    words = ["init", "--now", NOW.isoformat(), *map(str, arguments)]
    return CliRunner().invoke(main, words, input=answers)


def profile_of(result: Result, name: str = "default") -> dict[str, Any]:
    """The printed profile, after a check that it is valid."""
    assert result.exit_code == 0, result.output
    profile: dict[str, Any] = read_profiles(result.stdout)[name]
    Profile.model_validate(profile)
    return profile


def test_without_a_terminal_the_missing_options_are_named(file: Any) -> None:
    """Exit code 2, one line for each option, and nothing about what the file shows itself."""
    result = init(file())
    assert result.exit_code == 2
    for option in ("--customer-id:", "--action:", "--time-zone:", "--phone-region:"):
        assert option in result.stderr
    assert "--currency" not in result.stderr  # it has a default: that of the action
    assert result.stdout == ""


def test_the_document_has_a_reason_for_each_key(file: Any) -> None:
    """Each key has a comment above it; the check under the profile is not in the document."""
    result = init(file(), *ACCOUNT, "--time-zone", "America/New_York")
    profile = profile_of(result)
    assert profile["headers"]["order_id"] == ["Record ID"]
    assert profile["include"] == {"Deal Stage": ["Closed Won"]}
    assert profile["phone_region"] == "US"  # several countries fit; the time zone points to one
    lines = result.stdout.splitlines()
    for number, line in enumerate(lines):
        if line.startswith('    "'):
            assert lines[number - 1].lstrip().startswith("//"), line
    assert "3 rows: 2 would be sent, 1 would be skipped." in result.stderr
    for secret in ("ada@", "555-01"):
        assert secret not in result.output


def person(answers: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at a terminal in Denver, who gives these answers, and then presses Enter. Returns
    the questions as they come."""
    rest, asked = list(answers), list[str]()

    def ask(question: Question) -> str:
        asked.append(f"{question.problem} {question.text}".strip())
        assert len(asked) <= len(answers) + 5
        return rest.pop(0) if rest else ""

    monkeypatch.setattr(command, "is_interactive", lambda: True)
    monkeypatch.setattr(command, "local_zone", lambda: "America/Denver")
    monkeypatch.setattr(command, "_ask", ask)
    return asked


@pytest.mark.parametrize("action", ["1001", "customers/1234567890/conversionActions/1001"])
def test_an_action_that_every_api_knows_raises_no_question(
    file: Any, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Only the name of an action needs one API: its ID and its resource name do not."""
    asked = person(["123-456-7890"], monkeypatch)
    profile_of(init(file(), "--action", action))
    assert asked[0].startswith("Google Ads account")


def test_an_answer_that_changes_nothing_is_not_asked_for(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API that is open to everybody sends the whole file. Enter is recorded as what it is."""
    asked = person(["123-456-7890", "Deal", ""], monkeypatch)
    profile = profile_of(result := init(file()))
    assert profile["destination"] == "data_manager"
    assert "// The default, open to every account; --destination changes it." in result.stdout
    assert profile["time_zone"] == "America/Denver"
    assert "// The default of this computer; --time-zone changes it." in result.stdout
    assert asked[1].endswith("its ID, the number after ctId= in its address in Google Ads")


@pytest.mark.parametrize("closing", ["", "2027-01-31"])
def test_the_creation_date_is_not_taken_for_the_closing_date_in_silence(
    file: Any, monkeypatch: pytest.MonkeyPatch, closing: str
) -> None:
    """If open deals count too, most rows have no closing date, or a planned one. Only the owner
    knows which date counts."""
    rows = [
        f"{n},{'Closed Won' if n < 2 else 'Proposal'},2026-11-1{n},"
        f"{'2026-11-20' if n < 2 else closing},{n}0.50,p{n}@example.com"
        for n in range(6)
    ]
    path = file("Deal ID,Deal Stage,Create Date,Close Date,Amount,Email", rows)
    words = ["--include", "Deal Stage=Closed Won", "--include", "Deal Stage=Proposal"]
    words += ["--currency", "USD", "--time-zone", "UTC"]
    without = init(path, *ACCOUNT, *words)
    assert without.exit_code == 2
    shown = " ".join(without.stderr.split())
    assert "--column conversion_date_time=COLUMN" in shown
    assert ("Close Date: in 2 of 6 rows: 2026-11-20" in shown) is (not closing)
    person(["Close Date", "all"], monkeypatch)
    profile = profile_of(init(path, *ACCOUNT, *words))
    assert profile["headers"]["conversion_date_time"] == ["Close Date"]


@pytest.mark.parametrize(
    ("names", "cells", "field"),
    [
        ("Order Number,Date,Visits", "{n},2026-11-18,{n}", "conversion_value"),
        (
            "Order Number,Date,Paid,Σύνολο αξία",
            "{n},2026-11-18,{n}.50,1{n} kroons",
            "conversion_value",
        ),
        # Dates in a language that is not read.
        (
            "Order Number,Received,Ημ/νία,Total",
            "{n},2026-11-18,1{n} Νοε 2026,{n}.50",
            "conversion_date_time",
        ),
        ("Transaction ID,Booking ID,Date,Total", "8{n}-0_1,B-{n},2026-11-18,{n}.50", "order_id"),
        # A deal of two lines, in a language without words of ours.
        ("Mã,Date,Total,Σ", "CH-0{half},2026-11-{half},{half}.50,{n}", "order_id"),
    ],
)
def test_what_only_the_owner_knows_is_asked(
    file: Any, monkeypatch: pytest.MonkeyPatch, names: str, cells: str, field: str
) -> None:
    """A number is no value, a readable date no better than another one, and the ID of a payment no
    better than that of the order, only because the file has nothing else that is known."""
    rows = [cells.format(n=n, half=10 + n // 2) + f",p{n}@example.com" for n in range(1, 9)]
    asked = person(["1"], monkeypatch)
    words = ["--time-zone", "UTC", "--destination", "google_ads", "--currency", "USD"]
    profile = profile_of(init(file(f"{names},Email", rows), *ACCOUNT, *words))
    assert len(asked) == 1
    assert profile["headers"][field]


@pytest.mark.parametrize(
    ("amount", "answers", "assumed"),
    [
        ("120.50 EUR", [], []),
        ("120.50", [""], ['currency_code "EUR". The default; --currency changes it.']),
        ("120.50", ["EUR"], []),
    ],
)
def test_what_neither_person_nor_file_says_is_shown_with_its_reason(
    file: Any,
    monkeypatch: pytest.MonkeyPatch,
    amount: str,
    answers: Sequence[str],
    assumed: Sequence[str],
) -> None:
    """A line for each such key: the time zone of this computer if its country is that of the file,
    and what Enter means. Consent is never asked about, whatever else is."""
    asked = person(answers, monkeypatch)
    monkeypatch.setattr(command, "local_zone", lambda: "Europe/Berlin")
    path = file("Order Number,Date,Amount,Phone", [f"1,2026-11-18 09:30,{amount},030 5550101"])
    result = init(path, *ACCOUNT[:2], "--action", "1001")
    zone = 'time_zone "Europe/Berlin". The time zone of this computer, whose country is that of '
    zone += "the file; --time-zone changes it."
    said = [line for line in result.stderr.splitlines() if line.startswith("Assumed: ")]
    assert said == [f"Assumed: {each}" for each in (zone, *assumed)]
    assert len(asked) == len(answers)
    assert "CONSENT_NOT_STATED" in result.stderr


@pytest.mark.parametrize(
    ("amount", "zone", "answers", "currency"),
    [
        ("R 120.50", "Africa/Johannesburg", [], "ZAR"),
        ("R 120.50", "UTC", ["LSL"], "LSL"),
        ("$120.50", "Pacific/Auckland", [], "NZD"),
        ("$120.50", "UTC", ["CAD"], "CAD"),
    ],
)
def test_a_sign_of_several_currencies_is_that_of_the_country(
    file: Any,
    monkeypatch: pytest.MonkeyPatch,
    amount: str,
    zone: str,
    answers: Sequence[str],
    currency: str,
) -> None:
    """If nothing says which country it is, a person is asked: the rows would be rejected."""
    asked = person(answers, monkeypatch)
    path = file("Order Number,Date,Amount,Email", [f"1,2026-11-18,{amount},a@example.com"])
    words = [*ACCOUNT, "--time-zone", zone, "--destination", "google_ads"]
    assert profile_of(init(path, *words))["currency_code"] == currency
    assert len(asked) == len(answers)


@pytest.mark.parametrize("action", ["1001", "Deal"])
def test_the_api_is_the_same_with_and_without_a_terminal(
    file: Any, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Enter, and nobody to press it, mean the API that is open to every account."""
    words = (*ACCOUNT[:2], "--action", action, "--time-zone", "UTC", "--phone-region", "US")
    results = [init(file(), *words)]
    person([""], monkeypatch)
    results.append(init(file(), *words))
    for result in results:
        assert profile_of(result)["destination"] == "data_manager"
        assert "// The default, open to every account; --destination changes it." in result.stdout


def test_the_question_about_the_api_is_in_words_of_the_person(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one API sends refunds, and knows the names of actions. Nobody needs its name."""
    shop = ROOT / "examples" / "shop_refunds.csv"
    for path, words in ((shop, ()), (file(), ("--action", "Deal"))):
        asked = person(["no", "123-456-7890", "1001"], monkeypatch)
        profile = profile_of(init(path, *words))
        assert "between 17 December 2025 and 15 June 2026?" in asked[0], path
        assert profile["destination"] == "data_manager"


def test_a_wrong_answer_is_refused_at_once(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is allowed. What is needed and has no default cannot be skipped. With
    the time zone, the country of the phone numbers is certain."""
    answers = ["maybe", "y", "", "12", "123-456-7890", "Mars/Base", "America/Chicago"]
    asked = person(answers, monkeypatch)
    profile = profile_of(init(file(), "--action", "Deal"))
    assert (profile["destination"], profile["customer_id"]) == ("google_ads", "123-456-7890")
    assert (profile["time_zone"], profile["phone_region"]) == ("America/Chicago", "US")
    assert [each.split(". ")[0] for each in asked] == [
        "Has this account uploaded conversions through the Google Ads API between 17 December 2025 "
        "and 15 June 2026? If you are not sure: no",
        "That is not one of the answers",
        "Google Ads account that receives the conversions",
        "An answer is needed",
        '"12": wrong format',
        "Time zone of the times in the file",
        '"Mars/Base": not an IANA time zone',
    ]


@pytest.mark.parametrize("name, yes, no", [("Reembolso", "Sim", ""), ("Refunded", "yes", "no")])
def test_a_tick_for_a_refund_takes_the_row_out(
    file: Any, monkeypatch: pytest.MonkeyPatch, name: str, yes: str, no: str
) -> None:
    """A row that is won and refunded is no sale, unless a person says so: nobody overlooks it."""
    rows = [f"{n},Won,2026-11-18,{n}0.00,{yes if n == 3 else no}" for n in range(1, 6)]
    rows = [f"{row},p{n}@example.com" for n, row in enumerate(rows)]
    path = file(f"Order Number,Status,Date,Total,{name},Email", rows)
    words = [*ACCOUNT[:2], "--action", "1", "--time-zone", "UTC", "--destination", "google_ads"]
    asked = person([""], monkeypatch)
    assert profile_of(init(path, *words))["exclude"] == {name: [yes]}
    assert asked[0].endswith(f'have something in "{name}", such as {yes}. Are they sales?')
    stages = ["--include", "Status=Won"]
    assert profile_of(init(path, *words, *stages))["exclude"] == {name: [yes]}
    assert profile_of(init(path, *words, "--exclude", name))["exclude"] == {name: []}


@pytest.mark.parametrize("name", ["S.No.", "No", "Nr.", "#", "Lfd. Nr."])
def test_the_number_of_a_line_is_no_order(file: Any, name: str) -> None:
    """Tomorrow's first line has the number 1 too: Google would take its sale for today's."""
    rows = [f"{n},Won,2026-11-18 10:0{n},{n}0.00,p{n}@example.com" for n in range(1, 7)]
    path = file(f"{name},Status,Close Date,Amount,Email", rows)
    profile = profile_of(init(path, *ACCOUNT[:2], "--action", "1", "--time-zone", "UTC"))
    assert profile.get("headers", {}).get("order_id", []) == []


def test_the_time_of_day_is_beside_the_date(file: Any) -> None:
    """A column of times next to the date belongs to it, whatever its name, and is no order ID."""
    rows = [f"{n},Won,2026-11-18,1{n}:05,{n}0.00,p{n}@example.com" for n in range(1, 6)]
    path = file("Deal ID,Status,Close Date,Godzina,Amount,Email", rows)
    profile = profile_of(init(path, *ACCOUNT[:2], "--action", "1", "--time-zone", "UTC"))
    assert profile["headers"]["time_of_day"] == ["Godzina"]
    assert "Godzina" not in profile["headers"].get("order_id", [])


def test_a_question_about_rows_takes_only_its_answers(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither "of course" nor a cell is a yes or a no."""
    rows = [f"{n},Paid,2026-11-18,{n}0.00,{'5.00' if n == 3 else '0.00'}" for n in range(1, 6)]
    rows = [f"{row},p{n}@example.com" for n, row in enumerate(rows)]
    path = file("Order Number,Status,Date,Total,Refunded Amount,Email", rows)
    asked = person(["of course", "5.00", "yes"], monkeypatch)
    words = [*ACCOUNT[:2], "--action", "1", "--time-zone", "UTC", "--destination", "google_ads"]
    profile = profile_of(init(path, *words))
    assert asked[0].endswith('have something in "Refunded Amount", such as 5.00. Are they sales?')
    assert [each.partition(" Write")[0] for each in asked[1:3]] == [
        "That is not one of the answers."
    ] * 2
    assert profile["exclude"]["Refunded Amount"] == []


@pytest.mark.parametrize(
    "name, test", [("Paid by", "Test checkout"), ("Campaign", "ZZ Test"), ("Last Name", "PRUEBA")]
)
@pytest.mark.parametrize("is_sale", [False, True])
def test_what_looks_like_a_test_is_asked_about(
    file: Any, monkeypatch: pytest.MonkeyPatch, name: str, test: str, is_sale: bool
) -> None:
    """A test order may be told only by how it was paid, by its campaign, or by the name of the
    person; or the word may be that of a product."""
    rows = [
        f"{n},Paid,2026-11-18,{n}0.00,{test if n == 9 else f'Card {n}'},p{n}@example.com"
        for n in range(1, 21)
    ]
    path = file(f"Order Number,Status,Date,Total,{name},Email", rows)
    asked = person(["yes" if is_sale else ""], monkeypatch)
    words = [*ACCOUNT[:2], "--action", "1", "--time-zone", "UTC", "--destination", "google_ads"]
    profile = profile_of(init(path, *words))
    assert asked[0].startswith(
        f'"{name}" speaks of a test in 1 of the rows that count, such as {test}.'
    )
    assert profile["exclude"][name] == ([] if is_sale else [test])


@pytest.mark.parametrize(
    "names, cells, headers",
    [
        # One person's numbers, that of somebody else, and that of the business.
        (
            "Buyer tel,Buyer mobile",
            "(212) 555-01{n},(212) 555-02{n}",
            {"phone": "Buyer tel", "phone_2": "Buyer mobile"},
        ),
        (
            "Comprador tel,Propietario tel",
            "(212) 555-01{n},(212) 555-02{n}",
            {"phone": "Comprador tel"},
        ),
        ("Comprador tel,Comprador móvil", "555-01{n},555-0100", {"phone": "Comprador tel"}),
        ("Answered by", "(212) 555-0100", {}),
        ("Dialed Number,Caller", "(212) 555-0100,(212) 555-01{n}", {"phone": "Caller"}),
        # Nobody knows the name, but everybody writes a number in another way.
        ("رقم الجوال", "{way}212555{n}", {"phone": "رقم الجوال"}),
        ("رقم البوليصة", "21255501{n}", {}),
        ("Email,Secondary Email", "p{n}@example.com,intake@example.com", {"email": "Email"}),
    ],
)
def test_only_phones_and_addresses_of_the_customer_are_sent(
    file: Any, names: str, cells: str, headers: dict[str, str]
) -> None:
    """The name says whose a phone is; and what is the same in many rows is nobody's own."""
    rows = [
        f"{n},2026-11-18,{n}.00,g{n}@example.com,"
        + cells.format(n=n, way=("+1", "1", "001")[n % 3])
        for n in range(11, 23)
    ]
    if "Email" in names:
        rows = [row.replace(f"g{n}@example.com", "") for n, row in enumerate(rows, 11)]
    contact = "Contact" if "Email" in names else "Email"
    path = file(f"Order Number,Date,Total,{contact},{names}", rows)
    words = ["--time-zone", "UTC", "--phone-region", "US", "--column", "conversion_value=Total"]
    found = profile_of(init(path, *ACCOUNT, *words, "-q")).get("headers", {})
    people = {key: of for key, (of,) in found.items() if key.startswith(("phone", "email"))}
    assert {**people} == headers


@pytest.mark.parametrize(
    "names",
    ["Pupil mobile,Guardian mobile", "Guardian mobile,Pupil mobile", "Phone,Guardian mobile"],
)
def test_whose_phone_it_is_is_asked(file: Any, monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    """Two people have phones, or more people of another kind have one: nothing says who the
    customer is, and the order of the columns does not matter."""
    rows = [
        f"{n},2026-11-18,{n}.00,{f'(212) 555-01{n}' if n < 15 or 'Pupil' in names else ''},"
        f"(212) 555-02{n}"
        for n in range(11, 23)
    ]
    asked = person(["no", "Guardian mobile"], monkeypatch)
    words = ["--time-zone", "UTC", "--phone-region", "US", "--column", "conversion_value=Total"]
    profile = profile_of(init(file(f"Order Number,Date,Total,{names}", rows), *ACCOUNT, *words))
    assert asked[1] == "Which column says which phone is the customer's?"
    assert profile["headers"]["phone"] == ["Guardian mobile"]


def test_a_log_of_calls_with_clicks_is_a_file_of_sales(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name says that a column has numbers of callers, but nothing says when calls began: which
    calls count is asked, and who called is the person."""
    rows = [
        f"(212) 555-01{n},11/{n}/2026 10:00 PM,$5.00,{('No', 'Yes')[n % 2]},CALL-{n},"
        + (f"Cj0KCQiA{n:020}" if n % 3 else "")
        for n in range(11, 23)
    ]
    path = file("Caller ID,Conversion Time,Revenue,Converted,Inbound Call ID,tag:gclid", rows)
    asked = person(["no", "Yes"], monkeypatch)
    words = ["--time-zone", "UTC", "--phone-region", "US", "--currency", "USD", *ACCOUNT]
    profile = profile_of(init(path, *words))
    assert asked[1].startswith("Which of these mean that a row is a sale?")
    assert profile["headers"]["gclid"] == ["tag:gclid"]
    assert profile["headers"]["phone"] == ["Caller ID"]
    assert profile["include"] == {"Converted": ["Yes"]}


@pytest.mark.parametrize(
    "said, include, exclude",
    [
        ("Amount=99", {"Deal Stage": ["Closed Won"]}, {"Amount": ["99"]}),
        ("Email=ada@example.com", {"Deal Stage": ["Closed Won"]}, {"Email": ["ada@example.com"]}),
        ("Deal Stage=Closed Lost", None, {"Deal Stage": ["Closed Lost"]}),
        ("Deal Stage", None, {"Deal Stage": []}),
    ],
)
def test_what_is_said_about_another_column_leaves_the_stages(
    file: Any, said: str, include: Any, exclude: Any
) -> None:
    """Who leaves out a value or a person has not said that lost deals are sales."""
    words = ["--time-zone", "UTC", "--phone-region", "US", "--exclude", said]
    profile = profile_of(init(file(), *ACCOUNT, *words, "-q"))
    assert (profile.get("include"), profile["exclude"]) == (include, exclude)


def test_the_terminal_shows_what_a_question_is_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each choice has its first cells, and Enter is no answer that somebody gave."""
    value, time = "conversion_value", "conversion_date_time"
    choices = (
        Choice("Net", "Net", "1.00 | 2.00", value),
        Choice("no value", None, "sent without", value),
    )
    question = Question(
        key="headers", text="Which column?", option="--column", choices=choices, default="Net"
    )
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: "")
    assert command._ask(question) == ""
    assert "What it is worth:\n   1  Net       1.00 | 2.00\n" in capsys.readouterr().err
    net = {"headers": {value: ["Net"]}}
    assert question.meaning_of("") == question.meaning_of("1") == net
    assert question.meaning_of("no value") == {"headers": {value: []}}
    for wrong in ("3", "0", "1,2"):
        with pytest.raises(WrongAnswer, match="Write 1 to 2, or a name from the list"):
            question.meaning_of(wrong)
    days = (Choice("Paid", "Paid", "2026-11-20", time), Choice("Sent", "Sent", "", time))
    both = replace(question, choices=(*choices, *days), takes_several=True)
    assert both.meaning_of("sent, 1") == {"headers": {time: ["Sent"], value: ["Net"]}}
    for wrong in ("1", "1, 2", "3, 4"):
        with pytest.raises(WrongAnswer, match="Choose one of each list"):
            both.meaning_of(wrong)


@pytest.mark.parametrize(
    ("values", "answer", "expected"),
    [
        (("Won", "Lost"), "1", ["Won"]),
        (("Won", "Lost"), "won, 2", ["Won", "Lost"]),
        (("Negócio fechado", "Perdido"), "negocio fechado", ["Negócio fechado"]),
        (("Negocio", "Negócio"), "negócio", ["Negócio"]),
        (("Won, paid", "Lost"), "won, paid", ["Won, paid"]),
        (("1", "0"), "a", ["1"]),
        (("1", "0"), "0", ["0"]),
    ],
)
def test_several_answers_are_numbers_or_names(
    values: Sequence[str], answer: str, expected: Sequence[str]
) -> None:
    """If the names are numbers, letters stand for them, so that no answer has two meanings."""
    choices = tuple(Choice(each, each, "2 rows", "S") for each in values)
    choices = (*choices, Choice("x", "x", "2 rows", "Type"), Choice("all", None, "4 rows"))
    question = Question(key="include", text="", option="", choices=choices, takes_several=True)
    assert question.meaning_of(answer) == {"include": {"S": expected}, "exclude": {"Type": []}}
    assert question.meaning_of("all") == {"include": {}, "exclude": {"S": [], "Type": []}}


@pytest.mark.parametrize(
    "dates, first, line",
    [
        (("18/11/2026", "19/11/2026", "11/20/2026"), True, "4"),
        (("18/11/2026", "11/19/2026", "11/20/2026"), False, "2"),
    ],
)
def test_most_dates_decide_their_order(
    file: Any, dates: Sequence[str], first: bool, line: str
) -> None:
    """One odd cell among many does not end everything: the reason names its line."""
    rows = [f"{date},Cj0KCQiAexample{n:04d}" for n, date in enumerate(dates)]
    result = init(file("Date,gclid", rows), *ACCOUNT, "--time-zone", "UTC")
    assert profile_of(result)["day_first"] is first
    said = " ".join(result.stdout.replace("//", " ").split())
    assert f"2 of 3 dates are only valid in this way. The others are rejected: line {line}." in said


def test_the_end_shows_what_google_gets(file: Any) -> None:
    """Time, value, action and order as they are sent; click IDs are short, people only named."""
    words = ("--time-zone", "America/Chicago", "--phone-region", "US")
    result = init(file(), *ACCOUNT, *words, "--destination", "google_ads")
    assert result.exit_code == 0
    assert "All, as the Google Ads API will get them:" in result.stderr
    order = "2026-11-18 09:30:00-06:00 · 120.50 (the account's currency) · action Deal · order"
    assert f"{order} 1 · email · phone" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--include", "Deal Stage=Signed"], "The likely cause is FILTER_KEEPS_NO_ROW (3 rows)"),
        (["--now", "2026-01-01T00:00:00Z"], "The likely cause is"),
        (["--column", "conversion_date_time="], "The likely cause is NO_TIME_COLUMN"),
    ],
)
def test_nothing_to_send_is_no_success(file: Any, words: Sequence[str], said: str) -> None:
    """Exit code 1, with the setting that is the likely cause."""
    result = init(file(), *ACCOUNT, "--time-zone", "UTC", "--phone-region", "US", *words)
    assert result.exit_code == 1
    assert "Nothing would be sent." in result.stderr
    assert said in result.stderr


@pytest.mark.parametrize(
    "dates, expected",
    [
        (("18/11/2026", "05/11/2026"), True),
        (("11/18/2026", "11/05/2026"), None),
        (("18.11.2026", "05.11.2026"), True),
    ],
)
def test_a_day_over_12_proves_the_order(file: Any, dates: Sequence[str], expected: Any) -> None:
    """`day_first` is set only if a date proves it, and the reason names the line."""
    rows = [f"{date},Cj0KCQiAexample{n:04d}" for n, date in enumerate(dates)]
    result = init(file("Date,gclid", rows), *ACCOUNT, "--time-zone", "UTC")
    assert profile_of(result).get("day_first") is expected
    assert ("date in line 2" in result.stdout) is (expected is True)


def test_a_german_file_of_adjustments_shows_its_dates_and_numbers(file: Any) -> None:
    """The dates and values of adjustments show their form, as those of conversions do."""
    columns = ("Order ID", "Conversion Name", "Adjustment Time", "Adjustment Type")
    row = "SO-1;Kauf;20.11.2026 17:30;RESTATE;1.234,50;EUR"
    path = file(";".join((*columns, "Adjusted Value", "Adjusted Value Currency")), [row])
    missing = init(path, "--customer-id", "123-456-7890")
    assert "--time-zone:" in missing.stderr
    profile = profile_of(init(path, *ACCOUNT, "--time-zone", "Europe/Berlin"))
    assert (profile["day_first"], profile["decimal_comma"]) == (True, True)
    assert profile["destination"] == "google_ads"  # the other API needs the whole sale


def test_the_country_of_callers_is_found(file: Any) -> None:
    """Callers' numbers without a country are read as other phone numbers are."""
    header = "Caller's Phone Number,Call Start Time,Conversion Time,Conversion Value"
    path = file(header, ["(212) 555-0161,2026-11-20 10:00,2026-11-20 11:30,80"])
    profile = profile_of(init(path, *ACCOUNT, "--time-zone", "America/New_York"))
    assert profile["phone_region"] == "US"


SHOP = "Order Number,Order Status,Order Date,Refund issued on,Order Total,Email,Adjusted Value"
ORDERS = (
    "1001,processing,2026-11-10 10:00,,100,ada@example.com,",
    "1002,completed,2026-11-10 11:00,,100,ben@example.com,",
    "1003,on-hold,2026-11-10 12:00,,100,eve@example.com,",
    "1004,refunded,2026-11-10 13:00,2026-11-12 09:00,100,zoe@example.com,",
    "1005,partially-refunded,2026-11-10 14:00,2026-11-12 09:30,100,max@example.com,80",
    "1006,Signed,2026-11-10 15:00,,100,kim@example.com,",
)
REFUNDED = {"Order Status": ["refunded", "partially-refunded"]}


@pytest.mark.parametrize(
    ("rename", "destination", "why_not"),
    [
        ("", "google_ads", ""),
        ("Refund issued on", "google_ads", "the file needs a column with the time of the refund"),
        ("", "data_manager", "the destination needs adjustments_via for them"),
    ],
)
def test_refunds_of_a_shop_are_sent_or_named(
    file: Any, rename: str, destination: str, why_not: str
) -> None:
    """WooCommerce's paid orders count, unknown stages are named, and no refund is dropped in
    silence: the profile sends them, or says what is missing."""
    header = SHOP.replace(rename, "Note") if rename else SHOP
    result = init(
        *(file(header, ORDERS), *ACCOUNT[:2], "--action", "1001", "--time-zone", "UTC"),
        *("--destination", destination),
    )
    profile = profile_of(result)
    assert sorted(profile["include"]["Order Status"]) == ["completed", "processing"]
    assert profile.get("refunds") == (None if why_not else REFUNDED)
    said = " ".join(result.stdout.replace("//", " ").split())
    assert 'Add those that are sales: "on-hold" (1), "Signed" (1).' in said
    assert why_not in said
    if not why_not:
        assert profile["headers"]["adjustment_date_time"] == ["Refund issued on"]
        assert "4 would be sent, 2 would be skipped" in result.stderr


def test_unanswered_calls_are_no_leads(file: Any) -> None:
    """CallRail exports all calls, with their answer status."""
    header = "Call Status,Customer Phone Number,Start Time,GCLID"
    rows = [
        f"{status},+1212555010{number},2026-11-10 10:0{number},Cj0KCQiAexample000{number}abcdef"
        for number, status in enumerate(("Answered Call", "Missed Call", "Voicemail Call"), 1)
    ]
    result = init(file(header, rows), *ACCOUNT, "--time-zone", "UTC")
    assert profile_of(result)["include"] == {"Call Status": ["Answered Call"]}


@pytest.mark.parametrize(
    ("dates", "default"),
    [
        # The default is the order in which the dates are recent.
        (("11/05/2026", "11/12/2026"), False),
        (("05/11/2026", "12/11/2026"), True),
    ],
)
def test_ambiguous_dates_are_asked_about(
    file: Any, monkeypatch: pytest.MonkeyPatch, dates: Sequence[str], default: bool
) -> None:
    """No cell decides, so a person does."""
    rows = [f"{date},Cj0KCQiAexample000{n}" for n, date in enumerate(dates)]
    path = file("Date,gclid", rows)
    assert "--day-first" in init(path, *ACCOUNT, "--time-zone", "UTC").stderr
    asked = person([""], monkeypatch)
    words = [*ACCOUNT, "--time-zone", "UTC", "--destination", "google_ads"]
    profile = profile_of(init(path, *words, "--now", "2026-11-27T00:00:00Z"))
    assert profile["day_first"] is default
    assert f"such as {dates[0]}" in asked[0]


def test_ambiguous_values_are_asked_about(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`12.500` is a lot of money or little."""
    rows = ["2026-11-20,Cj0KCQiAexample0001,12.500", "2026-11-20,Cj0KCQiAexample0002,3.750"]
    path = file("Date,gclid,Amount", rows)
    words = [*ACCOUNT, "--time-zone", "UTC", "--destination", "google_ads", "--currency", "EUR"]
    assert "--decimal-comma" in init(path, *words).stderr
    asked = person(["yes"], monkeypatch)
    result = init(path, *words)
    assert profile_of(result)["decimal_comma"] is True
    assert "so that 12.500 is 12,500.00?" in asked[0]
    assert "12,500.00 EUR" in result.stderr


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (('"1,234.50"', '"1.234,50"'), "so that 1.234,50 is 1,234.50?"),
        (('"9,125"', '"3,750"'), "so that 9,125 is 9.125?"),
    ],
)
def test_the_example_of_the_question_means_something(
    file: Any, monkeypatch: pytest.MonkeyPatch, values: Sequence[str], said: str
) -> None:
    """It can be read with a decimal comma, and its meaning is not rounded."""
    rows = [f"2026-11-20,Cj0KCQiAexample000{n},{value}" for n, value in enumerate(values)]
    asked = person(["no"], monkeypatch)
    words = [*ACCOUNT, "--time-zone", "UTC", "--destination", "google_ads", "--currency", "KWD"]
    init(file("Date,gclid,Amount", rows), *words)
    assert said in asked[0]


def test_a_dash_is_standard_output(
    file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file with the name - appears."""
    monkeypatch.chdir(tmp_path)
    words = (file(), *ACCOUNT, "--time-zone", "UTC", "--phone-region", "US")
    assert profile_of(init(*words, "-o", "-")) == profile_of(init(*words))
    assert not Path("-").exists()


def test_a_second_profile_is_added_to_the_document(file: Any, tmp_path: Path) -> None:
    """Profiles so far stay as they are, with their comments; a name is never used twice."""
    output = tmp_path / "profiles.json"
    words = [file(), *ACCOUNT, "--time-zone", "America/New_York", "-o", output]
    assert init(*words).exit_code == 0
    first = output.read_text("utf-8")
    assert init(*words, "--profile", "shop").exit_code == 0
    second = output.read_text("utf-8")
    assert second.startswith(first.rstrip().removesuffix("}").rstrip())
    assert list(read_profiles(second)) == ["default", "shop"]
    again = init(*words)
    assert again.exit_code == 2
    assert "already has a profile 'default'" in again.stderr
    assert output.read_text("utf-8") == second


@pytest.mark.parametrize(
    "document",
    [
        *("", "{}", '{"a": {}\n // The end.\n}\n', '{"a": {}}'),
        '{"a": {"destination": "data_manager", "source": "web"}}',
    ],
)
def test_a_profile_is_added_to_any_document(file: Any, tmp_path: Path, document: str) -> None:
    """The commas are right, whatever the document ends with, and the other profiles stay."""
    output = tmp_path / "profiles.json"
    output.write_text(document, "utf-8")
    before = read_profiles(document) if document else {}
    assert init(file(), *ACCOUNT, "--time-zone", "America/New_York", "-o", output).exit_code == 0
    *others, (name, _) = read_profiles(output.read_text("utf-8")).items()
    assert (dict(others), name) == (before, "default")


def test_terraform_gets_the_same_profile(file: Any, tmp_path: Path) -> None:
    """`--format terraform` evaluates to the JSON profile, also with signs that Terraform reads."""
    path = file(HEADER.replace("Deal Stage", "Deal ${Stage} %{x}"))
    words = [path, *ACCOUNT, "--time-zone", "America/New_York"]
    profile = profile_of(init(*words))
    shown = init(*words, "--format", "terraform")
    assert shown.exit_code == 0
    (tmp_path / "made.tfvars").write_text(shown.stdout, "utf-8")
    example = Path("examples/complete/terraform.tfvars.example")
    values = evaluated(
        ROOT / "terraform", example, Path("..") / _relative(tmp_path / "made.tfvars")
    )
    (written,) = [o["content"] for o in values["google_storage_bucket_object"] if "content" in o]
    same = json.loads(written)["default"]
    assert Profile.model_validate(same) == Profile.model_validate(profile)


def _relative(path: Path) -> Path:
    return Path(*[".."] * len(ROOT.parts[1:])) / path.relative_to("/")


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", "ada@example.com,2026-11-20\neve@example.com,2026-11-20\n"]
)
def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path, content: str) -> None:
    """Exit code 1, and the code of the check with what to do."""
    path = tmp_path / "x.csv"
    path.write_text(content)
    result = init(path, *ACCOUNT)
    assert result.exit_code == 1
    assert "EMPTY_FILE" in result.stderr or "NO_HEADER" in result.stderr
    assert "ada@" not in result.output


@pytest.mark.parametrize(("names", "times", "line"), [("", 1, None), ("Wer,Wann,Wieviel\n", 2, 2)])
def test_a_file_without_known_names_is_not_read_for_each_line(
    names: str, times: int, line: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and again from the line that looks like names, if there is one."""
    rows = [f"p{number}@example.com,2026-11-20,{number}.50" for number in range(60)]
    content = "\n".join([f"Umsatz\n{names}{rows[0]}" if names else rows[0], *rows])
    read: list[object] = []

    def counted(*given: Any) -> Any:
        read.append(given)
        return open_table(*given)

    monkeypatch.setattr(sample, "open_table", counted)
    found = sample.read_likely(io.BytesIO(content.encode()), {}, 1 << 20).found
    assert (len(read), found.get("header_row")) == (times, line)


@pytest.mark.parametrize(
    "words, said",
    [
        (["--customer-id", "12"], "--customer-id: wrong format"),
        (["--time-zone", "Mars/Base"], "--time-zone: not an IANA time zone"),
        (["--include", "Stage"], "write it as COLUMN=VALUE"),
        (["--column", "email"], "write it as FIELD=COLUMN"),
        (["--column", "nofield=X"], "--column: nofield is not a field"),
        (["--encoding", "x"], "--encoding: not a known encoding"),
    ],
)
def test_a_mistake_in_an_option_exits_with_2(file: Any, words: list[str], said: str) -> None:
    """The message names the option and says what to write."""
    result = init(file(), *words)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_the_largest_sample_takes_a_moment(file: Any) -> None:
    """Two thousand rows with phone numbers of an unknown country are compared within seconds."""
    rows = [
        f"{n},Closed Won,2026-11-18 09:30,{n},u{n}@example.com,030 5550{n:04d}"
        for n in range(2_500)
    ]
    before = datetime.now(UTC)
    result = init(file(HEADER, rows), *ACCOUNT, "--time-zone", "Europe/Berlin")
    assert profile_of(result)["phone_region"] == "DE"
    assert datetime.now(UTC) - before < timedelta(seconds=20)


STAGES = "Deal ID,Deal Stage,Close Date,Qualified on,Amount,Email"
LEADS = (
    "1,Qualified,2026-11-18 09:30,2026-11-10 08:00,120.50,ada@example.com",
    "2,Closed Won,2026-11-19 10:00,2026-11-11 08:00,99,ben@example.com",
    "3,Nurture,2026-11-20 11:00,2026-11-12 08:00,80,eve@example.com",
)


def test_stages_can_be_actions_of_their_own(file: Any) -> None:
    """An option says the action of a stage, its worth and the column of its date."""
    words = ["--stage", "Deal Stage=Qualified=1001, 50, Qualified on"]
    words += [
        "--stage",
        "Deal Stage=Closed Won=1002",
        "--column",
        "conversion_date_time=Close Date",
    ]
    result = init(file(STAGES, LEADS), *ACCOUNT[:2], "--time-zone", "UTC", *words)
    profile = profile_of(result)
    qualified = {"action": "1001", "value": 50.0, "time": "Qualified on"}
    assert profile["actions"] == {
        "Deal Stage": {"Qualified": qualified, "Closed Won": {"action": "1002"}}
    }
    assert "conversion_action" not in profile
    assert "2 would be sent, 1 would be skipped" in result.stderr
    wrong = init(file(STAGES, LEADS), *ACCOUNT[:2], "--stage", "Deal Stage=Qualified")
    assert wrong.exit_code == 2
    assert "write it as COLUMN=VALUE=ACTION" in " ".join(wrong.stderr.split())


def test_two_stages_of_one_action_need_no_terminal(file: Any) -> None:
    """The message names what says so, and that works."""
    rows = [
        f"{n},{'Proposal' if n % 2 else 'Closed Won'},2026-11-1{n},{n}0.50,p{n}@example.com"
        for n in range(6)
    ]
    path = file("Deal ID,Deal Stage,Close Date,Amount,Email", rows)
    words = ["--include", "Deal Stage=Closed Won", "--include", "Deal Stage=Proposal"]
    others = [*ACCOUNT, "--currency", "USD", "--time-zone", "UTC"]
    stuck = init(path, *others, *words)
    assert stuck.exit_code == 2
    assert '--stage all; or one --include alone ("Deal Stage=Closed Won"); or' in stuck.stderr
    profile = profile_of(init(path, *others, *words, "--stage", "all"))
    assert profile["include"]["Deal Stage"] == ["Closed Won", "Proposal"]
    assert profile["conversion_action"] == "Deal"
    assert "actions" not in profile
    assert profile_of(init(path, *others, *words[:2]))["include"] == {"Deal Stage": ["Closed Won"]}
    each = ["--stage", "Deal Stage=Closed Won=1", "--stage", "Deal Stage=Proposal=2"]
    assert (
        len(profile_of(init(path, *others[:2], *others[4:], *each))["actions"]["Deal Stage"]) == 2
    )


@pytest.mark.parametrize(
    ("answer", "values", "expected"),
    [
        ("Négocié = 1; Negocie = 2", ["Negocie", "Négocié"], {"Negocie": "2", "Négocié": "1"}),
        ("NÉGOCIÉ = 1", ["Negocie", "Négocié"], {"Négocié": "1"}),
        ("negocie = 1", ["Négocié", "Won"], {"Négocié": "1"}),
        ("Won; paid = 1; New = 2", ["New", "Won; paid"], {"Won; paid": "1", "New": "2"}),
        ("New = 2;; Won; paid = 1;", ["New", "Won; paid"], {"Won; paid": "1", "New": "2"}),
    ],
)
def test_an_answer_means_the_stages_as_they_are_spelled(
    answer: str, values: Sequence[str], expected: dict[str, str]
) -> None:
    """An accent can be the only difference, and a name can contain a semicolon."""
    found = read_stages(answer, values, ["Stage"])
    assert {value: each["action"] for value, each in found.items()} == expected


@pytest.mark.parametrize(
    ("won", "answers", "expected"),
    [
        ("Closed Won", [""], ["Closed Won"]),
        ("Negócio fechado", ["", "negocio fechado"], ["Negócio fechado"]),
        ("Negócio fechado", ["Lost", "all"], ["Negócio fechado", "Proposal"]),
    ],
)
def test_enter_never_drops_the_won_stage(
    file: Any,
    monkeypatch: pytest.MonkeyPatch,
    won: str,
    answers: Sequence[str],
    expected: Sequence[str],
) -> None:
    """Of several stages, Enter keeps that which is known to be won. If none is, an answer is
    needed, and the message has an example that can be copied."""
    rows = [
        f"{n},{'Proposal' if n % 2 else won},2026-11-1{n},{n}0.50,p{n}@example.com"
        for n in range(6)
    ]
    asked = person(answers, monkeypatch)
    path = file("Deal ID,Deal Stage,Close Date,Amount,Email", rows)
    words = ["--include", f"Deal Stage={won}", "--include", "Deal Stage=Proposal"]
    words += ["--currency", "USD", "--time-zone", "UTC"]
    profile = profile_of(init(path, *ACCOUNT, "--destination", "google_ads", *words))
    assert profile["include"]["Deal Stage"] == expected
    assert len(asked) == len(answers)
    assert all(f"{won} = 1001; Proposal = 1002" in each for each in asked)


@pytest.mark.parametrize(
    ("answers", "zone"),
    [
        ([""], "America/Sao_Paulo"),
        (["sao paulo"], "America/Sao_Paulo"),
        (["São Paulo"], "America/Sao_Paulo"),
        (["manaus"], "America/Manaus"),
        (["america/sao paulo"], "America/Sao_Paulo"),
        (["Etc/UTC"], "Etc/UTC"),
    ],
)
def test_a_time_zone_is_that_of_the_country_of_the_file_or_of_a_city(
    file: Any, monkeypatch: pytest.MonkeyPatch, answers: Sequence[str], zone: str
) -> None:
    """A person in Denver has a file with the currency of Brazil."""
    asked = person(answers, monkeypatch)
    path = file("Order Number,Date,Amount,Email", ["1,2026-11-18 09:30,120.50 BRL,a@example.com"])
    profile = profile_of(result := init(path, *ACCOUNT[:2], "--action", "1001"))
    assert asked == ["Time zone of the times in the file"]
    assert profile["time_zone"] == zone
    is_default = "// The default for the file's country; --time-zone changes it." in result.stdout
    assert is_default is (answers == [""])


def test_a_city_of_another_region_is_no_time_zone(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region that is written down is not replaced: the question comes again."""
    asked = person(["Foo/Manaus", "manaus"], monkeypatch)
    path = file("Order Number,Date,Amount,Email", ["1,2026-11-18 09:30,120.50 BRL,a@example.com"])
    profile = profile_of(init(path, *ACCOUNT[:2], "--action", "1001"))
    assert profile["time_zone"] == "America/Manaus"
    assert [each.startswith('"Foo/Manaus": not an IANA') for each in asked] == [False, True]


def test_the_footer_of_a_report_is_no_choice(file: Any) -> None:
    """Its empty cells are no stage, and not one of the rows."""
    rows = [f"{n},{'Proposal' if n % 2 else 'Sent'},2026-11-1{n},{n}0" for n in range(6)]
    path = file("Deal ID,Deal Stage,Close Date,Amount", [*rows, "Total,,,150"])
    shown = init(path, *ACCOUNT, "--time-zone", "UTC").stderr
    assert "Deal Stage=Sent: 3 rows" in shown
    assert "all rows are sales: 6 rows" in shown
    assert "(empty)" not in shown


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Qualified", "Write VALUE = ACTION"),
        ("Lost = 1001", "The values are Qualified, Won."),
        ("Qualified = 1001, much", '"much" is not a number'),
        ("Qualified = 1001, 50, Nowhere", '"Nowhere" is no column of the file'),
        ("Won = 1001; won = 1002", "Write VALUE = ACTION"),
        ("Won = 1001; Lost = 1002", "The values are Qualified, Won."),
        (";", "Write VALUE = ACTION"),
    ],
)
def test_a_wrong_answer_about_stages_is_refused(answer: str, said: str) -> None:
    """The message says what is wrong, and what to write."""
    with pytest.raises(WrongAnswer, match=said):
        read_stages(answer, ["Qualified", "Won"], ["Stage"])


def test_a_name_is_not_believed_if_no_cell_fits_it(file: Any) -> None:
    """Of `Country` and `Country code`, the one with countries is taken: with the other, every row
    would be refused."""
    rows = [
        f"{n},Closed Won,2026-11-18 09:30,12,p{n}@example.com,(212) 555-01{n},28047{n},zone {n},USA"
        for n in range(10, 14)
    ]
    path = file(f"{HEADER},customer_id,Country code,Country", rows)
    result = init(path, *ACCOUNT, "--time-zone", "America/New_York")
    headers = profile_of(result)["headers"]
    assert headers["country_code"] == ["Country"]
    assert "4 rows: 4 would be sent." in result.stderr


def test_the_address_of_the_company_is_nobodys(file: Any) -> None:
    """An address that is in every sale does not identify who has bought."""
    rows = [
        f"{n},Closed Won,2026-11-18 09:30,120.50,shop@example.com,(212) 555-01{n}"
        for n in range(10, 40)
    ]
    result = init(file(rows=rows), *ACCOUNT, "--time-zone", "America/New_York")
    assert profile_of(result)["headers"]["email"] == []
    assert '// email: "Email" has the same few in most rows.' in result.stdout


@pytest.mark.parametrize(
    ("names", "cells", "said"),
    [
        ("Job,Order No.", ["44{n} - Roof", "{rare}"], "Which order it is"),
        ("Invoice Number,Record ID", ["9{n}", "R-{n}"], "Which order it is"),
    ],
)
def test_of_two_ids_a_person_chooses(
    file: Any, monkeypatch: pytest.MonkeyPatch, names: str, cells: list[str], said: str
) -> None:
    """A customer's own order number is in a few rows; an invoice has an ID beside its number."""
    rows = [
        f"Closed Won,2026-11-18 09:30,120.50,p{n}@example.com,"
        + ",".join(cell.format(n=n, rare=f"PO-{n}" if n == 20 else "") for cell in cells)
        for n in range(20, 30)
    ]
    asked = person([], monkeypatch)
    path = file(f"Deal Stage,Close Date,Amount,Email,{names}", rows)
    init(path, *ACCOUNT, "--time-zone", "America/New_York")
    assert any("Which column says which order it is?" in each for each in asked), asked


def test_an_appointment_counts_on_its_day_or_when_it_was_booked(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the owner knows, however certain the name `Booked On` sounds."""
    rows = [
        f"{n},Completed,2026-10-{n} 09:30,2026-11-{n} 10:00,120.50,p{n}@example.com"
        for n in range(10, 20)
    ]
    asked = person(["2"], monkeypatch)
    path = file("Booking ID,Status,Booked On,Start Time,Amount,Email", rows)
    result = init(path, "--customer-id", "123-456-7890", "--action", "1001")
    assert asked[0] == "Which column says when a sale happened?"
    assert profile_of(result)["headers"]["conversion_date_time"] == ["Start Time"]


def test_columns_that_few_people_need_share_a_line(
    file: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What may decide comes first, a line each. Who sold it is not offered: no sale depends on it.
    A test in a column in which nothing was chosen is asked about all the same."""
    rows = [
        f"{n},{stage},2026-11-18 09:30,120.50,p{n}@example.com,{by},{way},Ann"
        for n, stage, by, way in (
            *((n, "Ready", "Web", "card") for n in range(10, 20)),
            *((n, "Phase 2", "Fair", "cash") for n in range(20, 30)),
            (30, "Ready", "Web", "test"),
        )
    ]
    questions = list[Question]()
    answers = iter(["Ready", "no", ""])

    def ask(question: Question) -> str:
        questions.append(question)
        return next(answers)

    person([], monkeypatch)
    monkeypatch.setattr(command, "_ask", ask)
    path = file("Deal ID,Deal Stage,Close Date,Amount,Email,Origin,Paid by,Salesperson", rows)
    result = init(path, "--customer-id", "123-456-7890", "--action", "1001")
    command._show_choices(questions[0])
    shown = capsys.readouterr().err
    assert '"Deal Stage":\n   4  Ready' in shown
    assert '"Origin":  6 Web,  7 Fair\n' in shown
    assert "Ann" not in shown
    assert questions[1].text.startswith('"Paid by" speaks of a test in 1 of the rows that count')
    assert profile_of(result)["exclude"]["Paid by"] == ["test"]
    assert 'Which rows count: "Deal Stage", "Paid by" (the profile' in result.stderr


def test_a_column_of_people_may_say_what_came_of_them(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Agent Disposition` has no agents: without a question, lost calls would be sent."""
    rows = [
        f"{n},{said},2026-11-18 09:30,12,p{n}@example.com"
        for n, said in zip(range(10, 30), ["Won", "Lost"] * 10, strict=True)
    ]
    asked = person(["Won"], monkeypatch)
    path = file("Deal ID,Agent Disposition,Close Date,Amount,Email", rows)
    result = init(path, "--customer-id", "123-456-7890", "--action", "1001")
    assert asked[0].startswith("Which of these mean that a row is a sale?")
    assert profile_of(result)["include"] == {"Agent Disposition": ["Won"]}


def test_a_consent_that_cannot_be_read_is_no_misnamed_column(file: Any) -> None:
    """Its rows are refused, because a misread denial would count as consent."""
    rows = [f"{row},Maybe later" for row in ROWS]
    path = file(f"{HEADER},ad_personalization", rows)
    result = init(path, *ACCOUNT, "--time-zone", "America/New_York", "--quiet")
    assert "ad_personalization" not in read_profiles(result.stdout)["default"]["headers"]
