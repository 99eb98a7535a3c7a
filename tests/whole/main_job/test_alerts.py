"""Every event that an alert watches is triggered, and is logged under its stable name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import flask
import pytest

import main
from lib.adapters.logging import EVENTS, JsonLog
from lib.errors import RetryableError
from lib.state.run import name_key
from lib.state.store import StoredObject
from sandbox.time_passes import hours_go_by
from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.rows import core_row, csv_bytes

ROOT = Path(__file__).parents[3]


def logged(output: str, event: str) -> dict[str, Any]:
    """Return the last log line of that event; every line must be one JSON object."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    (*_, last) = [line for line in lines if line["event"] == event]
    assert last["severity"] == ("ERROR" if EVENTS[event].startswith("ALERT") else last["severity"])
    return last


def test_run_stopped(google: Sandbox) -> None:
    """An unusable file raises an alert with its code, its object's name, and all there is to do."""
    results = google.results(*google.drop(b"", "empty.csv"))
    assert google.delivery.wait_until_idle()
    line = logged(google.function_output(), "run_stopped")
    assert line["code"] == "EMPTY_FILE"
    assert "empty.csv" in line["run_id"]
    assert line["action"] == results["codes"]["EMPTY_FILE"]["action"]
    assert line["action"].endswith("Then upload the file again: nothing counts twice.")


def test_quota_exhausted(google: Sandbox) -> None:
    """The daily quota raises one alert per attempt, and the file is finished later."""
    google.faults.set(
        [{"method": "UploadClickConversions", "kind": "resource_exhausted", "nth": 1}]
    )
    results = google.results(*google.drop(csv_bytes([core_row(1)]), "quota.csv"))
    assert results["counts"]["uploaded"] == 1
    assert results["attempts"] >= 2
    assert logged(google.function_output(), "quota_exhausted")["code"] == "DAILY_QUOTA"


def test_damaged_state(google: Sandbox) -> None:
    """A claim that somebody has changed is answered with 5xx and named, and no data is logged."""
    google.delivery.set(paused=True, backoff_seconds=0.05, time_limit_seconds=0)
    name, generation = google.drop(csv_bytes([core_row(1)]), "broken.csv")
    key = name_key(StoredObject(INPUT_BUCKET, name, generation, 0))
    claim = google.storage_client().bucket(OUTPUT_BUCKET).blob(f"_state/claims/{key}/0.json")
    claim.upload_from_string('{"secret": "buyer@example.com"}')
    google.delivery.set(paused=False)
    assert google.delivery.wait_until_idle()
    (record,) = google.delivery.records()
    assert [attempt.status for attempt in record.attempts] == [503]
    line = logged(google.function_output(), "settings_invalid")
    assert line["code"] == "STATE_DAMAGED"
    assert "buyer" not in google.function_output()
    claim.delete()


def test_rows_not_counted(google: Sandbox) -> None:
    """Rows that Google accepts but does not count raise an alert, although all were uploaded."""
    rows = [core_row(n, gclid="cut-0ff") for n in range(1, 6)]
    name, generation = google.drop(csv_bytes(rows), "lost.csv", folder="data_manager")
    assert google.results(name, generation)["counts"]["uploaded"] == 5
    assert google.delivery.wait_until_idle()
    hours_go_by(google, 0.6)
    status, _ = google.run_sweep()
    assert status == 200
    line = logged(google.function_output(), "rows_not_counted")
    assert line["code"] == "PROCESSING_ERROR_REASON_INVALID_GCLID"
    assert (line["not_counted"], line["records"]) == (5, 5)
    assert "lost.csv" in line["run_id"]
    document = google.results(name, generation)
    assert document["counts"]["failed"] == 5


def test_run_stale() -> None:
    """A file that is too late raises an alert, and its rows are not sent."""
    with Sandbox(source=ROOT, env={"MAX_EVENT_AGE_HOURS": "0.0000001"}) as google:
        results = google.results(*google.drop(csv_bytes([core_row(1), core_row(2)]), "old.csv"))
        assert google.delivery.wait_until_idle()
        assert results["file_error"]["code"] == "STALE"
        assert results["counts"]["not_attempted"] == 2
        assert not google.state.accepted
        assert logged(google.function_output(), "run_stale")["code"] == "STALE"


def test_settings_invalid() -> None:
    """The alert names every wrong variable of the environment, and no event is acknowledged."""
    wrong = {"WINDOW": "many", "LEASE_SECONDS": "-1"}
    with Sandbox(source=ROOT, env=wrong) as google:
        google.delivery.set(backoff_seconds=0.05, time_limit_seconds=0.5)
        google.drop(csv_bytes([core_row(1)]), "never.csv")
        assert google.delivery.wait_until_idle()
        (record,) = google.delivery.records()
        assert not record.acknowledged
        problems = logged(google.function_output(), "settings_invalid")["detail"].split("; ")
    assert [problem.partition(":")[0] for problem in problems] == ["LEASE_SECONDS", "WINDOW"]


def test_sweep_failed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep without storage raises an alert and answers 5xx, which the scheduler also reports."""

    def unreachable(*_: object) -> dict[str, Any]:
        raise RetryableError("STORAGE_UNAVAILABLE", "ServiceUnavailable")

    class Wired:
        log = JsonLog()

        class settings:  # noqa: N801 (replaces an object of a module)
            sweep_time_limit_seconds = 1

    monkeypatch.setattr(main, "_context", lambda: Wired)
    monkeypatch.setattr("lib.followup.sweep.sweep_once", unreachable)
    with flask.Flask("test").test_request_context():
        _, status = main.sweep(flask.request)
    assert status == 503
    assert logged(capsys.readouterr().out, "sweep_failed")["code"] == "STORAGE_UNAVAILABLE"


def test_a_broken_profiles_document_is_named(google: Sandbox) -> None:
    """Whoever must correct it learns where it is."""
    before = google.profiles_path.read_text("utf-8")
    google.profiles_path.write_text("{", "utf-8")
    try:
        error = google.results(*google.drop(csv_bytes([core_row(1)]), "broken.csv"))["file_error"]
    finally:
        google.profiles_path.write_text(before, "utf-8")
    assert error["detail"].startswith(
        f"the profiles document ({google.profiles_path}) is not valid JSON"
    )
