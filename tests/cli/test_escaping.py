"""What a text from a file becomes where a program would obey it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.cli.escaping import in_shell, in_spreadsheet, on_terminal
from lib.model.spelling import unwrap


@given(st.text())
def test_a_terminal_gets_one_line_that_it_only_shows(text: str) -> None:
    """No control character, direction mark or line end is left, and plain text is unchanged. A
    no-break space, which is in each amount, is a space."""
    shown = on_terminal(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()
    assert on_terminal("16,100\u00a0USD") == "16,100 USD"


@given(st.text())
def test_a_shell_reads_one_argument(text: str) -> None:
    """Whatever is in a name, a copied command has it as one word."""
    assert shlex.split(in_shell(text)) == [on_terminal(text)]


@pytest.mark.parametrize(
    "cell",
    [
        *('=HYPERLINK("https://example.com")', "=1+1", "@SUM(1)", "+cmd|' /C calc'!A0"),
        *("-A1", " =1", "+1-212-555-0100", "-1/2"),
    ],
)
def test_a_formula_becomes_text(cell: str) -> None:
    """A spreadsheet shows it, also a phone number from which it would calculate, and the function
    reads the same value as before."""
    written = in_spreadsheet(cell)
    assert written == f"'{cell}"
    assert cell.endswith("'") or unwrap(written, "text") == cell.strip()


@pytest.mark.parametrize(
    "cell",
    ["", "-", "--", "-5", "+49 (30) 555 0100", "-1.234,50", '="000125"', "a=1", "2026-11-20"],
)
def test_what_is_no_formula_stays(cell: str) -> None:
    """Numbers with a sign, phone numbers, and the form that keeps leading zeros."""
    assert in_spreadsheet(cell) == cell
