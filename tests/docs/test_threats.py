"""The tests that the threats in docs/security.md name exist, and each threat names one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TABLE = PAGE.split("\n## Threats\n")[1].split("\n## ")[0]
HEADER, _, *ROWS = re.findall(r"^\| (.+) \|$|^\|(?:---\|)+$", TABLE, re.M)
PROOFS = {row.split(" | ")[0]: row.split(" | ")[-1] for row in ROWS}


@pytest.fixture(scope="module")
def tests_by_name() -> set[str]:
    """The names of all test functions."""
    command = ["git", "grep", "--untracked", "-hoE", r"^def test_\w+", "--", "tests"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line.removeprefix("def ") for line in found.splitlines()}


def test_each_threat_has_three_cells() -> None:
    """The table has threat, protection and tests, and no threat twice."""
    assert HEADER == "Threat | Protection | Tests"
    assert [len(row.split(" | ")) for row in ROWS] == [3] * len(ROWS)
    assert len(PROOFS) == len(ROWS) > 15


@pytest.mark.parametrize("threat", PROOFS)
def test_the_tests_of_a_threat_exist(threat: str, tests_by_name: set[str]) -> None:
    """A renamed or deleted test must not leave a protection without its proof."""
    named = re.findall(r"`([^`]+)`", PROOFS[threat])
    assert named
    for each in named:
        assert each in tests_by_name or (each.startswith("tests/") and (ROOT / each).is_file())
