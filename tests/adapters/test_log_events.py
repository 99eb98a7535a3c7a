"""Every event that alerts and dashboards use is logged, with its severity."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import flask
import pytest
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from flask import Request

import main
from lib.adapters.events import FINALIZED
from lib.adapters.logging import EVENTS, JsonLog
from lib.config.settings import SettingsError
from lib.destinations.pacing import Pacer, RequestFailure, UnknownQuota
from lib.errors import PermanentError, RetryableError
from lib.followup.sweep import FOUND_BY_SWEEP_AFTER
from lib.model.deadline import Deadline
from lib.model.sent_requests import RequestStatus, UploadDiagnostics
from lib.run.alerts import LATE_AFTER
from lib.run.context import RunContext
from tests.fakes import START, World, world
from tests.rows import core_row, csv_bytes

TIME = f"{START - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00"
CONTENT = csv_bytes([core_row(1, conversion_date_time=TIME)])
SECRET_TEXT = "a cell that must not be told"

ELSEWHERE = {
    "preflight_not_permitted": "needs the real client: tests/whole/main_job/test_accounts.py",
    "connection_renewed": "needs a real client: tests/whole/recovery/test_refused_connection.py",
}


def deliver(google: World, name: str = "export.csv", age: timedelta = timedelta(0)) -> int:
    """Drop a file, call the entry point as the framework does, and return the HTTP status.

    The event arrives `age` after the file was written.
    """
    if ("in-bucket", name) not in google.store.objects:
        google.store.put("in-bucket", name, CONTENT)
        google.clock.seconds += age.total_seconds()
    source = google.store.stored("in-bucket", name)
    data = {"bucket": "in-bucket", "name": name, "generation": str(source.generation)}
    data["size"] = str(source.size)
    time = (google.clock.utc() - age).isoformat()
    event = CloudEvent({"type": FINALIZED, "source": "storage", "time": time}, data)
    return posted(*to_binary(event))


def posted(headers: dict[str, str], body: bytes) -> int:
    status: int = main.ingest(Request.from_values(headers=headers, data=body, method="POST"))[1]
    return status


def other_bucket(google: World) -> None:
    data = {"bucket": "other-bucket", "name": "export.csv", "generation": "1"}
    event = CloudEvent({"type": FINALIZED, "source": "storage"}, data)
    assert posted(*to_binary(event)) == 200
    assert not google.store.calls


def other_type(google: World) -> None:
    data = {"bucket": "in-bucket", "name": "export.csv", "generation": "1"}
    event = CloudEvent(
        {"type": FINALIZED.replace("finalized", "deleted"), "source": "storage"}, data
    )
    assert posted(*to_binary(event)) == 200
    assert not google.store.calls


def late(google: World) -> None:
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    assert deliver(google, age=LATE_AFTER) == 503


def unstarted(google: World) -> None:
    google.store.put("in-bucket", "export.csv", CONTENT)
    google.clock.seconds += LATE_AFTER.total_seconds()
    assert swept(google) == 200


def found_by_the_sweep(google: World) -> None:
    """Other files have their events."""
    google.store.put("in-bucket", "export.csv", CONTENT)
    google.clock.seconds += FOUND_BY_SWEEP_AFTER.total_seconds()
    assert deliver(google, "export.other.csv") == 200
    assert swept(google) == 200


def rejected(google: World) -> None:
    rows = [core_row(number, conversion_date_time="") for number in range(1, 6)]
    google.store.put("in-bucket", "export.csv", csv_bytes(rows))
    assert deliver(google) == 200


def lost(google: World) -> None:
    rejected(google)
    assert swept(google) == 200


def no_file(google: World) -> None:
    google.settings = google.settings.model_copy(update={"no_file_hours": 24.0})
    assert deliver(google) == 200
    google.clock.seconds += 25 * 3600
    assert swept(google) == 200


def left(google: World) -> None:
    google.store.put("in-bucket", "export.csv.tmp", CONTENT)
    google.clock.seconds += 3600
    assert swept(google) == 200


def unfinished(google: World) -> None:
    google.store.put("in-bucket", "export.csv", CONTENT)
    google.clock.seconds += 3600
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    assert swept(google) == 200


def forbidden(google: World) -> None:
    google.store.put("in-bucket", "export.csv", CONTENT)

    def refuse(operation: str, name: str) -> None:
        raise RetryableError("STORAGE_FORBIDDEN", "check the permissions")

    google.store.before = refuse
    assert deliver(google) == 503


def swept(google: World) -> int:
    status: int = main.sweep(flask.request)[1]
    return status


def stopped(google: World) -> None:
    google.api.preflight = PermanentError("CUSTOMER_NOT_FOUND")
    assert deliver(google) == 200


def held(google: World) -> None:
    google.api.before = unexpectedly
    assert deliver(google) == 500
    assert deliver(google) == 503


def unexpectedly(number: int) -> None:
    raise ZeroDivisionError(SECRET_TEXT)


def unexpected(google: World) -> None:
    google.api.before = unexpectedly
    assert deliver(google) == 500


def begun_by_a_newer_version(google: World) -> None:
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    assert deliver(google) == 503
    (name,) = (name for name in google.store.names("out-bucket") if "/claims/" in name)
    claim = json.loads(google.store.objects["out-bucket", name][0])
    google.store.put("out-bucket", name, json.dumps(claim | {"format": 2}).encode())
    assert deliver(google) == 503


def redelivered(google: World) -> None:
    google.api.preflight = RetryableError("API_UNAVAILABLE")
    assert deliver(google) == 503


def out_of_quota(google: World) -> None:
    google.api.preflight = RetryableError("DAILY_QUOTA")
    assert deliver(google) == 503


def storage_down(google: World) -> None:
    def broken(operation: str, name: str) -> None:
        raise RetryableError("STORAGE_UNAVAILABLE")

    google.store.before = broken


def no_claim(google: World) -> None:
    google.store.put("in-bucket", "export.csv", CONTENT)
    storage_down(google)
    assert deliver(google) == 503


def sweep_fails(google: World) -> None:
    storage_down(google)
    assert swept(google) == 503


def updated(google: World) -> None:
    google.api.too_recent = {"order-1"}
    assert deliver(google) == 200
    google.api.too_recent = set()
    google.clock.seconds += 7 * 3600
    assert swept(google) == 200


def not_asked(google: World) -> None:
    def refuse(request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        raise PermanentError("CREDENTIALS_REFUSED")

    google.use_destination("data_manager")
    google.api.statuses = refuse
    assert deliver(google) == 200
    google.clock.seconds += 3600
    assert swept(google) == 200


def not_diagnosed(google: World) -> None:
    def refuse(customer_id: str) -> Sequence[UploadDiagnostics]:
        raise PermanentError("CUSTOMER_NOT_FOUND")

    google.settings = google.settings.model_copy(update={"read_diagnostics": True})
    google.api.diagnostics = refuse
    assert deliver(google) == 200
    google.clock.seconds += 4000
    assert swept(google) == 200


def no_overview(google: World) -> None:
    def refuse(operation: str, name: str) -> None:
        if name == "index.html":
            raise RetryableError("STORAGE_UNAVAILABLE")

    assert deliver(google) == 200
    google.store.before = refuse
    assert swept(google) == 200


def not_counted(google: World) -> None:
    """Let Google report, after the upload, that it misses the consent of five rows."""
    reasons = {"PROCESSING_ERROR_REASON_NO_CONSENT": 5}

    def fail(request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        return [RequestStatus(each, "FAILED", "1001", 5, reasons) for each in request_ids]

    google.use_destination("data_manager")
    google.api.statuses = fail
    rows = [core_row(number, conversion_date_time=TIME) for number in range(1, 6)]
    google.store.put("in-bucket", "export.csv", csv_bytes(rows))
    assert deliver(google) == 200
    google.clock.seconds += 3600
    assert swept(google) == 200


def lost_with_its_file(google: World) -> None:
    google.api.too_recent = {"order-1"}
    assert deliver(google) == 200
    google.store.delete("in-bucket", "export.csv")
    google.clock.seconds += 7 * 3600
    assert swept(google) == 200


def filtered(google: World) -> None:
    google.profiles["default"]["include"] = {"currency_code": ["EUR"]}
    assert deliver(google) == 200


def retried(google: World) -> None:
    failures = [ValueError(SECRET_TEXT)]

    def request(timeout: float) -> str:
        if failures:
            raise failures.pop()
        return "answer"

    pacer = Pacer(
        UnknownQuota(8, random.Random(1)), clock=google.clock.monotonic, sleep=google.clock.sleep
    )
    transient = RequestFailure("transient", "UNAVAILABLE")
    pacer.send(
        request,
        lambda error: transient,
        deadline=Deadline(9e9, 9e9),
        timeout_seconds=1,
        log=JsonLog(),
    )


def settings_invalid(google: World) -> None:
    wiring = main._wiring.__wrapped__  # bypass the cache
    with pytest.raises(SettingsError):
        wiring()


@pytest.mark.parametrize(
    "fields",
    [
        {"detail": "x" * 1_000_000},
        {"detail": "\U0001f600" * 100_000, "name": "\U0001f600" * 100_000, "ok": [1, None]},
        {"codes": [{"names": ["\U0001f600" * 100] * 100}] * 100},
        {f"field{number}": ["\U0001f600" * 300] * 300 for number in range(20)},
    ],
)
def test_a_line_is_never_longer_than_the_platform_takes(
    fields: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays JSON and keeps all its fields, whatever names and messages are in them."""
    JsonLog().alert("run_stopped", **fields)
    text = capsys.readouterr().out
    assert len(text) < 256 << 10
    line = json.loads(text)
    assert (line["severity"], line["event"]) == ("ERROR", "run_stopped")
    assert fields.keys() <= line.keys()


