"""What the names of columns say about their cells."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lib.config.profile import Profile
from lib.run.reading import read_header, read_table
from tests.cli.validating import validate
from tests.workbooks import workbook

ROW = "Cj0KCQiAexample0001,1001"
HEADER = "gclid,conversion_action"


def outcomes(header: str, row: str, *before: str, **profile: Any) -> list[str]:
    """Return the codes of a file with one row, first those of notes and file error."""
    content = "\n".join([*before, f"{HEADER},{header}", f"{ROW},{row}", ""]).encode()
    document = validate(content, profile, list_all=True)
    assert document["file_error"] is None
    row_codes = [each["code"] for each in document["rows"][0]["errors"]]
    expected = {"CONSENT_NOT_STATED", "UNKNOWN_COLUMNS"}
    return [n["code"] for n in document["notes"] if n["code"] not in expected] + row_codes


@pytest.mark.parametrize(
    ("header", "row", "codes"),
    [
        ("date,Amount (USD)", "2026-11-20 10:00 Z,12", []),
        ("date,Amount (USD)", "2026-11-20 10:00 Z,12 USD", []),
        ("date,Amount (USD)", "2026-11-20 10:00 Z,12 EUR", ["CURRENCY_CONTRADICTS"]),
        ("date,Amount (USD),currency", "2026-11-20 10:00 Z,12,USD", []),
        ("date,Amount (USD),currency", "2026-11-20 10:00 Z,12,", []),
        ("date,Amount (USD),currency", "2026-11-20 10:00 Z,12,EUR", ["CURRENCY_CONTRADICTS"]),
        ("date,Amount (USD),currency", "2026-11-20 10:00 Z,,EUR", []),
        ("date,Amount (KWD)", "2026-11-20 10:00 Z,1.234", []),
        ("date,Amount (USD)", "2026-11-20 10:00 Z,1.234", ["AMBIGUOUS_VALUE"]),
    ],
)
def test_the_currency_of_a_column(header: str, row: str, codes: list[str]) -> None:
    """The currency in a header is that of the column; it precedes the profile's currency."""
    assert outcomes(header, row, currency_code="GBP") == codes


@pytest.mark.parametrize(
    ("header", "profile", "codes"),
    [
        ("Amount ($)", {"destination": "data_manager"}, ["AMBIGUOUS_CURRENCY"]),
        ("Amount in C$", {"destination": "data_manager"}, ["AMBIGUOUS_CURRENCY"]),
        ("Amount (kr)", {"destination": "data_manager"}, ["AMBIGUOUS_CURRENCY"]),
        ("Amount (FR)", {"destination": "data_manager"}, []),
        ("Amount", {"destination": "data_manager"}, []),
        ("Amount ($)", {"destination": "data_manager", "currency_code": "CAD"}, []),
        # An offline check cannot ask the account.
        ("Amount ($)", {"destination": "google_ads"}, []),
    ],
)
def test_the_sign_of_a_column(header: str, profile: dict[str, Any], codes: list[str]) -> None:
    """A sign of several currencies in the header is read like one in each cell without a sign."""
    fixed = {"headers": {"conversion_value": header}, "conversion_action": "1001"}
    assert outcomes(f"date,{header}", "2026-11-20 10:00 Z,12", **fixed, **profile) == codes


@pytest.mark.parametrize(
    ("header", "zone_is_far_east"),
    [
        ("Close Date (Pacific/Kiritimati)", True),
        ("Close Date (UTC)", False),
        ("Close Date", False),
    ],
)
def test_the_time_zone_of_a_column(header: str, zone_is_far_east: bool) -> None:
    """The zone in a header precedes the file's and the profile's. At noon in London, it is already
    the next day at 2 am in Kiritimati."""
    before = "Parameters:TimeZone=Europe/London"
    codes = outcomes(header, "2026-11-25 01:00", before, time_zone="Europe/London")
    assert codes == ([] if zone_is_far_east else ["FUTURE_DATE"])


