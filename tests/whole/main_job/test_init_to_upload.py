"""From an export to the API as a person does it: `init`, `check`, `drop`, no JSON by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from lib.cli.commands import main as commands
from sandbox.__main__ import main
from sandbox.up import Sandbox
from tests.cli.test_init_crm_exports import options
from tests.cli.validating import NOW
from tests.crm_exports import FILES, won
from tests.whole.main_job.conftest import ROOT

IN_A_PROCESS = {"hubspot_deals", "dynamics"}
"""A text file and a workbook: a process for each command of each file would take half a minute."""


def command(*words: str | Path, cwd: Path, in_a_process: bool) -> str:
    """Run `python -m lib` without a terminal. Return what it prints."""
    if not in_a_process:
        result = CliRunner().invoke(commands, [*map(str, words)])
        assert result.exit_code == 0, result.output
        return result.stdout
    done = subprocess.run(
        [sys.executable, "-m", "lib", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_export_of_a_crm_reaches_the_api(google: Sandbox, tmp_path: Path) -> None:
    """One document gets the profiles of all exports; exactly their won rows are at the API."""
    now = ("--now", NOW.isoformat())
    profiles = tmp_path / "profiles.json"
    for name, file in FILES.items():
        path = ROOT / "examples" / file
        fresh = name in IN_A_PROCESS
        words = ("--profile", name, "-o", profiles, "--destination", "google_ads", *options(name))
        printed = command("init", *now, path, *words, cwd=tmp_path, in_a_process=fresh)
        assert f"Wrote the profile '{name}'" in printed
        words = ("--profiles", profiles, "--profile", name)
        printed = command("check", *now, *words, path, cwd=tmp_path, in_a_process=fresh)
        assert f"{len(won(name))} would be sent" in printed
    for name, file in FILES.items():
        words = ("--folder", name, "--wait", "--json", "--control-url", google.control_url)
        path = str(ROOT / "examples" / file)
        run = CliRunner().invoke(main, ["drop", path, "--profiles", str(profiles), *words])
        assert run.exit_code == 0, run.output
    sent = [each.as_json()["conversion"] for each in google.state.accepted]
    expected = [sale for name in FILES for sale in won(name)]
    assert sorted((c.get("gclid", ""), c["order_id"]) for c in sent) == sorted(
        (sale.gclid, sale.order_id) for sale in expected
    )
