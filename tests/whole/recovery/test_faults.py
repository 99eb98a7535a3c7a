"""Every fault of the sandbox alone, and random mixtures: the same invariant holds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.faults import API_KINDS, COMMON_KINDS, STORAGE_KINDS
from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes
from tests.schedule import EVERY_CALL
from tests.whole.recovery.conftest import running_function, without_faults
from tests.whole.recovery.files import File, check, finish, make_file

UPLOAD = "google_ads.UploadClickConversions"
SEARCH = "google_ads.Search"
SECRET = "secret_manager.AccessSecretVersion"
TOKEN = "metadata.token"

Rule = dict[str, Any]

API_RULES: list[Rule] = [
    {"kind": "unavailable"},
    {"kind": "resource_exhausted"},
    {"kind": "resource_temporarily_exhausted", "retry_delay_seconds": 0.1},
    {"kind": "transient_error"},
    {"kind": "internal_before_commit"},
    {"kind": "internal_after_commit"},
    {"kind": "deadline_after_commit"},
    {"kind": "hang", "seconds": 1.5, "committed": True},
    {"kind": "hang", "seconds": 1.5, "committed": False},
    {"kind": "drop_connection", "committed": True},
    {"kind": "drop_connection", "committed": False},
    {"kind": "latency_ms", "latency_ms": 300},
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
    "invalid_argument_unnamed",  # of another API
    "kill_before",  # test_crash_matrix
    "kill_after",  # test_crash_matrix
    "status_403",  # test_lost_permission
    "flip_bit_at_byte",  # test_wrong_bit
}


def named(rule: Rule) -> str:
    return " ".join(str(value) for value in rule.values())


ALONE: list[Rule] = [
    *({"method": UPLOAD, **rule} for rule in [*API_RULES, *ROW_RULES, REFUSED]),
    *({"method": method, **rule} for method in (SEARCH, SECRET) for rule in API_RULES[:9]),
    *({"method": TOKEN, **rule} for rule in (*API_RULES[:3], *API_RULES[4:6])),
    *({"method": method, **rule} for method in STORAGE_CALLS for rule in STORAGE_RULES),
    *({"method": method, "kind": "status_401"} for method in STORAGE_CALLS),
]


def test_no_fault_of_the_sandbox_is_left_out() -> None:
    """Every kind of fault in the sandbox is tested here."""
    kinds = set(API_KINDS) | set(STORAGE_KINDS) | set(COMMON_KINDS)
    assert {rule["kind"] for rule in ALONE} == kinds - NOT_HERE


@pytest.fixture(scope="module")
def _impatient() -> Iterator[Sandbox]:
    with running_function(REQUEST_TIMEOUT_SECONDS="1") as running:
        yield running


@pytest.fixture
def impatient(_impatient: Sandbox) -> Iterator[Sandbox]:
    """A function that waits for each answer for a second, which a busy machine may exceed."""
    with without_faults(_impatient):
        yield _impatient


def params_of(hang: bool) -> list[Any]:
    """The faults. A sample has all of the upload, and some of each other method."""
    return [
        pytest.param(place, rule, id=named(rule))
        for place, rule in enumerate(ALONE)
        if (rule["kind"] == "hang") == hang
        and (EVERY_CALL or place % 8 == 0 or rule["method"] == UPLOAD)
    ]


@pytest.mark.parametrize(("place", "rule"), params_of(hang=False))
def test_each_fault_alone(google: Sandbox, new_name: Iterator[str], place: int, rule: Rule) -> None:
    """After a fault at the first call of its method, or at every second one, outcomes are right."""
    go_through(google, new_name, place, rule)


@pytest.mark.parametrize(("place", "rule"), params_of(hang=True))
def test_a_request_that_hangs(
    impatient: Sandbox, new_name: Iterator[str], place: int, rule: Rule
) -> None:
    """The function stops to wait for its answer, and outcomes are right."""
    go_through(impatient, new_name, place, rule)


def go_through(google: Sandbox, new_name: Iterator[str], place: int, rule: Rule) -> None:
    """Check a file that meets the fault."""
    cold = rule["method"] in (SEARCH, SECRET, TOKEN)
    when: list[Rule] = (
        [{"nth": 1}]
        if cold or rule["kind"] in ("hang", "unauthenticated")
        else [
            {"nth": 1},
            {"every": 2, "times": 4},
        ]
    )
    # A sample tries each fault at one of these moments.
    for moment in when if EVERY_CALL else [when[place % len(when)]]:
        if cold:
            assert google.function is not None
            google.function.kill(google.function.instances)
        # Two attempts, so that markers are also listed and read.
        google.faults.set([{**rule, **moment}, {"method": UPLOAD, "nth": 2, "kind": "kill_after"}])
        file = make_file(next(new_name), 410, seed=5).drop(google)
        check(file, finish(google, file), google)


def mixture(rng: random.Random) -> list[Rule]:
    """Return two to six random rules, each of which ends automatically.

    Rows get at most two transient errors: after the third one they would be deferred
    (`test_a_row_with_three_transient_errors_is_deferred`).
    """
    rules: list[Rule] = []
    for _ in range(rng.randint(2, 6)):
        if rng.random() < 0.5:
            rule = {"method": UPLOAD, **rng.choice(API_RULES + ROW_RULES + KILLS)}
        else:
            rule = {
                "method": rng.choice((*STORAGE_CALLS, "*")),
                **rng.choice(STORAGE_RULES + KILLS),
            }
            if rule["method"] == "*" and rule["kind"] in STORAGE_KINDS:
                rule["method"] = "storage.*"
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


@pytest.mark.parametrize("ten", range(10 if EVERY_CALL else 1))
def test_random_mixtures(
    google: Sandbox,
    new_name: Iterator[str],
    ten: int,
    record_property: Callable[[str, object], None],
) -> None:
    """A hundred mixtures, each with two files and one or two deliveries, change no outcome."""
    for seed in range(10 * ten, 10 * ten + 10):
        rng = random.Random(seed)
        google.delivery.set(duplicate=rng.choice((1, 2)), concurrency=rng.choice((1, 2, 4)))
        rules = mixture(rng)
        google.faults.set(rules)
        files = [
            make_file(next(new_name), rng.choice((20, 30, 410)), seed=seed).drop(google)
            for _ in range(2)
        ]
        for file in files:
            try:
                check(file, finish(google, file), google)
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"seed {seed}: {rules}") from error
    record_property("fault mixtures", 10)


@pytest.mark.parametrize("rows", [30, 410])
def test_chunks_without_a_row_to_send(google: Sandbox, new_name: Iterator[str], rows: int) -> None:
    """Nothing is sent for a chunk whose rows are all rejected by the rules."""
    file = File(next(new_name), b"", ["rejected"] * rows)
    rejected = core_row(1, conversion_date_time="the day before yesterday")
    file.content = csv_bytes([rejected] * rows)
    file.drop(google)
    document = finish(google, file)
    assert document["counts"]["rejected"] == document["counts"]["rows"] == rows
    assert document["request_ids"] == []


@pytest.mark.parametrize(
    "rule", [{**ROW_RULES[0], "rows": [700]}, {"kind": "stray_error"}], ids=["outside", "nowhere"]
)
def test_an_error_that_names_no_row_of_the_request(
    google: Sandbox, new_name: Iterator[str], rule: Rule
) -> None:
    """It does not concern rows that Google has accepted: they are uploaded, and not sent again."""
    google.faults.set([{"method": UPLOAD, **rule, "nth": 1}])
    file = make_file(next(new_name), 5, seed=8, kinds=("click", "identifiers")).drop(google)
    document = finish(google, file)
    check(file, document, google)
    assert document["counts"]["uploaded"] == 5
    assert len(document["request_ids"]) == 1


def test_an_unpublished_code_and_a_message_with_an_address(
    google: Sandbox, new_name: Iterator[str]
) -> None:
    """The row shows the code that Google gives, and neither address nor number of the message."""
    message = "No match for jane.roe@example.org, phone +1 (212) 555-0147, within 90 days."
    error = {"error": "unpublished.CLICK_FROM_THE_FUTURE", "rows": [1], "message": message}
    google.faults.set([{"method": UPLOAD, "kind": "row_error", **error, "nth": 1}])
    file = make_file(next(new_name), 5, seed=8, kinds=("click", "identifiers")).drop(google)
    (row,) = finish(google, file)["rows"]
    assert (row["outcome"], row["errors"][0]["code"]) == ("failed", "CLICK_FROM_THE_FUTURE")
    said = "No match for [email], phone [number], within 90 days."
    assert row["errors"][0]["detail"] == said


@pytest.mark.parametrize(("place", "ids"), [("initial", 1), ("trailing", 1), ("neither", 0)])
def test_request_ids(
    google: Sandbox,
    new_name: Iterator[str],
    place: Any,
    ids: int,
) -> None:
    """They are found in the initial and in the trailing metadata, and are never empty."""
    google.state.request_id_in = place
    try:
        file = make_file(next(new_name), 5, seed=8, kinds=("click",)).drop(google)
        document = finish(google, file)
    finally:
        google.state.request_id_in = "both"
    assert len(document["request_ids"]) == ids
    assert all(document["request_ids"])
