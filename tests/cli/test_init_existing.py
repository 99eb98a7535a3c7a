"""`init FILE` with a profile that is there already: what nobody changes stays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lib.cli.commands import main
from tests.cli.test_init import NOW, folder, saved
from tests.cli.test_init_review import screen

__all__ = ["folder"]

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = {  # google.json has no columns
    "hubspot": "hubspot_deals.csv",
    "lead_stages": "lead_stages.csv",
    "pipedrive": "pipedrive_deals_de.csv",
    "salesforce": "salesforce_report.csv",
    "shop_de": "semicolon_decimal_comma.csv",
    "shop_refunds": "shop_refunds.csv",
    "shopify": "shopify_orders.csv",
    "stripe": "stripe_payments.csv",
    "woocommerce": "woocommerce_orders.csv",
    "zoho": "zoho_deals.csv",
}
EXPORTS = [each.parent.name for each in REPOSITORY.glob("tests/exports/*/profile.json")]
SALES = """\
Stage,Time,Other time,Amount,Code,Order,Mail,Kind
Won,2026-11-20 10:00:00,2026-11-19 09:00:00,1999,EUR,1001,ann@example.com,
Won,2026-11-20 11:00:00,2026-11-19 08:00:00,5050,EUR,1002,bob@example.com,
Lead,2026-11-20 12:00:00,2026-11-19 07:00:00,-5050,EUR,1003,cy@example.com,
"""
PROFILE: dict[str, Any] = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "expect": "any time",
    "action": "Sale",
    "columns": {
        "conversion_date_time": ["Time"],
        "conversion_value": ["Amount"],
        "order_id": ["Order"],
        "email": ["Mail"],
    },
    "skip": {"Stage": ["Lead"]},
    "currency_code": "EUR",
    "time_zone": "UTC",
    "ad_user_data": "GRANTED",
}


def reopen(profile: dict[str, Any], lines: Sequence[str], content: str = SALES) -> Result:
    """Open this profile for a file."""
    Path("profiles.json").write_text(json.dumps({"default": profile}))
    Path("deals.csv").write_text(content)
    return CliRunner().invoke(main, ["init", "deals.csv", "--now", NOW], input="\n".join(lines))


def number_of(title: str, shown: str) -> str:
    """The number of the question with this title, on a screen."""
    line = next(line for line in shown.splitlines() if line[5:].startswith(f"{title}  "))
    return line.split()[0]


def change(profile: dict[str, Any], title: str, *answers: str, content: str = SALES) -> Result:
    """Answer a question of this profile again, and save."""
    number = number_of(title, reopen(profile, ["q"], content).output)
    done = reopen(profile, [number, *answers, "s"], content)
    assert done.exit_code == 0, done.output
    return done


def _played(kind: str, name: str) -> tuple[Path, Path, str]:
    if kind == "examples":
        return (
            REPOSITORY / "examples/profiles" / f"{name}.json",
            REPOSITORY / "examples" / EXAMPLES[name],
            name,
        )
    export = REPOSITORY / "tests/exports" / name
    (data,) = (each for each in export.iterdir() if each.suffix != ".json")
    return export / "profile.json", data, ""


@pytest.mark.parametrize(
    "kind, name", [*(("examples", n) for n in EXAMPLES), *(("exports", n) for n in sorted(EXPORTS))]
)
def test_a_profile_that_nobody_changes_stays_as_it_is(kind: str, name: str) -> None:
    """Even the spelling of its keys does."""
    path, data, key = _played(kind, name)
    document = json.loads(path.read_text("utf-8"))
    if not key:
        document, key = {"export": document}, "export"
    Path("profiles.json").write_text(json.dumps(document))
    done = CliRunner().invoke(
        main, ["init", str(data), "--profile", key, "--now", NOW], input="s\n"
    )
    assert done.exit_code == 0, done.output
    assert "Saved the profile" in done.output
    assert json.dumps(json.loads(Path("profiles.json").read_text())) == json.dumps(document)


def test_a_profile_without_columns_is_refused() -> None:
    """Columns would change what it means: it takes all of Google's templates."""
    document = (REPOSITORY / "examples/profiles/google.json").read_text()
    Path("profiles.json").write_text(document)
    Path("deals.csv").write_text(SALES)
    done = CliRunner().invoke(main, ["init", "deals.csv", "--profile", "google"], input="s\n")
    assert done.exit_code == 2
    assert "files of Google's templates need no init" in " ".join(done.output.split())
    assert Path("profiles.json").read_text() == document


