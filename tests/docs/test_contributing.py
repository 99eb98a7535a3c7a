"""The recipes of CONTRIBUTING.md name files and code that exist."""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
RECIPES: Final = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Recipes")[2]
PLACES: Final = ("lib", "tests", "sandbox", "benchmarks", "tools", "terraform", "docs", "examples")

_ITEM: Final = re.compile(r"\n(?:\n|- |\d\. )")
_SENTENCE_END: Final = re.compile(r"\.\)?\s+(?=[A-Z`*])")
_QUOTED: Final = re.compile(r"`([^`]+)`")
_PATH: Final = re.compile(
    r"[\w.*-]+(/[\w.*-]+)*(/|\.(py|md|tf|css|json|txt|in|ini|toml|yml|html|sh))|Makefile"
)
_CODE: Final = re.compile(r'(?:\w+\.)*(_?[A-Za-z]\w*(?: ?= ?[\w"]+)?)')
_CONSTANT: Final = re.compile(r"_?[A-Z][A-Z0-9_]+")


class Named(NamedTuple):
    """Code that a sentence names, and the files that it names too."""

    code: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.code} in {' or '.join(self.files) or 'any file'}"

    @property
    def pattern(self) -> str:
        """A constant must be declared in the file, not only be used there."""
        is_constant = _CONSTANT.fullmatch(self.code) is not None
        return rf"^ *{self.code}\b.* = " if is_constant else rf"\b{re.escape(self.code)}(?!\w)"


def _named(sentence: str) -> list[Named]:
    """Return the code that a sentence names; of `Totals.lost`, this is `lost`. A test is searched
    for in all tests, because recipes name it without its file. NAME stands for the reader's own."""
    quoted = [" ".join(each.split()) for each in _QUOTED.findall(sentence)]
    paths = tuple(each for each in quoted if _PATH.fullmatch(each) and "NAME" not in each)
    return [
        Named(found[1], ("tests/",) if found[1].startswith("test_") else paths)
        for each in quoted
        if "NAME" not in each and each not in paths and (found := _CODE.fullmatch(each))
    ]


SENTENCES: Final = [
    sentence for item in _ITEM.split(RECIPES) for sentence in _SENTENCE_END.split(item)
]
PATHS: Final = sorted({each for each in _QUOTED.findall(RECIPES) if _PATH.fullmatch(each)})
NAMED: Final = sorted({each for sentence in SENTENCES for each in _named(sentence)})


@pytest.mark.parametrize("path", [each for each in PATHS if "NAME" not in each])
def test_a_file_that_a_recipe_names_exists(path: str) -> None:
    """A file may be named without its folder, if the row names the folder too."""
    assert files(path)


@pytest.mark.parametrize("named", NAMED, ids=str)
def test_code_is_where_its_recipe_says(named: Named) -> None:
    """A name occurs in one of the files that its sentence names, or else anywhere."""
    places = [each for path in named.files for each in files(path)] or [*PLACES]
    command = ["git", "grep", "-qP", "--untracked", named.pattern, "--", *places]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def files(path: str) -> list[str]:
    """Return the files at a path, which may lack its first folders. `*`: any API."""
    pattern = re.escape(path.rstrip("/")).replace(r"\*", "[^/]*")
    found = re.compile(rf"^(.+/)?{pattern}(/|$)")
    return [each for each in all_files() if found.search(each)]


@functools.cache
def all_files() -> list[str]:
    """The files of the repository, also those that are not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()
