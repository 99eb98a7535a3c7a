"""The recipes for CRMs: their profiles are those in examples/, and each file has a recipe."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.crm_exports import FILES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")


def test_each_profile_is_the_one_in_examples() -> None:
    """A profile that is copied from the page is the one that the tests of the file use."""
    shown = [json.loads(each) for each in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    examples = json.loads((ROOT / "examples" / "profiles.json").read_text("utf-8"))
    assert shown == [{name: examples[name]} for name in FILES]


def test_each_recipe_names_its_sample() -> None:
    """The sample in a recipe is the file of its profile."""
    samples = re.findall(r"^\*\*Sample\*\*: `(\S+)`.+?^  \"(\w+)\": {$", PAGE, re.M | re.S)
    assert samples == [(file, name) for name, file in FILES.items()]


def test_each_file_says_what_was_checked() -> None:
    """The last table has a row for each file."""
    assert re.findall(r"^\| `(\S+)` \|", PAGE, re.MULTILINE) == list(FILES.values())
