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
    """Its amounts may be in another currency too."""
    profile = {**PROFILE, "value_scale": 0.01, "decimal_sign": ".", "date_order": "DMY"}
    content = SALES.replace("Kind\n", "Kind,Net\n").replace(",\n", ",,1200\n")
    change(profile, "Value", "Net", "EUR", "a point", "cents", content=content)
    assert (
        saved()["columns"]["conversion_value"] == ["Net"]
        or saved()["columns"]["conversion_value"] == "Net"
    )
    assert (saved()["value_scale"], saved()["decimal_sign"]) == (0.01, ".")
    change(profile, "Time", "Other time", "month first")
    assert saved()["date_order"] == "MDY"


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


def test_the_screen_names_what_no_question_is_about() -> None:
    """Nothing of a profile is hidden, least of all that Google counts nothing."""
    profile = {
        **PROFILE,
        "columns": {**PROFILE["columns"], "email_2": ["Mail", "Mail 2"]},
        "conversions": [{"rows": {"Stage": ["Won"]}, "columns": {"gclid": ["Click"]}}],
        "optional": ["gclid"],
        "derive_order_id": False,
        "validate_only": True,
        "event_source": "WEB",
    }
    del profile["columns"]["order_id"]
    shown = screen(reopen(profile, ["q"]).output)
    assert "names in line 1 Nothing will be counted: Google only checks" in shown
    others = shown.partition("Also in the profile: ")[2]
    for text in (
        'email_2 ["Mail", "Mail 2"]',
        'gclid (Won) ["Click"]',
        "validate_only true",
        'optional ["gclid"]',
        "derive_order_id false",
        "event_source WEB",
    ):
        assert text in others
    assert "Also in the profile" not in screen(reopen(PROFILE, ["q"]).output)


def test_samples_are_read_as_a_run_reads_them() -> None:
    """Additions of spreadsheets, placeholders and digests are no reason to be left out."""
    rows = [
        ("'ann@example.com", "N/A", "202-555-0101"),
        ("ab" * 32, "", "202-555-0102"),
        ("n/a", "US", "202-555-0103"),
    ]
    content = "Stage,Time,Amount,Order,Mail,Country,Phone,Agreed\n"
    for number, cells in enumerate(rows):
        content += f"Won,2026-11-20 10:00:00,5.00,{number}," + ",".join(cells) + ",YES \n"
    columns = {**PROFILE["columns"], "phone": ["Phone"], "country_code": ["Country"]}
    profile = {**PROFILE, "phone_region": "US"}
    profile |= {"columns": {**columns, "ad_user_data": ["Agreed"]}, "skip": {}}
    del profile["ad_user_data"]
    shown = screen(reopen(profile, ["q"], content).output)
    assert "YES (3 rows) → GRANTED" in shown
    for text in (
        "'ann@example.com → ann@example.com, hashed",
        f"{'ab' * 16}… → hashed already",
        "202-555-0101 → +12025550101, hashed",
        "n/a → left out",
    ):
        assert text in shown


def test_samples_of_an_entry_are_its_own() -> None:
    """The first one has the columns of the profile, and the next one another time."""
    own = {"conversion_date_time": ["Other time"]}
    entries = [{"rows": {"Stage": ["Won"]}}, {"rows": {"Stage": ["Lead"]}, "columns": own}]
    profile = {key: value for key, value in PROFILE.items() if key != "skip"}
    content = SALES.replace("-5050", "5050")
    shown = screen(reopen({**profile, "conversions": entries}, ["q"], content).output)
    of_first, of_other = shown.split(" Time (Lead) ")
    assert "2026-11-19" not in of_first
    assert "2026-11-19 07:00:00 → 19 November 2026" in of_other


def test_another_column_keeps_what_empty_cells_mean() -> None:
    """An entry's own value is no such thing: it is replaced."""
    entries = [
        {"rows": {"Stage": ["Won"]}, "action": "Won deal", "value": "action_default"},
        {"rows": {"Stage": ["Lead"]}, "value": 50},
    ]
    profile = {key: value for key, value in PROFILE.items() if key != "skip"}
    profile["conversions"] = entries
    change(profile, "Value (Won)", "Order", "whole units")
    assert saved()["conversions"][0]["value"] == "action_default"
    change(profile, "Value (Lead)", "Order", "whole units")
    assert saved()["conversions"][1]["columns"] == {"conversion_value": "Order"}
    assert "value" not in saved()["conversions"][1]
