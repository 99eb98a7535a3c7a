"""Placeholders and wrapped values: the pure functions."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.model.fields import ValueKind
from lib.model.spelling import unwrap
from lib.rules.values.cells import LONGEST_PLACEHOLDER, is_placeholder

KINDS: tuple[ValueKind, ...] = get_args(ValueKind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "cell", ["N/A", "n/a", "\\N", "-", "--", "\u2014", "(null)", "[None]", "(not set)", "not_set"]
)
def test_signs_are_placeholders_of_every_kind(kind: ValueKind, cell: str) -> None:
    """No value of any kind is written like a sign."""
    assert is_placeholder(kind, cell)


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("0", {"text", "unit", "country"}),
        ("NA", {"text", "number", "unit", "word"}),
        ("Null", {"text", "number", "unit", "word", "country"}),
        ("(blank)", set(KINDS)),
        ("<NA>", set(KINDS)),
        ("unknown", {"text", "country"}),
        ("TBD", {"text", "word", "country"}),
        ("(tba)", {"text", "name", "word", "country"}),
        ("?", {"text", "word", "country"}),
        (".", {"text", "word", "country"}),
        ("not available", {"text", "name", "word", "country"}),
        ("#N/A", {"text", "name", "word", "country"}),
        ("#DIV/0!", {"text", "name", "word", "country"}),
        ("#BEZUG!", set()),
        ("(0)", {"text", "unit", "country"}),
        ("", set()),
        (" ", set()),
        ("()", set()),
        ("00", set()),
        ("Nancy", set()),
        ("null and void", set()),
        ("x" * (LONGEST_PLACEHOLDER + 1), set()),
    ],
)
def test_words_are_placeholders_of_some_kinds(cell: str, kinds: set[str]) -> None:
    """A word can be a placeholder of one kind and a value of another. What decides about money or
    time has a placeholder only if the cell says that there is no value."""
    assert {kind for kind in KINDS if is_placeholder(kind, cell)} == kinds


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="000125"', "000125"),
        ('=" 000125 "', "000125"),
        ('="say ""yes"""', 'say "yes"'),
        ('=""', ""),
        ('="', '="'),
        ("=125", "=125"),
        ("'000125", "000125"),
        ("'quoted'", "'quoted'"),
        ("'", "'"),
        ("\u200b\u00a0125\ufeff ", "125"),
        ("1\u202f000", "1 000"),
        ("", ""),
    ],
)
def test_a_cell_is_unwrapped(cell: str, text: str) -> None:
    """Only what spreadsheets and web pages add is removed."""
    assert unwrap(cell, "text") == text


@pytest.mark.parametrize("text", ["-basic", "=1+1", "+cmd", "@mail"])
def test_a_name_loses_the_apostrophe_of_a_spreadsheet(text: str) -> None:
    """It keeps a spreadsheet from calculating the cell, and is no part of a name like 't Hooft."""
    assert unwrap(f"'{text}", "name") == unwrap(f"' {text}", "name") == text


def test_joiners_are_part_of_a_name_only_inside_it() -> None:
    """At its ends, they are invisible and would change its digest."""
    assert unwrap("\u200c\u0645\u06cc\u200c\u062e\u200d", "name") == "\u0645\u06cc\u200c\u062e"


@given(st.text(max_size=20))
def test_a_value_without_wrapping_is_only_trimmed(text: str) -> None:
    """Visible text that no spreadsheet has wrapped stays as it is."""
    if text.isascii() and text.strip()[:1] not in ("=", "'"):
        assert all(unwrap(text, kind) == text.strip() for kind in KINDS)


@pytest.mark.parametrize(
    ("cell", "number", "other"),
    [
        ("\uff11\uff0c\uff12\uff13\uff14\uff0e\uff15", "1,234.5", None),
        ("\uffe51\u3000234", "\u00a51\u3000234", "\uffe51\u3000234"),
        ("\uff08\uff2e\uff35\uff2c\uff2c\uff09", "(NULL)", None),
        ("\u00ad50", "-50", "50"),
    ],
)
def test_full_width_characters_are_plain_in_numbers(
    cell: str, number: str, other: str | None
) -> None:
    """Elsewhere they stay: another spelling of an order ID is another order. And a soft hyphen is a
    minus, although it is invisible elsewhere."""
    assert unwrap(cell, "number") == number
    assert unwrap(cell, "text") == (cell if other is None else other)
