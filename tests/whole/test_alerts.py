"""Every event that an alert watches is triggered, and is logged under its stable name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import flask
import pytest

import main
from lib.adapters.logging import EVENTS, JsonLog
from lib.errors import PermanentError, RetryableError, SettingsError
from tests.fakes import world

ROOT = Path(__file__).parents[2]


def logged(output: str, event: str) -> dict[str, Any]:
    """Return the last log line of that event; every line must be one JSON object."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    (*_, last) = [line for line in lines if line["event"] == event]
    assert last["severity"] == ("ERROR" if EVENTS[event].startswith("ALERT") else last["severity"])
    return last


def test_settings_invalid(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The alert names every wrong variable of the environment. The error leaves the function, so
    that no event is acknowledged."""
    right = {
        "INPUT_BUCKET": "in-bucket",
        "OUTPUT_BUCKET": "out-bucket",
        "PROFILES": "profiles.json",
    }
    wrong = {"WINDOW": "many", "DEFER_HOURS": "-1"}
    for name, value in (right | wrong).items():
        monkeypatch.setenv(name, value)
    main._settings.cache_clear()
    with flask.Flask("test").test_request_context(), pytest.raises(SettingsError):
        main.ingest(flask.request)
    problems = logged(capsys.readouterr().out, "settings_invalid")["detail"].split("; ")
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
