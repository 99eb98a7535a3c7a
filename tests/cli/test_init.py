"""`init FILE`: each question, each refusal, and the profile that is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli.commands import main
from lib.cli.init.look import Look, has_look
from lib.config.profile import Profile
from lib.destinations.registry import names

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
    monkeypatch.setattr("lib.cli.init.command.is_own_screen", lambda: True)
    return tmp_path


def init(content: str | bytes, *options: str) -> Result:
    """Run the command, without a terminal."""
    data = content if isinstance(content, bytes) else content.encode()
    Path("deals.csv").write_bytes(data)
    return CliRunner().invoke(main, ["init", "deals.csv", "--now", NOW, *options])


def saved(folder: Path = Path()) -> dict[str, Any]:
    """The profile that was written. It is valid."""
    text = (folder / "profiles.json").read_text("utf-8")
    profile: dict[str, Any] = json.loads(text)["default"]
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
    return init(content, "--yes", *options)


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


def test_a_file_that_cannot_be_decoded_says_how_to_name_its_encoding() -> None:
    """The names of the columns are read first."""
    done = init(DEALS.replace("Deal,", "商談,").encode("shift_jis"))
    assert done.exit_code == 1
    assert "line 1 cannot be decoded as text. Name the encoding: --encoding" in done.output
    done = init(DEALS.replace("Acme", "Möbel").encode("windows-1252"))
    assert done.exit_code == 1
    assert "it is not UTF-8. Without its encoding, it cannot be decoded" in done.output
    assert "Name the encoding: --encoding" in done.output


def test_a_file_without_names_is_refused() -> None:
    """Its first line is somebody's row, which is not shown. How it is called says nothing."""
    Path("decoded.csv").write_text(DEALS.partition("\n")[2], "utf-8")
    done = CliRunner().invoke(main, ["init", "decoded.csv", "--yes"])
    assert done.exit_code == 1
    assert "Name the encoding" not in done.output
    assert "no line looks like names of columns" in done.output
    assert "ann@example.com" not in done.output


def test_elsewhere_than_at_the_terminal_no_cell_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log has names of columns and what the options say, and no samples."""
    monkeypatch.setattr("lib.cli.init.command.is_own_screen", lambda: False)
    done = script(rows="Stage=Wonn")
    assert "Did you mean" not in done.output
    done = script()
    assert done.exit_code == 0, done.output
    for cell in ("ann@example.com", CLICKS[0], "555-0101", "+12125550101", "Acme"):
        assert cell not in done.output


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
        ({"destination": "bing"}, f"Write {' or '.join(map(json.dumps, names()))}"),
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


def test_a_name_of_several_columns_is_refused_as_an_option() -> None:
    """Nobody can say which of them is meant."""
    done = script(DEALS.replace("Account", "number"))
    assert done.exit_code == 2
    assert 'The file has several columns "Number". Rename them.' in " ".join(done.output.split())


def test_the_lines_lead_from_all_rows_to_a_sum() -> None:
    """What is left out is one number, and each reason of a refusal has its lines."""
    done = script(skip=["Stage=Lost", "Stage=Lead", "Account=Test", "Opt-in=No"])
    shown = " ".join(done.output.split())
    for text in (
        "6 rows in the file",
        "-4 left out by Stage: Lost, Lead; Account: Test; Opt-in: No",
        "-1 rejected, line 7: The row has no click ID",
        "1 sale, 100.50 USD",
    ):
        assert text in shown
    assert saved()["skip"] == {"Stage": ["Lost", "Lead"], "Account": ["Test"], "Opt-in": ["No"]}


def test_warnings_of_rows_that_are_sent_are_counted() -> None:
    """Each has its meaning, its code and its number of rows."""
    shown = script(DEALS.replace("2026-11-20 10:00:00", "2026-11-20", 1)).output
    assert "1 row with a warning: The cell has a date without a time" in shown
    assert "(DATE_WITHOUT_TIME)" in shown


def test_without_a_terminal_and_options_it_says_what_to_give() -> None:
    """Nobody would answer on a page."""
    done = init(DEALS)
    assert done.exit_code == 2
    for option in ("--rows", "--ad-user-data", "--destination", "--expect"):
        assert option in done.output


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
