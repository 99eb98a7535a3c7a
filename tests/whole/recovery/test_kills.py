"""Kills before and after every remote call: nothing is lost, and nothing counts twice.

The function's process gets SIGKILL at the n-th remote call of any kind (storage, Secret Manager,
OAuth, the API), until a run finishes without being killed. A kill after a call leaves what a kill
before the next call leaves. So each kind kills at every second call, and together they meet the
state after every call. A sample kills after every request with rows.
`tests/run/test_any_history.py` does the same with fakes, at every call of many stories: of files
that are stopped, of resends by a sweep, and of corrections.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from sandbox.up import Sandbox
from tests.every_call import EVERY_CALL
from tests.whole.recovery.conftest import PROFILES
from tests.whole.recovery.files import (
    FOLDERS,
    UPLOADS,
    check,
    finish,
    make_file,
)

SHARDS = 4 if EVERY_CALL else 1
"""The kills of a file are divided between tests, so that parallel workers can share them."""
KINDS = ("kill_before", "kill_after")


def cold(google: Sandbox) -> None:
    """Make the next delivery start a new worker, without client, token or cached account."""
    assert google.function is not None
    google.function.kill(google.function.instances)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("kind", KINDS if EVERY_CALL else ["kill_after"])
@pytest.mark.parametrize("route", FOLDERS)
def test_three_chunks_with_every_outcome(
    google: Sandbox, new_name: Callable[..., str], route: str, kind: str, shard: int
) -> None:
    """Every row has its outcome, and Google has every conversion once."""
    method = "*" if EVERY_CALL else UPLOADS[route]
    numbers = count(1 + 2 * shard, 2 * SHARDS) if EVERY_CALL else count(1)
    for kills, nth in enumerate(numbers):
        cold(google)
        google.clock.reset()
        google.faults.set([{"method": method, "nth": nth, "kind": kind}])
        file = make_file(new_name(route), 410, seed=nth).drop(google)
        check(file, finish(google, file), google)
        if not google.faults.fired()[0]["fired"]:
            assert kills, "no call was killed"
            break


@pytest.mark.parametrize("route", FOLDERS)
def test_a_double_count_would_be_detected(
    google: Sandbox, new_name: Callable[..., str], route: str
) -> None:
    """Without derived order IDs, a resend counts rows without IDs twice, and the check sees it."""
    name = {"google_ads": "default"}.get(route, route)
    google.set_profiles({name: {**PROFILES[name], "derive_order_id": False}})
    google.faults.set([{"method": UPLOADS[route], "nth": 1, "kind": "kill_after"}])
    file = make_file(new_name(route), 20, seed=5, kinds=("click", "identifiers")).drop(google)
    try:
        document = finish(google, file)
    finally:
        google.set_profiles(PROFILES)
    with pytest.raises(AssertionError, match="twice"):
        check(file, document, google)
