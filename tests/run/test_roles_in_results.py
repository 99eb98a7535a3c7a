"""How a file was read, as results, the report and `check` show it."""

from __future__ import annotations

from typing import Any

from lib.results.report import report_of
from tests.cli.validating import validate

FILE = (
    b"Google Click ID,Email,Betrag,Sales tax,Close Date,Created,Status,Invoice no.\n"
    b"Cj0KCQiAexample0001,ada@example.com,120.50,20.00,2026-11-18,2026-11-02,Won,R-1\n"
    b"Cj0KCQiAexample0002,ben@example.com,99.00,19.00,2026-11-19,2026-11-03,Lost,R-2\n"
)
PROFILE: dict[str, Any] = {
    "conversion_action": "1001",
    "time_zone": "UTC",
    "currency_code": "EUR",
    "ad_user_data": "GRANTED",
    "headers": {"order_id": "Invoice no."},
    "include": {"Status": ["Won"]},
}


def test_the_results_say_how_a_file_was_read() -> None:
    """For each role: its columns, why, and what looks like it."""
    reading = validate(FILE, PROFILE)["reading"]
    by_name, by_profile = "its name says so", "the profile says so"
    assert reading == {
        "value": {"columns": ["Betrag"], "why": by_name, "not_used": ["Sales tax"]},
        "currency": {"columns": [], "why": "EUR, from the profile", "not_used": []},
        "time": {"columns": ["Close Date"], "why": by_name, "not_used": ["Created"]},
        "identity": {"columns": ["Invoice no."], "why": by_profile, "not_used": []},
        "counts": {
            "columns": ["Status"],
            "why": f'{by_profile}: "Status" is Won',
            "not_used": [],
        },
        "click": {"columns": ["Google Click ID"], "why": by_name, "not_used": []},
        "person": {"columns": ["Email"], "why": by_name, "not_used": []},
        "consent": {
            "columns": [],
            "why": "GRANTED for every row, from the profile",
            "not_used": [],
        },
    }


def test_several_columns_have_names() -> None:
    """Of one column, its name says so; of several, their names."""
    header, *rows = FILE.splitlines()
    found = validate(b"\n".join([header + b",phone", *(row + b"," for row in rows)]), PROFILE)
    assert found["reading"]["person"] == {
        "columns": ["Email", "phone"],
        "why": "their names say so",
        "not_used": [],
    }


def test_the_results_say_what_applies_without_a_column() -> None:
    """A file may do without a value, an order ID, and a column that says which rows count."""
    content = b"gclid,Conversion Time\nCj0KCQiAexample0001,2026-11-18 10:00\n"
    profile = {"conversion_action": "1001", "time_zone": "UTC"}
    reading = validate(content, profile)["reading"]
    assert {role: each["why"] for role, each in reading.items() if not each["columns"]} == {
        "value": "no column: the value of the conversion action",
        "currency": "that of the conversion action",
        "identity": "no column: derived where Google could not recognize a row again",
        "counts": "every row counts",
        "person": "no column",
        "consent": "not stated",
    }
    answered = validate(content, {**profile, "headers": {"conversion_value": []}})["reading"]
    assert answered["value"]["why"] == "the profile says that there is none"


def test_a_stopped_file_has_no_reading() -> None:
    """Its error says which columns are in doubt, and what to write into the profile."""
    document = validate(FILE, {**PROFILE, "headers": {}, "include": {}})
    assert "reading" not in document
    assert document["file_error"] == {
        "code": "ROLE_UNDECIDED",
        "detail": 'Which rows are sales? "include": {"Status": ["Won"]}, or '
        '"exclude": {"Status": []} if all of them are.',
    }


def test_the_report_shows_the_reading() -> None:
    """It is a table for the person who made the export."""
    page = report_of(validate(FILE, PROFILE))
    assert "How the file was read" in page
    row = "<tr><td><b>Value</b><td><bdi>Betrag</bdi><td>its name says so"
    assert f'{row}<td data-label="Not used: "><bdi>Sales tax</bdi>' in page
