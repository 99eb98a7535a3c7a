"""The control API over HTTP, as docs/sandbox.md describes it."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta

import pytest
import requests

from sandbox.up import DEFAULT_PROFILES, INPUT_BUCKET, OUTPUT_BUCKET
from tests.rows import core_row, csv_bytes


@pytest.fixture
def call(sandbox):
    """Calls the control API; returns the status and the JSON."""

    def send(verb, path, body=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        answer = requests.request(verb, sandbox.control_url + path, data=data, timeout=90)
        return answer.status_code, answer.json()

    return send


def test_the_root_tells_where_everything_is(sandbox, call):
    """`GET /` is what `up --json` prints, and the list of routes."""
    status, answer = call("GET", "/")
    assert status == 200
    assert answer["control_url"] == sandbox.control_url
    assert answer["env"]["STORAGE_EMULATOR_HOST"] == answer["storage_url"]
    assert "PUT /faults" in answer["routes"]


def test_requests_are_one_json_document_a_line(sandbox, faulty_client):
    """NDJSON, which includes storage calls with the name of their object."""
    faulty_client.bucket(OUTPUT_BUCKET).blob("x").upload_from_string("y")
    answer = requests.get(f"{sandbox.control_url}/requests", timeout=60)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    (line,) = answer.text.splitlines()
    one = json.loads(line)
    assert (one["method"], one["name"], one["status"]) == ("storage.objects.insert", "x", "200")
    assert requests.get(f"{sandbox.control_url}/conversions", timeout=60).text == ""


def test_faults_are_set_counted_and_looked_at(sandbox, call, faulty_client):
    """A rule with a short method name counts the calls that it matches."""
    assert call("PUT", "/faults", [{"method": "get", "kind": "503", "nth": 1}])[0] == 200
    faulty_client.bucket(OUTPUT_BUCKET).blob("x").exists()
    _, answer = call("GET", "/faults")
    assert answer["rules"] == [{"method": "get", "kind": "status_503", "calls": 2, "fired": 1}]


def test_hours_pass(sandbox, call):
    """Files that come afterwards are as new as their events say; older ones have aged."""
    sandbox.drop(b"a\n1\n", "old.csv")
    before = datetime.fromisoformat(call("GET", "/clock")[1]["now"])
    after = datetime.fromisoformat(call("POST", "/clock", {"hours": 310 * 24})[1]["now"])
    assert timedelta(days=310) <= after - before < timedelta(days=311)
    sandbox.drop(b"a\n1\n", "new.csv")
    bucket = sandbox.storage_client().bucket(INPUT_BUCKET)
    old, new = (bucket.get_blob(name) for name in ("old.csv", "new.csv"))
    assert old.time_created < before < after < new.time_created
    event = sandbox.delivery.event(sandbox.delivery.records()[-1].event_id)
    assert datetime.fromisoformat(json.loads(event.body)["timeCreated"]) == new.time_created
    assert call("POST", "/clock", {"hours": -1})[0] == 400


def test_hours_pass_between_deliveries(sandbox, call):
    """One in progress ends first: to its attempt, hours would look like its own death."""
    slow = {"method": "UploadClickConversions", "kind": "latency_ms", "latency_ms": 1000}
    call("PUT", "/faults", [slow])
    sandbox.drop(csv_bytes([core_row(1)]), "slow.csv")
    # On a busy machine, it may be over before anybody has seen it in progress.
    while not (
        any(sandbox.delivery.in_flight()) or any(r.done for r in sandbox.delivery.records())
    ):
        time.sleep(0.01)
    call("POST", "/clock", {"hours": 3})
    _, (record,) = call("GET", "/deliveries")
    assert record["acknowledged"] == 1


def test_deliveries_are_visible_and_can_be_repeated(sandbox, call):
    """An event's record shows its attempts; POST /deliveries sends the event again."""
    call("PUT", "/delivery", {"duplicate": 2})
    sandbox.drop(b"a\n1\n", "x.csv")
    assert call("GET", "/idle?timeout_seconds=60") == (200, {"idle": True})
    _, (record,) = call("GET", "/deliveries")
    assert (record["name"], record["acknowledged"], record["done"]) == ("x.csv", 2, True)
    assert record["last_status"] == 200
    assert call("POST", "/deliveries", {"name": "x.csv"})[0] == 200
    assert call("GET", "/idle?timeout_seconds=60") == (200, {"idle": True})
    _, (record,) = call("GET", "/deliveries")
    assert record["acknowledged"] == 3


