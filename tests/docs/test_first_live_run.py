"""The page on the first live run says what its steps show: here, at a Google on this computer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.up import Sandbox

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "first-live-run.md").read_text("utf-8")
PROFILE: dict[str, Any] = {
    "customer_id": "123-456-7890",
    "expect": "any time",
    "action": "1008",
    "time_zone": "America/Chicago",
    "ad_user_data": "GRANTED",
}


@pytest.fixture(scope="module")
def google() -> Iterator[Sandbox]:
    """A Google on this computer, and the function."""
    with Sandbox(source=ROOT) as running:
        yield running


def results(google: Sandbox, profile: dict[str, Any], click: str) -> dict[str, Any]:
    """Upload the file of the page with this profile. Return its results."""
    google.set_profiles({"default": {**PROFILE, **profile}})
    day = (datetime.now(UTC) - timedelta(days=5)).date()
    header = "gclid,conversion_date_time,conversion_value,currency_code,order_id"
    row = f"Cj0KCQiAexample_{click},{day} 10:00:00,49.90,USD,{click}"
    name, generation = google.drop(f"{header}\n{row}\n".encode(), "first.csv")
    return google.results(name, generation, timeout_seconds=30)


@pytest.mark.parametrize("destination", ["google_ads", "data_manager"])
def test_a_row_is_checked_then_counted_once(google: Sandbox, destination: str) -> None:
    """Each step has the outcome that the page says."""
    api = {"destination": destination}
    checked = results(google, {**api, "validate_only": True}, f"first-{destination}")
    assert (checked["status"], checked["counts"]["ok"]) == ("completed", 1)
    assert checked["notes"] == []
    sent = results(google, api, f"first-{destination}")
    assert sent["counts"]["uploaded"] == 1
    again = results(google, api, f"first-{destination}")
    if destination == "google_ads":
        assert again["counts"]["duplicate"] == 1
    else:
        assert sent["counts"]["awaiting"] == 1


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ({"action": "No such action"}, "UNKNOWN_ACTION"),
        ({"customer_id": "3333333333"}, "USER_PERMISSION_DENIED"),
        (
            {"customer_id": "6666666666", "action": 1001},
            "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE",
        ),
    ],
)
def test_a_wrong_account_or_action_stops_the_file(
    google: Sandbox, profile: dict[str, Any], code: str
) -> None:
    """The page has a row for the code, and nothing was sent."""
    found = results(
        google, {"destination": "google_ads", **profile, "validate_only": True}, "wrong"
    )
    assert found["file_error"]["code"] == code
    assert f"`{code}`" in PAGE
