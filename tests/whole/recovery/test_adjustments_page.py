"""The example of docs/adjustments.md, as it stands there, on the day on which it happens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.whole.recovery.order_life import drop, outcomes

PAGE = (Path(__file__).parents[3] / "docs" / "adjustments.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PURCHASE = 1009


def blocks(mark: str) -> list[str]:
    return re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def google(google: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox in November 2026, with the page's first profile."""
    google.clock.advance((NOW - google.clock.now()).total_seconds() / 3600)
    google.set_profiles(json.loads(blocks("profiles")[0]))
    yield google
    google.set_profiles(DEFAULT_PROFILES)


def test_the_order_of_the_page(google: Sandbox, new_name: Iterator[str]) -> None:
    """Each file has the outcome and the effect in the table; all files again have none."""
    table = re.findall(r"^\| (?:the|all) (.+) \| (\d+|nothing) \| `(\w+)`", PAGE, re.MULTILINE)
    files = [each.encode() for each in blocks("accepted")]
    assert [name for name, _, _ in table] == [
        *("sale", "correction", "refund", "three files again"),
    ]
    rounds = [[file] for file in files] + [files]
    for (name, worth, outcome), dropped in zip(table, rounds, strict=True):
        for file in dropped:
            assert outcomes(drop(google, file, next(new_name), "shop")) == [outcome], name
        value = google.state.worth("SO-1001", PURCHASE)
        assert value == (None if worth == "nothing" else float(worth)), name
