"""Event delivery: at least once, retried until a 2xx, and the failures that a test can cause."""

from __future__ import annotations

import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import ValidationError

from sandbox.delivery import Delivery, DeliverySettings

RESOURCE = {
    "kind": "storage#object",
    "bucket": "sandbox-input",
    "name": "a/b ü 100%.csv",
    "generation": "5",
    "metageneration": "1",
    "size": "12",
    "contentType": "text/csv",
    "md5Hash": "XUFAKrxLKna5cZ2REBfFkg==",
    "crc32c": "mnG7TA==",
    "timeCreated": "2026-11-24T14:14:52.604247Z",
    "acl": [],
}


class Receiver:
    """A function with given responses. It records its events, and how many came at a time.

    Each waits for the semaphore `turn`, if there is one.
    """

    def __init__(self, statuses=(), turn=None):
        self.statuses, self.turn = list(statuses), turn
        self.received, self.at_once, self.most_at_once = [], 0, 0
        self.lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(dict(self.headers), body)
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def take(self, headers, body):
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.received.append((time.monotonic(), headers, json.loads(body)))
            status = self.statuses.pop(0) if self.statuses else 204
        if self.turn is not None:
            self.turn.acquire()
        with self.lock:
            self.at_once -= 1
        return status

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def made():
    """Makes a delivery with receivers, and closes both after the test."""
    things = []

    def make(*receivers, **settings):
        delivery = Delivery([one.url for one in receivers], DeliverySettings(**settings))
        things.extend([delivery, *receivers])
        return delivery

    yield make
    for thing in things:
        thing.close()


def _until(condition):
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def test_an_event_is_a_binary_mode_cloud_event(made):
    """Headers and body are those of Eventarc; all values of the body are strings."""
    receiver = Receiver()
    delivery = made(receiver)
    record = delivery.finalized(RESOURCE)
    assert delivery.wait_until_idle()
    _, headers, body = receiver.received[0]
    assert {key.lower(): value for key, value in headers.items() if key.startswith("ce-")} == {
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-id": record.event_id,
        "ce-time": "2026-11-24T14:14:52.604247Z",
        "ce-source": "//storage.googleapis.com/projects/_/buckets/sandbox-input",
        "ce-subject": "objects/a/b%20%C3%BC%20100%25.csv",
        "ce-bucket": "sandbox-input",
    }
    assert body == {key: value for key, value in RESOURCE.items() if key != "acl"}


def test_a_failed_delivery_comes_again_with_growing_waits(made):
    """After a 5xx, a 4xx or a broken connection, the event is retried, later each time."""
    receiver = Receiver(statuses=[500, 429, 0])
    delivery = made(receiver, backoff_seconds=0.04, max_backoff_seconds=1)
    record = delivery.finalized(RESOURCE)
    assert delivery.wait_until_idle()
    assert [attempt.status for attempt in record.attempts] == [500, 429, 0, 204]
    assert len({headers["ce-id"] for _, headers, _ in receiver.received}) == 1
    times = [when for when, _, _ in receiver.received]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits[0] >= 0.04
    assert waits[1] >= 0.08
    assert waits[2] >= 0.16
    assert record.done


def test_an_event_is_given_up_when_its_time_is_over(made):
    """After the time limit, the event is not retried, as after 24 hours at Google."""
    receiver = Receiver(statuses=[500] * 100)
    delivery = made(receiver, backoff_seconds=0.02, time_limit_seconds=0.1)
    record = delivery.finalized(RESOURCE)
    assert delivery.wait_until_idle()
    assert (record.acknowledged, record.given_up, record.done) == (0, 1, True)
    receiver.statuses[:] = [500]
    delivery.set(time_limit_seconds=60)
    record.created -= 3_600
    delivery.again(record.event_id)
    assert delivery.wait_until_idle()
    assert record.acknowledged == 1, "an event that is sent again has its whole time again"


@pytest.mark.parametrize(("instances", "concurrency", "most"), [(1, None, 1), (2, None, 2),
                                                                (1, 8, 8), (3, 2, 2)])  # fmt: skip
def test_no_more_deliveries_than_allowed_are_in_flight(made, instances, concurrency, most):
    """One per instance by default, more or fewer if set; duplicates are sent in parallel."""
    turn = threading.Semaphore(0)
    receivers = [Receiver(turn=turn) for _ in range(instances)]
    delivery = made(*receivers, duplicate=8, concurrency=concurrency)
    record = delivery.finalized(RESOURCE)
    for ended in range(8):
        arrived = min(8, most + ended)
        _until(lambda arrived=arrived: sum(len(one.received) for one in receivers) == arrived)
        assert sum(delivery.in_flight()) == min(most, 8 - ended)
        turn.release()
        _until(lambda ended=ended: record.acknowledged == ended + 1)
    assert max(one.most_at_once for one in receivers) == -(-most // instances)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"duplicates": 2}, "duplicates\n  Unexpected keyword"),
        ({"duplicate": 0}, "duplicate\n  Input should be greater"),
        ({"concurrency": "many"}, "concurrency\n  Input should be a valid integer"),
        ({"paused": "often"}, "paused\n  Input should be a valid boolean"),
        ({"backoff_seconds": -1}, "backoff_seconds\n  Input should be greater"),
    ],
)
def test_wrong_settings_are_named(changes, words):
    """The message names the wrong setting and says what it accepts."""
    with pytest.raises(ValidationError, match=words):
        DeliverySettings().changed(changes)
