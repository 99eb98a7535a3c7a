"""The files of examples/, dropped into a sandbox as docs/sandbox.md describes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.examples import moved_to
from sandbox.up import Sandbox
from tests import crm_exports
from tests.cli.test_check_examples import EXAMPLES, FILES, PROFILES


def dropped(google: Sandbox, name: str, folder: str | None) -> dict[str, Any]:
    """Return the results of an example with the dates of today, as `drop` uploads it."""
    google.set_profiles(PROFILES)
    content = moved_to(EXAMPLES / name, datetime.now(UTC).date())
    return google.results(*google.drop(content, name, folder=folder))


@pytest.mark.parametrize("name", FILES)
def test_each_example_is_uploaded(google: Sandbox, name: str) -> None:
    """The default account has the actions of an example, and no row fails, on any day."""
    profile, rows = FILES[name]
    document = dropped(google, name, profile)
    assert document["file_error"] is None
    assert document["rows"] == []
    assert document["counts"]["rows"] == rows
    assert document["counts"]["uploaded"] == len(google.state.accepted) == rows


def test_the_page_shows_the_commands() -> None:
    """docs/sandbox.md shows how to drop each example into its folder."""
    page = (EXAMPLES.parent / "docs" / "sandbox.md").read_text("utf-8")
    commands = re.findall(r"sandbox drop examples/(\S+)(?: --folder (\w+))? --wait\n", page)
    assert {name: (folder or None, FILES[name][1]) for name, folder in commands} == FILES


def test_the_example_with_mistakes_finds_its_actions(google: Sandbox) -> None:
    """Some rows of `crm_export.csv` are rejected, but none because of its action."""
    document = dropped(google, "crm_export.csv", None)
    assert document["file_error"] is None
    assert not {code for code in document["codes"] if "ACTION" in code}


def test_the_won_deals_of_a_workbook_are_uploaded(google: Sandbox) -> None:
    """The export of a CRM goes its whole way as it comes: the other deals are skipped."""
    won = crm_exports.won("dynamics")
    document = dropped(google, crm_exports.FILES["dynamics"], "dynamics")
    codes = {each["code"] for row in document["rows"] for each in row["errors"] + row["warnings"]}
    assert document["file_error"] is None
    assert codes == {"DATE_WITHOUT_TIME"}
    assert document["counts"]["skipped"] == 3
    sent = [each.as_json()["conversion"] for each in google.state.accepted]
    expected = [(each.order_id, each.value, each.currency_code) for each in won]
    assert [(c["order_id"], c["conversion_value"], c["currency_code"]) for c in sent] == expected


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_the_stages_of_a_lead_are_conversions_of_different_actions(
    google: Sandbox, destination: str
) -> None:
    """A later export adds the stages that leads have reached since then, and nothing twice."""
    actions = {"Qualified": {"action": "1002", "value": 50, "time": "Qualified on"}}
    actions["Won"] = {"action": "1008", "time": "Won on"}
    stages = {**PROFILES["lead_stages"], "actions": {"Stage": actions}}
    google.set_profiles({"lead_stages": {**stages, "destination": destination}})
    today = moved_to(EXAMPLES / "lead_stages.csv", datetime.now(UTC).date())
    times = next(line for line in today.splitlines() if line.startswith(b"L-2003,")).split(b",")[
        5:7
    ]
    rows = {
        b"L-2001,Qualified": b"L-2001,Won",
        b"L-2002,Open": b"L-2002,Qualified",
        b"0172,,,": b"0172,%b,%b,900" % (times[0], times[1]),
        b",,\n": b",%b,700\n" % times[1],
    }
    tomorrow = today
    for before, after in rows.items():
        assert before in tomorrow
        tomorrow = tomorrow.replace(before, after)
    first = google.results(*google.drop(today, "today.csv", folder="lead_stages"))
    second = google.results(*google.drop(tomorrow, "tomorrow.csv", folder="lead_stages"))
    assert (first["counts"]["uploaded"], first["counts"]["skipped"]) == (3, 3)
    assert second["counts"]["skipped"] == 2
    counted = {
        (each["order_id"], each["conversion_action_id"], each["value"] or 0.0)
        for each in google.state.histories()
    }
    assert counted == {
        *(("L-2001", 1002, 50.0), ("L-2002", 1002, 50.0)),
        *(("L-2001", 1008, 700.0), ("L-2003", 1008, 12500.5), ("L-2005", 1008, 0.0)),
    }
