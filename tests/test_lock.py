"""The locks of all packages: *.in → *.txt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.lock_check import main, problems, unlocked

HASH = "\\\n    --hash=sha256:" + "0" * 64 + "\n"
WANTED = "# the only one\nalpha==1.0\n"
LOCK = f"alpha==1.0 {HASH}    # via -r requirements.in\nbeta==2.0 ; python_version > '3' {HASH}"
VERSIONS = {"alpha": "1.0", "beta": "2.0"}
NEEDS = {"alpha": ["Beta>=1", "gamma; extra == 'more'"]}


def found(wanted: str = WANTED, lock: str = LOCK, versions: dict[str, str] = VERSIONS) -> list[str]:
    return list(problems(wanted, lock, versions.get, lambda name: NEEDS.get(name, [])))


def test_the_lock_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock has every package that the code needs, with hashes, and the tests run with these."""
    monkeypatch.chdir(Path(__file__).parents[1])
    assert main() == 0


def test_an_equal_lock_has_no_problem() -> None:
    """Comments, markers, spelling of names and extras that nobody asks for are no difference."""
    assert found() == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"wanted": "alpha==1.1\n"}, "alpha==1.1 of requirements.in is not in requirements.txt."),
        ({"wanted": "alpha[more]==1.0\n"}, None),
        ({"lock": f"alpha==1.0 {HASH}"}, "beta is needed, and is not in requirements.txt."),
        (
            {"lock": LOCK + f"delta==1.0 {HASH}", "versions": {**VERSIONS, "delta": "1.0"}},
            "delta is in requirements.txt, and nothing needs it.",
        ),
        (
            {"lock": LOCK.replace("sha256:" + "0" * 64, "md5:0", 1)},
            "alpha in requirements.txt has no sha256 hash.",
        ),
        (
            {"lock": f"alpha==1.0\nbeta==2.0 {HASH}"},
            "alpha in requirements.txt has no sha256 hash.",
        ),
        (
            {"versions": {"alpha": "1.0", "beta": "2.1"}},
            "beta is installed as 2.1, and requirements.txt has ==2.0.",
        ),
    ],
)
def test_each_difference_is_named(change: dict[str, str], sentence: str | None) -> None:
    """A changed pin, a missing package or hash, and another installed version are each named."""
    result = found(**change)  # type: ignore[arg-type]
    if sentence is None:
        assert result == ["gamma is needed, and is not in requirements.txt."]
    else:
        assert result == [sentence]


def test_the_packages_of_other_commands_are_locked_too() -> None:
    """What was added to a list, and what has no hash in its lock, are named with their files."""
    wanted = "-r sandbox.in\nalpha==1.0\nbeta==2.1\n"
    assert [*unlocked(wanted, LOCK + "gamma==1.0\n", "dev.in", "dev.txt")] == [
        "gamma in dev.txt has no sha256 hash.",
        "beta==2.1 of dev.in is not in dev.txt.",
    ]


def test_the_cache_of_ci_follows_every_lock() -> None:
    """A lock that is not in the key would leave old packages in the cache."""
    root = Path(__file__).parents[1]
    workflow = (root / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    patterns = workflow.partition("cache-dependency-path:")[2].partition("- run:")[0]
    cached = {
        each for pattern in re.findall(r"[\w*/.-]+\.txt", patterns) for each in root.glob(pattern)
    }
    assert cached >= {root / "requirements.txt", *root.glob("requirements/*.txt")}
