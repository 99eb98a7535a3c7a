"""Kills before and after every remote call: the results are the same as without a kill.

The function's process gets SIGKILL at the n-th remote call of any kind (storage, Secret Manager,
OAuth, Google Ads), until a run finishes without being killed. A kill after a call leaves what a
kill before the next call leaves. So if both kinds are walked, each kills at every second call, and
together they meet the state after every call; a kind that is walked alone kills at each. A sample
kills at every eighth call. The crash points of a file are divided between several tests, so that
parallel workers can share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.files import check, finish, make_file, normal

SHARDS = 4 if EVERY_CALL else 1
STEP = 2 if EVERY_CALL else 8
STEP_ALONE = 1 if EVERY_CALL else 8
"""If only one kind of kill is walked."""
FIRST = {"kill_before": 1, "kill_after": 1 if EVERY_CALL else 5}


def walk(
    google: Sandbox,
    kind: str,
    shard: int,
    shards: int,
    run: Callable[[int], None],
    step: int = STEP,
) -> int:
    """Call `run(n)` with a kill at call n, for each n of the shard until there is no n-th call.

    Returns how many calls were killed: at least one, or the walk shows nothing. How many calls a
    file takes is counted elsewhere (`calls_small_file`), and a test of kills does not mind fewer.
    """
    points = 0
    nth = FIRST[kind] + shard * step
    while True:
        google.faults.set([{"method": "*", "nth": nth, "kind": kind}])
        run(nth)
        if not google.faults.fired()[0]["fired"]:
            assert points, f"no call of this shard was killed, from call {nth} on"
            return points
        points += 1
        nth += shards * step


def cold(google: Sandbox) -> None:
    """Make the next delivery start a new worker, without client, token or cached account."""
    assert google.function is not None
    google.function.kill(google.function.instances)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("kind", ["kill_before", "kill_after"])
def test_three_chunks_with_every_outcome(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    shard: int,
    record_property: Callable[[str, object], None],
) -> None:
    """The document equals that of an undisturbed run, and Google has every conversion once."""
    file = make_file(next(new_name), 410, seed=1).drop(google)
    undisturbed = normal(file, finish(google, file))

    def run(nth: int) -> None:
        cold(google)
        file = make_file(next(new_name), 410, seed=1).drop(google)
        document = finish(google, file)
        check(file, document, google)
        assert normal(file, document) == undisturbed, f"killed at call {nth}"

    points = walk(google, kind, shard, SHARDS, run)
    record_property("crash points", points)


@pytest.mark.parametrize("kind", ["kill_after"])
def test_results_uploaded_in_pieces(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    record_property: Callable[[str, object], None],
) -> None:
    """A results document too large for one request is complete or does not exist."""

    def run(nth: int) -> None:
        name = next(new_name)
        file = make_file(name, 410, seed=4, kinds=("click", "warned"), order_length=500)
        file.drop(google)
        document = finish(google, file)
        check(file, document, google)
        assert document["counts"]["warnings"] == file.kinds.count("warned") > 200

    points = walk(google, kind, 0, 1, run, STEP_ALONE)
    record_property("crash points", points)


@pytest.mark.parametrize("deferred", [True, False])
@pytest.mark.parametrize("kind", ["kill_before", "kill_after"])
def test_one_chunk(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    deferred: bool,
    record_property: Callable[[str, object], None],
) -> None:
    """A file of one chunk also survives every kill."""
    kinds = ("click", "identifiers", "rejected", "failed", "repeated", "deferred")

    def run(nth: int) -> None:
        name = next(new_name)
        file = make_file(name, 30, seed=2, kinds=kinds if deferred else kinds[:-1]).drop(google)
        check(file, finish(google, file), google)

    # A warm worker makes these calls: claim, read, upload, marker, results, finished.
    points = walk(google, kind, 0, 1, run)
    record_property("crash points", points)


@pytest.mark.parametrize("kind", ["kill_before"])
def test_a_file_that_the_account_stops(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    record_property: Callable[[str, object], None],
) -> None:
    """A stopped file stays stopped: every line has an outcome, and nothing is sent afterwards."""
    refused = "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"

    def run(nth: int) -> None:
        file = make_file(next(new_name), 410, seed=3, kinds=("click", "rejected"))
        file.content = file.content.replace(b"conversion_date_time", b"Conversion Time", 1)
        document = finish(google, file.drop(google))
        assert document["status"] == "stopped"
        assert document["file_error"]["code"] == refused
        counts = document["counts"]
        assert counts["not_attempted"] + counts["rejected"] == counts["rows"] == 410
        assert [row["line"] for row in document["rows"]] == list(range(2, 412))
        rejected = [row for row in document["rows"] if row["outcome"] == "rejected"]
        assert rejected or nth > 1
        # An attempt after the stop also uses the column names of the file.
        assert not rejected or document["columns"]["conversion_date_time"] == "Conversion Time"

    google.state.change_account("1234567890", allowlisted_for_upload=False)
    try:
        points = walk(google, kind, 0, 1, run, STEP_ALONE)
    finally:
        google.state.change_account("1234567890", allowlisted_for_upload=True)
    record_property("crash points", points)


def test_a_double_count_would_be_detected(google: Sandbox, new_name: Iterator[str]) -> None:
    """Without derived order IDs, a resend counts rows without IDs twice, and checks see it."""
    profile = {**DEFAULT_PROFILES["default"], "derive_order_id": False}
    google.set_profiles({"default": profile})
    google.faults.set([{"method": "UploadClickConversions", "nth": 1, "kind": "kill_after"}])
    file = make_file(next(new_name), 20, seed=5, kinds=("click", "identifiers")).drop(google)
    try:
        document = finish(google, file)
    finally:
        google.set_profiles(DEFAULT_PROFILES)
    with pytest.raises(AssertionError, match="counted twice"):
        check(file, document, google)
