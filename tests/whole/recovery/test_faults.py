"""Every fault of the sandbox alone, and random mixtures: the same invariant holds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from sandbox.faults import API_KINDS, COMMON_KINDS, STORAGE_KINDS
from sandbox.up import Sandbox
from tests.every_call import EVERY_CALL
from tests.whole.recovery.conftest import running_function, without_faults
from tests.whole.recovery.files import FOLDERS, UPLOADS, check, finish, make_file

SEARCH = "google_ads.Search"
SECRET = "secret_manager.AccessSecretVersion"
TOKEN = "metadata.token"

Rule = dict[str, Any]

COMMON_RULES: list[Rule] = [
    {"kind": "unavailable"},
    {"kind": "resource_exhausted"},
    {"kind": "resource_temporarily_exhausted", "retry_delay_seconds": 0.1},
    {"kind": "internal_before_commit"},
    {"kind": "internal_after_commit"},
    {"kind": "deadline_after_commit"},
    {"kind": "drop_connection", "committed": True},
    {"kind": "drop_connection", "committed": False},
    {"kind": "latency_ms", "latency_ms": 200},
]
HANGS: list[Rule] = [
    {"kind": "hang", "seconds": 1.5, "committed": True},
    {"kind": "hang", "seconds": 1.5, "committed": False},
]
REFUSED: Rule = {"kind": "unauthenticated"}
"""Not in mixtures: after two refusals in a row, the file stops."""
ROW_RULES: list[Rule] = [
    {"kind": "row_error", "error": "internal_error.TRANSIENT_ERROR", "rows": [0, 3, 5]},
    {"kind": "row_error", "error": "database_error.CONCURRENT_MODIFICATION", "rows": [1]},
    {"kind": "error_without_index", "error": "internal_error.TRANSIENT_ERROR"},
    {"kind": "stray_error", "error": "internal_error.TRANSIENT_ERROR"},
]
ROW_KINDS = {rule["kind"] for rule in ROW_RULES}
API_RULES: Mapping[str, list[Rule]] = {
    "google_ads": [*COMMON_RULES, *HANGS, *ROW_RULES, {"kind": "transient_error"}],
    "data_manager": [*COMMON_RULES, *HANGS],
}
UNNAMED: Rule = {"kind": "invalid_argument_unnamed"}
"""Not in mixtures: if it meets a request of one row, that row has failed."""
STORAGE_RULES: list[Rule] = [
    {"kind": "status_503"},
    {"kind": "status_429"},
    {"kind": "status_412"},
    {"kind": "cut_read_after_bytes", "cut_read_after_bytes": 0},
    {"kind": "cut_read_after_bytes", "cut_read_after_bytes": 200},
    {"kind": "latency_ms", "latency_ms": 100},
]
KILLS: list[Rule] = [{"kind": "kill_before"}, {"kind": "kill_after"}]
STORAGE_CALLS = ("storage.objects.get", "storage.objects.insert", "storage.objects.list")
NOT_HERE = {
    "kill_before",  # test_kills
    "kill_after",  # test_kills
    "status_403",  # test_lost_permission
    "flip_bit_at_byte",  # tests/adapters/test_object_reader.py
}

ALONE: list[Rule] = [
    *({"method": UPLOADS[route], **rule} for route in FOLDERS for rule in API_RULES[route]),
    *({"method": method, **REFUSED} for method in (UPLOADS["google_ads"], SECRET)),
    {"method": UPLOADS["data_manager"], **UNNAMED},
    *({"method": method, **rule} for method in (SEARCH, SECRET) for rule in COMMON_RULES[:6]),
    *({"method": TOKEN, **rule} for rule in COMMON_RULES[:5]),
    *({"method": method, **rule} for method in STORAGE_CALLS for rule in STORAGE_RULES),
    *({"method": method, "kind": "status_401"} for method in STORAGE_CALLS),
]
STRIDE = 1 if EVERY_CALL else 5
"""A sample tries every fifth fault."""


def named(rule: Rule) -> str:
    return " ".join(str(value) for value in rule.values())


def test_no_fault_of_the_sandbox_is_left_out() -> None:
    """Every kind of fault in the sandbox is tested here."""
    kinds = set(API_KINDS) | set(STORAGE_KINDS) | set(COMMON_KINDS)
    assert {rule["kind"] for rule in ALONE} == kinds - NOT_HERE


@pytest.fixture(scope="module")
def _impatient() -> Iterator[Sandbox]:
    with running_function({"REQUEST_TIMEOUT_SECONDS": "1"}) as running:
        yield running


@pytest.fixture
def impatient(_impatient: Sandbox) -> Iterator[Sandbox]:
    """A function that waits for each answer for a second, which a busy machine may exceed."""
    with without_faults(_impatient):
        yield _impatient


_ANSWERED = [rule for rule in ALONE if rule["kind"] != "hang"]


@pytest.mark.parametrize("rule", _ANSWERED[::STRIDE], ids=named)
def test_each_fault_alone(google: Sandbox, new_name: Callable[..., str], rule: Rule) -> None:
    """After a fault at the first call of its method, or at every second one, outcomes are right."""
    go_through(google, new_name, rule)


@pytest.mark.parametrize("rule", [rule for rule in ALONE if rule not in _ANSWERED], ids=named)
def test_a_request_that_hangs(impatient: Sandbox, new_name: Callable[..., str], rule: Rule) -> None:
    """The function stops to wait for its answer, and outcomes are right."""
    go_through(impatient, new_name, rule)


def go_through(google: Sandbox, new_name: Callable[..., str], rule: Rule) -> None:
    """Check a file that meets the fault, and is killed, so that markers are listed and read."""
    is_cold = rule["method"] in (SEARCH, SECRET, TOKEN)
    is_once = is_cold or rule["kind"] in ("hang", "unauthenticated")
    moments: list[Rule] = [{"nth": 1}] if is_once else [{"nth": 1}, {"every": 2, "times": 4}]
    route = "data_manager" if rule["method"] == UPLOADS["data_manager"] else "google_ads"
    for moment in moments if EVERY_CALL else moments[-1:]:
        if is_cold:
            assert google.function is not None
            google.function.kill(google.function.instances)
        kill = {"method": UPLOADS[route], "nth": 2, "kind": "kill_after"}
        google.faults.set([{**rule, **moment}, kill])
        file = make_file(new_name(route), 410, seed=5).drop(google)
        check(file, finish(google, file), google)


def mixture(rng: random.Random, route: str) -> list[Rule]:
    """Return two to six random rules, each of which ends automatically.

    Rows get at most two transient errors: after the third one they would be deferred.
    """
    rules: list[Rule] = []
    for _ in range(rng.randint(2, 6)):
        if rng.random() < 0.5:
            rule = {"method": UPLOADS[route], **rng.choice(API_RULES[route] + KILLS)}
        else:
            rule = {
                "method": rng.choice((*STORAGE_CALLS, "storage.*")),
                **rng.choice(STORAGE_RULES + KILLS),
            }
        if rng.random() < 0.5:
            rule |= {"nth": sorted(rng.sample(range(1, 25), rng.randint(1, 3)))}
        else:
            rule |= {"every": rng.randint(2, 6), "times": rng.randint(1, 4)}
        if rule["kind"] == "hang":
            rule["times"] = 1
        if rule["kind"] in ROW_KINDS:
            if any(other["kind"] in ROW_KINDS for other in rules):
                continue
            rule["times"] = min(2, rule.get("times", 2))
        rules.append(rule)
    return rules


@pytest.mark.parametrize("seed", range(50 if EVERY_CALL else 2))
@pytest.mark.parametrize("route", FOLDERS)
def test_random_mixtures(
    google: Sandbox, new_name: Callable[..., str], route: str, seed: int
) -> None:
    """A mixture, with two files and one or two deliveries of each, changes no outcome."""
    rng = random.Random(seed)
    google.delivery.set(duplicate=rng.choice((1, 2)), concurrency=rng.choice((1, 2, 4)))
    google.faults.set(mixture(rng, route))
    sizes = (20, 30, 410)
    files = [make_file(new_name(route), rng.choice(sizes), seed).drop(google) for _ in range(2)]
    for file in files:
        check(file, finish(google, file), google)
