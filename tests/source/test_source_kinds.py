"""The kinds of files, by header and first rows."""

from __future__ import annotations

import csv
import io

import pytest

from lib.rules.fields import FIELDS, OF_CONVERSIONS
from lib.rules.fields.other_kinds import OTHER_KINDS
from lib.rules.identity import CLICK_IDS
from lib.source.errors import SourceError
from lib.source.header import columns_of_kind, identifying_columns, map_columns
from lib.source.table import FIRST_CHARS, FIRST_LINES, SourceOptions, open_table

CLICKS = "Google Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency"
BY_ORDER = (
    "Order ID,Conversion Name,Adjustment Time,Adjustment Type,Adjusted Value,"
    "Adjusted Value Currency"
)
BY_CLICK = (
    "Google Click ID,Conversion Name,Conversion Time,Adjustment Time,Adjustment Type,"
    "Adjusted Value,Adjusted Value Currency"
)
CALLS = (
    "Caller's Phone Number,Call Start Time,Conversion Name,Conversion Time,Conversion Value,"
    "Conversion Currency"
)
RETRACT = "SO-1,Sale,2026-11-20 17:30:00,RETRACT,,"
RESTATE = "SO-2,Sale,2026-11-20 17:30:00,RESTATE,80,USD"
CLICK = "Cj0KCQiAexample0001,Sale,2026-11-20 10:00:00,12,EUR"
CALL = "+12125550100,2026-11-20 10:00:00,Sale,2026-11-20 11:00:00,12,EUR"


def code_of(*lines: str, own: dict[str, str] | None = None) -> str:
    """Return the code of the file's kind, or "" for a file of click conversions."""
    header, *rows = csv.reader(io.StringIO("\n".join(lines)))
    columns = map_columns(header, own or {}, OF_CONVERSIONS)
    identifying = identifying_columns(columns.fields, FIELDS)
    clicks = [columns.fields[each] for each in CLICK_IDS if each in columns.fields]
    try:
        for kind in OTHER_KINDS:
            if columns_of_kind(header, columns, rows, kind, (), (), identifying, clicks):
                return kind.code
    except SourceError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        # Google's templates
        ((CLICKS, CLICK), ""),
        ((BY_ORDER, RETRACT, RESTATE), "ADJUSTMENT_FILE"),
        ((BY_ORDER,), "ADJUSTMENT_FILE"),
        ((BY_CLICK, "Cj0KCQiAexample0001,Sale,2026-11-20,2026-11-22,RETRACT,,"), "ADJUSTMENT_FILE"),
        ((CALLS, CALL), "CALL_FILE"),
        ((f"{CALLS},Ad User Data", f"{CALL},Granted"), "CALL_FILE"),
        ((CALLS,), "CALL_FILE"),
        # The names of the API's fields
        (("order_id,adjustment_type,adjustment_date_time", "SO-1,RETRACTION,x"), "ADJUSTMENT_FILE"),
        (("caller_id,call_start_date_time,conversion_action", "+12125550100,x,1"), "CALL_FILE"),
        # Conversions and adjustments in one file
        (
            (f"{CLICKS},Adjustment Time,Adjustment Type", f"{CLICK},,", f"{CLICK},x,RETRACT"),
            "MIXED_KINDS",
        ),
        ((f"{CLICKS},Type", f"{CLICK},", f"{CLICK}, retract"), "MIXED_KINDS"),
        ((f"{CLICKS},Type", f"{CLICK},Sale", f"{CLICK},RESTATEMENT"), "MIXED_KINDS"),
        ((f"{CLICKS},Type", f"{CLICK},RETRACT"), "ADJUSTMENT_FILE"),
        # Conversions and calls in one file
        ((f"gclid,{CALLS}", f"Cj0KCQiAexample0001{',' * 6}", f",{CALL}"), "MIXED_KINDS"),
        ((f"gclid,Email,{CALLS}", f",buyer@example.com,{CALL}"), "CALL_FILE"),
        # A person beside a call says nothing else; without both of its columns, it is a lead
        ((f"Email,{CALLS}", f"buyer@example.com,{CALL}"), "CALL_FILE"),
        ((f"{CALLS},Phone", f"{CALL},+12125550101"), "CALL_FILE"),
        (("Phone,Call Start Time,Conversion Time", "+12125550101,x,x"), ""),
        # Columns of a click file with a similar name, or with these names but another meaning
        ((f"{CLICKS},Adjustment Type", f"{CLICK},Discount", f"{CLICK},"), ""),
        ((f"{CLICKS},Caller ID", f"{CLICK},+12125550100"), ""),
        ((f"gclid,{CALLS}", f"Cj0KCQiAexample0001,{CALL}"), ""),
        ((f"{CLICKS},Notes", f"{CLICK},Customer asked to retract the order"), ""),
        (("gclid,Conversion Name,date", "Cj0KCQiAexample0001,RETRACT,2026-11-20"), ""),
    ],
)
def test_the_kind_of_a_file(lines: tuple[str, ...], code: str) -> None:
    """Adjustments and calls are recognized, also among conversions; similar click files are not."""
    assert code_of(*lines) == code


def test_a_profile_decides_what_a_column_means() -> None:
    """A call column that the profile names is the customer's phone number."""
    assert code_of(CALLS, CALL, own={"phone": "Caller's Phone Number"}) == ""


def test_the_first_rows_are_read_without_the_stream() -> None:
    """The first rows are bounded, and all rows are still read after them."""
    lines = [f"row {n}" for n in range(3 * FIRST_LINES)]
    table = open_table(io.BytesIO("\n".join(["gclid", *lines]).encode()), SourceOptions())
    assert table.first_rows() == [[line] for line in lines[:FIRST_LINES]]
    assert [cells for _, cells, _, _ in table.records()] == [[line] for line in lines]


def test_broken_and_cut_first_rows_are_left_out() -> None:
    """A row that is broken, or that the bound cuts inside quotes, is not among the first rows."""
    wide = '"' + "x" * 30_000 + '"'
    text = "\n".join(["gclid,email", "a,b,c", "a,b", *[f"a,{wide}"] * 20])
    table = open_table(io.BytesIO(text.encode()), SourceOptions())
    rows = table.first_rows()
    assert rows[0] == ["a", "b"]
    assert len(rows) == 1 + FIRST_CHARS // 30_000
