"""Placeholders and wrapped values: the pure functions."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.model.fields import ValueKind
from lib.rules.values.cells import LONGEST_PLACEHOLDER, is_placeholder, unwrap

KINDS: tuple[ValueKind, ...] = get_args(ValueKind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "cell", ["N/A", "n/a", "#N/A", "\\N", "-", "--", "(null)", "[None]", "(not set)", "not_set"]
)
def test_signs_are_placeholders_of_every_kind(kind: ValueKind, cell: str) -> None:
    """No value of any kind is written like a sign."""
    assert is_placeholder(kind, cell)


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("0", {"text", "country"}),
        ("NA", {"text", "number", "word"}),
        ("Null", {"text", "number", "word", "country"}),
        ("unknown", {"text", "number", "country"}),
        ("TBD", {"text", "number", "word", "country"}),
        ("(0)", {"text", "country"}),
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
    """A word can be a placeholder of one kind and a value of another."""
    assert {kind for kind in KINDS if is_placeholder(kind, cell)} == kinds


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="000125"', "000125"),
        ('=" 000125 "', "000125"),
        ('="say ""yes"""', 'say "yes"'),
        ('=""', ""),
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


@given(st.text(max_size=20))
def test_a_value_without_wrapping_is_only_trimmed(text: str) -> None:
    """Visible text that no spreadsheet has wrapped stays as it is."""
    if text.isascii() and text.strip()[:1] not in ("=", "'"):
        assert all(unwrap(text, kind) == text.strip() for kind in KINDS)
