"""The storage of the sandbox, with the real client."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from google.api_core import exceptions

from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET


@pytest.fixture
def bucket(faulty_client):
    return faulty_client.bucket(OUTPUT_BUCKET)


def _calls(sandbox):
    return [
        (one["method"], one["status"]) for one in sandbox.state.request_log() if "bucket" in one
    ]


def test_the_quiet_port_is_neither_logged_nor_broken(sandbox):
    """Reading through it does not disturb a test that counts or breaks calls."""
    sandbox.faults.set([{"method": "storage.*", "kind": "status_503"}])
    sandbox.storage_client().bucket(OUTPUT_BUCKET).blob("x").upload_from_string("y")
    assert _calls(sandbox) == []


WRITES = {
    "upload": lambda bucket, wrong: bucket.blob("x").upload_from_string(
        "new", if_generation_match=wrong
    ),
    "resumable upload": lambda bucket, wrong: bucket.blob("x", chunk_size=262144).upload_from_file(
        io.BytesIO(b"n" * 600_000), if_generation_match=wrong
    ),
    "delete": lambda bucket, wrong: bucket.blob("x").delete(if_generation_match=wrong),
    "read": lambda bucket, wrong: bucket.blob("x").download_as_bytes(if_generation_match=wrong),
    "look": lambda bucket, wrong: bucket.blob("x").reload(if_generation_match=wrong),
}


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
def test_a_generation_precondition_is_kept(bucket, call):
    """The proxy enforces what fake-gcs-server forgets: 412, and the object does not change."""
    blob = bucket.blob("x")
    blob.upload_from_string("first")
    old = blob.generation
    blob.upload_from_string("second")
    with pytest.raises(exceptions.PreconditionFailed):
        call(bucket, old)
    assert bucket.blob("x").download_as_bytes(if_generation_match=blob.generation) == b"second"


def test_a_precondition_means_the_live_generation_even_if_old_ones_are_kept(sandbox):
    """The input bucket keeps old versions, which only `generation=` reads."""
    sandbox.delivery.set(paused=True)
    bucket = sandbox.storage_client().bucket(INPUT_BUCKET)
    blob = bucket.blob("x.csv")
    blob.upload_from_string("first")
    old = blob.generation
    blob.upload_from_string("second")
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("x.csv").download_as_bytes(if_generation_match=old)
    assert bucket.blob("x.csv", generation=old).download_as_bytes() == b"first"


def test_a_delete_of_a_generation_that_is_gone_deletes_nothing(bucket):
    """`generation=` on a delete names exactly one version."""
    blob = bucket.blob("x")
    blob.upload_from_string("first")
    old = blob.generation
    blob.upload_from_string("second")
    with pytest.raises(exceptions.NotFound):
        bucket.blob("x", generation=old).delete()
    assert bucket.blob("x").exists()


def _won(call):
    try:
        call()
    except (exceptions.PreconditionFailed, exceptions.NotFound):
        return False
    return True


@pytest.mark.parametrize("kind", ["create", "swap", "delete", "resumable"])
def test_one_of_many_writers_wins_a_race(bucket, kind):
    """Check and write are atomic: of eight simultaneous writers, exactly one succeeds."""
    for round_number in range(6):
        name, generation = f"{kind}{round_number}", 0
        if kind in {"swap", "delete"}:
            blob = bucket.blob(name)
            blob.upload_from_string("first")
            generation = blob.generation

        def write(number, name=name, generation=generation):
            blob = bucket.blob(name)
            if kind == "delete":
                return _won(lambda: blob.delete(if_generation_match=generation, retry=None))
            if kind == "resumable":
                blob.chunk_size = 262144
            data = io.BytesIO(bytes([number]) * (300_000 if kind == "resumable" else 10))
            return _won(
                lambda: blob.upload_from_file(data, if_generation_match=generation, retry=None)
            )

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(write, range(8))).count(True) == 1


def _media(client, bucket):
    bucket.blob("in.csv").upload_from_string("a\n1\n")


def _resumable(client, bucket):
    blob = bucket.blob("in.csv", chunk_size=262144)
    blob.upload_from_file(io.BytesIO(b"a\n" * 300_000))


def _rewrite(client, bucket):
    source = client.bucket(OUTPUT_BUCKET).blob("other")
    source.upload_from_string("a\n1\n")
    bucket.blob("in.csv").rewrite(source)


@pytest.mark.parametrize("create", [_media, _resumable, _rewrite])
def test_every_way_to_create_an_object_is_one_event(sandbox, faulty_client, create):
    """Upload in one or several requests, or rewrite: one event each, for the input bucket."""
    bucket = faulty_client.bucket(INPUT_BUCKET)
    create(faulty_client, bucket)
    assert sandbox.delivery.wait_until_idle()
    blob = bucket.get_blob("in.csv")
    assert [(one.name, one.generation) for one in sandbox.delivery.records()] == [
        ("in.csv", str(blob.generation))
    ]


def test_a_plain_http_upload_with_curl_is_an_event_too(sandbox):
    """`uploadType=media` in HTTP/1.1 chunks, as curl sends them from a pipe."""
    url = f"{sandbox.storage.url}/upload/storage/v1/b/{INPUT_BUCKET}/o"
    query = {"uploadType": "media", "name": "piped.csv"}
    answer = requests.post(url, params=query, data=iter([b"a\n", b"1\n"]), timeout=60)
    assert answer.status_code == 200
    assert sandbox.results("piped.csv", int(answer.json()["generation"]))["counts"]["rows"] == 1
