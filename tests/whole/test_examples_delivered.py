"""The files of examples/, dropped into a sandbox as docs/sandbox.md describes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sandbox.examples import moved_to
from sandbox.up import Sandbox
from tests.cli.test_check_examples import EXAMPLES, FILES, PROFILES


def dropped(google: Sandbox, name: str, folder: str | None) -> dict[str, Any]:
    """Return the results of an example with the dates of today, as `drop` uploads it."""
    google.set_profiles(PROFILES)
    content = moved_to(EXAMPLES / name, datetime.now(UTC).date())
    return google.results(*google.drop(content, name, folder=folder))


def test_the_page_shows_the_commands() -> None:
    """docs/sandbox.md shows how to drop each example into its folder."""
    page = (EXAMPLES.parent / "docs" / "sandbox.md").read_text("utf-8")
    commands = re.findall(r"sandbox drop examples/(\S+)(?: --folder (\w+))? --wait\n", page)
    assert {name: (folder or None, FILES[name][1]) for name, folder in commands} == FILES
