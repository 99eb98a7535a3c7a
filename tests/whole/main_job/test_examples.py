"""The files of examples/, dropped into a sandbox as docs/sandbox.md describes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.up import Sandbox
from tests import crm_exports
from tests.cli.test_check_examples import EXAMPLES, FILES, PROFILES

# The dates in the files become older with time; everything else in them stays valid.
OF_AGE = {"OLDER_THAN_LOOKBACK", "EXPIRED_EVENT", "TOO_OLD"}


def dropped(google: Sandbox, name: str, folder: str | None) -> dict[str, Any]:
    """Return the results of an example, with the profiles in examples/."""
    google.set_profiles(PROFILES)
    return google.results(*google.drop(EXAMPLES / name, folder=folder))


@pytest.mark.parametrize("name", FILES)
def test_each_example_is_uploaded(google: Sandbox, name: str) -> None:
    """The default account has the actions of an example, and only rows that are too old fail."""
    profile, rows = FILES[name]
    document = dropped(google, name, profile)
    assert document["file_error"] is None
    codes = {each["code"] for row in document["rows"] for each in row["errors"] + row["warnings"]}
    assert codes <= OF_AGE
    assert document["counts"]["rows"] == rows
    if not codes:
        assert document["counts"]["uploaded"] == len(google.state.accepted) == rows


def test_the_page_shows_the_commands() -> None:
    """docs/sandbox.md shows how to drop each example into its folder."""
    page = (EXAMPLES.parent / "docs" / "sandbox.md").read_text("utf-8")
    commands = re.findall(r"sandbox drop examples/(\S+)(?: --folder (\w+))? --wait\n", page)
    assert {name: (folder or None, FILES[name][1]) for name, folder in commands} == FILES


def test_the_example_with_mistakes_finds_its_actions(google: Sandbox) -> None:
    """Some rows of `crm_export.csv` are rejected, but none because of its action."""
    document = dropped(google, "crm_export.csv", None)
    assert document["file_error"] is None
    assert not {code for code in document["codes"] if "ACTION" in code}


def test_the_won_deals_of_a_workbook_are_uploaded(google: Sandbox) -> None:
    """The export of a CRM goes its whole way as it comes: the other deals are skipped."""
    won = crm_exports.won("dynamics")
    document = dropped(google, crm_exports.FILES["dynamics"], "dynamics")
    codes = {each["code"] for row in document["rows"] for each in row["errors"] + row["warnings"]}
    assert document["file_error"] is None
    assert codes <= OF_AGE | {"DATE_WITHOUT_TIME"}
    assert document["counts"]["skipped"] == 3
    if not codes & OF_AGE:
        sent = [each.as_json()["conversion"] for each in google.state.accepted]
        expected = [(each.order_id, each.value, each.currency_code) for each in won]
        assert [
            (c["order_id"], c["conversion_value"], c["currency_code"]) for c in sent
        ] == expected
