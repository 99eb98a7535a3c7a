"""Before the first row: what is said once, of the file as a whole."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lib.adapters.logging import Log
from lib.config.profile import Profile
from lib.errors import PermanentError
from lib.model.outcomes import RowOutcome
from lib.model.records import Conversion
from lib.run.preflight import UploadJob, prepare_job, read_header, read_table
from tests.fakes import FakeApi

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PROFILE = Profile(customer_id="123-456-7890", conversion_action="1001", time_zone="UTC")


def ready(header: str, api: FakeApi | None = None, profile: Profile = PROFILE) -> UploadJob:
    """Get a file with that header ready; it has one row of empty cells but for its first."""
    row = "x" + "," * header.count(",")
    table = read_table(io.BytesIO(f"{header}\n{row}\n".encode()), profile, 1 << 20)
    api = api or FakeApi()
    profile = profile.model_copy(update={"destination": api.name})
    return prepare_job(table, read_header(table, profile), profile, NOW, lambda *_: api, Log())


def codes(job: UploadJob) -> list[str]:
    return [note.code for note in job.notes]


@pytest.mark.parametrize(
    ("sunset", "warned"),
    [
        (None, False),
        (date(2027, 11, 1), False),
        (NOW.date() + timedelta(days=60), False),
        (NOW.date() + timedelta(days=59), True),
        (NOW.date() - timedelta(days=1), True),
    ],
)
def test_the_end_of_an_api_version_is_announced_in_time(sunset: date | None, warned: bool) -> None:
    """Two months before Google switches a version off, every results document says so."""
    job = ready("gclid,conversion_date_time", FakeApi(sunset=sunset))
    assert ("API_VERSION_ENDS_SOON" in codes(job)) is warned


@pytest.mark.parametrize(
    ("header", "route", "code"),
    [
        ("gclid,conversion_value", "google_ads", "NO_TIME_COLUMN"),
        ("user_ip_address,conversion_date_time", "google_ads", "NO_USABLE_COLUMN"),
        ("first_name,last_name,zip,country,conversion_date_time", "google_ads", "NO_USABLE_COLUMN"),
    ],
)
def test_columns_that_would_fail_every_row_stop_the_file(
    header: str, route: str, code: str
) -> None:
    """Said once, before the account is asked."""
    with pytest.raises(PermanentError) as raised:
        ready(header, FakeApi(name=route))
    assert raised.value.code == code


def test_an_ip_address_is_enough_for_the_data_manager_route() -> None:
    """That API matches by it, so the file isn't stopped there."""
    job = ready("user_ip_address,conversion_date_time", FakeApi(name="data_manager"))
    assert job.destination.name == "data_manager"


def test_an_action_is_needed_from_somewhere() -> None:
    """And where a column was probably meant for it, the note on that stays with the file."""
    header = "gclid,convertion_action,conversion_date_time"
    with pytest.raises(PermanentError) as raised:
        ready(header, profile=Profile(customer_id="1234567890", time_zone="UTC"))
    assert (raised.value.code, raised.value.detail) == ("ACTION_MISSING", "no column for it")
    table = read_table(io.BytesIO(header.encode()), PROFILE, 1 << 20)
    assert (
        read_header(table, PROFILE).notes[0].detail
        == "convertion_action (did you mean conversion_action?)"
    )


def test_an_account_is_needed_from_somewhere() -> None:
    """Neither the profile nor a column: a guess would be somebody else's account."""
    with pytest.raises(PermanentError) as raised:
        ready("gclid,conversion_date_time", profile=Profile(conversion_action="1001"))
    assert raised.value.code == "CUSTOMER_ID_MISSING"


def test_an_unknown_zone_of_the_file_is_said_once_and_stops_no_row_with_its_own() -> None:
    """The profile's zone doesn't take its place: the file says that it's another."""
    lines = "Parameters:TimeZone=Mars/Base\ngclid,conversion_date_time"
    job = ready(lines)
    assert codes(job).count("UNKNOWN_ZONE_OF_FILE") == 1
    assert isinstance(job.plan.judge(3, ["A" * 20, "2026-11-20 10:00:00Z"]), Conversion)
    refused = job.plan.judge(4, ["A" * 20, "2026-11-20 10:00:00"])
    assert isinstance(refused, RowOutcome)
    assert [each.code for each in refused.errors] == ["UNKNOWN_TIME_ZONE"]


@pytest.mark.parametrize(
    ("header", "stated", "noted"),
    [
        ("gclid,conversion_date_time", None, True),
        ("gclid,conversion_date_time", "DENIED", False),
        ("gclid,conversion_date_time,Ad User Data", None, False),
        ("gclid,conversion_date_time,ad_personalization", None, True),
    ],
)
@pytest.mark.parametrize("route", ["google_ads", "data_manager"])
def test_a_file_without_any_consent_is_noted(
    header: str, stated: Any, noted: bool, route: str
) -> None:
    """Google may not attribute its conversions; a column or the profile can state it."""
    profile = PROFILE.model_copy(update={"ad_user_data": stated})
    job = ready(header, FakeApi(name=route), profile)
    assert ("CONSENT_NOT_STATED" in codes(job)) is noted


def test_fields_the_route_has_no_place_for_are_noted_once() -> None:
    """The Ads route says that addresses and the second consent stay at home."""
    job = ready("gclid,conversion_date_time,first_name,ad_personalization,colour")
    assert codes(job)[:3] == ["UNKNOWN_COLUMNS", "ADDRESS_NOT_SENT", "AD_PERSONALIZATION_NOT_SENT"]
