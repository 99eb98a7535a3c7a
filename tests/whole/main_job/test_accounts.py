"""Accounts that are not as they should be, alone and among others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.accounts import ConversionAction
from sandbox.up import Sandbox
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

COLUMNS = (*CORE_COLUMNS, "customer_id")
PROFILE = {"conversion_action": "1001", "time_zone": "UTC", "customer_id": "4444444444"}


def deliver(google: Sandbox, content: bytes) -> dict[str, Any]:
    return google.results(*google.drop(content, "export.csv"), timeout_seconds=60)


def searches(google: Sandbox) -> int:
    return sum(request.method == "google_ads.Search" for request in google.state.requests)


def test_one_account_that_refuses_does_not_stop_the_others(google: Sandbox) -> None:
    """The rows of the account without terms fail; those of the other arrive, a chunk later too."""
    rows = [core_row(n) | {"customer_id": "4444444444"} for n in range(1, 2002)]
    rows += [core_row(n) | {"customer_id": "123-456-7890"} for n in range(2002, 2052)]
    results = deliver(google, csv_bytes(rows, COLUMNS))
    assert results["counts"]["uploaded"] == 50
    assert results["counts"]["rows"] == 2051
    assert results["file_error"] is None


def test_a_wrong_account_number_is_asked_about_once(google: Sandbox) -> None:
    """Whatever the rows beside it say; a refusal costs no query a row."""
    actions = ("1001", "1002", "customers/1/conversionActions/1001", "Phone sale")
    rows = [
        core_row(n, conversion_action=actions[n % 4]) | {"customer_id": "3333333333"}
        for n in range(1, 41)
    ]
    results = deliver(google, csv_bytes(rows, COLUMNS))
    assert results["file_error"]["code"] == "USER_PERMISSION_DENIED"
    assert results["counts"]["not_attempted"] == 40
    assert searches(google) == 1


def test_a_crms_customer_numbers_stop_the_file(google: Sandbox) -> None:
    """Each would cost a query of the day's quota."""
    rows = [core_row(n) | {"customer_id": f"{n:010}"} for n in range(1, 301)]
    results = deliver(google, csv_bytes(rows, COLUMNS))
    assert results["file_error"]["code"] == "TOO_MANY_ACCOUNTS"
    assert results["counts"]["not_attempted"] == 300
    assert searches(google) <= 100


def test_empty_identifier_columns_do_not_need_the_terms(google: Sandbox) -> None:
    """Google's own template has e-mail and phone columns, which may stay empty."""
    google.set_profiles({"default": PROFILE})
    rows = [core_row(n, email="", phone="") for n in range(1, 6)]
    assert deliver(google, csv_bytes(rows))["counts"]["uploaded"] == 5

    results = deliver(google, csv_bytes([*rows, core_row(6)]))
    assert results["file_error"]["code"] == "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
    assert results["counts"]["not_attempted"] == results["counts"]["rows"] == 6


def test_a_mended_account_works_at_once(google: Sandbox) -> None:
    """What a warm instance remembers of an account isn't held against it."""
    google.set_profiles({"default": PROFILE})
    refused = deliver(google, csv_bytes([core_row(1)]))
    assert refused["file_error"]["code"] == "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
    google.state.change_account("4444444444", accepted_customer_data_terms=True)
    assert deliver(google, csv_bytes([core_row(2)]))["counts"]["uploaded"] == 1


def test_custom_variables_are_asked_for_once(google: Sandbox) -> None:
    """An account that has none of that name answers for all rows."""
    google.function.kill()
    columns = (*CORE_COLUMNS, "custom_variable.Region")
    rows = [core_row(n, email="", phone="") | {"custom_variable.Region": "n"} for n in range(300)]
    results = deliver(google, csv_bytes(rows, columns))
    assert results["counts"]["warnings"] == 300
    assert searches(google) <= 4
    assert json.dumps(results).count("UNKNOWN_CUSTOM_VARIABLE") >= 300


def test_of_two_actions_with_one_name_the_accounts_own_is_meant(google: Sandbox) -> None:
    """Google takes conversions for the action that the account itself owns."""
    google.function.kill()  # it may have read the account before
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


@pytest.fixture
def unreadable(google: Sandbox) -> Iterator[Sandbox]:
    """The first account refuses queries, and takes uploads. An instance remembers an account for
    a while, so there is a new one before and after."""
    google.function.kill()
    google.state.change_account("1234567890", readable=False)
    yield google
    google.function.kill()


def test_an_account_that_may_not_be_read_takes_actions_by_their_ids(unreadable: Sandbox) -> None:
    """The upload goes on, with a note that nothing was checked before it."""
    unreadable.set_profiles({"default": {**PROFILE, "customer_id": "1234567890"}})
    results = deliver(unreadable, csv_bytes([core_row(1)]))
    assert results["counts"]["uploaded"] == 1
    assert "PREFLIGHT_NOT_PERMITTED" in [note["code"] for note in results["notes"]]
    assert '"event": "preflight_not_permitted"' in unreadable.function.output()


def test_an_account_that_may_not_be_read_knows_no_names(unreadable: Sandbox) -> None:
    """Said once of the profile's, by row of the column's; nothing nameless is uploaded."""
    profile = {"customer_id": "1234567890", "conversion_action": "Phone sale", "time_zone": "UTC"}
    unreadable.set_profiles({"default": profile})
    without = [name for name in CORE_COLUMNS if name != "conversion_action"]
    row = core_row(1)
    del row["conversion_action"]
    stopped = deliver(unreadable, csv_bytes([row], without))
    assert stopped["file_error"]["code"] == "ACTION_NAME_NOT_RESOLVABLE"
    assert "the profile's conversion_action" in stopped["file_error"]["message"]
    assert "ctId" in stopped["file_error"]["action"]

    rows = [core_row(1, conversion_action="Phone sale"), core_row(2)]
    results = deliver(unreadable, csv_bytes(rows))
    assert results["counts"]["uploaded"] == results["counts"]["rejected"] == 1
    assert results["rows"][0]["errors"][0]["code"] == "ACTION_NAME_NOT_RESOLVABLE"
