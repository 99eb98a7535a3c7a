"""The page to get started: its steps, one after another, bring every won deal to Google once."""

from __future__ import annotations

import csv
import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib.cli.commands import main
from sandbox.examples import EXAMPLES, WRITTEN_ON, moved_to
from sandbox.up import Sandbox

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "get-started.md").read_text("utf-8")


def steps(mark: str) -> list[tuple[str, str]]:
    """The commands of the blocks with this mark, each with what it prints."""
    blocks = re.findall(rf"<!-- {mark} -->\n```console\n(.*?)^```$", PAGE, re.S | re.M)
    return [
        (command, shown)
        for block in blocks
        for command, shown in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
    ]


def corrections() -> Iterator[tuple[str, str, str, str]]:
    """The table of corrections: line, column, what is in the cell, and what to write."""
    yield from re.findall(r"^\| (\d+) \| (.+?) \| `(.+?)` \| `(.+?)`", PAGE, re.M)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone in which the command is installed."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    installed = tmp_path / "bin" / "offline-conversions"
    installed.parent.mkdir()
    installed.write_text(f'#!/bin/sh\nexec {sys.executable} -m offline_conversions "$@"\n')
    installed.chmod(0o755)
    return tmp_path


@pytest.fixture
def google(folder: Path) -> Iterator[Sandbox]:
    """A sandbox that was started in this folder, in another terminal."""
    (folder / ".sandbox").mkdir()
    with Sandbox(source=ROOT) as running:
        (folder / ".sandbox" / "current.json").write_text(json.dumps(running.description()))
        yield running


def run(command: str, folder: Path) -> str:
    """Run a command of the page without a terminal. Return all that it prints."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "COLUMNS": "80",
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    # The check of a file with wrong rows ends with 1.
    assert done.returncode == (1 if " check " in command else 0), done.stdout
    return done.stdout


def correct(path: Path) -> None:
    """Write into the file what the page says, with the dates moved like those of the example."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for line, column, wrong, right in corrections():
        (row,) = (each for each in rows if each["fix: line"] == line)
        assert row[column] == wrong
        if re.match(r"\d{4}-", right):
            moved = datetime.now(UTC).date() - WRITTEN_ON
            right = str(datetime.fromisoformat(right) + moved)
        row[column] = right
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_the_steps_bring_every_won_deal_to_google_once(folder: Path, google: Sandbox) -> None:
    """Each command prints what the page shows, and the corrections on the page are sufficient."""
    checker = doctest.OutputChecker()
    walk = steps("walk")
    assert len(walk) == 7
    for command, shown in walk:
        if "drop rows-to-fix-deals.*.csv" in command:
            (corrected,) = folder.glob("rows-to-fix-deals.*.csv")
            correct(corrected)
        printed = run(command, folder)
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert checker.check_output(shown, printed, flags), printed
    held = [each.as_json()["conversion"]["order_id"] for each in google.state.accepted]
    with (EXAMPLES / "deals_to_correct.csv").open(encoding="utf-8", newline="") as file:
        won = [row["Record ID"] for row in csv.DictReader(file) if "Won" in row["Deal Stage"]]
    assert sorted(held) == won
    assert len(won) == 9
    for name in re.findall(r"\]\((?!https:)([^)#]+)", PAGE):
        assert (ROOT / "docs" / name).exists(), name


def test_the_installation_is_the_one_that_is_tested(folder: Path) -> None:
    """`tests/cli/test_installed_package.py` installs the package of this folder, as pipx does."""
    (pipx, _), (version, _) = steps("install")
    assert pipx == "pipx install ."
    assert run(version, folder).startswith("offline-conversions, version ")


def test_the_first_commands_in_the_readme_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run with a file like the one on the page; the questions of `init` have answers there."""
    today = datetime.now(UTC).date()
    (tmp_path / "deals.csv").write_bytes(moved_to(EXAMPLES / "deals_to_correct.csv", today))
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = re.findall(r"^\$ (pipx .*|offline-conversions .*)$", readme, re.M)
    install, *others = (shlex.split(command, comments=True) for command in commands)
    assert install == ["pipx", "install", "."]
    assert [words[1] for words in others] == ["init", "check"]
    walk = [shlex.split(command.replace("\\\n", " ")) for command, _ in steps("walk")]
    (given,) = (words for words in walk if words[1] == "init")
    for _, *words in others:
        if words[0] == "init":
            words += given[3:]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == (words[0] == "check"), done.output
