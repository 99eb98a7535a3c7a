"""`init` on the exports of CRMs: the profile that it writes counts exactly the won rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lib.cli.commands import main
from lib.config.profile import Profile, read_profiles
from tests.cli.test_check_crm_exports import sales_of
from tests.cli.validating import NOW
from tests.crm_exports import FILES, won

EXAMPLES = Path(__file__).parents[2] / "examples"
BY_HAND = json.loads((EXAMPLES / "profiles.json").read_text("utf-8"))

TOLD = {
    # No file can tell that renewals do not count.
    "hubspot_deals": ["--include", "Deal Stage=Closed Won (Sales Pipeline)"],
    "salesforce_report": ["--include", "Stage=Closed Won", "--include", "Type=New Business"],
}
"""What only the owner of a file knows, apart from account, action and time zone."""


def options(name: str) -> list[str]:
    """The options that a person gives for the file of a profile."""
    zone = BY_HAND[name].get("time_zone")
    account = ["--customer-id", "123-456-7890", "--action", "Closed deal"]
    return [*account, *(["--time-zone", zone] if zone else []), *TOLD.get(name, [])]


def init(*arguments: str | Path, now: Any = NOW) -> Any:
    """Run the command in this process, at the fixed time, without a terminal."""
    words = ["init", "--now", now.isoformat(), *map(str, arguments)]
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize("name", FILES)
def test_the_written_profile_counts_exactly_the_won_rows(name: str, tmp_path: Path) -> None:
    """Columns, day first, phone country and row filter come from the file, nothing by hand."""
    output = tmp_path / "profiles.json"
    path = EXAMPLES / FILES[name]
    result = init(path, "-o", output, "--profile", name, *options(name))
    assert result.exit_code == 0, result.output
    assert f"{len(won(name))} would be sent" in result.output
    assert "rejected" not in result.output
    assert "ROLE_UNDECIDED" not in result.output
    written = read_profiles(output.read_text("utf-8"))
    assert sales_of(path.read_bytes(), written[name]) == won(name)


@pytest.mark.parametrize("name", TOLD)
def test_without_being_told_all_won_rows_count(name: str) -> None:
    """Renewals count too: the default filter keeps every stage that means won, and no other."""
    words = options(name)[: -len(TOLD[name])]
    result = init(EXAMPLES / FILES[name], *words)
    assert result.exit_code == 0, result.output
    profile = read_profiles(result.stdout)["default"]
    sent = sales_of((EXAMPLES / FILES[name]).read_bytes(), profile)
    assert [sale for sale in sent if sale in won(name)] == won(name)
    assert len(sent) == len(won(name)) + 1


@pytest.mark.parametrize(
    "file",
    ["hubspot_export.csv", "salesforce_export.csv", "semicolon_decimal_comma.csv", "utf16_tab.txt"],
)
def test_other_examples_need_no_more_options(file: str) -> None:
    """A German file with a decimal comma and a file in UTF-16 are read without a warning. No file
    can tell which stages of a lead count."""
    stage = ["--include", "Lifecycle Stage=Customer"] if file == "hubspot_export.csv" else []
    result = init(EXAMPLES / file, *options("hubspot_deals")[:6], *stage)
    assert result.exit_code == 0, result.output
    profile = Profile.model_validate(read_profiles(result.stdout)["default"])
    assert sales_of((EXAMPLES / file).read_bytes(), profile.model_dump())
    assert "would be rejected" not in result.stderr
    if file.startswith("semicolon"):
        assert (profile.day_first, profile.decimal_comma, profile.currency_code) == (
            True,
            True,
            "EUR",
        )
