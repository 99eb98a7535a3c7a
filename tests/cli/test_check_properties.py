"""For any file content, the check finishes and its counts add up."""

from __future__ import annotations

import csv
import gzip
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.model.fields import CUSTOM_VARIABLE
from lib.rules.fields.table import FIELDS
from tests.cli.validating import ACCOUNT, validate

NEEDED = ("gclid", "email", "conversion_date_time", "conversion_action")
HEADERS = st.sampled_from(
    [field.name for field in FIELDS if field.name not in (*NEEDED, CUSTOM_VARIABLE)]
    + ["email_2", "Mobile", "custom_variable.Plan", "colour", "", "E-Mail"]
)
# Cells that the rules recognize, and arbitrary text.
WORDS = st.sampled_from(
    [
        *("Cj0KCQiAexample1", "1001", "", " ", "null", "@", "a@b", "buyer@example.com"),
        *("2026-11-20 10:00:00+00:00", "2026-11-20 10:00:00", "20.11.2026", "1795205107"),
        *("+12125550101", "(212) 555-0101", "-1", "1,5", "1e9", "NaN", "0.5", "[]", "{}"),
        *("US", "USD", "Granted", "no", "WEB", "192.0.2.1", "a:1:2", "gad_source=1"),
        *("\u200b", "\ufeff", "a" * 64, "9" * 600),
    ]
)
CELLS = st.one_of(WORDS, st.text(max_size=20))
ROUTES = st.sampled_from(["google_ads", "data_manager"])


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """Draw a table of known columns and arbitrary cells, as a program would write it."""
    header = [*NEEDED, *draw(st.lists(HEADERS, unique=True, max_size=8))]
    width = len(header)
    row = st.lists(CELLS, min_size=width - 1, max_size=width)
    rows = draw(st.lists(row, min_size=1, max_size=6))
    for each in rows:  # in half of the rows, the required cells are valid
        if draw(st.booleans()):
            each[:4] = ["Cj0KCQiAexample1", "", "2026-11-20 10:00:00+00:00", "1001"]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",;\t|")))
    try:
        writer.writerows([header, *rows])
    except csv.Error:  # some versions of Python cannot write a NUL
        return b"gclid\n"
    return text.getvalue().encode("utf-8", "surrogatepass")


@settings(max_examples=150)
@given(content=tables(), route=ROUTES, asked=st.booleans(), day_first=st.booleans())
def test_random_rows_never_crash_the_check(
    content: bytes, route: str, asked: bool, day_first: bool
) -> None:
    """Random rows end in a valid document for both destinations, with and without an account."""
    profile = {
        "destination": route,
        "time_zone": "America/Chicago",
        **({"date_order": "DMY", "decimal_sign": ","} if day_first else {}),
    }
    document = validate(content, profile, account=ACCOUNT if asked else None, list_all=True)
    counts = document["counts"]
    if counts["rows"]:
        assert len(document["rows"]) == counts["rows"]
        assert counts["uploaded"] == counts["failed"] == counts["deferred"] == 0
    else:
        assert document["file_error"] is not None
    if document["file_error"] is None:
        # Then only rows with an unusable account are not attempted.
        for each in document["rows"]:
            assert each["outcome"] != "not_attempted" or each["errors"]


@settings(max_examples=100)
@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_never_crash_the_check(content: bytes, packed: bool) -> None:
    """Random bytes end in a valid document."""
    validate(gzip.compress(content) if packed else content)


@settings(max_examples=50)
@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_every_row_has_the_right_outcome(good: list[bool]) -> None:
    """Valid rows are `ok`, invalid rows are rejected at their line, and no row is lost."""
    lines = ["gclid,conversion_action,conversion_date_time"]
    lines += [
        f"Cj0KCQiAexample{number:04},1001,{'2026-11-20 10:00Z' if is_good else 'yesterday'}"
        for number, is_good in enumerate(good)
    ]
    document = validate("\n".join(lines).encode())
    assert [row["line"] for row in document["rows"]] == [
        line for line, is_good in enumerate(good, 2) if not is_good
    ]
    assert document["counts"].get("ok", 0) == sum(good)
