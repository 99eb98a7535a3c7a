"""A file that takes longer than the time limit of a delivery is finished by the next ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import check, finish, log_lines, make_file

LIMIT_SECONDS = 60
START_SECONDS = 4
"""Within these, even a busy machine starts the first chunk of an attempt."""


@pytest.fixture
def hurried() -> Iterator[Sandbox]:
    """A function that starts no chunk after its first seconds, and waits long for each answer."""
    limits = {
        "TIME_LIMIT_SECONDS": str(LIMIT_SECONDS),
        "DEADLINE_MARGIN_SECONDS": str(LIMIT_SECONDS - START_SECONDS),
        "WINDOW": "1",
    }
    with Sandbox(source=FUNCTION, env={**SETTINGS, **limits}) as running:
        running.delivery.set(backoff_seconds=0.02, max_backoff_seconds=0.1)
        yield running


def test_a_file_larger_than_the_time_limit(hurried: Sandbox) -> None:
    """Several counted attempts send every chunk once, and none exceeds its time limit."""
    google = hurried
    # The first delivery of an instance also creates its clients, which is not tested here.
    finish(google, make_file("first.csv", 10, seed=1).drop(google))
    google.faults.set(
        [{"method": "UploadClickConversions", "kind": "latency_ms", "latency_ms": 1_000}]
    )
    file = make_file("long.csv", 2_050, seed=6).drop(google)
    document = finish(google, file)
    check(file, document, google)
    record = google.delivery.records()[-1]
    assert document["attempts"] == len(record.attempts) >= 3
    run = [line for line in log_lines(google) if line.get("run_id", "").find("long.csv") > 0]
    assert [line["attempts"] for line in run if line["event"] == "claim_taken"] == list(
        range(1, document["attempts"] + 1)
    )
    ends = {line["code"] for line in run if line["event"] == "run_redelivered"}
    assert ends == {"DEADLINE"}
    uploads = [r for r in google.state.requests if r.job_id == document["job_id"]]
    assert len(uploads) == 11
    assert all(attempt.milliseconds < 1_000 * LIMIT_SECONDS for attempt in record.attempts)


@pytest.mark.parametrize("route", ["google_ads", "data_manager"])
def test_a_slow_api_without_any_fault(route: str) -> None:
    """Requests in flight at the limit are answered, so none is sent twice by the next delivery.

    Without derived order IDs, the API would count some rows twice.
    """
    limits = {
        "TIME_LIMIT_SECONDS": str(LIMIT_SECONDS),
        "DEADLINE_MARGIN_SECONDS": str(LIMIT_SECONDS - START_SECONDS),
        "WINDOW": "2",
    }
    method = {"google_ads": "UploadClickConversions", "data_manager": "IngestEvents"}[route]
    with Sandbox(source=FUNCTION, env={**SETTINGS, **limits}) as google:
        google.delivery.set(backoff_seconds=0.02, max_backoff_seconds=0.1)
        profile = {**DEFAULT_PROFILES["default"], "destination": route, "derive_order_id": False}
        google.set_profiles({"default": {**profile, "event_source": "WEB"}})
        finish(google, make_file("first.csv", 10, seed=1, kinds=("click",)).drop(google))
        google.faults.set([{"method": method, "kind": "latency_ms", "latency_ms": 5_000}])
        file = make_file("slow.csv", 610, seed=6, kinds=("click", "identifiers")).drop(google)
        document = finish(google, file)
        assert document["attempts"] >= 2
        assert document["counts"]["uploaded"] == document["counts"]["rows"] == 610
        sent = [each for each in google.state.requests if each.method.endswith(method)]
        assert sorted(each.conversions for each in sent[1:]) == [10, 200, 200, 200]
