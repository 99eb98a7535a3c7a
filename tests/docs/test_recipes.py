"""The recipes show the files in examples/profiles/. Their samples arrive: tests/examples."""

from __future__ import annotations

import re
from pathlib import Path

from tests.examples.test_examples import PROFILE_OF

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
SYSTEMS = (
    *("hubspot", "salesforce", "pipedrive", "zoho"),
    *("shopify", "woocommerce", "stripe", "google"),
)


def test_each_profile_is_the_one_in_examples() -> None:
    """A profile that is copied from the page is the one that the tests of its sample use."""
    shown = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    folder = ROOT / "examples" / "profiles"
    assert shown == [(folder / f"{name}.json").read_text("utf-8") for name in SYSTEMS]


def test_each_recipe_names_its_samples() -> None:
    """The samples in a recipe are files of its profile."""
    recipes = re.findall(
        r"^\*\*Samples?\*\*: (.+?)\. \*\*Export\*\*.+?^  \"(\w+)\": {$", PAGE, re.M | re.S
    )
    assert [name for _, name in recipes] == [*SYSTEMS]
    for samples, name in recipes:
        assert {PROFILE_OF[sample] for sample in re.findall(r"`(\S+)`", samples)} == {name}
