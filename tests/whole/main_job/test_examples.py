"""The files of examples/, dropped into a sandbox as docs/sandbox.md says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.up import Sandbox
from tests.cli.test_check_examples import EXAMPLES, FILES, PROFILES

# The files' dates stand still while time goes on; all else in them stays right.
OF_AGE = {"OLDER_THAN_LOOKBACK", "EXPIRED_EVENT", "TOO_OLD"}


def dropped(google: Sandbox, name: str, folder: str | None) -> dict[str, Any]:
    """The results of an example, with the profiles that lie beside it."""
    google.set_profiles(PROFILES)
    return google.results(*google.drop(EXAMPLES / name, folder=folder))


@pytest.mark.parametrize("name", FILES)
def test_each_example_goes_through(google: Sandbox, name: str) -> None:
    """The default account knows the actions; nothing is refused, but what has grown too old."""
    profile, rows = FILES[name]
    document = dropped(google, name, profile)
    assert document["file_error"] is None
    codes = {each["code"] for row in document["rows"] for each in row["errors"] + row["warnings"]}
    assert codes <= OF_AGE
    assert document["counts"]["rows"] == rows
    if not codes:
        assert document["counts"]["uploaded"] == len(google.state.accepted) == rows


def test_the_page_says_how() -> None:
    """docs/sandbox.md drops each of them, into its folder."""
    page = (EXAMPLES.parent / "docs" / "sandbox.md").read_text("utf-8")
    commands = re.findall(r"sandbox drop examples/(\S+)(?: --folder (\w+))? --wait\n", page)
    assert {name: (folder or None, FILES[name][1]) for name, folder in commands} == FILES


def test_the_example_with_mistakes_finds_its_actions(google: Sandbox) -> None:
    """`crm_export.csv` is refused in part, and never for an action that isn't there."""
    document = dropped(google, "crm_export.csv", None)
    assert document["file_error"] is None
    assert not {code for code in document["codes"] if "ACTION" in code}