SCENES: dict[str, tuple[str, Callable[[World], object]]] = {
    "run_finished": ("INFO", deliver),
    "claim_taken": ("INFO", deliver),
    "chunk_sent": ("INFO", deliver),
    "run_skipped": ("INFO", lambda google: [deliver(google), deliver(google)]),
    "event_ignored": ("WARNING", lambda google: posted({}, SECRET_TEXT.encode())),
    "object_ignored": ("INFO", lambda google: deliver(google, "export.tmp")),
    "filter_mismatch": ("ERROR", filtered),
    "rows_failing": ("ERROR", rejected),
    "concern": ("ERROR", lost),
    "no_file": ("ERROR", no_file),
    "file_ignored": ("ERROR", left),
    "file_unfinished": ("ERROR", unfinished),
    "events_missing of a single file": ("ERROR", found_by_the_sweep),
    "run_stopped": ("ERROR", stopped),
    "run_stale": ("ERROR", lambda google: deliver(google, age=timedelta(hours=30))),
    "lease_held": ("INFO", held),
    "newer_version": ("WARNING", begun_by_a_newer_version),
    "run_redelivered": ("WARNING", redelivered),
    "run_redelivered before the claim": ("WARNING", no_claim),
    "quota_exhausted": ("ERROR", out_of_quota),
    "request_retry": ("WARNING", retried),
    "run_updated": ("INFO", updated),
    "diagnostics_unknown": ("WARNING", not_diagnosed),
    "overview_not_written": ("WARNING", no_overview),
    "processing_unknown": ("WARNING", not_asked),
    "rows_not_counted": ("ERROR", not_counted),
    "deferred_rows_failed": ("ERROR", lost_with_its_file),
    "sweep_finished": ("INFO", swept),
    "sweep_failed": ("ERROR", sweep_fails),
    "unexpected_error": ("ERROR", unexpected),
    "settings_invalid": ("ERROR", settings_invalid),
    "settings_invalid of another bucket": ("ERROR", other_bucket),
    "run_late": ("ERROR", late),
    "follow_up_blocked": ("ERROR", not_asked),
    "events_missing": ("ERROR", unstarted),
    "settings_invalid of another type of event": ("ERROR", other_type),
    "settings_invalid without a permission": ("ERROR", forbidden),
}


