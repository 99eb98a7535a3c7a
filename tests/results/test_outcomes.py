"""The outcomes of a row are declared once, and whatever lists them has them all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from lib.model.outcomes import OUTCOMES, Outcome
from tests.results_schema import SCHEMA

ROOT = Path(__file__).parents[2]
NAMES = list(OUTCOMES)
_FOLDER = ROOT / "lib" / "results" / "templates"


def test_every_outcome_is_declared_in_the_order_of_its_type() -> None:
    """The table has what the type allows."""
    assert tuple(NAMES) == get_args(Outcome)


def test_the_schema_counts_every_outcome() -> None:
    """It has a count for each outcome, and requires it unless only a check has it."""
    counts = SCHEMA["properties"]["counts"]
    assert set(NAMES) <= counts["properties"].keys()
    always = [name for name, meaning in OUTCOMES.items() if meaning.counts != "would"]
    assert counts["required"] == ["rows", *always, "warnings"]


def test_the_schema_lists_every_outcome() -> None:
    """A row of a results document may have any of the outcomes, and no other."""
    assert SCHEMA["$defs"]["row"]["properties"]["outcome"]["enum"] == NAMES


def test_every_outcome_has_a_color() -> None:
    """The bar of a report shows each of them."""
    style = (_FOLDER / "page.css").read_text("utf-8")
    colored = re.findall(r"([^{}]+)\{ --color:", style)
    assert {f".{name}" for name in NAMES} <= {one.strip() for c in colored for one in c.split(",")}
