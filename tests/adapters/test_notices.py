"""Messages about finished files, sent by the real Pub/Sub client to a local server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
import pytest
from google.pubsub_v1.types import PublishRequest, PublishResponse

from lib.adapters.logging import JsonLog
from lib.adapters.notices import announcer, send_heartbeat
from lib.run.deliver import process_object
from tests.fakes import START, world
from tests.rows import core_row, csv_bytes

TOPIC = "projects/sandbox-project/topics/results"
MESSAGE = {"bucket": "out", "name": "a.csv.1.results.json", "status": "completed", "counts": {}}


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A Pub/Sub server that keeps all requests; the client finds it by an environment variable."""
    kept: list[Any] = []

    def publish(body: bytes, context: grpc.ServicerContext) -> bytes:
        request = PublishRequest.pb(PublishRequest.deserialize(body))
        kept.append(request)
        if request.topic.endswith("forbidden"):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not yours")
        return PublishResponse.serialize(PublishResponse(message_ids=["1"]))

    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(publish)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    yield kept
    server.stop(None)


def test_a_finished_file_is_announced(published: list[Any]) -> None:
    """The message names the results document and its counts, as JSON."""
    announcer(TOPIC, JsonLog())(MESSAGE)
    (request,) = published
    assert request.topic == TOPIC
    assert json.loads(request.messages[0].data) == MESSAGE
    assert request.messages[0].attributes["status"] == "completed"


def test_the_page_shows_a_real_message() -> None:
    """The example in docs/operate.md has the keys and the counts of a real message."""
    page = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
    match = re.search(r"<!-- message -->\n```json\n(.*?)```", page, re.DOTALL)
    assert match is not None
    shown = json.loads(match[1])
    google = world()
    time = f"{START - timedelta(days=2):%Y-%m-%d %H:%M:%S}+00:00"
    rows = [core_row(n, conversion_date_time=time) for n in range(1, 4)]
    rows[1]["phone"] = "12"
    rows[2]["conversion_date_time"] = "yesterday"
    source = google.store.put("in-bucket", "sales.csv", csv_bytes(rows))
    day = timedelta(days=1)
    process_object(source, google.clock.utc(), google.context, time_limit_seconds=540, max_age=day)
    (message,) = google.announced
    assert message["name"] == f"sales.csv.{source.generation}.results.json"
    assert (message["bucket"], message["status"]) == ("out-bucket", "completed")
    assert message["counts"] == shown["counts"]
    assert (set(message), shown["status"]) == (set(shown), "completed")


def test_a_message_that_cannot_be_sent_is_logged(
    published: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A message that cannot be sent raises an alert, and does not fail the run."""
    announcer("projects/p/topics/forbidden", JsonLog())(MESSAGE)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["severity"]) == ("announce_failed", "ERROR")
    assert "roles/pubsub.publisher on projects/p/topics/forbidden" in line["action"]
    assert line["detail"] == MESSAGE["name"]


def test_without_a_topic_nothing_is_sent(published: list[Any]) -> None:
    """Without a topic, no message is sent."""
    announcer("", JsonLog())(MESSAGE)
    assert published == []


@pytest.mark.parametrize("status, lines", [(200, 0), (500, 1)])
def test_a_heartbeat_is_one_call(
    status: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service that refuses it costs the sweep nothing but a log line, without the address."""
    called: list[str] = []

    class Watcher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Watcher) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        send_heartbeat(f"http://127.0.0.1:{server.server_port}/secret", JsonLog())
        server.shutdown()
    assert called == ["/secret"]
    output = capsys.readouterr().out
    assert output.count("heartbeat_failed") == 2 * lines
    assert "/secret" not in output


def test_no_heartbeat_without_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is called, and nothing logged."""
    send_heartbeat("", JsonLog())
    assert capsys.readouterr().out == ""
