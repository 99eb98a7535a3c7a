"""The names of the objects in the output bucket."""

from __future__ import annotations

import pytest

from lib.state.output import results_name


@pytest.mark.parametrize("letter", ["x", "ü", "語"])
@pytest.mark.parametrize("length", [1, 1_000, 1_024])
def test_the_results_of_any_name_have_a_name_of_their_own(letter: str, length: int) -> None:
    """It has at most 1,024 bytes, as Cloud Storage demands, and no other object shares it."""
    name = letter * (length // len(letter.encode()) or 1)
    found = [results_name(each, 1795521600000001) for each in (name, f"{name[:-1]}y")]
    assert len(set(found)) == 2
    for each in found:
        assert len(each.encode()) <= 1_024
        assert each.endswith(".1795521600000001.results.json")
    is_short = len(f"{name}.1795521600000001.results.json".encode()) <= 1_024
    assert (found[0] == f"{name}.1795521600000001.results.json") == is_short
