"""Exports of systems that examples/ does not have: `init` as their owners, and what Google got.

Each folder has an export and its truth, which was written by somebody who had not read this code. A
wrong upload always fails. Without an upload, nothing is lost but time.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import median

import pytest

from tests.exports.playing import ROUTES, SYSTEMS, Export, Played, with_init, without_init

_NOT_COUNTED = ("customer_id", "conversion_action")
"""Every profile needs them, and no export has them."""
_ROUTES = ROUTES if os.environ.get("EVERY_CALL") else ROUTES[:1]


@cache
def played(system: str, route: str) -> Played:
    """What happened to an export that was dropped with the profile of `init`."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return with_init(Export.of(system), route, Path(folder))


@pytest.mark.parametrize("route", _ROUTES)
@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_wrong_is_uploaded(system: str, route: str) -> None:
    """Time, value, currency, order and person of every conversion are those of a sale."""
    found = played(system, route)
    assert found.wrong == []
    assert found.init is not None
    assert found.verdict != "arrived" or found.init.exit_code == 0, found.init.output


@pytest.mark.parametrize("route", _ROUTES)
def test_most_exports_arrive(route: str) -> None:
    """At least four of five. The others are stopped or asked about."""
    verdicts = Counter(played(system, route).verdict for system in SYSTEMS)
    assert verdicts["arrived"] >= 0.8 * len(SYSTEMS), verdicts


@pytest.mark.parametrize("route", _ROUTES)
@pytest.mark.parametrize("system", SYSTEMS)
def test_without_init_nothing_wrong_is_uploaded(system: str, route: str) -> None:
    """A person who knows only account, action, time zone and currency is stopped, not guessed
    for."""
    assert without_init(Export.of(system), route).wrong == []


def test_few_questions_are_asked() -> None:
    """At most four a file, beside the account and its action."""
    numbers = [
        sum(each not in _NOT_COUNTED for each in played(system, ROUTES[0]).asked)
        for system in SYSTEMS
    ]
    assert max(numbers) <= 4
    assert median(numbers) <= 4, numbers


def test_after_init_no_role_is_undecided() -> None:
    """What a run would ask, `init` has asked."""
    for system in SYSTEMS:
        found = played(system, ROUTES[0])
        assert found.init is not None
        assert "ROLE_UNDECIDED" not in found.init.output, system
