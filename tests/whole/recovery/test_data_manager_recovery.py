"""Kills at every call and every fault, with the Data Manager API: the same invariant holds.

This API answers a whole request immediately and counts later, so a resent event is `uploaded` again
in the results. The tests check that Google's processing keeps each event once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes
from tests.schedule import EVERY_CALL
from tests.whole.recovery.test_crash_matrix import SHARDS, STEP, STEP_ALONE, cold, walk
from tests.whole.recovery.test_faults import STORAGE_CALLS, STORAGE_RULES

INGEST = "data_manager.IngestEvents"
KINDS = ("click", "identifiers", "warned", "rejected", "refused")
OUTCOME = {"rejected": "rejected", "refused": "failed"}
API_RULES: list[dict[str, Any]] = [
    {"kind": "unavailable"},
    {"kind": "resource_exhausted"},
    {"kind": "resource_temporarily_exhausted", "retry_delay_seconds": 0.1},
    {"kind": "internal_before_commit"},
    {"kind": "internal_after_commit"},
    {"kind": "deadline_after_commit"},
    {"kind": "drop_connection", "committed": True},
    {"kind": "drop_connection", "committed": False},
    {"kind": "invalid_argument_unnamed"},
    {"kind": "latency_ms", "latency_ms": 100},
]


@dataclass(slots=True)
class File:
    """A file in the folder for the Data Manager API, and the kind of each data row."""

    name: str
    generation: int
    kinds: list[str]
    accepted_before: int


def drop(google: Sandbox, name: str, rows: int, seed: int) -> File:
    """Drop rows of random kinds; the value of row n is n.25, so events can be traced to rows."""
    rng = random.Random(seed)
    kinds = [*KINDS, *rng.choices(KINDS, k=rows - len(KINDS))]
    rng.shuffle(kinds)
    cells = []
    for number, kind in enumerate(kinds, start=1):
        row = core_row(number, conversion_value=f"{number}.25", order_id=f"{name}-{seed}-{number}")
        row["gclid"] = f"Click_{seed}_{name.replace('.', '_')}_{number:06d}"
        if kind == "identifiers":
            row |= {"gclid": "", "order_id": "", "email": f"{name}.{seed}.{number}@example.com"}
        elif kind == "warned":
            row |= {"email": "", "phone": "12"}
        elif kind == "rejected":
            row |= {"conversion_date_time": "some day"}
        elif kind == "refused":
            row |= {"conversion_action": "987654"}
        cells.append(row)
    accepted = len(google.state.accepted)
    dropped, generation = google.drop(csv_bytes(cells), name, folder="data_manager")
    return File(dropped, generation, kinds, accepted)


def finish(google: Sandbox, file: File) -> None:
    """Wait for the document, and compare it and Google's counts with the file."""
    assert google.delivery.wait_until_idle()
    document = check_results(google.results(file.name, file.generation))
    outcomes = {row["line"]: row["outcome"] for row in document["rows"]}
    for line, kind in enumerate(file.kinds, start=2):
        assert outcomes.get(line, "uploaded") == OUTCOME.get(kind, "uploaded"), (line, kind)
    requests = set(document["request_ids"])
    assert requests
    # Events of rows with only identifiers do not contain the file's name. Files are dropped one
    # after the other, so all events since the drop belong to this file.
    with google.state.lock:
        events = list(google.state.accepted)[file.accepted_before :]
    assert {each.route for each in events} == {"data_manager"}
    counted = Counter(int(each.as_json()["conversion"]["conversion_value"]) for each in events)
    must = {n for n, kind in enumerate(file.kinds, start=1) if kind not in OUTCOME}
    assert not {row for row, times in counted.items() if times > 1}, "counted twice"
    assert set(counted) == must
    assert document["counts"]["uploaded"] == len(must)


@pytest.fixture
def repeats(google: Sandbox, request: pytest.FixtureRequest) -> Iterator[None]:
    """How Google handles a known transaction ID; both ways are documented."""
    google.state.data_manager.repeats_adjust = request.param == "adjusts"
    yield
    google.state.data_manager.repeats_adjust = False


# One walk with the other handling of repeats is enough.
@pytest.mark.usefixtures("repeats")
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize(
    "repeats, kind, step",
    [
        ("refused", "kill_before", STEP),
        ("refused", "kill_after", STEP),
        ("adjusts", "kill_after", STEP_ALONE),
    ],
    indirect=["repeats"],
)
def test_killed_at_every_call(
    google: Sandbox,
    new_name: Iterator[str],
    kind: str,
    step: int,
    shard: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Every row of three chunks has the right outcome, and Google counts each one once."""

    def run(nth: int) -> None:
        cold(google)
        finish(google, drop(google, next(new_name), 410, seed=nth))

    points = walk(google, kind, shard, SHARDS, run, step)
    record_property("crash points", points)


def test_a_double_count_would_be_detected(google: Sandbox, new_name: Iterator[str]) -> None:
    """Without derived order IDs, a resend counts rows without IDs twice, and checks see it."""
    profile = {**DEFAULT_PROFILES["data_manager"], "derive_order_id": False}
    google.set_profiles({"data_manager": profile})
    google.faults.set([{"method": INGEST, "nth": 2, "kind": "kill_after"}])
    try:
        with pytest.raises(AssertionError, match="counted twice"):
            # One chunk: the first request is refused for its bad rows, the second one is accepted.
            finish(google, drop(google, next(new_name), 20, seed=6))
    finally:
        google.set_profiles(DEFAULT_PROFILES)


@pytest.mark.parametrize("rule", API_RULES, ids=lambda rule: str(rule["kind"]))
def test_every_fault_of_the_api(
    google: Sandbox, new_name: Iterator[str], rule: dict[str, Any]
) -> None:
    """After a fault at the second request of a file of three chunks, all outcomes are right."""
    google.faults.set([{"method": INGEST, "nth": 2, **rule}])
    finish(google, drop(google, next(new_name), 410, seed=5))
    assert google.faults.fired()[0]["fired"]


@pytest.mark.parametrize("seed", range(20 if EVERY_CALL else 3))
def test_random_mixtures(google: Sandbox, new_name: Iterator[str], seed: int) -> None:
    """After random API faults, storage faults and kills, all outcomes are right."""
    rng = random.Random(seed)
    rules: list[dict[str, Any]] = [
        {"method": INGEST, "nth": rng.randint(1, 4), **rule} for rule in rng.sample(API_RULES, 3)
    ]
    rules += [
        {"method": rng.choice(STORAGE_CALLS), "nth": rng.randint(1, 6), **rule}
        for rule in rng.sample(STORAGE_RULES, 2)
        if rule["kind"] != "status_412"
    ]
    kill = rng.choice(["kill_before", "kill_after"])
    rules.append({"method": "*", "nth": rng.randint(1, 15), "kind": kill})
    google.faults.set(rules)
    finish(google, drop(google, next(new_name), rng.randint(5, 300), seed))
