"""The real function looks up the actions of an account for the Data Manager API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.up import Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

PROFILE = {"destination": "data_manager", "customer_id": "1234567890", "event_source": "WEB"}


@pytest.fixture
def google() -> Iterator[Sandbox]:
    """A sandbox with a function that has looked up nothing yet."""
    with Sandbox(source=Path(__file__).parents[3]) as running:
        yield running


def deliver(google: Sandbox, folder: str) -> dict[str, Any]:
    """Deliver a row that names no conversion action."""
    columns = [each for each in CORE_COLUMNS if each != "conversion_action"]
    row = {name: cell for name, cell in core_row(1).items() if name in columns}
    return google.results(*google.drop(csv_bytes([row], columns), "export.csv", folder))


def test_a_name_is_looked_up_and_a_website_action_stops(google: Sandbox) -> None:
    """A name becomes the ID of its action, and an ID is checked."""
    google.set_profiles(
        {
            "by_name": {**PROFILE, "conversion_action": "phone sale"},
            "of_tag": {**PROFILE, "conversion_action": 1004},
        }
    )
    assert deliver(google, "by_name")["counts"]["uploaded"] == 1
    assert [each.action_id for each in google.state.accepted] == [1001]
    assert deliver(google, "of_tag")["file_error"]["code"] == "ACTION_OF_TAG"
    assert len(google.state.accepted) == 1


def test_stages_by_names_arrive_at_their_actions(google: Sandbox) -> None:
    """A file of leads: each stage is a conversion of the action that the profile names for it."""
    stages = {
        "Qualified": {"action": "qualified lead", "value": 50},
        "Won": {"action": "Phone sale"},
    }
    google.set_profiles({"leads": {**PROFILE, "actions": {"Stage": stages}}})
    columns = [each for each in CORE_COLUMNS if each != "conversion_action"]
    rows = []
    for number, stage in enumerate(("Won", "Qualified", "Lost", "Won")):
        row = {name: cell for name, cell in core_row(number).items() if name in columns}
        rows.append({**row, "Stage": stage})
    file = csv_bytes(rows, [*columns, "Stage"])
    document = google.results(*google.drop(file, "export.csv", "leads"))
    assert (document["counts"]["uploaded"], document["counts"]["skipped"]) == (3, 1)
    sent = sorted(
        (each.action_id, each.as_json()["conversion"]["conversion_value"])
        for each in google.state.accepted
    )
    assert [action for action, _ in sent] == [1001, 1001, 1002]
    assert sent[-1] == (1002, 50)