def test_the_same_column_again_changes_nothing() -> None:
    """Its other names, cents and the currency of empty cells stay."""
    columns = {**PROFILE["columns"], "conversion_value": ["Deal - Value", "Amount"]}
    profile = {**PROFILE, "columns": {**columns, "currency_code": ["Code"]}, "value_scale": 0.01}
    change(profile, "Value", "Amount")
    assert saved() == profile
    change(profile, "Currency", "Code")
    assert saved() == profile


def test_another_column_asks_again_how_its_cells_are_written() -> None:
    """An empty answer keeps what it was."""
    profile = {**PROFILE, "value_scale": 0.01, "decimal_sign": ".", "date_order": "DMY"}
    content = SALES.replace("Kind\n", "Kind,Net\n").replace(",\n", ",,1200\n")
    done = change(profile, "Value", "Net", "", "", content=content)
    assert "or nothing to keep: cents" in done.output
    assert (
        saved()["columns"]["conversion_value"] == ["Net"]
        or saved()["columns"]["conversion_value"] == "Net"
    )
    assert (saved()["value_scale"], saved()["decimal_sign"]) == (0.01, ".")
    change(profile, "Time", "Other time", "month first")
    assert saved()["date_order"] == "MDY"


def test_a_column_of_types_says_what_an_adjustment_is() -> None:
    """A column of new values does not make each of them a restatement."""
    entries = [
        {"rows": {"Stage": ["Won"]}},
        {
            "rows": {"Stage": ["Lead"]},
            "send": "adjustment",
            "columns": {"adjustment_type": ["Kind"], "adjustment_date_time": ["Time"]},
        },
    ]
    profile = {key: value for key, value in PROFILE.items() if key != "skip"}
    change({**profile, "conversions": entries}, "New value (Lead)", "Amount", "whole units")
    assert saved()["conversions"][1]["send"] == "adjustment"


def test_an_entry_shows_what_it_takes_from_the_profile() -> None:
    """The value and the action of the profile are those of its entries."""
    profile = {key: value for key, value in PROFILE.items() if key != "skip"}
    del (columns := {**PROFILE["columns"]})["conversion_value"]
    entries = [
        {"rows": {"Stage": ["Won"]}, "action": "Won deal"},
        {"rows": {"Stage": ["Lead"]}, "value": 7},
    ]
    shown = screen(
        reopen({**profile, "columns": columns, "conversions": entries, "value": 50}, ["q"]).output
    )
    for text in ("Value (Won) 50 each", "Value (Lead) 7 each", "(Won) Won deal", "(Lead) Sale"):
        assert text in shown


@pytest.mark.parametrize(
    "cells, is_asked",
    [
        (["1999", "-5050", "", "n/a"], True),
        (["1999", "50.50"], False),
        (["1999", "$50"], False),
        (["-5050", ""], False),
    ],
)
def test_whole_numbers_may_be_cents(cells: Sequence[str], is_asked: bool) -> None:
    """Cells that are no positive number say nothing of it."""
    rows = "".join(f"Won,2026-11-20 10:00:00,,{cell},,{n},,\n" for n, cell in enumerate(cells))
    shown = reopen(PROFILE, ["q"], SALES.partition("\n")[0] + f"\n{rows}").output
    assert ("Scale of values" in shown) is is_asked
