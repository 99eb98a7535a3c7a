"""Every example in the README is real: commands run, and outputs match."""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sandbox.demo import run_demo
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_bucket

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """Return the code block below the comment `<!-- mark -->`."""
    match = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert match is not None
    return match[1]


def test_the_event_by_hand_works(tmp_path: Path) -> None:
    """The README's curl commands run unchanged, return 2xx and lead to a results document."""
    script = block("by hand")
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


def shows(excerpt: Any, whole: Any) -> bool:
    """Return whether every part of `excerpt` occurs in `whole`; `...` ends a shortened text."""
    if isinstance(excerpt, dict):
        return all(key in whole and shows(part, whole[key]) for key, part in excerpt.items())
    if isinstance(excerpt, list):
        return all(any(shows(part, each) for each in whole) for part in excerpt)
    if isinstance(excerpt, str) and excerpt.endswith("..."):
        return str(whole).startswith(excerpt.removesuffix("..."))
    return bool(excerpt == whole)


def test_the_demo_prints_what_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo block and the results excerpt match a real demo, apart from times."""
    monkeypatch.chdir(tmp_path)
    console = Console(file=io.StringIO(), width=140)
    assert run_demo(console, "google_ads", ROOT, Path(".demo"), 5_000) == 0
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    same = doctest.OutputChecker().check_output(
        without_times(block("demo")),
        without_times(printed),
        doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert same, printed
    document = json.loads(Path(".demo/results.json").read_text("utf-8"))
    excerpt = json.loads(block("results of the demo"))
    # The generation of the object depends on the time of the upload.
    for each in (excerpt, document):
        each["run_id"] = re.sub(r"#\d{16}$", "", each["run_id"])
    assert shows(excerpt, document)
    assert excerpt["counts"] == document["counts"]


def test_every_document_that_the_readme_points_to_exists() -> None:
    """The README has no dead links."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
