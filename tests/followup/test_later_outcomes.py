"""An API that counts later, with fakes: which rows are sent again, and which are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from lib.config.settings import CHUNK_ROWS
from lib.errors import RetryableError
from lib.followup.sweep import sweep_once
from lib.model.outcomes import Problem
from lib.model.request_status import RequestStatus
from lib.run.ingest import process_object
from lib.state.run import run_key
from lib.state.store import StoredObject
from tests.fakes import START, World, world
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes

TOO_RECENT = "PROCESSING_ERROR_REASON_TOO_RECENT_CLICK"
INTERNAL = "PROCESSING_ERROR_REASON_INTERNAL_ERROR"


class Later:
    """Google's later status of requests: those in `errors` have errors, all others succeeded."""

    def __init__(self) -> None:
        self.errors: dict[str, dict[str, int]] = {}
        self.asked: list[str] = []

    def __call__(self, request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        self.asked += request_ids
        statuses = []
        for each in request_ids:
            errors = self.errors.get(each, {})
            status = "PARTIAL_SUCCESS" if errors else "SUCCESS"
            statuses.append(RequestStatus(each, status, "1001", 5, errors))
        return statuses


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def google(later: Later) -> World:
    made = world()
    made.use_destination("data_manager")
    made.api.statuses = later
    return made


def put(google: World, rows: int) -> StoredObject:
    time = (START - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S+00:00")
    cells = [core_row(n, conversion_date_time=time) for n in range(1, rows + 1)]
    return google.store.put("in-bucket", "export.csv", csv_bytes(cells))


def deliver(google: World, source: StoredObject) -> str:
    day = timedelta(hours=20)
    return process_object(
        source, google.clock.utc(), google.context, time_limit_seconds=540, max_age=day
    )


def after(google: World, source: StoredObject, hours: float) -> dict[str, Any]:
    google.clock.seconds += hours * 3600
    sweep_once(google.context, 1500)
    name = f"{source.name}.{source.generation}.results.json"
    return check_results(json.loads(google.store.objects["out-bucket", name][0]))


def test_deferred_rows_and_rows_not_counted_yet(google: World, later: Later) -> None:
    """Both kinds of rows of one chunk are sent again, and every newer request is asked about."""
    google.api.too_recent = {"order-2"}
    source = put(google, 5)
    assert deliver(google, source) == "waiting"
    later.errors["request-1"] = {TOO_RECENT: 1}
    found = after(google, source, 0.6)
    assert (found["counts"]["deferred"], found["processing"]["counts"]["not_counted"]) == (1, 1)
    google.api.too_recent = set()
    found = after(google, source, 6)
    assert found["request_ids"] == ["request-1", "request-2", "request-3"]
    assert found["counts"]["uploaded"] == 5
    assert sorted(google.api.counted) == [f"order-{n}" for n in range(1, 6)]
    found = after(google, source, 0.6)
    assert found["status"] == "completed"
    assert found["processing"]["counts"]["requests_superseded"] == 1
    assert later.asked == ["request-1", "request-2", "request-3"]
    assert google.store.names("out-bucket")[-1].endswith(".results.json")
    assert not any("/waiting/" in name for name in google.store.names("out-bucket"))


def test_rows_with_an_internal_error_are_sent_again(google: World, later: Later) -> None:
    """An internal error in Google's processing is transient, like a click that is too recent."""
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {INTERNAL: 5}
    assert after(google, source, 0.6)["status"] == "waiting"
    after(google, source, 6)
    assert google.api.batches == 2
    assert after(google, source, 0.6)["notes"] == []


def test_other_reasons_are_noted_and_not_sent_again(google: World, later: Later) -> None:
    """A row without a known click is noted, not sent again; a duplicate is not reported as lost."""
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {
        "PROCESSING_ERROR_REASON_CLICK_NOT_FOUND": 2,
        "PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID": 3,
    }
    found = after(google, source, 0.6)
    assert found["status"] == "completed"
    assert [note["code"] for note in found["notes"]] == ["NOT_COUNTED"]
    assert "(2 of 5 rows)" in found["notes"][0]["message"]
    assert google.api.batches == 1


@pytest.mark.parametrize(
    "errors, alarming",
    [
        ({"CLICK_NOT_FOUND": 1}, False),  # a single row, a fifth of the file
        ({"CLICK_NOT_FOUND": 2}, True),
        ({"CLICK_NOT_FOUND": 1, "DUPLICATE_GCLID": 4}, False),
        ({"DUPLICATE_TRANSACTION_ID": 5}, False),
        ({"NO_CONSENT": 3, "INVALID_GCLID": 2}, True),
    ],
)
def test_rows_that_do_not_count_are_reported(
    google: World,
    later: Later,
    errors: dict[str, int],
    alarming: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Log, message and document contain the number of these rows; a large one causes an alert."""
    source = put(google, 5)
    deliver(google, source)
    assert google.announced[-1]["not_counted"] is None
    later.errors["request-1"] = {
        f"PROCESSING_ERROR_REASON_{code}": count for code, count in errors.items()
    }
    found = after(google, source, 0.6)
    lost = sum(count for code, count in errors.items() if "DUPLICATE" not in code)
    assert found["processing"]["counts"]["not_counted"] == lost
    assert google.announced[-1]["not_counted"] == lost
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (updated,) = [line for line in lines if line["event"] == "run_updated"]
    assert updated["not_counted"] == lost
    alerts = [line for line in lines if line["event"] == "rows_not_counted"]
    assert len(alerts) == alarming
    for alert in alerts:
        assert alert["severity"] == "ERROR"
        assert alert["code"] == f"PROCESSING_ERROR_REASON_{next(iter(errors))}"
        assert (alert["not_counted"], alert["records"]) == (lost, 5)


def test_an_alert_is_not_lost_if_the_sweep_crashes(
    google: World, later: Later, capsys: pytest.CaptureFixture[str]
) -> None:
    """If a sweep crashes before it has finished the run, the next one raises the alert."""
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {"PROCESSING_ERROR_REASON_CLICK_NOT_FOUND": 5}

    def die(operation: str, name: str) -> None:
        if operation == "write" and name.endswith(".results.json"):
            raise KeyboardInterrupt

    google.store.after = die
    with pytest.raises(KeyboardInterrupt):
        after(google, source, 0.6)
    google.store.after = lambda operation, name: None
    assert after(google, source, 0.1)["status"] == "completed"
    assert capsys.readouterr().out.count('"event": "rows_not_counted"') == 1


def test_an_account_that_refuses_now_is_tried_later(google: World, later: Later) -> None:
    """A request that Google refused supersedes nothing."""
    source = put(google, 5)
    deliver(google, source)
    later.errors["request-1"] = {TOO_RECENT: 5}
    after(google, source, 0.6)
    google.api.stop = Problem("PERMISSION_DENIED")
    found = after(google, source, 6)
    assert found["status"] == "waiting"
    assert found["processing"]["counts"]["requests_superseded"] == 0
    google.api.stop = None
    found = after(google, source, 6)
    assert found["processing"]["counts"]["requests_superseded"] == 1
    assert found["counts"]["uploaded"] == 5


def test_a_sweep_out_of_time_continues_after_its_last_chunk(google: World, later: Later) -> None:
    """Chunks whose marker was replaced are not sent a third time."""
    source = put(google, 2 * CHUNK_ROWS)
    deliver(google, source)
    later.errors = {"request-1": {TOO_RECENT: 1}, "request-2": {TOO_RECENT: 1}}
    after(google, source, 0.6)

    def out_of_time(number: int) -> None:
        if number == 4:
            raise RetryableError("DEADLINE")

    google.api.before = out_of_time
    after(google, source, 6)
    found = after(google, source, 0.1)
    assert google.api.batches == 5
    assert found["status"] == "completed"
    assert found["request_ids"] == ["request-1", "request-3", "request-2", "request-5"]


def test_a_pending_run_of_an_older_version_is_finished(google: World, later: Later) -> None:
    """A run that waits while a new version is deployed is finished by that version."""
    source = put(google, 5)
    deliver(google, source)
    name = f"_state/waiting/{run_key(source)}.json"
    entry = json.loads(google.store.objects["out-bucket", name][0])
    del entry["requests"], entry["sent_at"]
    for key in ("resend_at", "asked_at"):
        entry["metadata"]["processing"].pop(key)
    google.store.put("out-bucket", name, json.dumps(entry).encode())
    marker = f"_state/runs/{run_key(source)}/chunks/000000.json"
    chunk = json.loads(google.store.objects["out-bucket", marker][0])
    del chunk["report"]["superseded"], chunk["report"]["withheld"]
    google.store.put("out-bucket", marker, json.dumps(chunk).encode())
    later.errors["request-1"] = {TOO_RECENT: 5}
    assert after(google, source, 0.6)["status"] == "waiting"
    after(google, source, 6)
    assert after(google, source, 0.6)["status"] == "completed"
    assert google.api.batches == 2
