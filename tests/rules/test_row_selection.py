"""Which rows are sent, and as what: by the values that a profile lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.model.records import Row
from lib.rules.selection import RowSelection

SKIP = {"Stage": ["Closed Lost", "", "1"], "Cancelled at": ["*"]}
ENTRIES = [
    {"Stage": ["Qualified"]},
    {"Stage": ["Closed Won", "Straße"], "Type": ["New", ""]},
    {"Stage": ["*"], "Type": ["Renewal"]},
]
PLACES = {"Stage": 0, "Cancelled at": 1, "Type": 2}
SELECTION = RowSelection(SKIP, ENTRIES, PLACES)


def row_of(*cells: str, line: int = 2, problem: str | None = None) -> Row:
    return line, list(cells), problem, 1


@pytest.mark.parametrize(
    ("cells", "entry"),
    [
        (("Qualified", "", "New"), 0),
        (("  QUALIFIED ", "", ""), 0),
        (('="Qualified"', "", ""), 0),
        (("Ｑualified", "", ""), 0),
        (("closed  won", "", "new"), 1),
        (("Closed Won", "", "N/A"), 1),
        (("STRASSE", "", "New"), 1),
        (("Closed Won", "", "Renewal"), "rejected"),
        (("Negotiation", "", "Renewal"), 2),
        (("Negotiation", "", "New"), "rejected"),
        (("Qualified", "2026-11-20", "New"), "skipped"),
        (("Qualified", "NULL", "New"), 0),
        (("Qualified", "0000-00-00 00:00:00", "New"), 0),
        (("Qualified", "0001-01-01T00:00:00", "New"), 0),
        (("1.0", "", "New"), "skipped"),
        (("1,00", "", "New"), "skipped"),
        (("Closed Lost", "", "New"), "skipped"),
        (("", "", "New"), "skipped"),
        (("-", "", "New"), "skipped"),
        (("*", "", "Renewal"), 2),
    ],
)
def test_the_first_entry_that_fits(cells: tuple[str, str, str], entry: int | str) -> None:
    """Any value of skip skips; else the first entry fits whose columns all do; else rejected."""
    selected = SELECTION.select([row_of(*cells), row_of("Qualified", "", "", line=3)])
    if entry == "skipped":
        assert (selected.skipped, selected.refused) == ([2], [])
    elif entry == "rejected":
        (refused,) = selected.refused
        assert (refused.line, refused.outcome) == (2, "rejected")
        assert refused.errors[0].code == "NO_ENTRY_FITS"
        assert refused.errors[0].detail == 'columns: "Stage" and "Cancelled at" and "Type"'
    else:
        assert [*selected.entries][:1] == [entry] * bool(selected.entries)
        assert [line for line, *_ in selected.rows] == [2, 3]


def test_without_conditions_all_rows_are_of_the_only_entry() -> None:
    """A profile that lists no value sends all rows."""
    rows = [row_of("x"), row_of("y", line=3)]
    selected = RowSelection({}, [{}], {}).select(rows)
    assert (selected.rows, selected.entries, selected.skipped) == (rows, (), [])


def test_an_entry_without_rows_takes_all_that_are_left() -> None:
    """The last entry may have no rows of its own."""
    selection = RowSelection({}, [{"Stage": ["Won"]}, {}], {"Stage": 0})
    assert selection.select([row_of("Won"), row_of("?", line=3)]).entries == [0, 1]


def test_rows_that_could_not_be_read_are_kept() -> None:
    """Their problem is reported, whatever is skipped. A footer is skipped."""
    rows = [
        row_of(problem="WRONG_NUMBER_OF_CELLS"),
        row_of("Closed Lost", "", "", line=3),
        row_of(line=4, problem="REPORT_FOOTER"),
    ]
    selected = SELECTION.select(rows)
    assert ([row[0] for row in selected.rows], selected.skipped) == ([2], [3, 4])


@given(st.text(st.sampled_from("aB ='\"*-\u00ad\u200b\u200d\u200f\ufeffلß"), max_size=8))
def test_a_value_that_is_listed_as_its_cell_is_found(value: str) -> None:
    """Whatever a cell has, a person can copy it into the profile."""
    selected = RowSelection({"Stage": [value]}, [{}], {"Stage": 0}).select([row_of(value)])
    assert selected.skipped == [2]


CELL = st.sampled_from(["Qualified", "Closed Won", "Closed Lost", "", "*", "New", "Renewal", "?"])


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=12))
def test_every_row_ends_in_one_place(cells: list[tuple[str, str, str]]) -> None:
    """A row is sent, skipped or refused, and never two of them."""
    rows = [row_of(*each, line=line) for line, each in enumerate(cells, 2)]
    selected = SELECTION.select(rows)
    lines = [row[0] for row in selected.rows], selected.skipped
    found = sorted([*lines[0], *lines[1], *(row.line for row in selected.refused)])
    assert found == [row[0] for row in rows]
