"""The help of every command teaches by examples, and every one of them runs."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from socketserver import BaseServer

import click
import pytest
from click.testing import CliRunner, Result

from lib.cli.commands import main
from sandbox.examples import EXAMPLES, moved_to
from tests.cli.person import interrupt

PROGRAMS = ("offline-conversions", "python -m lib")
RESULTS = "leads.csv.1795521600000001.results.json"


def help_of(*names: str, program: str = PROGRAMS[0], width: int = 80) -> str:
    done = CliRunner().invoke(
        main, [*names, "--help"], prog_name=program, env={"COLUMNS": str(width)}
    )
    assert done.exit_code == 0
    return done.output


def shown(*names: str) -> list[str]:
    """The command lines in the help of a command."""
    text = re.sub(r" \\\n\s+", " ", help_of(*names))
    return [line.strip() for line in text.splitlines() if line.startswith(f"    {PROGRAMS[0]} ")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all files that the examples name."""
    for name in ("leads.csv", "deals.csv", "orders.csv"):
        content = moved_to(EXAMPLES / "deals_to_correct.csv", datetime.now(UTC).date())
        (tmp_path / name).write_bytes(content)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "leads.csv.gz").write_bytes(gzip.compress(content))
    profile = {
        "destination": "google_ads",
        "customer_id": "1234567890",
        "expect": "any time",
        "action": "Deal",
        "columns": {
            "conversion_date_time": "Close Date",
            "conversion_value": "Amount",
            "order_id": "Record ID",
            "gclid": "Google ad click id",
        },
        "time_zone": "UTC",
    }
    (tmp_path / "profiles.json").write_text(json.dumps({"default": profile, "crm": profile}))
    (tmp_path / "p.json").write_bytes((tmp_path / "profiles.json").read_bytes())
    (tmp_path / "google-ads.yaml").touch()  # it opens no account
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lib.cli.init.command._is_answered_here", lambda: True)
    monkeypatch.setattr(BaseServer, "serve_forever", interrupt)
    check = ["check", "--profiles", "profiles.json", "--json", "leads.csv"]
    results = CliRunner().invoke(main, check).stdout
    for name in (RESULTS, RESULTS.replace("leads", "deals"), "deals.results.json"):
        (tmp_path / name).write_text(results)
    return tmp_path


def run(line: str, folder: Path) -> Result:
    """Run a line of the help in this process, with pipes and redirection."""
    line, _, target = line.partition(" > ")
    stdin = ""
    for part in re.split(r" \| (?=jq |offline-)", line):
        if part.startswith("jq "):
            json.loads(stdin)
            continue
        assert part.startswith(f"{PROGRAMS[0]} "), part
        words: list[str] = []
        for word in shlex.split(part.removeprefix(PROGRAMS[0])):
            is_pattern = "*" in word
            words += sorted(map(str, Path().glob(word))) if is_pattern else [word]
        if "-o" in words:
            (folder / words[words.index("-o") + 1]).unlink(missing_ok=True)
        done = CliRunner().invoke(main, words, input=stdin)
        assert done.exit_code in ((0, 1) if words[0] == "check" else (0,)), done.output
        stdin = done.stdout
    if target:
        (folder / target).write_text(stdin)
    return done


@pytest.mark.parametrize("name", ["", *main.commands])
def test_every_example_in_the_help_runs(name: str, folder: Path) -> None:
    """One after another in a folder, each of them does what it says, with files of real deals."""
    lines = shown(*filter(None, [name]))
    assert len(lines) >= 2
    assert not name or [line for line in lines if f" {name} " in line]
    for line in lines:
        (folder / "rows-to-fix-leads.csv").unlink(missing_ok=True)
        done = run(line, folder)
        assert done.output or done.stdout_bytes


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", ["", *main.commands])
def test_the_help_names_the_program_as_it_was_started(name: str, program: str) -> None:
    """Nobody has to translate an example, and a line fits into 80 columns."""
    text = help_of(*filter(None, [name]), program=program)
    assert text.startswith(f"Usage: {program} ")
    (other,) = {*PROGRAMS} - {program}
    assert other not in text
    assert "{program}" not in text
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", main.commands)
def test_help_says_what_the_exit_codes_mean(name: str) -> None:
    """A script needs to know them."""
    assert "Exit code: 0 if " in help_of(name)


def test_the_first_help_names_every_command() -> None:
    """`--help` alone lists what there is, each with what it does."""
    text = help_of()
    for name, command in main.commands.items():
        assert isinstance(command, click.Command)
        assert re.search(rf"^  {name} +\S+ \S+", text, re.M), name


@pytest.mark.parametrize("name", main.commands)
def test_the_summary_of_a_command_is_whole(name: str) -> None:
    """The list of commands cuts none off."""
    (line,) = re.findall(rf"^  {name} +(.*)$", help_of(), re.M)
    assert line.endswith(".")
    assert not line.endswith("...")


def test_advanced_options_are_listed_apart() -> None:
    """The usual ones come first, and each option is listed once."""
    usual, advanced = help_of("check").partition("Examples:")[0].split("Advanced:")
    assert "--profiles FILE" in usual
    assert "--now" not in usual
    assert re.findall(r"^  (--[a-z-]+)", advanced, re.M) == ["--all-rows", "--now"]
