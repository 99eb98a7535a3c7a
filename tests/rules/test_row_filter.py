"""The row filter: which rows of a chunk count, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.model.records import Row
from lib.rules.row_filter import Condition, RowFilter, Selected, kind_columns

Values = Mapping[str, Sequence[str]]
HEADER = ("stage", "type")


def row_filter(include: Values, exclude: Values) -> RowFilter:
    included = [Condition(n, HEADER.index(n), "include", tuple(v)) for n, v in include.items()]
    excluded = [Condition(n, HEADER.index(n), "exclude", tuple(v)) for n, v in exclude.items()]
    return RowFilter([*included, *excluded])


def select(rows: Sequence[str], include: Values, exclude: Values | None = None) -> Selected:
    """Filter rows such as `Won|New`, from line 2 on. A row `!` could not be read."""
    records = [
        (line, [] if row == "!" else row.split("|"), "TOO_FEW_CELLS" if row == "!" else None, 9)
        for line, row in enumerate(rows, 2)
    ]
    return row_filter(include, exclude or {}).select(records)


@pytest.mark.parametrize(
    "cell, counts",
    [
        ("Closed Won", True),
        ("closed won", True),
        ("  CLOSED WON\u00a0", True),
        ("Gagne\u0301", True),
        ("GAGN\u00c9", True),
        ('="Closed Won"', True),
        ("'Closed Won", True),
        ("Closed\u00a0Won", True),
        ("Closed\u200b Won", True),
        ("Closed  Won", False),
        ("Closed Won (verbal)", False),
        ("Closed Lost", False),
        ("", False),
    ],
)
def test_only_case_and_what_spreadsheets_add_make_no_difference(cell: str, counts: bool) -> None:
    """The whole cell must be one of the values; its case and its wrapping make no difference."""
    values = {"stage": ["Closed Won", "gagn\u00e9"]}
    assert bool(select([f"{cell}|"], values).rows) is counts
    assert bool(select([f"{cell}|"], {}, values).rows) is not counts


@pytest.mark.parametrize("cell", ["", " ", "NULL", "N/A", "-", "\\N"])
def test_a_placeholder_is_an_empty_cell(cell: str) -> None:
    """`Cancelled at` is empty in an order that counts, and so it is if a database wrote NULL."""
    assert select([f"{cell}|"], {"stage": [""]}).rows
    assert not select([f"{cell}|"], {"stage": ["Won"]}).rows
    assert not select([f"{cell}|"], {}, {"stage": [""]}).rows


def test_a_placeholder_of_the_profile_is_a_value() -> None:
    """A value that the profile lists is compared as it is."""
    values = {"stage": ["None"]}
    assert select(["None|"], values).rows
    assert not select(["|"], values).rows


@pytest.mark.parametrize(
    "include, exclude, kept",
    [
        ({}, {}, "Won|New Won|Old Lost|New |New !"),
        ({"stage": ["Won"]}, {}, "Won|New Won|Old !"),
        ({"stage": ["Won", ""]}, {}, "Won|New Won|Old |New !"),
        ({}, {"stage": ["Won", ""]}, "Lost|New !"),
        ({"stage": ["Won"], "type": ["New"]}, {}, "Won|New !"),
        ({"stage": ["Won"]}, {"type": ["New"]}, "Won|Old !"),
        ({"stage": ["Won"]}, {"stage": ["Won"]}, "!"),
    ],
)
def test_a_row_must_meet_every_condition(include: Values, exclude: Values, kept: str) -> None:
    """A row counts if it meets all conditions; a row that could not be read is not filtered."""
    rows = ["Won|New", "Won|Old", "Lost|New", "|New", "!"]
    selected = select(rows, include, exclude)
    assert [rows[line - 2] for line, *_ in selected.rows] == kept.split(" ")
    assert {*selected.skipped} == set(range(2, 7)) - {line for line, *_ in selected.rows}


STAGES = st.sampled_from(["Won|New", "won |Old", "Lost|New", "Lsot|", "|", "!"])
VALUES = st.dictionaries(
    st.sampled_from(HEADER),
    st.lists(st.sampled_from(["Won", "Lost", "New", ""]), min_size=1, unique=True),
)


@given(st.lists(STAGES), VALUES, VALUES, st.integers(0, 20))
def test_chunks_add_up_to_the_file(
    rows: list[str], include: Values, exclude: Values, cut: int
) -> None:
    """Every row is kept or skipped, in its order, and counts of chunks add up to the file's."""
    whole = select(rows, include, exclude)
    lines = [line for line, *_ in whole.rows]
    assert sorted([*lines, *whole.skipped]) == list(range(2, len(rows) + 2))
    assert lines == sorted(lines)
    first, second = select(rows[:cut], include, exclude), select(rows[cut:], include, exclude)
    total = first.selection
    total.add(second.selection)
    assert total == whole.selection
    assert len(first.rows) + len(second.rows) == len(whole.rows)


def test_found_and_similar_values_are_counted() -> None:
    """The counts show which values occur, and which ones occur only with another spelling."""
    values = {"stage": ["Closed Won", "Paid"]}
    found = select(["Close Won|", "Close Won|", "PAID|", "Lost|"], values)
    assert found.selection.found == {1: 1}
    assert found.selection.near == {0: 2}
    assert (found.selection.kept, found.selection.skipped) == (1, 3)


@pytest.mark.parametrize(
    "value, cell, similar",
    [
        ("Closed Won", "Close Won", True),
        ("Closed Won", "closed-won", True),
        ("Closed Won", "ClosedWon", True),
        ("Refund", "Refunded", True),
        ("Cancelled", "canceled", True),
        ("Closed Won", "Closed Lost", False),
        ("Unfulfilled", "fulfilled", False),
        ("Unpaid", "Paid", False),
        ("Step 1", "Step 2", False),
        ("Level A", "Level B", False),
        ("Won", "Own", False),
        ("", "Won", False),
        ("-", "?", False),
    ],
)
def test_only_spellings_of_one_value_are_similar(value: str, cell: str, similar: bool) -> None:
    """Another spelling is reported as a probable mistake, another value is not."""
    found = select([f"{cell}|"], {}, {"stage": [value]})
    assert bool(found.selection.near) is similar


@pytest.mark.parametrize(
    "cell, is_adjustment",
    [
        ("RETRACT", True),
        (" retraction ", True),
        ('="Restate"', True),
        ("RESTATEMENT", True),
        ("Sale", False),
        ("", False),
        ("retract the order", False),
    ],
)
def test_a_row_with_the_word_of_an_adjustment_is_marked(cell: str, is_adjustment: bool) -> None:
    """The word counts only as a whole cell, in a column that may name the kind of a row."""
    rows: list[Row] = [
        (2, ["1", "Sale"], None, 9),
        (3, [], "NUL_BYTE", 9),
        (4, ["2", cell], None, 9),
    ]
    marked = RowFilter(kind_columns=(1,)).select(rows).rows
    assert marked[:2] == rows[:2]
    assert marked[2][2] == ("ADJUSTMENT_ROW" if is_adjustment else None)
    assert RowFilter(kind_columns=(0,)).select(rows).rows == rows


def test_kinds_are_in_columns_without_a_meaning_and_with_few_different_cells() -> None:
    """A column of a field or of the row filter, or one with a text of its own in every row, is not
    searched: it has another meaning, or would take time."""
    rows = [[f"SO-{n}", "Sale", f"note {n}", "x"] for n in range(50)]
    assert kind_columns(["order_id", "Type", "Notes", ""], rows, {0}) == (1,)
    assert kind_columns(["order_id", "Type", "Notes", ""], rows, {0, 1}) == ()