def test_clicks_secrets_profiles_and_accounts_are_put(sandbox, call):
    """Each PUT changes what the APIs know."""
    assert call("PUT", "/clicks", {"Cj0": "2026-11-24T10:00:00+00:00"}) == (200, {"clicks": 1})
    assert sandbox.state.clicks["Cj0"].hour == 10
    _, answer = call("PUT", "/secrets/other", b"refresh_token: none")
    assert sandbox.state.secrets[answer["secret"]] == [b"refresh_token: none"]
    call("PUT", "/profiles", {"default": {"customer_id": "1"}})
    assert json.loads(sandbox.profiles_path.read_text()) == {"default": {"customer_id": "1"}}
    _, answer = call("PUT", "/accounts", [{"customer_id": "42"}])
    assert answer == {"accounts": ["42"]}


def test_delete_state_makes_everything_new(sandbox, call):
    """Objects, events, faults, accounts and profiles are the initial ones again."""
    sandbox.drop(b"a\n1\n", "x.csv")
    call("PUT", "/profiles", {})
    call("PUT", "/accounts", [])
    call("PUT", "/faults", [{"method": "*", "kind": "unavailable"}])
    assert call("DELETE", "/state") == (200, {"cleared": True})
    assert list(sandbox.storage_client().list_blobs("sandbox-input")) == []
    assert sandbox.delivery.records() == []
    assert sandbox.faults.fired() == []
    assert json.loads(sandbox.profiles_path.read_text()) == DEFAULT_PROFILES
    assert "1234567890" in sandbox.state.accounts


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "words"),
    [
        ("GET", "/nothing", None, 404, "unknown path /nothing"),
        ("DELETE", "/accounts", None, 405, "/accounts does not support DELETE; use PUT /accounts"),
        ("PUT", "/faults", b"{", 400, "Invalid JSON"),
        ("PUT", "/faults", {}, 400, "valid array"),
        ("PUT", "/faults", [{"kind": "oops"}], 400, "unknown kind 'oops'"),
        ("PUT", "/accounts", [{"customer_id": "1-2"}], 400, "customer_id"),
        ("PUT", "/delivery", {"concurrency": 0}, 400, "concurrency: Input should be greater"),
        ("PUT", "/clicks", {"a": "yesterday"}, 400, "a: Input should be a valid datetime"),
        ("PUT", "/clicks", {"a": "2026-11-24T10:00:00"}, 400, "a: Input should have timezone"),
        ("PUT", "/secrets/", b"x", 400, "the name is missing"),
        ("POST", "/deliveries", {"name": "never.csv"}, 404, "no event matches"),
        ("POST", "/deliveries", {"copies": 0}, 400, "copies: Input should be greater"),
        ("GET", "/idle?timeout_seconds=soon", None, 400, "must be a number"),
    ],
)
def test_an_error_says_what_is_wrong(call, verb, path, body, status, words):
    """It is a 4xx with a message in JSON."""
    code, answer = call(verb, path, body)
    assert code == status
    assert words in answer["error"]


def test_values_are_one_json_document_a_line(sandbox):
    """NDJSON, one conversion a line."""
    for path in ("/values", "/values?order_id=A-1", "/adjustments"):
        assert requests.get(f"{sandbox.control_url}{path}", timeout=60).text == ""
