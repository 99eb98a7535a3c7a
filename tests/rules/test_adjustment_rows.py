"""Adjustments below the first rows of a file, from which its kind is known."""

import pytest

from lib.rules.adjustment_rows import kind_columns, mark_adjustments


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
    rows = [(2, ["1", "Sale"], None, 9), (3, [], "NUL_BYTE", 9), (4, ["2", cell], None, 9)]
    marked = mark_adjustments(rows, (1,))
    assert marked[:2] == rows[:2]
    assert marked[2][2] == ("ADJUSTMENT_ROW" if is_adjustment else None)
    assert mark_adjustments(rows, (0,)) == rows


def test_kinds_are_in_columns_without_a_meaning_and_with_few_different_cells() -> None:
    """A column of a field or of the row filter, or one with a text of its own in every row, is not
    searched: it has another meaning, or would take time."""
    rows = [[f"SO-{n}", "Sale", f"note {n}", "x"] for n in range(50)]
    assert kind_columns(["order_id", "Type", "Notes", ""], rows, {0}) == (1,)
    assert kind_columns(["order_id", "Type", "Notes", ""], rows, {0, 1}) == ()
