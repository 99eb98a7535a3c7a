"""Requests to the real functions-framework: what is processed, and what is acknowledged.

Eventarc retries everything that is not a 2xx for 24 hours, so a request that can never succeed must
be acknowledged (https://cloud.google.com/eventarc/docs/retry-events).
"""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from sandbox.delivery import FINALIZED
from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.rows import core_row, csv_bytes

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "1096434104173400",
    "source": f"//storage.googleapis.com/projects/_/buckets/{INPUT_BUCKET}",
    "type": FINALIZED,
    "time": "2026-11-24T12:00:00Z",
}


def post(google: Sandbox, headers: dict[str, str], body: bytes, method: str = "POST") -> int:
    """Send a request to the function, and return the HTTP status."""
    url: str = google.description()["function_url"]
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def headers_of(**attributes: str) -> dict[str, str]:
    merged = {**ATTRIBUTES, **attributes}
    return {"Content-Type": "application/json"} | {f"ce-{k}": v for k, v in merged.items()}


def last_line(google: Sandbox) -> dict[str, Any]:
    lines = [line for line in google.function_output().splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def calls_of_a_run(google: Sandbox) -> set[str]:
    """Return the methods that were called, without those of a process that starts.

    Its other threads read the secret and fetch a token. On a busy machine they may still do so.
    """
    called = {each["method"] for each in google.state.request_log()}
    return called - {"metadata.token", "secret_manager.AccessSecretVersion"}


OBJECT = {"bucket": INPUT_BUCKET, "name": "never.csv", "generation": "1", "size": "9"}


def test_a_request_that_reports_no_object_is_acknowledged(google: Sandbox) -> None:
    """It is logged with a reason, answered with a 2xx, and storage is not called."""
    headers = headers_of(type="google.cloud.storage.object.v1.deleted")
    assert post(google, headers, json.dumps(OBJECT).encode()) == 200
    line = last_line(google)
    assert (line["event"], line["severity"]) == ("event_ignored", "WARNING")
    assert line["reason"]
    assert "never.csv" not in json.dumps(line)
    assert not calls_of_a_run(google)


def test_a_probe_is_acknowledged(google: Sandbox) -> None:
    """A GET is not an event either."""
    assert post(google, {}, b"", "GET") == 200
    assert last_line(google)["event"] == "event_ignored"


def test_an_object_of_another_bucket_is_never_processed(google: Sandbox) -> None:
    """It raises an alert that names both places to correct, and is acknowledged."""
    data = {**OBJECT, "bucket": OUTPUT_BUCKET, "name": "export.csv"}
    assert post(google, headers_of(), json.dumps(data).encode()) == 200
    line = last_line(google)
    assert (line["event"], line["severity"]) == ("settings_invalid", "ERROR")
    problem = line["detail"]
    assert problem.startswith("INPUT_BUCKET: ")
    assert OUTPUT_BUCKET in problem
    assert not calls_of_a_run(google)


@pytest.mark.parametrize("size", ["5", "999999", None])
def test_the_size_is_taken_from_storage(google: Sandbox, size: str | None) -> None:
    """An event in structured mode is processed, whatever it says about the object's size."""
    google.delivery.set(drop=True)
    name, generation = google.drop(csv_bytes([core_row(1), core_row(2)]), "sales.csv")
    data = {"bucket": INPUT_BUCKET, "name": name, "generation": str(generation), "size": size}
    event = {**ATTRIBUTES, "time": None, "data": data}
    headers = {"Content-Type": "application/cloudevents+json"}
    assert post(google, headers, json.dumps(event).encode()) == 200
    assert google.results(name, generation)["counts"]["uploaded"] == 2
