"""Somebody removes a permission that the function needs."""

from __future__ import annotations

import json

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import finish, log_lines, make_file

PROFILES = "config/profiles.json"


def test_profiles_that_can_not_be_read() -> None:
    """Each attempt sends an alert, and a file that is too old ends with a document."""
    settings = {
        **SETTINGS,
        "PROFILES": f"gs://{OUTPUT_BUCKET}/{PROFILES}",
        "MAX_EVENT_AGE_HOURS": "0.001",
    }
    with Sandbox(source=FUNCTION, env=settings) as google:
        google.delivery.set(backoff_seconds=0.2, max_backoff_seconds=0.5)
        bucket = google.storage_client().bucket(OUTPUT_BUCKET)
        bucket.blob(PROFILES).upload_from_string(json.dumps(DEFAULT_PROFILES))
        google.faults.set([{"method": "get", "target": f"*/{PROFILES}", "kind": "status_403"}])
        document = finish(google, make_file("waiting.csv", 20, seed=1).drop(google))
        assert document["status"] == "stopped"
        assert document["file_error"]["code"] == "STALE"
        assert "STORAGE_FORBIDDEN" in document["file_error"]["detail"]
        assert document["counts"]["not_attempted"] == document["counts"]["rows"] == 20
        assert not google.state.accepted
        alerts = [line for line in log_lines(google) if line["severity"] == "ERROR"]
        assert {line["event"] for line in alerts} == {"settings_invalid", "run_stale"}
        google.faults.clear()
        again = make_file("again.csv", 20, seed=1).drop(google)
        assert finish(google, again)["status"] != "stopped"
