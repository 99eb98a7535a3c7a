"""The real function looks at the account before the first row, for the Data Manager API too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.up import Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

PROFILE = {
    "destination": "data_manager",
    "customer_id": "1234567890",
    "expect": "any time",
    "event_source": "WEB",
}


@pytest.fixture
def google() -> Iterator[Sandbox]:
    """A sandbox with a function that has seen nothing yet."""
    with Sandbox(source=Path(__file__).parents[3]) as running:
        yield running


def deliver(google: Sandbox, folder: str) -> dict[str, Any]:
    """Deliver a row that names no conversion action."""
    columns = [each for each in CORE_COLUMNS if each != "conversion_action"]
    row = {name: cell for name, cell in core_row(1).items() if name in columns}
    return google.results(*google.drop(csv_bytes([row], columns), "export.csv", folder))


def test_the_first_file_is_checked_and_a_name_becomes_an_id(google: Sandbox) -> None:
    """An action that the website's tag counts stops the first file, whether by ID or by name."""
    google.set_profiles(
        {
            "of_tag": {**PROFILE, "action": "1004"},
            "of_tag_by_name": {**PROFILE, "action": "website purchase"},
            "by_name": {**PROFILE, "action": "phone sale"},
        }
    )
    for folder in ("of_tag", "of_tag_by_name"):
        assert deliver(google, folder)["file_error"]["code"] == "ACTION_OF_TAG"
    assert deliver(google, "by_name")["counts"]["uploaded"] == 1
    assert [each.action_id for each in google.state.accepted] == [1001]


def test_a_missing_right_to_look_is_a_note(google: Sandbox) -> None:
    """Uploads by ID work without it, so nobody is alerted."""
    google.state.change_account("1234567890", readable=False)
    google.set_profiles({"by_id": {**PROFILE, "action": "1001"}})
    results = deliver(google, "by_id")
    assert results["counts"]["uploaded"] == 1
    assert "ACCOUNT_NOT_LOOKED_UP" in [note["code"] for note in results["notes"]]
    assert '"severity": "ERROR"' not in google.function_output()
    assert '"severity": "CRITICAL"' not in google.function_output()


def test_stages_by_names_arrive_at_their_actions(google: Sandbox) -> None:
    """A file of leads: each stage is a conversion of the action that the profile names for it."""
    entries = [
        {"action": "qualified lead", "rows": {"Stage": ["Qualified"]}, "value": 50},
        {"action": "Phone sale", "rows": {"Stage": ["Won"]}},
    ]
    fields = [each for each in CORE_COLUMNS if each != "conversion_action"]
    leads = {
        **PROFILE,
        "columns": {each: each for each in fields},
        "conversions": entries,
        "skip": {"Stage": ["Lost"]},
    }
    google.set_profiles({"leads": leads})
    rows = []
    for number, stage in enumerate(("Won", "Qualified", "Lost", "Won")):
        row = {name: cell for name, cell in core_row(number).items() if name in fields}
        rows.append({**row, "Stage": stage})
    file = csv_bytes(rows, [*fields, "Stage"])
    document = google.results(*google.drop(file, "export.csv", "leads"))
    assert (document["counts"]["uploaded"], document["counts"]["skipped"]) == (3, 1)
    sent = sorted(
        (each.action_id, each.as_json()["conversion"]["conversion_value"])
        for each in google.state.accepted
    )
    assert [action for action, _ in sent] == [1001, 1001, 1002]
    assert sent[-1] == (1002, 50)
