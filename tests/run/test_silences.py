"""No cause stays silent: each one in the table of docs/operate.md raises its alert in time.

Events are delivered again as Eventarc does it, and the sweep runs every 15 minutes. Time is
simulated. That the real storage client reports these causes like this is tested in
tests/adapters/test_storage_errors.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import flask
import pytest
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from flask import Request

import main
from lib.adapters.events import FINALIZED
from lib.adapters.logging import EVENTS
from lib.errors import PermanentError, RetryableError
from lib.model.sent_requests import RequestStatus, UploadDiagnostics
from tests.fakes import START, World, passes, world
from tests.followup import test_time_until_heard
from tests.followup.days import LISTED_ALERTS, heard_after, is_listed, problem_of
from tests.rows import core_row, csv_bytes

LONGEST = timedelta(hours=2)
CONTENT = csv_bytes(
    [core_row(1, conversion_date_time=f"{START - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00")]
)

Error = PermanentError | RetryableError
Steps = Iterator[object]
"""Steps in which time passes, and each of which may log something."""


def posted(google: World, event_type: str = FINALIZED, bucket: str = "in-bucket") -> int:
    """Deliver the event of the file, and return the HTTP status."""
    if ("in-bucket", "export.csv") not in google.store.objects:
        google.store.put("in-bucket", "export.csv", CONTENT)
    generation = google.store.objects["in-bucket", "export.csv"][1]
    data = {"bucket": bucket, "name": "export.csv", "generation": str(generation)}
    event = CloudEvent({"type": event_type, "source": "storage", "time": START.isoformat()}, data)
    headers, body = to_binary(event)
    status: int = main.ingest(Request.from_values(headers=headers, data=body, method="POST"))[1]
    return status


def deliveries(google: World) -> Steps:
    """Deliver the event until it is acknowledged. The pauses grow from 10 to 600 seconds."""
    yield
    pause = 10.0
    while posted(google) >= 300:
        yield
        google.clock.sleep(pause)
        pause = min(2 * pause, 600)
    yield


def slow_deliveries(google: World) -> Steps:
    """The same, if each attempt takes as long as it may."""
    google.api.before = lambda number: google.clock.sleep(539)
    yield from deliveries(google)


def sweeps(google: World) -> Steps:
    """Sweep every 15 minutes. The last sweep was just before the cause began to matter."""
    yield
    google.clock.sleep(899)
    while True:
        yield main.sweep(flask.request)
        google.clock.sleep(900)


def no_event(google: World) -> Steps:
    """A file is dropped, and no event arrives."""
    google.store.put("in-bucket", "export.csv", CONTENT)
    google.settings = google.settings.model_copy(update={"sweep_grace_minutes": 30.0})
    yield from sweeps(google)


def no_more_files(google: World) -> Steps:
    """Files come for a day, and then no more. The next one is due now."""
    google.settings = google.settings.model_copy(update={"no_file_hours": 24.0})
    assert posted(google) == 200
    google.clock.sleep(24 * 3600)
    yield from sweeps(google)


def left_behind(google: World) -> Steps:
    """A gateway dies while it writes."""
    google.store.put("in-bucket", "export.csv.part", CONTENT)
    yield from sweeps(google)


def resending(google: World) -> Steps:
    """A row is due to be sent again."""
    cause, google.api.preflight = google.api.preflight, None
    google.api.too_recent = {"order-1"}
    assert posted(google) == 200
    google.clock.sleep(google.settings.defer_hours * 3600)
    google.api.preflight = cause
    yield from sweeps(google)


def asking(google: World) -> Steps:
    """The API is due to be asked what it has counted. It refuses or does not answer."""
    cause = google.api.preflight
    assert cause is not None

    def refuse(request_ids: Sequence[str]) -> Sequence[RequestStatus]:
        assert cause is not None
        raise cause

    google.api.preflight = None
    google.use_destination("data_manager")
    google.api.statuses = refuse
    assert posted(google) == 200
    google.clock.sleep(1800)
    yield from sweeps(google)


def diagnosing(google: World) -> Steps:
    """The diagnostics of an account are due."""
    cause = google.api.preflight
    assert cause is not None

    def refuse(customer_id: str) -> Sequence[UploadDiagnostics]:
        assert cause is not None
        raise cause

    google.api.preflight = None
    google.api.diagnostics = refuse
    google.settings = google.settings.model_copy(update={"read_diagnostics": True})
    assert posted(google) == 200
    google.clock.sleep(3600)
    yield from sweeps(google)


def fails(error: Error) -> Callable[[World], None]:
    """The destination answers everything with this error."""

    def begin(google: World) -> None:
        google.api.preflight = error

    return begin


def storage(operation: str, prefix: str, error: RetryableError) -> Callable[[World], None]:
    """Storage answers an operation on the objects below a prefix with this error."""

    def before(done: str, name: str) -> None:
        if operation in ("any", done) and name.startswith(prefix):
            raise error

    def begin(google: World) -> None:
        google.store.before = before

    return begin


def no_access(operation: str, bucket: str) -> RetryableError:
    lacking = f"the function's service account lacks {operation} on the bucket {bucket}"
    return RetryableError("STORAGE_FORBIDDEN", lacking)


def no_profiles(google: World) -> None:
    """The bucket of the profiles document may not be read."""
    google.no_profiles = no_access(READ, "profiles-bucket")


def never_answers(*operations: str) -> Callable[[World], None]:
    """Storage accepts these calls and never answers: the client stops after 90 seconds."""

    def begin(google: World) -> None:
        def before(done: str, name: str) -> None:
            if done in operations:
                google.clock.sleep(90)
                raise RetryableError("STORAGE_UNAVAILABLE", "RetryError")

        google.store.before = before

    return begin


def hangs(google: World) -> None:
    """No attempt gets an answer before its time limit."""
    google.api.after = lambda number: _raise(RetryableError("DEADLINE"))


def _raise(error: Exception) -> None:
    raise error


def nothing(google: World) -> None:
    """The cause is outside of the function."""


class Silence(NamedTuple):
    """What begins, how time passes then, and what the alert must name."""

    event: str
    begin: Callable[[World], None]
    wait: Callable[[World], Steps]
    names: str
    who: str = "sk the engineer"


READ, CREATE = "storage.objects.get", "storage.objects.create"
SILENCES = {
    "A bucket, or a permission on one, is missing (write the state)": Silence(
        "settings_invalid",
        storage("write", "_state/", no_access(CREATE, "state")),
        deliveries,
        f"{CREATE} on the bucket state",
    ),
    "A bucket, or a permission on one, is missing (write the state, follow-up)": Silence(
        "settings_invalid",
        nothing,
        lambda google: resending_without_state(google),
        f"{CREATE} on the bucket state",
    ),
    "A bucket, or a permission on one, is missing (read the state)": Silence(
        "settings_invalid",
        storage("read", "_state/", no_access(READ, "state")),
        lambda google: after_a_crash(google),
        f"{READ} on the bucket state",
    ),
    "A bucket, or a permission on one, is missing (read the profiles)": Silence(
        "settings_invalid",
        no_profiles,
        deliveries,
        f"{READ} on the bucket profiles-bucket",
    ),
    "A bucket, or a permission on one, is missing (read the file)": Silence(
        "settings_invalid",
        storage("find", "export", no_access(READ, "in-bucket")),
        deliveries,
        f"{READ} on the bucket in-bucket",
    ),
    "The sweep cannot list the input bucket (no permission)": Silence(
        "sweep_failed",
        storage("list", "", no_access("storage.objects.list", "in-bucket")),
        sweeps,
        "storage.objects.list on the bucket in-bucket",
    ),
    "A bucket, or a permission on one, is missing (write the results)": Silence(
        "settings_invalid",
        storage("write", "export", no_access(CREATE, "out-bucket")),
        deliveries,
        f"{CREATE} on the bucket out-bucket",
    ),
    "A bucket, or a permission on one, is missing (no bucket)": Silence(
        "settings_invalid",
        storage("any", "", RetryableError("BUCKET_NOT_FOUND", "state")),
        deliveries,
        "BUCKET_NOT_FOUND: state",
    ),
    "The sweep cannot list the input bucket (no bucket)": Silence(
        "sweep_failed",
        storage("list", "", RetryableError("BUCKET_NOT_FOUND", "in-bucket")),
        sweeps,
        "in-bucket",
    ),
    "A service of Google does not respond (storage: refusal)": Silence(
        "run_late",
        storage("any", "", RetryableError("STORAGE_UNAVAILABLE", "ServiceUnavailable")),
        deliveries,
        "STORAGE_UNAVAILABLE",
    ),
    "A service of Google does not respond (storage: no answer to a read)": Silence(
        "run_late", never_answers("find", "read"), deliveries, "STORAGE_UNAVAILABLE"
    ),
    "A service of Google does not respond (storage: no answer to a write)": Silence(
        "run_late", never_answers("write"), deliveries, "STORAGE_UNAVAILABLE"
    ),
    "The sweep cannot list the input bucket (no answer)": Silence(
        "sweep_failed", never_answers("list"), sweeps, "STORAGE_UNAVAILABLE", ""
    ),
    "The secret is missing or wrong, or Google refuses the credentials (none configured)": Silence(
        "run_stopped", fails(PermanentError("SECRET_NOT_SET")), deliveries, "GOOGLE_ADS_SECRET"
    ),
    "The secret is missing or wrong, or Google refuses the credentials (missing)": Silence(
        "run_stopped",
        fails(PermanentError("SECRET_NOT_FOUND", "projects/p/secrets/s/versions/1")),
        deliveries,
        "projects/p/secrets/s/versions/1",
    ),
    "The secret is missing or wrong, or Google refuses the credentials (not readable)": Silence(
        "run_stopped",
        fails(PermanentError("SECRET_NOT_READABLE", "projects/p/secrets/s")),
        deliveries,
        "roles/secretmanager.secretAccessor",
    ),
    "The secret is missing or wrong, or Google refuses the credentials (wrong)": Silence(
        "run_stopped",
        fails(PermanentError("SECRET_INVALID", "developer_token must be one text")),
        deliveries,
        "developer_token",
    ),
    "A service of Google does not respond (secrets)": Silence(
        "run_late", fails(RetryableError("SECRET_MANAGER_UNAVAILABLE")), deliveries, "SECRET_"
    ),
    "The secret is missing or wrong, or Google refuses the credentials (refused)": Silence(
        "run_stopped",
        fails(PermanentError("CREDENTIALS_REFUSED")),
        deliveries,
        "CREDENTIALS_REFUSED",
        "store it in the secret",
    ),
    "Google refuses the credentials at a follow-up (rows sent again)": Silence(
        "follow_up_blocked",
        fails(PermanentError("CREDENTIALS_REFUSED")),
        resending,
        "CREDENTIALS_REFUSED",
        "store it in the secret",
    ),
    "Google refuses the credentials at a follow-up (final status)": Silence(
        "follow_up_blocked",
        fails(PermanentError("CREDENTIALS_REFUSED")),
        asking,
        "CREDENTIALS_REFUSED",
        "store it in the secret",
    ),
    "Google refuses the credentials at a follow-up (diagnostics)": Silence(
        "follow_up_blocked",
        fails(PermanentError("CREDENTIALS_REFUSED")),
        diagnosing,
        "CREDENTIALS_REFUSED",
        "store it in the secret",
    ),
    "A service of Google does not respond (tokens)": Silence(
        "run_late", fails(RetryableError("CREDENTIALS_UNAVAILABLE")), deliveries, "CREDENTIALS_"
    ),
    "A service of Google does not respond (API: upload)": Silence(
        "run_late", fails(RetryableError("API_UNAVAILABLE")), deliveries, "API_UNAVAILABLE"
    ),
    "A service of Google does not respond (API: until the time limit)": Silence(
        "run_late", hangs, slow_deliveries, "DEADLINE"
    ),
    "A service of Google does not respond (API: rows sent again)": Silence(
        "run_late", fails(RetryableError("API_UNAVAILABLE")), resending, "API_UNAVAILABLE"
    ),
    "A service of Google does not respond (API: final status)": Silence(
        "run_late", fails(RetryableError("API_UNAVAILABLE")), asking, "API_UNAVAILABLE"
    ),
    "An older version was deployed while a newer one worked on files": Silence(
        "run_late", nothing, lambda google: after_a_newer_version(google), "has format 2"
    ),
    "The daily quota is used up (upload)": Silence(
        "quota_exhausted",
        fails(RetryableError("DAILY_QUOTA")),
        deliveries,
        "DAILY_QUOTA",
        "apply to Google",
    ),
    "The daily quota is used up (final status)": Silence(
        "quota_exhausted",
        fails(RetryableError("DAILY_QUOTA")),
        asking,
        "DAILY_QUOTA",
        "apply to Google",
    ),
    "A setting or the trigger is wrong (bucket)": Silence(
        "settings_invalid",
        nothing,
        lambda google: iter([posted(google, bucket="other-bucket")]),
        "INPUT_BUCKET",
    ),
    "A setting or the trigger is wrong (events)": Silence(
        "settings_invalid",
        nothing,
        lambda google: iter([posted(google, FINALIZED.replace("finalized", "deleted"))]),
        "the trigger",
    ),
    "No event arrives: the trigger, or a permission of it, is gone": Silence(
        "events_missing", nothing, no_event, "pubsub.publisher"
    ),
    "The account or a profile is wrong (API)": Silence(
        "run_stopped",
        fails(PermanentError("SERVICE_DISABLED")),
        deliveries,
        "SERVICE_DISABLED",
        "",
    ),
    "The account or a profile is wrong (account)": Silence(
        "run_stopped", fails(PermanentError("CUSTOMER_NOT_FOUND")), deliveries, "CUSTOMER_", ""
    ),
    "The account or a profile is wrong (profile: missing)": Silence(
        "run_stopped", lambda google: google.profiles.clear(), deliveries, "UNKNOWN_PROFILE", ""
    ),
    "The account or a profile is wrong (profile: wrong)": Silence(
        "run_stopped",
        lambda google: google.profiles["default"].update(time_zone="Berlin"),
        deliveries,
        "INVALID_PROFILE",
        "",
    ),
    "No file comes, and somebody has said when (for all profiles)": Silence(
        "no_file", nothing, no_more_files, "NO_FILE_HOLIDAYS", ""
    ),
    "A file with the name of an incomplete file stays": Silence(
        "file_ignored", nothing, left_behind, "export.csv.part", ""
    ),
}
_SWEEP = "tests/followup/test_concerns_of_a_sweep.py"
_POLICIES = "tests/terraform/test_alert_policies.py"
ELSEWHERE = {
    "A setting or the trigger is wrong (setting)": "tests/adapters/test_log_events.py",
    "The software has a bug": "tests/adapters/test_log_events.py",
    "The sweep is not called, or comes to no end": _POLICIES,
    "The trigger or the scheduler may not call the function": _POLICIES,
    "An instance runs out of memory, is killed, or does not start": _POLICIES,
    "Attempts die without a word": _SWEEP,
    "The job of an SFTP server fails": _POLICIES,
    "The job of an SFTP server does not run": _POLICIES,
}
"""Where they are tested. The page says what their time hangs on."""


def resending_without_state(google: World) -> Steps:
    """A row is sent again, and its outcome cannot be saved."""
    google.api.too_recent = {"order-1"}
    begin = storage("write", "_state/runs/", no_access(CREATE, "state"))
    assert posted(google) == 200
    google.clock.sleep(google.settings.defer_hours * 3600)
    begin(google)
    google.api.too_recent = set()
    yield from sweeps(google)


def after_a_crash(google: World) -> Steps:
    """An earlier attempt has claimed the file."""
    fault, google.store.before = google.store.before, passes
    google.api.before = lambda number: _raise(ZeroDivisionError())
    assert posted(google) == 500
    google.api.before = lambda number: None
    google.store.before = fault
    yield from deliveries(google)


def after_a_newer_version(google: World) -> Steps:
    """A newer version has claimed the file, and is gone."""
    google.api.before = lambda number: _raise(ZeroDivisionError())
    assert posted(google) == 500
    google.api.before = lambda number: None
    (name,) = (name for name in google.store.names("out-bucket") if "/claims/" in name)
    claim = json.loads(google.store.objects["out-bucket", name][0])
    google.store.put("out-bucket", name, json.dumps(claim | {"format": 2}).encode())
    yield from deliveries(google)


@pytest.mark.parametrize("cause", SILENCES)
def test_no_cause_is_silent(
    cause: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alert names what is missing, and who must do what, as soon as the page says."""
    silence = SILENCES[cause]
    google = world()
    monkeypatch.setattr(main, "_context", lambda: google.context)
    silence.begin(google)
    due: float | None = None
    with flask.Flask("test").test_request_context():
        for _ in silence.wait(google):
            due = google.clock.seconds if due is None else due
            alert = _alert(silence.event, capsys.readouterr().out)
            if alert is not None:
                break
            assert google.clock.seconds - due < LONGEST.total_seconds()
    assert alert is not None
    assert due is not None
    heard = timedelta(seconds=google.clock.seconds - due)
    assert is_listed(cause, heard), heard_after(heard)
    assert EVENTS[silence.event].startswith("ALERT")
    assert silence.names in alert
    assert silence.who in alert


def _alert(event: str, output: str) -> str | None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    found = [line for line in lines if line["event"] == event and line["severity"] == "ERROR"]
    return json.dumps(found[-1]) if found else None


def test_the_page_lists_every_cause() -> None:
    """The table in docs/operate.md has the problem of each cause, with its alert."""
    days = {name: each.kind for name, each in test_time_until_heard.CAUSES.items()}
    alerts = {cause: silence.event for cause, silence in SILENCES.items()} | days
    assert LISTED_ALERTS.keys() == {problem_of(cause) for cause in alerts.keys() | ELSEWHERE.keys()}
    for cause, alert in alerts.items():
        assert LISTED_ALERTS[problem_of(cause)] == alert, cause
