"""Kills before and after every remote call: nothing is lost, and nothing counts twice.

The function's process gets SIGKILL at the n-th remote call of any kind (storage, Secret Manager,
OAuth, the API), until a run finishes without being killed. A kill after a call leaves what a kill
before the next call leaves. So each kind kills at every second call, and together they meet the
state after every call. A sample kills after every request with rows, or at every tenth call of a
sweep. `tests/run/test_any_history.py` does the same with fakes, at every call of many stories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count

import pytest

from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.every_call import EVERY_CALL
from tests.whole.recovery.conftest import PROFILES, leases_end
from tests.whole.recovery.files import (
    FOLDERS,
    UPLOADS,
    check,
    clicks_grow_old,
    finish,
    make_file,
)

SHARDS = 4 if EVERY_CALL else 1
"""The kills of a file are divided between tests, so that parallel workers can share them."""
STEP = 2 if EVERY_CALL else 10
KINDS = ("kill_before", "kill_after")


def killed_calls(
    google: Sandbox, kind: str, numbers: Iterable[int], method: str = "*"
) -> Iterator[int]:
    """Yield the numbers of the calls at which the function is killed next, until there is none."""
    for round_, nth in enumerate(numbers):
        google.clock.reset()
        google.faults.set([{"method": method, "nth": nth, "kind": kind}])
        yield nth
        if not google.faults.fired()[0]["fired"]:
            assert round_, "no call was killed"
            break


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
    numbers = count(1 + shard * STEP, SHARDS * STEP) if EVERY_CALL else count(1)
    for nth in killed_calls(google, kind, numbers, method):
        cold(google)
        file = make_file(new_name(route), 410, seed=nth).drop(google)
        check(file, finish(google, file), google)


def test_a_file_that_the_account_stops(google: Sandbox, new_name: Callable[..., str]) -> None:
    """A stopped file stays stopped: every line has an outcome, and nothing is sent afterwards."""
    google.state.change_account("1234567890", allowlisted_for_upload=False)
    try:
        for _ in killed_calls(google, "kill_before", count(1, STEP)):
            file = make_file(new_name(), 410, seed=3, kinds=("click", "rejected")).drop(google)
            document = finish(google, file)
            refused = "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
            assert document["file_error"]["code"] == refused
            counts = document["counts"]
            assert counts["not_attempted"] + counts["rejected"] == counts["rows"] == 410
    finally:
        google.state.change_account("1234567890", allowlisted_for_upload=True)


@pytest.mark.parametrize("kind", KINDS if EVERY_CALL else ["kill_before"])
def test_a_sweep(google: Sandbox, new_name: Callable[..., str], kind: str) -> None:
    """After a kill at any call of a sweep, the next one sends the deferred rows once."""
    for nth in killed_calls(google, kind, count(1, STEP)):
        google.faults.clear()
        for bucket in (INPUT_BUCKET, OUTPUT_BUCKET):  # each round counts only its own calls
            google.storage.empty(bucket)
        file = make_file(new_name(), 210, seed=4).drop(google)
        finish(google, file)
        clicks_grow_old(google, file)
        google.clock.advance(6.1)
        google.faults.set([{"method": "*", "nth": nth, "kind": kind}])
        google.run_sweep()
        for _ in range(2):
            leases_end(google)
            google.run_sweep()
        check(file, google.results(file.name, file.generation), google)


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
