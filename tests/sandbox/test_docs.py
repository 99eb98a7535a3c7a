"""docs/sandbox.md documents every request and setting of the sandbox, and its examples run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from sandbox.control import ROUTES, Routes
from sandbox.faults import COMMON_KINDS, STORAGE_KINDS
from sandbox.up import Sandbox

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_every_route_has_a_text(sandbox):
    """From it, the page's table is made."""
    table = [route.replace("/secrets/", "/secrets/NAME") for route in Routes(sandbox).table]
    assert sorted(ROUTES) == sorted(table)


def test_every_kind_and_key_is_documented(sandbox):
    """The page names every fault kind and key of the description."""
    wanted = [*COMMON_KINDS, *STORAGE_KINDS, *sandbox.description()]
    assert [name for name in wanted if f"`{name}`" not in DOCUMENT] == []


def test_every_example_works(sandbox, tmp_path):
    """Each example runs unchanged, in order, and succeeds."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".sandbox").mkdir()
    (tmp_path / ".sandbox" / "current.json").write_text(json.dumps(sandbox.description()))
    python = f'python() {{ {sys.executable} "$@"; }}\ncurl() {{ command curl -sS --fail "$@"; }}\n'
    _, *blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.S)  # the first one starts a sandbox
    assert len(blocks) == 2  # the blocks of bash have tests of their own
    run = subprocess.run(
        ["bash", "-ec", python + "".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "CONTROL_URL": sandbox.control_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()


def test_the_example_of_a_test_works():
    """It starts a sandbox of its own, with the function in the folder."""
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.S)
    run = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "run_finished" in run.stdout


def test_the_bad_days_bring_the_mails_of_the_page(tmp_path):
    """Each problem of the table is told, and that it is over, and no other one is."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".sandbox").mkdir()
    blocks = re.findall(r"<!-- bad days -->\n```bash\n(.*?)```", DOCUMENT, re.S)
    assert len(blocks) == 4
    with Sandbox(source=ROOT) as running:
        current = tmp_path / ".sandbox" / "current.json"
        current.write_text(json.dumps(running.description()))
        run = subprocess.run(
            ["bash", "-ec", "".join(blocks)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    told = re.findall(r"Subject: \[(\w+) - .*?section (\w+)$", run.stdout, re.S | re.M)
    in_table = re.findall(r"^\| \[`(\w+)`\]", DOCUMENT, re.M)
    assert len(in_table) == 2
    expected = {(state, kind) for state in ("ALERT", "RESOLVED") for kind in in_table}
    assert {each for each in told if each[1] != "open_problems_digest"} == expected
