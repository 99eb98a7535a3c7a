"""Exports of systems that examples/ does not have: `init` as their owners, and what Google got.

Each folder has an export and its truth, which was written by somebody who had not read this code. A
wrong upload always fails. Without an upload, nothing is lost but time.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from tests.every_call import EVERY_CALL
from tests.exports.playing import ROUTES, SYSTEMS, Export, Played, with_init, without_init

_NOT_COUNTED = ("customer_id", "conversion_action")
"""Every profile needs them, and no export has them."""
_ROUTES = ROUTES if EVERY_CALL else ROUTES[:1]
_OWNED = SYSTEMS if EVERY_CALL else SYSTEMS[::12]
"""Where `init` is answered as an owner would: each takes a second."""


def played(system: str, route: str, folder: Path) -> Played:
    """What happened to an export that was dropped with the profile of `init`."""
    found = with_init(Export.of(system), route, folder)
    assert found.init is not None
    assert found.wrong == [], f"{system}: {found.wrong}"
    assert found.verdict != "arrived" or found.init.exit_code == 0, found.init.output
    # What a run would ask, `init` has asked.
    assert "ROLE_UNDECIDED" not in found.init.output, system
    return found


@pytest.mark.parametrize("route", _ROUTES)
def test_owners_who_use_init_upload_nothing_wrong(route: str, tmp_path: Path) -> None:
    """Time, value, currency, order and person of every conversion are those of a sale. At least
    19 of 20 exports arrive after two questions in the median, and at most four, beside the account
    and its action. The others are stopped or asked about."""
    found = [played(system, route, tmp_path) for system in _OWNED]
    verdicts = Counter(each.verdict for each in found)
    assert verdicts["arrived"] >= 0.95 * len(_OWNED), verdicts
    questions = [sum(key not in _NOT_COUNTED for key in each.asked) for each in found]
    assert max(questions) <= 4
    assert median(questions) <= 2 or not EVERY_CALL


@pytest.mark.parametrize("route", _ROUTES)
@pytest.mark.parametrize("system", SYSTEMS)
def test_without_init_nothing_wrong_is_uploaded(system: str, route: str) -> None:
    """A person who knows only account, action, time zone and currency is stopped, not guessed
    for."""
    assert without_init(Export.of(system), route).wrong == []
