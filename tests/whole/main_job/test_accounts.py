"""Accounts with problems."""

from __future__ import annotations

import json
from typing import Any

from sandbox.accounts import ConversionAction
from sandbox.up import Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

PROFILE = {
    "destination": "google_ads",
    "conversion_action": "1001",
    "time_zone": "UTC",
    "customer_id": "4444444444",
}


def deliver(google: Sandbox, content: bytes) -> dict[str, Any]:
    return google.results(*google.drop(content, "export.csv"))


def searches(google: Sandbox) -> int:
    return sum(request.method == "google_ads.Search" for request in google.state.requests)


def test_empty_identifier_columns_do_not_need_the_terms(google: Sandbox) -> None:
    """Empty email and phone columns, as in Google's template, do not require the terms."""
    google.set_profiles({"default": PROFILE})
    rows = [core_row(n, email="", phone="") for n in range(1, 6)]
    assert deliver(google, csv_bytes(rows))["counts"]["uploaded"] == 5

    results = deliver(google, csv_bytes([*rows, core_row(6)]))
    assert results["file_error"]["code"] == "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
    assert results["counts"]["not_attempted"] == results["counts"]["rows"] == 6


def test_custom_variables_are_queried_once(google: Sandbox) -> None:
    """One answer about a missing custom variable is used for all rows."""
    google.function.kill()
    columns = (*CORE_COLUMNS, "custom_variable.Region")
    rows = [core_row(n, email="", phone="") | {"custom_variable.Region": "n"} for n in range(300)]
    results = deliver(google, csv_bytes(rows, columns))
    assert results["counts"]["warnings"] == 300
    assert searches(google) <= 4
    assert json.dumps(results).count("UNKNOWN_CUSTOM_VARIABLE") >= 300


def test_of_two_actions_with_one_name_the_accounts_own_is_used(google: Sandbox) -> None:
    """The action that the account owns is used, because Google accepts conversions for it."""
    google.function.kill()  # the instance may have cached the account
    google.state.change_account(
        "1234567890",
        conversion_actions=(
            ConversionAction(1001, "Phone sale", lookback_days=90),
            ConversionAction(1008, "Phone sale", owner="9999999999"),
        ),
    )
    google.set_profiles({"default": {**PROFILE, "customer_id": "1234567890"}})
    results = deliver(google, csv_bytes([core_row(1, conversion_action="phone sale")]))
    google.function.kill()
    assert results["counts"]["uploaded"] == 1


def test_a_sign_is_that_of_the_accounts_currency_or_refused(google: Sandbox) -> None:
    """`$12` without a stated currency is 12 of the account's dollars, and never 12 of its euros."""
    dollars = core_row(1, conversion_value="$12", currency_code="")
    google.set_profiles({"default": {**PROFILE, "customer_id": "1234567890"}})
    assert deliver(google, csv_bytes([dollars]))["counts"]["uploaded"] == 1

    in_euros = {"customer_id": "2222222222", "login_customer_id": "9999999999"}
    google.set_profiles({"default": {**PROFILE, **in_euros}})
    results = deliver(google, csv_bytes([{**dollars, "conversion_action": "2001"}]))
    assert [each["code"] for each in results["rows"][0]["errors"]] == ["AMBIGUOUS_CURRENCY"]
