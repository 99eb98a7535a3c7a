"""`check` without a profile: the rows are validated under assumptions, which it names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli import check_profile
from lib.cli.commands import main
from tests import crm_exports
from tests.cli.validating import NOW

EXAMPLES = Path(__file__).parents[2] / "examples"
DEALS = (
    "Record ID,Deal Stage,Close Date,Amount,Email\n"
    "1,Closed Won,2026-11-18 09:30,120.50,ada@example.com\n"
    "2,Closed Lost,2026-11-19 10:00,99,ben@example.com\n"
    "3,Closed Won,2026-11-20 11:00,US Dollar,eve@example.com\n"
)


@pytest.fixture(autouse=True)
def _zone_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_profile, "local_zone", lambda: "America/Denver")


def check(*words: str | Path, stdin: str | None = None) -> Result:
    """Run the command in this process, at the fixed time."""
    return CliRunner().invoke(main, ["check", "--now", NOW.isoformat(), *map(str, words)], stdin)


def said(result: Result) -> str:
    """What was printed, in one line."""
    return " ".join(result.stdout.split())


@pytest.fixture
def deals(tmp_path: Path) -> Path:
    """An export with a lost deal and a wrong amount, as a CRM writes it."""
    path = tmp_path / "deals.csv"
    path.write_text(DEALS, "utf-8")
    return path


@pytest.mark.parametrize("name", crm_exports.FILES)
def test_no_export_of_a_crm_is_stopped(name: str) -> None:
    """The first check of an unknown file shows its rows: the won ones would be sent."""
    result = check("--json", EXAMPLES / crm_exports.FILES[name])
    document = json.loads(result.stdout)
    assert document["file_error"] is None
    assert document["counts"]["ok"] >= len(crm_exports.won(name))
    assert document["counts"]["rejected"] == document["counts"]["not_attempted"] == 0
    assert document["customer_id"] == ""
    assert result.exit_code == 1  # the action is missing
    assert "conversion action (--action)" in result.stderr


def test_problems_of_rows_are_shown_with_what_is_missing(deals: Path) -> None:
    """One check says both, so nobody has to find the missing keys one after another."""
    result = check(deals)
    assert result.exit_code == 1
    shown = said(result)
    assert "time zone America/Denver (of this computer)" in shown
    assert 'only rows with "Closed Won" in "Deal Stage"' in shown
    assert 'order_id ← "Record ID"' in shown
    for missing in ("account (--customer-id)", "conversion action (--action)", "(--time-zone)"):
        assert missing in shown
    assert "INVALID_CONVERSION_VALUE rejected" in shown
    assert "3 rows: 1 would be sent, 1 would be rejected, 1 would be skipped" in shown


def test_only_options_of_the_command_are_named(tmp_path: Path) -> None:
    """Which rows count is what `init` asks: `check` has no option for it, and names none."""
    path = tmp_path / "deals.csv"
    rows = [f"{n},{'Nurture' if n % 2 else 'Proposal'},2026-11-2{n},{n}0" for n in range(6)]
    path.write_text("\n".join(["Deal ID,Deal Stage,Close Date,Amount", *rows]))
    _, _, missing = said(check(path)).partition("Missing for an upload: ")
    assert "which rows are sales. `init` asks for it, and writes a profile." in missing
    assert set(re.findall(r"--[a-z-]+", missing.partition("writes a profile")[0])) == {
        *("--time-zone", "--customer-id", "--action"),
    }


def test_the_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    """Which amount counts is another question than which date does."""
    path = tmp_path / "deals.csv"
    rows = [f"{n},2026-11-2{n},{n}0.50,{n}7.25,p{n}@example.com" for n in range(6)]
    path.write_text("\n".join(["Deal ID,Close Date,Net amount,Gross amount,Email", *rows]))
    _, _, missing = said(check(path)).partition("Missing for an upload: ")
    assert "column of the conversion value. `init` asks" in missing
    assert "the conversion time" not in missing


def test_what_is_given_is_neither_assumed_nor_missing(deals: Path) -> None:
    """Options for a first try replace the assumptions."""
    deals.write_text(DEALS.replace("US Dollar", "80"), "utf-8")
    words = ["--customer-id", "123-456-7890", "--action", "Deal", "--time-zone", "Europe/Berlin"]
    result = check(*words, "--currency", "EUR", deals)
    assert result.exit_code == 0, result.output
    assert "Missing" not in result.stdout
    assert "time zone" not in result.stdout
    document = json.loads(check(*words, "--json", deals).stdout)
    assert document["customer_id"] == "1234567890"


def test_options_replace_keys_of_a_profile(deals: Path, tmp_path: Path) -> None:
    """With a profile, nothing is assumed; an option wins over the profile."""
    profiles = tmp_path / "profiles.json"
    profile: dict[str, Any] = {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "conversion_action": "Deal",
    }
    profile["include"] = {"Deal Stage": ["Closed Won"]}
    profiles.write_text(json.dumps({"default": profile}))
    without = check("--profiles", profiles, deals)
    assert "DATE_WITHOUT_ZONE" in without.stdout
    assert "Assumed" not in without.stdout
    given = check("--profiles", profiles, "--time-zone", "UTC", deals)
    assert "DATE_WITHOUT_ZONE" not in given.stdout


@pytest.mark.parametrize(
    ("profile", "words", "said"),
    [
        (
            {"actions": {"Deal Stage": {"Closed Won": {"action": "1001"}}}},
            ["--action", "Secret name"],
            "actions: conversion_action is set too",
        ),
        (
            {"source": "web", "destination": "data_manager"},
            ["--route", "google_ads"],
            "source: web needs destination = data_manager.",
        ),
    ],
)
def test_an_option_that_contradicts_the_profile_exits_with_2(
    deals: Path, tmp_path: Path, profile: dict[str, Any], words: list[str], said: str
) -> None:
    """The message names the key of the profile, and quotes no value of it."""
    profiles = tmp_path / "profiles.json"
    profiles.write_text(
        json.dumps(
            {"default": {"destination": "google_ads", "customer_id": "1234567890", **profile}}
        )
    )
    result = check("--profiles", profiles, *words, deals)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert "Secret" not in result.output


def test_standard_input_is_read_twice() -> None:
    """A pipe gets the same assumptions as a file."""
    result = check("-", stdin=DEALS)
    assert 'only rows with "Closed Won" in "Deal Stage"' in said(result)
    assert "3 rows: 1 would be sent" in said(result)


def test_ambiguous_dates_are_read_in_the_named_order(tmp_path: Path) -> None:
    """`--day-first` decides; without it, the missing option is named."""
    path = tmp_path / "x.csv"
    path.write_text("gclid,Date\nCj0KCQiAexample0001,05/11/2026\n")
    words = ["--action", "1", "--customer-id", "1234567890", "--time-zone", "UTC"]
    assert "order of day and month (--day-first)" in said(check(*words, path))
    assert "1 would be sent" in said(check(*words, "--day-first", path))
    assert "TOO_OLD" in said(check(*words, "--month-first", path))
