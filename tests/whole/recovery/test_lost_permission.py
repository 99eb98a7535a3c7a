"""Somebody removes a permission that the function needs, or breaks the profiles document."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import OUTPUT_BUCKET, Sandbox
from tests.whole.recovery.conftest import running_function
from tests.whole.recovery.files import finish, log_lines, make_file, until

PROFILES = "config/profiles.json"


@pytest.fixture(scope="module")
def google() -> Iterator[Sandbox]:
    """A function that reads its profiles from an object."""
    with running_function({"PROFILES": f"gs://{OUTPUT_BUCKET}/{PROFILES}"}) as running:
        yield running


def write_profiles(google: Sandbox, document: str) -> None:
    google.storage_client().bucket(OUTPUT_BUCKET).blob(PROFILES).upload_from_string(document)


def test_profiles_that_can_not_be_read(google: Sandbox) -> None:
    """Each attempt sends an alert, and the file is sent as soon as the permission is back."""
    write_profiles(google, json.dumps(DEFAULT_PROFILES))
    google.faults.set([{"method": "get", "target": f"*/{PROFILES}", "kind": "status_403"}])
    file = make_file("waiting.csv", 20, 1, ("click",)).drop(google)
    until(lambda: google.faults.fired()[0]["fired"] >= 2)
    assert not google.state.accepted
    alerts = [line for line in log_lines(google, file) if line["severity"] == "ERROR"]
    assert {(line["event"], line["code"]) for line in alerts} == {
        ("settings_invalid", "STORAGE_FORBIDDEN")
    }
    google.faults.clear()
    assert finish(google, file)["counts"]["uploaded"] == 20


def test_profiles_that_somebody_edited_wrongly(google: Sandbox) -> None:
    """The file is stopped in words, and the next one works as soon as the document is correct."""
    google.kill_working()  # a new instance has read no profiles yet
    write_profiles(google, '{\n"default": {"customer_id": "1234567890"\n')
    document = finish(google, make_file("edited.csv", 20, seed=2).drop(google))
    assert (document["status"], document["file_error"]["code"]) == ("stopped", "INVALID_PROFILE")
    assert "line 3 column 1" in document["file_error"]["detail"]
    write_profiles(google, json.dumps(DEFAULT_PROFILES))
    document = finish(google, make_file("corrected.csv", 20, 2, ("click",)).drop(google))
    assert document["counts"]["uploaded"] == 20
