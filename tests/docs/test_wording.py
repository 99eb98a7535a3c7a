"""The project speaks plain English: words that only its authors understood stay out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TEXT = {".py", ".md", ".tf", ".toml", ".yml", ".yaml", ".json", ".example", ".sh", ""}

# Word → what to write instead (CONTRIBUTING.md, How we write).
DIALECT = {
    r"mend(s|ed|ing)?\b": "fix",
    r"(said|says|say|told|tells?) (so )?once\b": "reported once",
    r"by (itself|themselves)\b": "automatically",
    r"work(s|ed|ing)? off\b": "process",
    r"(became|becomes|become|come|comes) of\b": "happens to",
    r"good order\b": "valid",
    r"good for nothing\b": "useless",
    r"for good\b": "permanently",
    r"(giv(e|es|en|ing)|gave) up\b": "fail, stop",
    r"passing (trouble|reason|refusal|fault)s?\b": "transient error",
    r"troubles?\b": "error, problem",
    r"kept? back\b": "withheld",
    r"look(s|ed|ing)? again\b": "check again",
    r"anew\b": "again",
    r"aloud\b": "visibly",
    r"nought\b": "zero",
    r"in the end\b": "finally",
    r"once more\b": "again",
    r"look(s|ed)? through\b": "scan",
    r"isn't one\b": "is not valid",
    r"beside (it|them|that|those)\b": "next to, in addition to",
    r"thaw(s|ed|ing)?\b": "resume",
}
_DIALECT = {re.compile(rf"\b{pattern}", re.IGNORECASE): use for pattern, use in DIALECT.items()}

# The pages that name the words on purpose.
EXEMPT = {"CONTRIBUTING.md", "tests/docs/test_wording.py", "LICENSE"}


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [
        name
        for name in listed.stdout.splitlines()
        if Path(name).suffix in TEXT and name not in EXEMPT and (ROOT / name).is_file()
    ]


@pytest.mark.parametrize("folder", ["lib", "docs", "sandbox", "tests", "terraform", "."])
def test_no_private_dialect(folder: str) -> None:
    """Each hit names its file, its line, and what to write instead."""
    folders = {"lib", "docs", "sandbox", "tests", "terraform"}
    hits = []
    for name in _files():
        top = name.split("/")[0]
        if (top if top in folders else ".") != folder:
            continue
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1):
            for pattern, use in _DIALECT.items():
                if found := pattern.search(line):
                    hits.append(f"{name}:{number}: {found[0]!r}, use {use!r}")
    assert hits == []
