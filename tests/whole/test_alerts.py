"""Every event that an alert watches is triggered, and is logged under its stable name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import flask
import pytest

import main
from lib.adapters.logging import EVENTS, JsonLog
from lib.errors import PermanentError, RetryableError
from lib.state.runs import run_key
from lib.state.store import StoredObject
from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.fakes import world
from tests.rows import core_row, csv_bytes

ROOT = Path(__file__).parents[2]


def logged(output: str, event: str) -> dict[str, Any]:
    """Return the last log line of that event; every line must be one JSON object."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    (*_, last) = [line for line in lines if line["event"] == event]
    assert last["severity"] == ("ERROR" if EVENTS[event].startswith("ALERT") else last["severity"])
    return last


def test_a_file_was_stopped(google: Sandbox) -> None:
    """An unusable file raises an alert with its code, its object's name, and all there is to do."""
    results = google.results(*google.drop(b"", "empty.csv"))
    assert google.delivery.wait_until_idle()
    line = logged(google.function_output(), "open_problem")
    assert (line["kind"], line["profile"]) == ("file_stopped", "default")
    assert line["code"] == "EMPTY_FILE"
    assert "empty.csv" in line["run_id"]
    assert line["action"] == results["codes"]["EMPTY_FILE"]["action"]
    assert line["action"].endswith("Then upload the file again: no sale counts twice.")


def test_unreadable_state(google: Sandbox) -> None:
    """A run that somebody has changed is answered with 5xx and named, and no data is logged."""
    google.delivery.set(paused=True, backoff_seconds=0.05, time_limit_seconds=0)
    name, generation = google.drop(csv_bytes([core_row(1)]), "broken.csv")
    key = run_key(StoredObject(INPUT_BUCKET, name, generation, 0))
    run = google.storage_client().bucket(OUTPUT_BUCKET).blob(f"_state/runs/{key}.json")
    run.upload_from_string('{"format": 1, "secret": "buyer@example.com"}')
    google.delivery.set(paused=False)
    assert google.delivery.wait_until_idle()
    (record,) = google.delivery.records()
    assert [attempt.status for attempt in record.attempts] == [503]
    line = logged(google.function_output(), "settings_invalid")
    assert line["code"] == "STATE_UNREADABLE"
    assert key in line["detail"]
    assert "buyer" not in google.function_output()


def test_settings_invalid() -> None:
    """The alert names every wrong variable of the environment, and no event is acknowledged."""
    wrong = {"WINDOW": "many", "DEFER_HOURS": "-1"}
    with Sandbox(source=ROOT, env=wrong) as google:
        google.delivery.set(backoff_seconds=0.05, time_limit_seconds=0.5)
        google.drop(csv_bytes([core_row(1)]), "never.csv")
        assert google.delivery.wait_until_idle()
        (record,) = google.delivery.records()
        assert not record.acknowledged
        problems = logged(google.function_output(), "settings_invalid")["detail"].split("; ")
    assert {problem.partition(":")[0] for problem in problems} == set(wrong)


def test_sweep_failed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep without storage logs why and answers 5xx. `sweep_silent` tells it, if it lasts."""

    def unreachable(*_: object) -> dict[str, Any]:
        raise RetryableError("STORAGE_UNAVAILABLE", "ServiceUnavailable")

    class Wired:
        log = JsonLog()

        class settings:  # noqa: N801 (replaces an object of a module)
            sweep_time_limit_seconds = 1

    monkeypatch.setattr(main, "_context", lambda: Wired)
    monkeypatch.setattr("lib.sweep.sweep.sweep_once", unreachable)
    with flask.Flask("test").test_request_context():
        _, status = main.sweep(flask.request)
    assert status == 503
    assert logged(capsys.readouterr().out, "sweep_failed")["code"] == "STORAGE_UNAVAILABLE"


@pytest.mark.parametrize(
    ("error", "status", "is_logged"),
    [
        (RetryableError("STORAGE_UNAVAILABLE"), 503, False),
        (PermanentError("INVALID_PROFILE"), 500, True),
        (KeyError("cell"), 500, True),
    ],
)
def test_an_error_that_a_delivery_raises(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
    is_logged: bool,
) -> None:
    """The event comes again. Only what a delivery has not logged itself is unexpected: it turns a
    permanent error into results, and raises none."""

    def fails(*_: object) -> str:
        raise error

    monkeypatch.setattr(main, "_begin_connections", lambda: None)
    monkeypatch.setattr(main, "_context", lambda: world().context)
    monkeypatch.setattr(main, "deliver", fails)
    event = {
        "Ce-Id": "1",
        "Ce-Source": "//storage.googleapis.com/projects/_/buckets/in-bucket",
        "Ce-Specversion": "1.0",
        "Ce-Type": "google.cloud.storage.object.v1.finalized",
        "Content-Type": "application/json",
    }
    named = json.dumps({"bucket": "in-bucket", "name": "a.csv", "generation": "1"})
    with flask.Flask("test").test_request_context(data=named, headers=event):
        assert main.ingest(flask.request)[1] == status
    assert ("unexpected_error" in capsys.readouterr().out) == is_logged