def test_an_unknown_zone_of_a_column_is_not_replaced() -> None:
    """The profile's time zone does not replace a zone in the header that is not known."""
    header = "Close Date (Mars/Base)"
    codes = outcomes(header, "2026-11-20 01:00", time_zone="Europe/London")
    assert codes == ["UNKNOWN_ZONE_OF_FILE", "UNKNOWN_TIME_ZONE"]
    assert outcomes(header, "2026-11-20 01:00 Z") == ["UNKNOWN_ZONE_OF_FILE"]


@pytest.mark.parametrize(
    ("time", "name"),
    [
        ("2026-11-20 10:00", "Time"),
        ("1795205107", "Time"),
        ('"=""2026-11-20 10:00"""', "Time"),
        ("10:00", "Create Date"),
        ("", "Create Date"),
    ],
)
def test_the_whole_time_in_a_column_named_time(time: str, name: str) -> None:
    """A column `Time` with dates is the conversion time, and the date of creation is not."""
    rows = [f"{ROW},2026-10-04 11:46,{cell}" for cell in (time, "nan", "NULL", "")]
    content = "\n".join([f"{HEADER},Create Date,Time", *rows, ""]).encode()
    profile = Profile(destination="google_ads", customer_id="1234567890", time_zone="UTC")
    header = read_header(read_table(io.BytesIO(content), profile, 1_000), profile)
    assert header.names["conversion_date_time"] == name
    assert [note.code for note in header.notes if note.code == "DATE_COLUMN_CHOSEN"]


def test_a_first_sheet_without_a_header_names_the_other_sheets() -> None:
    """A workbook that begins with a cover is stopped, and a note names the sheet to choose."""
    deals = [[*HEADER.split(","), "date"], [*ROW.split(","), "2026-11-20 10:00"]]
    document = validate(
        workbook([["Deals of November"], [], ["Ada"]], name="Cover", others={"Deals": deals})
    )
    assert document["file_error"]["code"] == "NO_HEADER"
    assert 'in the sheet "Cover"' in document["file_error"]["detail"]
    (note,) = [each for each in document["notes"] if each["code"] == "SHEETS_NOT_READ"]
    assert note["detail"] == "Deals"


def test_a_wrapped_retraction_is_recognized() -> None:
    """The kind of a file is read from its cells without what spreadsheets add to them."""
    content = b'gclid,conversion_action,date,Type\n%s,2026-11-20,"=""RETRACT"""\n' % ROW.encode()
    document = validate(content, {})
    assert document["file_error"]["code"] == "COLUMN_OF_KIND_MISSING"
    assert document["file_error"]["detail"] == "adjustment_type, adjustment_date_time"


@pytest.mark.parametrize(
    ("header", "profile", "is_noted"),
    [
        ("Marketing consent", {}, True),
        ("Einwilligung", {}, True),
        ("Newsletter opt-in", {}, True),
        ("Consultant", {}, False),
        # The profile states no consent for all, or says what the column is.
        ("Einwilligung", {"ad_user_data": None}, False),
        ("Einwilligung", {"headers": {"ad_user_data": "Einwilligung"}}, False),
        ("Einwilligung", {"headers": {"ad_user_data": []}}, False),
        ("Einwilligung", {"exclude": {"Einwilligung": ["Denied"]}}, False),
    ],
)
def test_an_ignored_column_of_consent(header: str, profile: dict[str, Any], is_noted: bool) -> None:
    """A refusal in a column that is not read never disappears behind the profile's consent."""
    content = f"{HEADER},date,{header}\n{ROW},2026-11-20 10:00,Granted\n".encode()
    notes = validate(content, {"ad_user_data": "GRANTED", "time_zone": "UTC", **profile})["notes"]
    assert ("CONSENT_COLUMN_IGNORED" in {each["code"] for each in notes}) is is_noted


