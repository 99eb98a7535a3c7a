"""The benchmarks compare implementations that do the same work."""

from __future__ import annotations

import pytest

from benchmarks.figures import MEASURED, TARGETS, Figure
from benchmarks.row_path import WRONG_EVERY, check_agreement
from benchmarks.rows import file_of


def test_loop_sample_and_ours_agree_on_valid_rows() -> None:
    """All produce the same bytes for valid rows, and only our code refuses the wrong ones."""
    check_agreement(file_of(5_000, WRONG_EVERY), file_of(300, WRONG_EVERY, seed=2))


@pytest.mark.parametrize(
    ("name", "value", "ok"),
    [
        ("prepare_vs_loop", 0.65, True),
        ("prepare_vs_loop", 0.64, False),
        ("overlap", 1.25, True),
        ("overlap", 1.26, False),
        ("memory_peak", 150, False),
        ("cost_per_million", 1e9, True),
    ],
)
def test_targets(name: str, value: float, ok: bool) -> None:
    """A figure that equals its target passes, unless the target is "less than"."""
    figure = Figure(name, value)
    assert figure.ok is ok
    assert figure.as_json()["unit"] == TARGETS[name].unit


def test_what_was_measured_misses_no_target() -> None:
    """`make bench` would fail by a target that docs/performance.md gives up."""
    assert MEASURED.keys() == TARGETS.keys()
    for name, values in MEASURED.items():
        assert values
        assert all(Figure(name, value).ok for value in values), name
