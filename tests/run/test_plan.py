"""The preflight: errors and notes about the file as a whole, before the first row."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from lib.adapters.logging import JsonLog
from lib.config.profile import Profile
from lib.destinations.registry import capabilities_of
from lib.run.plan import Plan, plan_file
from lib.run.reading import read_header, read_table
from tests.fakes import FakeApi

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PROFILE = Profile(
    destination="google_ads",
    customer_id="123-456-7890",
    action="1001",
    value="action_default",
    time_zone="UTC",
)


def ready(header: str, api: FakeApi | None = None, profile: Profile = PROFILE) -> Plan:
    """Prepare a file with this header and one row in which only the first cell is filled."""
    row = "x" + "," * header.count(",")
    table = read_table(io.BytesIO(f"{header}\n{row}\n".encode()), profile, 1 << 20)
    api = api or FakeApi()
    profile = profile.model_copy(update={"destination": api.capabilities.name})
    return plan_file(table, read_header(table, profile), profile, NOW, lambda *_: api, JsonLog())


def codes(plan: Plan) -> list[str]:
    return [note.code for note in plan.notes]


@pytest.mark.parametrize(
    ("zone", "differs"),
    [("America/Chicago", False), ("america/chicago", False), ("Europe/Berlin", True)],
)
def test_another_zone_than_that_of_the_account_is_noted(zone: str, differs: bool) -> None:
    """However the file writes it."""
    plan = ready(f"Parameters:TimeZone={zone}\ngclid,conversion_date_time")
    assert ("ZONE_DIFFERS" in codes(plan)) == differs


def test_an_unknown_zone_of_the_file_rejects_only_times_without_zone() -> None:
    """The file gets one note, and the profile's time zone does not replace the unknown one."""
    lines = "Parameters:TimeZone=Mars/Base\ngclid,conversion_date_time"
    plan = ready(lines)
    assert codes(plan).count("UNKNOWN_ZONE_OF_FILE") == 1
    validated = plan.parts[0].engine.validate(
        [
            (3, ["A" * 20, "2026-11-20 10:00:00Z"], None, 1),
            (4, ["A" * 20, "2026-11-20 10:00:00"], None, 1),
        ]
    )
    assert validated.lines == [3]
    assert [row.line for row in validated.refused] == [4]
    assert [each.code for each in validated.refused[0].errors] == ["UNKNOWN_TIME_ZONE"]


def test_fields_that_the_destination_cannot_send_are_noted() -> None:
    """With the Google Ads API, columns for addresses and ad personalization get a note."""
    plan = ready("gclid,conversion_date_time,first_name,ad_personalization,colour")
    assert codes(plan)[0] == "COLUMN_NOT_SENT"


@pytest.mark.parametrize("consent", ["ad_user_data", "ad_personalization"])
@pytest.mark.parametrize("names", ["gclid", "caller_id,call_start_date_time"])
def test_a_column_of_consent_ends_the_constant(consent: str, names: str) -> None:
    """An empty cell states nothing, so nothing that the profile states is sent with its row."""
    profile = PROFILE.model_copy(update={consent: "GRANTED", "destination": "data_manager"})
    api = FakeApi(capabilities=capabilities_of("data_manager"))
    stated = []
    for columns in (f"{names},conversion_date_time", f"{names},conversion_date_time,{consent}"):
        table = read_table(io.BytesIO(f"{columns}\nx,,,\n".encode()), profile, 1 << 20)
        header = read_header(table, profile)
        plan_file(
            table, header, profile, NOW, lambda used, _: stated.append(used) or api, JsonLog()
        )
    assert [getattr(each, consent) for each in stated] == ["GRANTED", None]


def test_a_constant_of_an_entry_stands_for_the_column_of_a_template() -> None:
    """100 pounds for a lead are 100 pounds, whatever the columns of values and currencies say."""
    lead = {"action": "1001", "value": 100, "currency_code": "GBP"}
    profile = Profile.model_validate(
        {**PROFILE.model_dump(exclude_unset=True), "conversions": [lead]}
    )
    plan = ready(
        "gclid,Conversion Time,Conversion Value,Conversion Currency,Conversion Name", None, profile
    )
    (entry,) = plan.header.entries
    assert entry.fields.keys() == {"gclid", "conversion_date_time"}


def test_the_columns_of_a_restatement_are_no_unsent_columns() -> None:
    """An API that gets the sale again gets the new value as its value, and needs no time."""
    columns = {
        "conversion_date_time": "Closed",
        "order_id": "Deal",
        "email": "Contact",
        "adjusted_value": "New value",
        "adjustment_date_time": "Changed",
    }
    profile = Profile.model_validate(
        {
            **PROFILE.model_dump(exclude_unset=True, exclude={"value"}),
            "destination": "data_manager",
            "columns": columns,
            "conversions": [{"send": "restatement"}],
        }
    )
    api = FakeApi(capabilities=capabilities_of("data_manager"))
    plan = ready("Closed,Deal,Contact,New value,Changed", api, profile)
    assert "COLUMN_NOT_SENT" not in codes(plan)


def test_only_what_all_sales_need_must_have_a_cell() -> None:
    """A week without refunds has no time of a refund, and that is no problem."""
    columns = {
        "conversion_date_time": "Closed",
        "gclid": "Click",
        "order_id": "Deal",
        "adjustment_date_time": "Refunded",
    }
    refunds = {"send": "retraction", "rows": {"Stage": ["Refunded"]}}
    profile = Profile.model_validate(
        {
            **PROFILE.model_dump(exclude_unset=True),
            "columns": columns,
            "conversions": [{"rows": {"Stage": ["Won"]}}, refunds],
        }
    )
    plan = ready("Closed,Click,Deal,Refunded,Stage", profile=profile)
    assert {*plan.empty_columns} == {"Closed", "Click", "Deal"}
