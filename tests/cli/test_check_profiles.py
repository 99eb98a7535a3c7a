"""`check --profiles FILE` alone: the profiles themselves, after somebody has edited them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lib.cli.commands import main
from tests.cli.validating import BASE

ROOT = Path(__file__).parents[2]


def check(tmp_path: Path, document: Any, *options: str) -> tuple[int, str]:
    """Check a document. Return the exit code and what was printed."""
    text = document if isinstance(document, str) else json.dumps(document)
    path = tmp_path / "profiles.json"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "--profiles", str(path), *options])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples" / "profiles").iterdir()), ids=lambda path: path.stem
)
def test_a_ready_profile_is_valid(path: Path) -> None:
    """Nothing but the count is printed."""
    done = CliRunner().invoke(main, ["check", "--profiles", str(path)])
    assert (done.exit_code, done.output) == (0, "1 profile: none with errors.\n")


def test_every_problem_of_every_profile_is_listed(tmp_path: Path) -> None:
    """Each line names its profile, and the exit code is 1."""
    document = {
        "crm": {**BASE, "time_zone": "Berlin", "curency_code": "EUR"},
        "shop": BASE,
        "a/b": {},
        "calls": {**BASE, "expect": "each night"},
        "unsaid": {key: value for key, value in BASE.items() if key != "destination"},
        "unasked": {key: value for key, value in BASE.items() if key != "expect"},
    }
    code, said = check(tmp_path, document)
    assert code == 1
    crm, slash, calls, unsaid, unasked, count = said.splitlines()
    assert crm.startswith('profile "crm": time_zone: "Berlin": not an IANA time zone.')
    assert "Did you mean currency_code?" in crm
    assert slash.startswith('profile "a/b": not the name of a folder.')
    assert calls.startswith('profile "calls": expect: "each night": not understood. Write')
    assert unsaid.startswith('profile "unsaid": destination: not set.')
    assert unasked.startswith('profile "unasked": expect: not set.')
    assert count == "6 profiles: 5 with errors."


def test_a_broken_document_is_located(tmp_path: Path) -> None:
    """The message has the line and the column, and the exit code is 1."""
    code, output = check(tmp_path, '{\n// Ann\n"crm": {"time_zone": yes}\n}')
    assert code == 1
    assert "line 3 column 22" in output


def test_the_profiles_that_init_writes_need_no_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are found in the folder."""
    monkeypatch.chdir(tmp_path)
    Path("profiles.json").write_text("{}")
    done = CliRunner().invoke(main, ["check"])
    assert (done.exit_code, done.stdout) == (0, "0 profiles: none with errors.\n")


def test_a_check_of_nothing_is_a_wrong_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every check needs profiles."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["check"])
    assert done.exit_code == 2
    assert "Invalid value for '--profiles': 'profiles.json': No such file" in done.stderr
