"""The quotas of a project, per minute and per day, end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.up import Sandbox
from tests.rows import core_row, csv_bytes


def lines_since(google: Sandbox, before: int) -> list[dict[str, Any]]:
    output = google.function_output()[before:]
    return [json.loads(line) for line in output.splitlines() if line.startswith('{"severity"')]


@pytest.fixture(autouse=True)
def _the_refusal_is_forgotten(google: Sandbox) -> Iterator[None]:
    """Replace the instance: after a refusal, it would wait before its next request."""
    yield
    assert google.function is not None
    google.function.kill()


def test_the_daily_quota_is_exhausted(google: Sandbox) -> None:
    """Nothing is sent until the quota begins anew. Then a sweep continues."""
    before = len(google.function_output())
    google.state.data_manager.requests_per_day = 0
    name, generation = google.drop(csv_bytes([core_row(1)]), "day.csv")
    assert google.delivery.wait_until_idle()
    google.state.data_manager.requests_per_day = 100_000
    lines = lines_since(google, before)
    assert not [line for line in lines if line["event"] == "request_retry"]
    codes = {line["code"] for line in lines if line["event"] == "run_redelivered"}
    assert codes == {"DAILY_QUOTA"}
    google.clock.advance(25)
    status, body = google.run_sweep()
    assert status == 200, body
    assert google.results(name, generation)["counts"]["uploaded"] == 1


def test_the_quota_per_minute_is_exhausted(google: Sandbox) -> None:
    """The same attempt waits for Google's retry delay and then continues."""
    before = len(google.function_output())
    fault = {"kind": "resource_temporarily_exhausted", "retry_delay_seconds": 0.2, "nth": 1}
    google.faults.set([{"method": "IngestEvents", **fault}])
    results = google.results(*google.drop(csv_bytes([core_row(1)]), "minute.csv"))
    assert (results["counts"]["uploaded"], results["attempts"]) == (1, 1)
    (retry,) = [line for line in lines_since(google, before) if line["event"] == "request_retry"]
    assert retry["kind"] == "quota"
