"""Features that Google closed to new callers: the error names the alternative."""

from __future__ import annotations

from sandbox.up import Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

CODE = "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
COLUMNS = (*CORE_COLUMNS, "user_ip_address")
PROFILE = {
    "destination": "google_ads",
    "customer_id": "1234567890",
    "conversion_action": "1001",
    "time_zone": "UTC",
}


def test_a_closed_account_is_pointed_to_the_data_manager_api(google: Sandbox) -> None:
    """The file error names the Data Manager API and the profile key that selects it."""
    google.set_profiles({"default": {**PROFILE, "customer_id": "6666666666"}})
    results = google.results(*google.drop(csv_bytes([core_row(1)]), "closed.csv"))
    assert results["file_error"]["code"] == CODE
    assert "data_manager" in results["codes"][CODE]["action"]


def test_only_rows_with_closed_fields_fail(google: Sandbox) -> None:
    """Only the row with an IP address fails, and its action names both alternatives."""
    google.set_profiles({"default": PROFILE})
    rows = [core_row(1) | {"user_ip_address": "192.0.2.1"}, core_row(2) | {"user_ip_address": ""}]
    results = google.results(*google.drop(csv_bytes(rows, COLUMNS), "ip.csv"))
    assert results["counts"]["uploaded"] == 1
    (row,) = results["rows"]
    assert (row["line"], row["outcome"]) == (2, "failed")
    assert row["errors"][0]["code"] == CODE
    assert "omit_session_and_ip" in results["codes"][CODE]["action"]


def test_closed_fields_can_be_left_out(google: Sandbox) -> None:
    """With the profile key, the conversion is uploaded without the closed fields."""
    google.set_profiles({"default": {**PROFILE, "omit_session_and_ip": True}})
    rows = [core_row(1) | {"user_ip_address": "192.0.2.1"}]
    results = google.results(*google.drop(csv_bytes(rows, COLUMNS), "ip.csv"))
    assert results["counts"]["uploaded"] == 1
    (entry,) = list(google.state.conversions())
    assert "user_ip_address" not in entry["conversion"]
