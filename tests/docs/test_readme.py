"""The examples in the README and in sandbox.md are real: commands run, and outputs match."""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.demo import run_demo
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_bucket

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SANDBOX = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")


def block(page: str, mark: str) -> str:
    """Return the code block of a page below the comment `<!-- mark -->`."""
    match = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", page, re.DOTALL)
    assert match is not None
    return match[1]


def test_the_event_by_hand_works(tmp_path: Path) -> None:
    """The page's curl commands run unchanged, return 2xx and lead to a results document."""
    script = block(SANDBOX, "by hand")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".sandbox").mkdir()
    with Sandbox(source=ROOT) as google:
        description = json.dumps(google.description())
        (tmp_path / ".sandbox" / "current.json").write_text(description)
        for _ in range(2):
            answer = subprocess.run(
                ["bash", "-euc", script],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert answer.returncode == 0, answer.stderr
            assert re.search(r"^HTTP/1.1 2\d\d", answer.stdout, re.M), answer.stdout
        assert check_bucket(google.storage_client().bucket(OUTPUT_BUCKET)) == 2
        names = [blob.name for blob in google.storage_client().list_blobs(OUTPUT_BUCKET)]
    assert len([name for name in names if re.fullmatch(r"by-hand.csv.\d+.results.json", name)]) == 2


def without_times(text: str) -> str:
    """Return the printed text with placeholders for durations, rates and the progress bar."""
    text = re.sub(r"━[━╸╺ ]*", "BAR ", text)
    text = re.sub(r"\b\d+:\d\d:\d\d\b", "TIME", text)
    return re.sub(r"[\d,.]+ (s|rows a second)\b", r"N \1", text)


def test_the_demo_prints_what_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block in the README is what a real demo prints, apart from times."""
    monkeypatch.chdir(tmp_path)
    console = Console(file=io.StringIO(), width=140)
    assert run_demo(console, "google_ads", ROOT, Path(".demo"), 5_000) == 0
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    same = doctest.OutputChecker().check_output(
        without_times(block(README, "demo")),
        without_times(printed),
        doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert same, printed
