"""Lines are numbered as in an editor, and a note counts the placeholders of a whole file."""

from __future__ import annotations

import pytest

<<<<<<< HEAD
from lib.config.profile import Profile
from tests import crm_exports
from tests.cli.validating import CUSTOMER, validate

EXAMPLES = Path(__file__).parents[2] / "examples"
PROFILES = json.loads((EXAMPLES / "profiles.json").read_text("utf-8"))

FILES = {
    "google_template.csv": (None, 5),
    "hubspot_export.csv": ("hubspot", 4),
    "salesforce_export.csv": ("salesforce", 3),
    "semicolon_decimal_comma.csv": ("shop_de", 3),
    "utf16_tab.txt": (None, 3),
    "windows_1252.csv": (None, 2),
}

OF_OTHER_KINDS = {
    "google_adjustments.csv": (None, 2),
    "google_calls.csv": (None, 2),
    "shop_refunds.csv": ("shop_refunds", 3),
}
"""Adjustments of conversions and calls that an account must already have."""

ALL = {**FILES, **OF_OTHER_KINDS}


def test_every_example_is_tested() -> None:
    """Every file in examples/ is listed in `ALL` or in `crm_exports`."""
    others = {"profiles.json", "crm_export.csv", *crm_exports.FILES.values()}
    others.add("deals_to_correct.csv")  # tests/docs/test_analyst.py
    others.add("keep_click_ids.js")  # tests/docs/test_questions.py
    others.add("lead_stages.csv")  # tests/whole/test_examples.py
    assert {path.name for path in EXAMPLES.iterdir()} == {*ALL, *others}


@pytest.mark.parametrize("name", ALL)
def test_an_example_is_accepted_with_zero_edits(name: str) -> None:
    """Every row of an example would be sent without an error or a warning."""
    profile, rows = ALL[name]
    settings = (
        PROFILES[profile] if profile else {"destination": "google_ads", "customer_id": CUSTOMER}
    )
    document = validate((EXAMPLES / name).read_bytes(), settings)
    assert document["file_error"] is None
    assert (document["counts"]["ok"], document["counts"]["rows"]) == (rows, rows)
    assert document["rows"] == []


@pytest.mark.parametrize("name", [name for name, (profile, _) in ALL.items() if profile])
def test_an_example_is_accepted_by_the_data_manager_api(name: str) -> None:
    """With an action ID, which this API requires, all rows are accepted; only columns are noted."""
    profile, rows = ALL[name]
    route = {"destination": "data_manager", "conversion_action": "1001"}
    route["adjustments_via"] = "google_ads"  # for retractions
    document = validate((EXAMPLES / name).read_bytes(), {**PROFILES[profile], **route})
    assert document["counts"]["ok"] == rows
    assert document["codes"].keys() <= {"ADDRESS_COLUMNS_MISSING", "UNKNOWN_COLUMNS"}


def test_the_example_with_mistakes_shows_them() -> None:
    """In `crm_export.csv`, the rows that are wrong on purpose are rejected."""
    content = (EXAMPLES / "crm_export.csv").read_bytes()
    document = validate(content, PROFILES["default"])
    assert document["file_error"] is None
    assert document["counts"]["ok"] == 12  # as documented in docs/input.md
    assert document["counts"]["rejected"] == 8


def test_the_example_profiles_are_valid() -> None:
    """All example profiles are valid, even those that no example uses."""
    for profile in PROFILES.values():
        Profile.model_validate(profile)
=======
from tests.cli.validating import validate
>>>>>>> core


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_lines_are_those_of_an_editor(end: str) -> None:
    """Lines match an editor's with any line ending, quoted line breaks and blank lines."""
    file = end.join(
        [
            "Parameters:TimeZone=America/Chicago,,,",  # 1
            "gclid,conversion_action,conversion_date_time,note",  # 2
            'Cj0KCQiAexample1,1001,2026-11-20 10:00:00,"a note',  # 3
            "of three",  # 4
            'lines"',  # 5
            "Cj0KCQiAexample2,1001,yesterday,",  # 6
            "",  # 7
            'Cj0KCQiAexample3,1001,tomorrow,"two',  # 8
            'lines"',  # 9
            "Cj0KCQiAexample4,1001",  # 10
            "Cj0KCQiAexample5,1001,2026-11-20 10:00:00,last",  # 11
            "Cj0KCQiAexample6,1001,2026-12-24 10:00:00,",  # 12
        ]
    )
    document = validate(file.encode())
    found = [(row["line"], row["errors"][0]["code"]) for row in document["rows"]]
    assert found == [
        (6, "INVALID_DATE"),
        (8, "INVALID_DATE"),
        (10, "TOO_FEW_CELLS"),
        (12, "FUTURE_DATE"),
    ]
    assert document["counts"]["ok"] == 2


def test_placeholders_of_all_chunks_are_one_note_per_column() -> None:
    """A note counts the placeholders of a column over the whole file, with the file's own name."""
    rows = [f"Cj0KCQiAexample{n:07d},1001,2026-11-20 10:00:00Z,7,NULL" for n in range(2_001)]
    header = "gclid,conversion_action,conversion_date_time,conversion_value,Conversion Currency"
    content = "\n".join([header, *rows]).encode()
    document = validate(content, {"value": None, "currency_code": "EUR"})
    notes = [note["detail"] for note in document["notes"] if note["code"] == "PLACEHOLDERS"]
    assert len(notes) == 1
    assert '"Conversion Currency", 2,001 rows: the currency of ' in notes[0]
    assert document["counts"]["ok"] == 2_001
    assert document["counts"]["warnings"] == 0