def test_no_event_is_left_out() -> None:
    """Every event has a scene here or is tested elsewhere."""
    assert {name.split()[0] for name in SCENES} | set(ELSEWHERE) == set(EVENTS)


@pytest.mark.parametrize("name", SCENES)
def test_the_event_is_written(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each event is one JSON line with severity, event, message and, for a run, its ID; it contains
    no cell and no message of an exception."""
    severity, scene = SCENES[name]
    google = world()
    monkeypatch.setattr(main, "_context", lambda: google.context)
    monkeypatch.delenv("INPUT_BUCKET", raising=False)
    with flask.Flask("test").test_request_context():
        scene(google)
    output = capsys.readouterr().out
    lines = [json.loads(line) for line in output.splitlines()]
    event = name.split()[0]
    written = [line for line in lines if line["event"] == event]
    assert written
    assert {line["severity"] for line in written} == {severity}
    assert all(EVENTS[event] in line["message"] for line in written)
    if event.startswith(
        ("run_", "claim", "chunk", "object", "lease", "unexpected", "processing", "rows", "filter")
    ):
        assert all("in-bucket/export." in line["run_id"] for line in written)
    assert SECRET_TEXT not in output


def test_a_finished_run_logs_a_summary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finished run logs counts, attempts and seconds in one line, for dashboards."""
    google = world()
    context: RunContext = google.context
    monkeypatch.setattr(main, "_context", lambda: context)
    with flask.Flask("test").test_request_context():
        deliver(google)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["event"] == "run_finished"]
    assert line["counts"]["rows"] == line["counts"]["uploaded"] == line["attempts"] == 1
    assert {"status", "seconds", "age_seconds", "requests"} <= set(line)


def test_every_logged_event_is_declared() -> None:
    """An event that is not in `EVENTS` would raise an error on the path that logs it."""
    root = Path(main.__file__).parent
    logged = {
        name
        for path in [root / "main.py", *(root / "lib").rglob("*.py")]
        for name in re.findall(
            r"\blog\.(?:info|warning|alert)\(\s*\"(\w+)\"", path.read_text("utf-8")
        )
    }
    assert logged
    assert logged <= EVENTS.keys()
