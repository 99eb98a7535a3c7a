"""`check --profiles FILE` alone: the profiles themselves, after somebody has edited them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lib.cli.commands import main

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
        "crm": {"destination": "google_ads", "time_zone": "Berlin", "curency_code": "EUR"},
        "shop": {"destination": "google_ads", "customer_id": "123-456-7890"},
        "a/b": {},
        "calls": {"destination": "google_ads", "expect": "each night"},
        "unsaid": {"time_zone": "UTC"},
    }
    code, said = check(tmp_path, document)
    assert code == 1
    crm, slash, calls, unsaid, count = said.splitlines()
    assert crm.startswith('profile "crm": time_zone: not an IANA time zone.')
    assert "Did you mean currency_code?" in crm
    assert slash.startswith('profile "a/b": not the name of a folder.')
    assert calls.startswith('profile "calls": expect: "each night" is not understood. Write such')
    assert unsaid.startswith('profile "unsaid": destination: not set.')
    assert count == "5 profiles: 4 with errors."


@pytest.mark.parametrize("action", ["1001", "customers/1/conversionActions/1001", "Sale", None])
def test_an_action_that_the_destination_finds_is_no_problem(
    tmp_path: Path, action: str | None
) -> None:
    """The ID, alone or in a resource name, a name, or a column of the file."""
    profile = {"destination": "data_manager", "conversion_action": action}
    assert check(tmp_path, {"stores": profile})[0] == 0


@pytest.mark.parametrize(
    "document, said",
    [
        ('{"crm": {"day_first": true},}', "line 1 column "),
        ('{\n// Ann\n"crm": {"day_first": yes}\n}', "line 3 column 22"),
        ('{"crm": {}, "crm": {}}', '"crm" is there twice'),
        ('{"crm": {"include": {"Stage": "Won"}, "include": {}}}', '"include" is there twice'),
        ('{"customer_id": "1234567890"}', "a profile without a name"),
    ],
)
def test_a_broken_document_is_located(tmp_path: Path, document: str, said: str) -> None:
    """The message has the line and the column, or the name that is there twice."""
    code, output = check(tmp_path, document)
    assert code == 1
    assert said in output


def test_a_check_of_nothing_is_a_wrong_command() -> None:
    """Without a file and without profiles there is nothing to check."""
    done = CliRunner().invoke(main, ["check"])
    assert done.exit_code == 2
    assert "Missing argument 'FILE...'" in done.stderr
