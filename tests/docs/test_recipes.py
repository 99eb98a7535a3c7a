"""Each recipe links to a file in examples/profiles/. Their samples arrive: tests/examples."""

from __future__ import annotations

import re
from pathlib import Path

from tests.examples.test_examples import PROFILE_OF

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
RECIPES = re.findall(
    r"^\*\*Profile\*\*: \[`\w+.json`\]\(../examples/profiles/(\w+)\.json\)\."
    r"\s\*\*Samples?\*\*: (.+?)\.\s\*\*Export\*\*",
    PAGE,
    re.M | re.S,
)
SYSTEMS = [
    *("hubspot", "salesforce", "pipedrive", "zoho"),
    *("shopify", "woocommerce", "stripe", "paypal", "xero", "google"),
]


def test_each_recipe_names_its_samples() -> None:
    """The samples in a recipe are files of its profile."""
    assert [profile for profile, _ in RECIPES] == SYSTEMS
    for profile, samples in RECIPES:
        assert {PROFILE_OF[sample] for sample in re.findall(r"`(\S+)`", samples)} == {profile}
