"""Killed before and after every remote call: the file ends as if nothing had happened.

SIGKILL of the function's process at the n-th call of anything (storage, Secret Manager, OAuth,
Google Ads), for every n until a run gets through without being killed. Each file is spread over
several tests, which share its points: parallel workers take them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.up import Sandbox
from tests.recovery.files import File, check, check_counted_once, make_file, normal

SHARDS = 4


def finish(google: Sandbox, file: File) -> dict[str, Any]:
    """The document, once every delivery is over."""
    document = google.results(file.name, file.generation, timeout_seconds=60)
    assert google.delivery.wait_until_idle(60)
    return google.results(file.name, file.generation)


def walk(
    google: Sandbox,
    kind: str,
    shard: int,
    shards: int,
    run: Callable[[int], None],
) -> int:
    """`run(n)` with a kill at call n, for every n of the shard until there is no n-th call."""
    points = 0
    nth = shard + 1
    while True:
        google.faults.set([{"method": "*", "nth": nth, "kind": kind}])
        run(nth)
        if not google.faults.fired()[0]["fired"]:
            return points
        points += 1
        nth += shards


FILES = {
    "three chunks": (4_009, ("click",)),
    "one chunk": (40, ("click",)),
}


def three_chunks(name: str) -> File:
    return make_file(name, 4_009, seed=1)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("kind", ["kill_before", "kill_after"])
def test_three_chunks_with_every_outcome(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    shard: int,
    record_property: Callable[[str, object], None],
) -> None:
    """The document equals the undisturbed run's; Google holds every conversion once."""
    file = three_chunks(next(new_name)).drop(google)
    undisturbed = normal(finish(google, file))

    def run(nth: int) -> None:
        file = three_chunks(next(new_name)).drop(google)
        document = finish(google, file)
        check(file, document, google)
        assert normal(document) == undisturbed, f"killed at call {nth}"

    points = walk(google, kind, shard, SHARDS, run)
    assert points >= 20 // SHARDS
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
    """The same for a file of one chunk, which has no marker unless rows of it are deferred."""
    kinds = tuple(k for k in ("click", "identifiers", "rejected", "failed", "repeated", "deferred"))
    kinds = kinds if deferred else kinds[:-1]

    def run(nth: int) -> None:
        file = make_file(next(new_name), 30, seed=2, kinds=kinds).drop(google)
        check(file, finish(google, file), google)

    points = walk(google, kind, 0, 1, run)
    assert points >= 8
    record_property("crash points", points)


@pytest.mark.parametrize("kind", ["kill_before", "kill_after"])
def test_a_file_that_the_account_stops(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    record_property: Callable[[str, object], None],
) -> None:
    """A stopped file stays stopped: every line has an outcome, nothing is sent after the stop."""
    google.state.change_account("1234567890", allowlisted_for_upload=False)
    try:
        def run(nth: int) -> None:
            file = make_file(next(new_name), 4_001, seed=3, kinds=("click", "rejected")).drop(google)
            document = finish(google, file)
            assert document["status"] == "stopped"
            code = "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
            assert document["file_error"]["code"] == code
            counts = document["counts"]
            assert counts["not_attempted"] + counts["rejected"] == counts["rows"] == 4_001
            assert [row["line"] for row in document["rows"]] == list(range(2, 4_003))

        points = walk(google, kind, 0, 2, run)
    finally:
        google.state.change_account("1234567890", allowlisted_for_upload=True)
    assert points >= 8
    record_property("crash points", points)
