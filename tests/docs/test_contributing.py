"""The recipes of CONTRIBUTING.md name files and code that exist."""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
RECIPES: Final = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Recipes")[2]
QUOTED: Final = sorted(set(re.findall(r"`([^`\n]+)`", RECIPES)))
PLACES: Final = ("lib", "tests", "sandbox", "benchmarks", "tools", "terraform", "docs", "Makefile")

# NAME stands for what the reader adds, `*` for any API.
PATHS: Final = [
    each
    for each in QUOTED
    if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*(/|\.(py|md|tf|css|json|txt|in|toml|yml|sh))", each)
]
NAMES: Final = [each for each in QUOTED if re.fullmatch(r"_?[A-Za-z]\w*_\w+|_?[A-Z]\w+|_\w+", each)]


@pytest.mark.parametrize("path", [each for each in PATHS if "NAME" not in each])
def test_a_file_that_a_recipe_names_exists(path: str) -> None:
    """A file may be named without its folder, if the row names the folder too."""
    pattern = re.escape(path.rstrip("/")).replace(r"\*", "[^/]*")
    assert re.search(rf"^(.+/)?{pattern}(/|$)", files(), re.MULTILINE)


@pytest.mark.parametrize("name", [each for each in NAMES if "NAME" not in each])
def test_code_that_a_recipe_names_exists(name: str) -> None:
    """A function, class, constant or setting that was renamed is renamed in its recipe."""
    assert occurs(name)


@functools.cache
def files() -> str:
    """The files of the repository, one in each line, also those that are not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def occurs(name: str) -> bool:
    """Return whether code, tests or Terraform contain this name."""
    command = ["git", "grep", "-qwF", name, "--", *PLACES]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0
