"""Somebody removes a permission that the function needs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.whole.recovery.conftest import FUNCTION, SETTINGS
from tests.whole.recovery.files import finish, log_lines, make_file, until

PROFILES = "config/profiles.json"


@pytest.fixture(scope="module")
def google() -> Iterator[Sandbox]:
    """A function that reads its profiles from an object."""
    settings = {**SETTINGS, "PROFILES": f"gs://{OUTPUT_BUCKET}/{PROFILES}"}
    with Sandbox(source=FUNCTION, env=settings) as running:
        running.delivery.set(backoff_seconds=0.2, max_backoff_seconds=0.5)
        yield running


def write_profiles(google: Sandbox, document: str) -> None:
    google.storage_client().bucket(OUTPUT_BUCKET).blob(PROFILES).upload_from_string(document)


def test_profiles_that_can_not_be_read(google: Sandbox) -> None:
    """Each attempt sends an alert, and a file that is too old ends with a document."""
    write_profiles(google, json.dumps(DEFAULT_PROFILES))
    google.faults.set([{"method": "get", "target": f"*/{PROFILES}", "kind": "status_403"}])
    file = make_file("waiting.csv", 20, seed=1).drop(google)
    until(lambda: google.faults.fired()[0]["fired"] >= 2)
    google.clock.advance(25)
    document = finish(google, file)
    google.clock.reset()
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


def test_profiles_that_somebody_edited_wrongly(google: Sandbox) -> None:
    """The file is stopped in words, and the next one works as soon as the document is correct."""
    google.kill_working()  # a new instance has read no profiles yet
    write_profiles(google, '{\n"default": {"customer_id": "1234567890"\n')
    document = finish(google, make_file("edited.csv", 20, seed=2).drop(google))
    assert (document["status"], document["file_error"]["code"]) == ("stopped", "INVALID_PROFILE")
    assert "line 3 column 1" in document["file_error"]["detail"]
    write_profiles(google, json.dumps(DEFAULT_PROFILES))
    document = finish(google, make_file("corrected.csv", 20, seed=2).drop(google))
    assert document["status"] != "stopped"
    assert document["counts"]["uploaded"] > 0