def test_a_refund_is_never_final_because_its_column_was_renamed() -> None:
    """If the profile names the column of new values and the file lacks it, no row is retracted."""
    header = b"order_id,email,Total,Time,Status,Refunded at,Net %s\n"
    rows = (
        b"SO-1,ada@example.com,100,2026-11-18 09:00,Partially refunded,2026-11-19 09:00,80\n"
        b"SO-2,ben@example.com,100,2026-11-18 09:00,Paid,,100\n"
    )
    profile = {
        "conversion_action": "Purchase",
        "time_zone": "America/Chicago",
        "refunds": {"Status": ["Partially refunded"]},
        "headers": {"adjustment_date_time": "Refunded at", "adjusted_value": "Net total"},
    }
    found = validate(header % b"total" + rows, profile)
    renamed = validate(header % b"sum" + rows, profile)
    assert (found["counts"]["rejected"], found["counts"]["ok"]) == (0, 2)
    assert (renamed["counts"]["rejected"], renamed["counts"]["ok"]) == (1, 1)
    assert [each["code"] for each in renamed["rows"][0]["errors"]] == ["ADJUSTED_VALUE_MISSING"]


@pytest.mark.parametrize("is_named", [False, True])
def test_a_phone_column_is_a_callers_number_if_the_profile_says_so(is_named: bool) -> None:
    """Otherwise the rows are leads, and a note says which column belongs to calls."""
    content = (
        b"Phone,Email,Call Start Time,Conversion Time,Conversion Name\n"
        b"+12125550100,ada@example.com,2026-11-20 10:00:00,2026-11-20 11:00:00,1004\n"
    )
    headers = {"headers": {"caller_id": "Phone"}} if is_named else {}
    found = validate(content, {"time_zone": "UTC", **headers})
    notes = {note["code"]: note["detail"] for note in found["notes"]}
    assert found["counts"]["ok"] == 1
    if is_named:
        assert notes["COLUMN_NOT_SENT"] == "email"
    else:
        assert notes["CALLS_READ_AS_LEADS"] == '"Call Start Time" (column 3)'
    assert ("CALLS_READ_AS_LEADS" in notes) is not is_named


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("Call Start", '"Call Start" (column 2)'),
        ("call_time", '"call_time" (column 2)'),
        ("Caller Number,Call Start", '"Caller Number" (column 2), "Call Start" (column 3)'),
        ("Start Time,Call Status", '"Start Time" (column 2)'),
        ("Started at,First-Time Caller", '"Started at" (column 2)'),
        ("Start Time,Duration", None),
        ("Start Time,Recall,Calling card", None),
        ("Status,Call Status", None),
    ],
)
def test_columns_of_a_call_tracker(header: str, named: str | None) -> None:
    """Rows of calls that are read as leads get a note, whatever the tracker calls their start."""
    extra = ",".join("x" for _ in header.split(","))
    content = f"email,{header},date\nada@example.com,{extra},2026-11-20 10:00\n".encode()
    found = validate(content, {"time_zone": "UTC", "conversion_action": "1001"})
    notes = {note["code"]: note["detail"] for note in found["notes"]}
    assert notes.get("CALLS_READ_AS_LEADS") == named


@pytest.mark.parametrize(
    ("content", "profile", "code", "hint"),
    [
        ("Deal,,Who,\n{}", {}, "NO_HEADER", '"header_row": 2'),
        ("Value,,Who,\n{}", {}, "NO_USABLE_COLUMN", '"header_row": 2'),
        ("Deal,,Who,\n{}", {"header_row": 2}, None, ""),
        ("Deal report\n{}", {}, None, ""),
        ("Deal report\n{}", {"header_row": 1}, "NO_HEADER", "header_row in the profile is 1"),
        ("Deal report\n{}", {"header_row": 3}, "NO_HEADER", "header_row in the profile is 3"),
        ("Deal report\n{}", {"header_row": 9}, "NO_HEADER", "header_row in the profile is 9"),
    ],
)
def test_the_line_of_the_header(
    content: str, profile: dict[str, Any], code: str | None, hint: str
) -> None:
    """An error names the line that the profile says, or the line of the profile to add."""
    content = content.format(f"{HEADER},date,email\n{ROW},2026-11-20 10:00 Z,ada@example.com\n")
    document = validate(content.encode(), profile)
    error = document["file_error"]
    assert (error and error["code"]) == code
    assert hint in (error["detail"] if error else "")
    assert document["counts"].get("ok", 0) == (code is None)
    assert "ada@" not in str(document)
