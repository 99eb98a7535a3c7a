"""Which columns a file has for its profile, and what stops a file before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.validating import BASE, CUSTOMER, validate
from tests.workbooks import workbook

NAMED: dict[str, Any] = {
    "destination": "google_ads",
    "customer_id": CUSTOMER,
    "expect": "any time",
    "action": "1001",
    "time_zone": "UTC",
    "currency_code": "USD",
    "phone_region": "US",
    "columns": {
        "conversion_date_time": "When",
        "conversion_value": ["Net", "Total"],
        "gclid": "Click",
        "phone": "Phone",
    },
    "optional": ["phone"],
}
STAGES = {
    **NAMED,
    "conversions": [
        {"rows": {"Stage": "Won"}},
        {
            "rows": {"Stage": "Back"},
            "send": "retraction",
            "columns": {"adjustment_date_time": "Back on"},
        },
    ],
    "skip": {"Test": ["yes"]},
}


def found(header: str, profile: dict[str, Any], *rows: str) -> dict[str, Any]:
    """Return the results document of a check of a file."""
    content = "\n".join(
        [header, *(rows or (",".join("x" for _ in header.split(",")),)), ""]
    ).encode()
    return validate(content, {"value": None, **profile}, list_all=True)


def error_of(header: str, profile: dict[str, Any]) -> str:
    """Return the file error of a file with this header."""
    error = found(header, profile)["file_error"]
    return f"{error['code']}: {error['detail']}" if error else ""


@pytest.mark.parametrize(
    ("header", "profile", "error"),
    [
        ("When,Net,Click,Phone,Other", NAMED, ""),
        ("When,Total,Click", NAMED, ""),
        ("When,Net,Click,gclid,Amount,email", NAMED, ""),
        ("When,Amount,Click", NAMED, 'COLUMN_MISSING: missing: "Net" or "Total"; the file has'),
        ("When,Net,gclid", NAMED, 'COLUMN_MISSING: missing: "Click"; the file has: When, Net'),
        ("When,Net,Total,Click", NAMED, "DUPLICATE_COLUMN: conversion_value: "),
        ("When,when ,Net,Click", NAMED, "DUPLICATE_COLUMN: conversion_date_time: "),
        ("When,Net,Click,Phone,phone", NAMED, "DUPLICATE_COLUMN: phone: "),
        ("When,Net,Click,Stage,Back on,Test", STAGES, ""),
        ("When,Net,Click,Back on,Test", STAGES, 'COLUMN_MISSING: missing: "Stage"; the file'),
        ("When,Net,Click,Stage,Test", STAGES, 'COLUMN_MISSING: missing: "Back on"; the file'),
        ("When,Net,Click,Stage,Back on", STAGES, 'COLUMN_MISSING: missing: "Test"; the file'),
        ("When,Net,Click,Stage,Back on,Test,test", STAGES, "DUPLICATE_COLUMN: rows: "),
    ],
)
def test_the_columns_that_a_profile_names(header: str, profile: dict[str, Any], error: str) -> None:
    """A file has all of them, once; other columns are not used, whatever their names are."""
    assert error_of(header, profile).startswith(error or "")
    assert bool(error) == bool(error_of(header, profile))


TEMPLATE = {**BASE, "time_zone": "UTC", "currency_code": "USD"}
CLICKS = "Google Click ID,Conversion Name,Conversion Time"
CALLS = "Caller's Phone Number,Call Start Time,Conversion Name,Conversion Time"
CHANGES = "Order ID,Conversion Name,Adjustment Time,Adjustment Type,Adjusted Value"
ONE_ENTRY = {**TEMPLATE, "conversions": [{"action": "1001"}]}
DATA_MANAGER = {**TEMPLATE, "destination": "data_manager"}


@pytest.mark.parametrize(
    ("header", "profile", "error"),
    [
        (CLICKS, TEMPLATE, ""),
        ("gclid,conversion_action,conversion_date_time", TEMPLATE, ""),
        ("email_2,conversion_action,conversion_date_time", TEMPLATE, ""),
        (CALLS, TEMPLATE, ""),
        (CHANGES, TEMPLATE, ""),
        ("gclid,conversion_date_time", TEMPLATE, "ACTION_MISSING: "),
        ("gclid,conversion_date_time", {**TEMPLATE, "action": "1001"}, ""),
        (CLICKS, {**TEMPLATE, "value": None}, 'COLUMN_MISSING: missing: "Conversion Value"'),
        (f"{CLICKS},Conversion Value", {**TEMPLATE, "value": 5}, "INVALID_PROFILE: value: 5, but"),
        (CLICKS, {**TEMPLATE, "value": 5}, ""),
        ("Email,Conversion Name", TEMPLATE, 'COLUMN_MISSING: missing: "Conversion Time" or'),
        ("Email,Name", TEMPLATE, "COLUMN_MISSING: missing: "),
        ("Conversion Name,Conversion Time,Conversion Value", TEMPLATE, "NO_USABLE_COLUMN: "),
        (f"{CLICKS},gclid", TEMPLATE, "DUPLICATE_COLUMN: gclid: "),
        # A name of adjustments makes adjustments: their rows must never be new sales.
        (f"{CLICKS},Adjustment Time", TEMPLATE, 'COLUMN_MISSING: missing: "Adjustment Type"'),
        (f"{CLICKS},Adjusted Value", TEMPLATE, 'COLUMN_MISSING: missing: "Adjustment Type"'),
        (f"\ufeff\ufeffAdjusted Value,{CLICKS}", TEMPLATE, 'COLUMN_MISSING: missing: "Adju'),
        (f"sep=,\n\ufeffAdjusted Value,{CLICKS}", TEMPLATE, 'COLUMN_MISSING: missing: "Adju'),
        (f"{CLICKS},Call Start Time", TEMPLATE, "COLUMN_MISSING: missing: \"Caller's Phone"),
        (f"{CLICKS},Adjustment Type", ONE_ENTRY, "INVALID_PROFILE: the columns are those of adj"),
        (CALLS, ONE_ENTRY, "INVALID_PROFILE: the columns are those of calls"),
        (CHANGES, DATA_MANAGER, "KIND_NOT_SENT: "),
        (CHANGES, {**DATA_MANAGER, "adjustments_via": "google_ads"}, ""),
        ("user_ip_address,Conversion Name,Conversion Time", TEMPLATE, "NO_USABLE_COLUMN: "),
        ("user_ip_address,Conversion Name,Conversion Time", DATA_MANAGER, ""),
        (
            "first_name,last_name,postal_code,country_code,Conversion Name,Conversion Time",
            TEMPLATE,
            "NO_USABLE_COLUMN: ",
        ),
        (
            "first_name,last_name,postal_code,country_code,Conversion Name,Conversion Time",
            DATA_MANAGER,
            "",
        ),
        (
            "first_name,last_name,postal_code,Conversion Name,Conversion Time",
            DATA_MANAGER,
            "NO_USABLE_COLUMN: ",
        ),
        (CLICKS, {**DATA_MANAGER, "source": "web"}, "TAG_ORDER_ID_MISSING: "),
    ],
)
def test_the_names_of_fields_and_templates(
    header: str, profile: dict[str, Any], error: str
) -> None:
    """Without columns, these names count, and say of what kind the records are."""
    assert error_of(header, profile).startswith(error)
    assert bool(error) == bool(error_of(header, profile))


def test_entries_on_a_template() -> None:
    """An entry says what its rows are, also if the names in the file could say it."""
    profile = {
        **TEMPLATE,
        "conversions": [
            {"rows": {"Adjustment Type": ["RESTATE"]}, "send": "restatement"},
            {"rows": {"Adjustment Type": ["RETRACT"]}, "send": "retraction"},
        ],
    }
    rows = ("A1,1001,2026-11-20 10:00,RESTATE,5", "A2,1001,2026-11-20 10:00,RETRACT,")
    assert found(CHANGES, profile, *rows)["counts"]["ok"] == 2


CONSENT = f"{CLICKS},Ad User Data"


@pytest.mark.parametrize(
    ("header", "cell", "stated", "noted", "outcome"),
    [
        (CLICKS, None, None, True, "ok"),
        (CLICKS, None, "GRANTED", False, "ok"),
        (CONSENT, "Denied", "GRANTED", False, "ok"),
        (CONSENT, "", "GRANTED", False, "ok"),
        (CONSENT, "perhaps", "GRANTED", False, "rejected"),
    ],
)
def test_consent(
    header: str, cell: str | None, stated: str | None, noted: bool, outcome: str
) -> None:
    """A file that states no consent is noted; a column of the file beats the constant."""
    row = "Cj0KCQiAexample0001,1001,2026-11-20 10:00" + ("" if cell is None else f",{cell}")
    document = found(header, {**TEMPLATE, "ad_user_data": stated}, row)
    assert ("CONSENT_NOT_STATED" in {each["code"] for each in document["notes"]}) is noted
    assert document["counts"][outcome] == 1


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ("country_code", None),
        ("first_name,last_name,postal_code,country_code", None),
        ("first_name,country_code", "missing: last_name, postal_code"),
    ],
)
def test_an_address_without_all_of_its_columns_is_named(columns: str, missing: str | None) -> None:
    """Google needs all of them; a country alone is that of the phone numbers."""
    header = f"conversion_action,conversion_date_time,conversion_value,gclid,email,{columns}"
    notes = {each["code"]: each["detail"] for each in found(header, DATA_MANAGER)["notes"]}
    assert notes.get("ADDRESS_COLUMNS_MISSING") == missing


@pytest.mark.parametrize(
    ("above", "line"),
    [
        (["2026-11-20 10:00,12.50,Cj0KCQiAexample0001,"], 1),
        (["Won deals,,,", "2026-11-20 10:00,12.50,Cj0KCQiAexample0001,"], 2),
        (["Won deals", "from,2026-11-01,to,2026-11-30", "sum,12.50,,"], None),
        (["2026-11-20 10:00,12.50"], None),
    ],
)
def test_a_row_above_the_names_stops_the_file(above: list[str], line: int | None) -> None:
    """Somebody has sorted the line of names with the rows: those above it would not be sent."""
    rows = ["When,Net,Click,Phone", "2026-11-21 10:00,12.50,Cj0KCQiAexample0002,"]
    error = found(above[0], NAMED, *above[1:], *rows)["file_error"]
    where = f"the column names stand in line {len(above) + 1}, below a row in line {line}"
    assert (error and (error["code"], error["detail"])) == (line and ("CORRUPT_FILE", where))


def test_a_sheet_without_a_header() -> None:
    """A workbook whose first sheet has no header sends nothing; its rows are counted."""
    document = validate(
        workbook([["Report"], ["x"]], others={"Data": [["gclid"], ["x"]]}), TEMPLATE
    )
    assert document["file_error"]["code"] == "COLUMN_MISSING"
    assert document["counts"]["not_attempted"] == 1
