"""Columns that are suspected by their cells."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.config.profile import Profile
from lib.run.column_content import date_columns, notes_on_content
from lib.run.reading import Header, read_header, read_table
from tests.cli.validating import validate

GCLID = "Cj0KCQiAexample0001abcdef"
PERSON = "ada.example@example.com"


def header_of(*lines: str, **profile: object) -> Header:
    own = Profile.model_validate(
        {"destination": "google_ads", "customer_id": "1234567890", **profile}
    )
    content = "\n".join(lines).encode()
    return read_header(read_table(io.BytesIO(content), own, 1 << 20), own)


def suspicions(header: Header) -> dict[str, str]:
    return {n.code: n.detail for n in header.notes if n.code.startswith("LOOKS_LIKE")}


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (GCLID, "LOOKS_LIKE_CLICK_IDS"),
        ("CjwKCAiAexample0001abcdef_-x", "LOOKS_LIKE_CLICK_IDS"),
        ("EAIaIQobChMIexample0001abcdef", "LOOKS_LIKE_CLICK_IDS"),
        ("CKSDxc_qhLkCFQyk4AodO24Arg", "LOOKS_LIKE_CLICK_IDS"),
        ("https://example.com/?a=1&gclid=Cj0KCQiAexample", "LOOKS_LIKE_CLICK_IDS"),
        ("0AAAAAexample0001abcdef", "LOOKS_LIKE_BRAIDS"),
        ("Cj8KCQiAexample0001abcdef", "LOOKS_LIKE_BRAIDS"),
        ("https://example.com/?wbraid=Cj8KCQiAexample", "LOOKS_LIKE_BRAIDS"),
        (PERSON, "LOOKS_LIKE_EMAILS"),
        ("+49 30 5550100", "LOOKS_LIKE_PHONE_NUMBERS"),
        ("+12125550100", "LOOKS_LIKE_PHONE_NUMBERS"),
        ("(212) 555-0100", "LOOKS_LIKE_PHONE_NUMBERS"),
        ("212-555-0100", "LOOKS_LIKE_PHONE_NUMBERS"),
        ("030 5550100", "LOOKS_LIKE_PHONE_NUMBERS"),
        # Other cells of exports
        ("2026-11-20 10:00:00", None),
        ("20.11.2026", None),
        ("0016900002XyZabAAF", None),
        ("5f0c8c6e-3f0e-4e3e-9a53-0f6a3b1c2d4e", None),
        ("12345678901", None),
        ("SO-1001-2026", None),
        ("1,234.50", None),
        ("192.0.2.10", None),
        ("Ada Example", None),
        ("https://example.com/?utm_source=google", None),
        ("CustomerWithAVeryLongName", None),
        ("a" * 64, None),
    ],
)
def test_what_a_column_looks_like(cell: str, code: str | None) -> None:
    """Click IDs, addresses and numbers are suspected; other cells of exports are not."""
    found = notes_on_content(["Spalte"], [[cell]] * 3, (), ())
    assert [note.code for note in found] == ([code] if code else [])


def test_the_note_names_the_column_and_the_line_of_the_profile() -> None:
    """A file that only lacks the name of its click ID says which line to write."""
    header = header_of("Kennung,email,Close Date", f"{GCLID},{PERSON},2026-11-20")
    assert suspicions(header) == {
        "LOOKS_LIKE_CLICK_IDS": '"Kennung"; "headers": {"gclid": "Kennung"}'
    }
    header = header_of("Kennung,date", f"{GCLID},2026-11-20", headers={"gclid": "Kennung"})
    assert suspicions(header) == {}


def test_a_file_without_an_identifying_column_keeps_its_notes() -> None:
    """The document of a stopped file says which column may contain the click IDs."""
    document = validate(f"Kennung,date\n{GCLID},2026-11-20\n".encode())
    assert document["file_error"]["code"] == "NO_USABLE_COLUMN"
    assert "LOOKS_LIKE_CLICK_IDS" in [note["code"] for note in document["notes"]]


@pytest.mark.parametrize(
    "line",
    [
        f"Ada,{PERSON},+12125550100,2026-11-20",
        f"{GCLID},{PERSON},Ada,2026-11-20",
        "Ada,Example,Springfield,x",
    ],
)
def test_a_file_without_a_header_shows_no_cell(line: str) -> None:
    """The columns of a file without a header are named by their letters only."""
    document = validate("\n".join([line] * 5).encode())
    assert document["file_error"]["code"] == "NO_HEADER"
    assert not any(cell in str(document) for cell in line.split(",") if len(cell) > 1)
    if PERSON in line:
        line = 'column B; "headers": {"email": "the name of this column"}'
        assert any(line in note["detail"] for note in document["notes"])


def test_a_name_that_is_data_is_replaced_by_its_letter() -> None:
    """A header cell that looks like data is never shown."""
    names = ["email", *["x"] * 26, GCLID, "jane@example.com", "+12125550100"]
    row = [PERSON, *["1"] * 26, GCLID, PERSON, "+12125550100"]
    header = header_of(",".join(names), ",".join(row))
    assert suspicions(header)["LOOKS_LIKE_CLICK_IDS"].startswith("column AB; ")
    assert suspicions(header)["LOOKS_LIKE_PHONE_NUMBERS"].startswith("column AD; ")


@pytest.mark.parametrize(
    ("cells", "suspected"),
    [
        ([PERSON, PERSON, "by phone"], True),
        ([PERSON, "by phone"], False),
        ([PERSON, "", "NULL", "nan"], True),
        ([f'="{PERSON}"', f"\u200b{PERSON}"], True),
        (["", ""], False),
        (["-"], False),
    ],
)
def test_most_of_the_filled_cells_decide(cells: list[str], suspected: bool) -> None:
    """More than half of the cells must match, apart from empty ones and placeholders."""
    rows = [[cell] for cell in cells]
    assert bool(notes_on_content(["Kontakt"], rows, (), ())) is suspected


def test_a_field_that_has_a_column_or_is_switched_off_is_not_suspected() -> None:
    """A second column of addresses, and one that the profile does without, cause no note."""
    lines = "email,Owner,gclid,date", f"{PERSON},{PERSON},{GCLID},2026-11-20"
    assert suspicions(header_of(*lines)) == {}
    lines = "Owner,gclid,date", f"{PERSON},{GCLID},2026-11-20"
    assert list(suspicions(header_of(*lines))) == ["LOOKS_LIKE_EMAILS"]
    assert suspicions(header_of(*lines, headers={"email": []})) == {}


def test_a_file_without_a_time_names_its_dates() -> None:
    """NO_TIME_COLUMN names the columns that contain dates."""
    document = validate(
        f"gclid,Stichtag,Menge,Lieferung,Nr\n{GCLID},20.11.2026,3,2026-11-20,1764000000\n".encode()
    )
    error = document["file_error"]
    assert error["code"] == "NO_TIME_COLUMN"
    assert 'columns with dates: "Stichtag", "Lieferung"' in error["detail"]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_a_suspicion_shows_no_cell(cells: list[str]) -> None:
    """Whatever the cells are, notes on a file without a header repeat none of them."""
    rows = [cells] * 3
    details = [note.detail for note in notes_on_content([""] * len(cells), rows, (), ())]
    assert all(detail.startswith("column ") for detail in details)
    assert set(date_columns(["x"] * len(cells), rows, ())) <= {'"x"'}
