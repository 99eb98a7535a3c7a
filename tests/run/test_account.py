"""The account of a file: what is checked before the first row, and what if it cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib.errors import PermanentError, RetryableError
from tests.fakes import SOLD_AT, World, deliver, results, sales, world
from tests.rows import CORE_COLUMNS, core_row, csv_bytes

COLUMNS = [column for column in CORE_COLUMNS if column != "conversion_action"]
ROUTES = ("google_ads", "data_manager")


@pytest.fixture(params=ROUTES)
def google(request: pytest.FixtureRequest) -> World:
    """A world whose files go to either API."""
    made = world()
    made.use_destination(request.param)
    return made


def sold(google: World, action: str) -> dict[str, Any]:
    """Deliver a sale whose action is in the profile. Return its results document."""
    google.profiles["default"]["action"] = action
    row = core_row(1, conversion_date_time=SOLD_AT)
    del row["conversion_action"]
    deliver(google, "daily.csv", csv_bytes([row], COLUMNS))
    return results(google)


def severities(capfd: pytest.CaptureFixture[str]) -> set[str]:
    return {json.loads(line)["severity"] for line in capfd.readouterr().out.splitlines()}


def unread(google: World, *, is_unreachable: bool) -> None:
    google.api.unread = "API_UNAVAILABLE" if is_unreachable else "ACTION_NOT_PERMITTED"
    google.api.is_unreachable = is_unreachable


@pytest.mark.parametrize("action", ["1001", "phone sale"])
def test_the_action_of_a_profile_is_found(google: World, action: str) -> None:
    """By its ID or its name."""
    assert sold(google, action)["counts"]["uploaded"] == 1


@pytest.mark.parametrize("action", ["1004", "purchase"])
def test_the_first_file_is_checked_like_every_other(google: World, action: str) -> None:
    """An action that a tag counts stops it before the first row, whether by ID or by name: its
    sales would count twice."""
    stopped = sold(google, action)
    assert stopped["file_error"]["code"] == "ACTION_OF_TAG"
    assert stopped["file_error"]["detail"] == f'action in the profile: "{action}"'
    assert google.api.batches == 0


@pytest.mark.parametrize("is_unreachable", [False, True])
def test_an_id_goes_on_without_the_account(
    google: World, capfd: pytest.CaptureFixture[str], is_unreachable: bool
) -> None:
    """With a note that nobody has checked it, and without an alert: uploads work."""
    unread(google, is_unreachable=is_unreachable)
    found = sold(google, "1001")
    assert found["counts"]["uploaded"] == 1
    (note,) = [each for each in found["notes"] if each["code"] == "ACCOUNT_NOT_LOOKED_UP"]
    assert note["detail"] == google.api.unread
    assert severities(capfd) <= {"INFO", "WARNING"}


def named(google: World, *, in_cell: bool) -> None:
    """Deliver a sale whose action is given by its name: by the profile, or in a cell."""
    if in_cell:
        deliver(google, "daily.csv", sales("a", conversion_action="Phone sale"))
    else:
        sold(google, "Phone sale")


@pytest.mark.parametrize("in_cell", [False, True])
def test_a_name_needs_the_account(google: World, in_cell: bool) -> None:
    """If Google refuses to show it, a person must write the ID, so the file stops."""
    unread(google, is_unreachable=False)
    named(google, in_cell=in_cell)
    assert results(google)["file_error"]["code"] == "ACTION_NAME_NOT_RESOLVABLE"
    assert google.api.batches == 0


@pytest.mark.parametrize("in_cell", [False, True])
def test_a_name_waits_for_google(google: World, in_cell: bool) -> None:
    """If Google cannot be reached, a later attempt may read the account."""
    unread(google, is_unreachable=True)
    with pytest.raises(RetryableError, match="API_UNAVAILABLE"):
        named(google, in_cell=in_cell)
    assert google.api.batches == 0


def test_an_account_that_refuses_uploads_stops_the_file(google: World) -> None:
    """Nothing is sent, and the results say why."""
    google.api.preflight = PermanentError("USER_PERMISSION_DENIED")
    assert sold(google, "1001")["file_error"]["code"] == "USER_PERMISSION_DENIED"
    assert google.api.batches == 0


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("accepted_customer_data_terms", "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"),
        ("enhanced_conversions_on", "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"),
    ],
)
def test_an_account_that_takes_no_user_data_stops_the_file(
    google: World, setting: str, code: str
) -> None:
    """Every row would be refused, so none is sent."""
    google.api.changes = {setting: False}
    assert sold(google, "1001")["file_error"]["code"] == code
    assert google.api.batches == 0
