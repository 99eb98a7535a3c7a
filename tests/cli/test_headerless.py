"""A file without a header: its first line is a person, and nothing shows it."""

from __future__ import annotations

import csv
import io
import json
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.validating import ACCOUNT, validate
from tests.results.test_report import report

PEOPLE = st.sampled_from(
    [
        *("Zebulon", "Quixano", "Müllersdorf", "O'Callaghan", "van der Meulenhoek", "山田太郎"),
        *("zebulon@example.com", "quixano+sale@example.com"),
        *("+1 212 555 0101", "(212) 555-0102", "2125550103"),
        *("Wolfenbüttel", "Saint-Jean-de-Luz", "Lost Status Quixano", "Quixano Consent"),
    ]
)
WORDS = st.sampled_from(["Mobile", "Email", "Phone", "Price", "Handy", "Mobile Phone", "Tel"])
"""Cells that are also known names."""
PROFILES: list[dict[str, Any]] = [
    {},
    {"ad_user_data": "GRANTED", "skip": {"Quixan": ["x"]}},
    {"action": "1", "columns": {"phone": "Mobile", "conversion_date_time": "Date"}},
    {"destination": "data_manager", "time_zone": "Europe/Berlin", "action": "1001"},
]


@st.composite
def people(draw: st.DrawFn) -> list[list[str]]:
    """Draw rows of people, of which the first has one known name in a cell or two."""
    width = draw(st.integers(3, 7))
    words = draw(st.integers(1, 2))
    rows = draw(st.lists(st.lists(PEOPLE, min_size=width, max_size=width), min_size=1, max_size=4))
    for row in rows:
        row[:words] = [draw(WORDS)] * words
    return [draw(st.permutations(rows[0])), *rows[1:]]


@settings(max_examples=120)
@given(people(), st.sampled_from(PROFILES))
def test_no_cell_of_a_file_without_header_is_shown(
    rows: list[list[str]], profile: dict[str, Any]
) -> None:
    """No name, address, number or city is in the notes, the error or any other part of the
    document or its report, although cells of the line are known names."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    document = validate(text.getvalue().encode(), profile, account=ACCOUNT, list_all=True)
    told = json.dumps(document, ensure_ascii=False) + unescape(report(document))
    known = {"mobile", "email", "phone", "price", "handy", "mobile phone", "tel"}
    for cell in {cell for row in rows for cell in row if cell.casefold() not in known}:
        assert cell not in told


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Email,Quixano,Wolfenbüttel", False),
        ("Email,Email,Quixano", False),
        ("Email,zebulon@example.com,Quixano", False),
        ("gclid,Quixano", False),
        ("gclid,Email,Quixano", False),
        ("gclid,Email,Quixano Time", True),
        ("gclid,Email,Conversion_Tiem Quixano", True),
    ],
)
def test_unknown_names_are_shown_only_of_a_header(line: str, shown: bool) -> None:
    """A name is shown beside two of ours if it resembles a missing one. Any other may be that of a
    person."""
    document = validate(f"{line}\n{line}\n".encode())
    assert ("Quixano" in json.dumps(document)) is shown
