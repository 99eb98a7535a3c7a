"""The HTTP proxy in front of fake-gcs-server: faults, request log, preconditions, new objects.

It adds what the binary lacks. Google honours `ifGenerationMatch` on every object call
(https://cloud.google.com/storage/docs/request-preconditions); the binary only on one-request
uploads. So the proxy checks it, under a lock per object if a check and a write must be atomic.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn
from urllib.parse import quote

from sandbox.faults import Fault
from sandbox.storage_answers import (
    STATUS_FAULTS,
    Answer,
    at_our_port,
    error_answer,
    first_byte,
    refusal,
    target_of,
)
from sandbox.storage_calls import Call, StorageCall, finalized_object, understand

_BLOCK = 1 << 18
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_NOT_PASSED_ON = _HOP_BY_HOP | {"date"}  # of an answer


@dataclass(frozen=True, slots=True)
class Hooks:
    """The callbacks of the proxy.

    `decide` chooses a fault for a method and object, or None. `now` is the time of all answers.
    """

    decide: Callable[[str, str], Fault | None]
    log: Callable[[StorageCall], None]
    finalized: Callable[[dict[str, Any]], None]
    on_kill: Callable[[], None]
    now: Callable[[], datetime]


@dataclass(slots=True)
class ObjectLocks:
    """One lock per object, so that a check and the following write are atomic."""

    _guard: threading.Lock = field(default_factory=threading.Lock)
    _locks: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)

    @contextmanager
    def holding(self, bucket: str, name: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault((bucket, name), threading.Lock())
        with lock:
            yield


class ProxyServer(ThreadingHTTPServer):
    """Listens on its own port. `faulty`: whether faults and the log apply to its callers."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, *, faulty: bool, hooks: Hooks, locks: ObjectLocks) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faulty = faulty
        self.hooks = hooks
        self.locks = locks
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.backend_port = 0
        self.external_url = ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing when a client disconnects, so that the sandbox's output stays readable."""


def _with_flipped_bit(block: bytes, at: int) -> bytes:
    if not 0 <= at < len(block):
        return block
    return block[:at] + bytes([block[at] ^ 1]) + block[at + 1 :]


class _Broken(Exception):
    """The connection to the client must end now, after `sent` bytes of the response body."""

    def __init__(self, sent: int = 0) -> None:
        super().__init__()
        self.sent = sent


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: ProxyServer

    def setup(self) -> None:
        super().setup()
        self._backend = http.client.HTTPConnection("127.0.0.1", self.server.backend_port)

    def finish(self) -> None:
        self._backend.close()
        with suppress(OSError):
            super().finish()

    def log_message(self, *args: Any) -> None:
        """Print nothing: calls are in the sandbox's request log."""

    def _serve(self) -> None:
        started, clock = time.time(), time.monotonic()
        body = self._read_body()
        call = understand(self.command, self.path, body, self.headers.get("Content-Type", ""))
        fault = (
            self.server.hooks.decide(call.method, f"{call.bucket}/{call.name}")
            if self.server.faulty
            else None
        )

        def log(status: int, response_bytes: int) -> None:
            if self.server.faulty:
                self.server.hooks.log(
                    StorageCall(
                        method=call.method,
                        bucket=call.bucket,
                        name=call.name,
                        status=status,
                        request_bytes=len(body),
                        response_bytes=response_bytes,
                        started=started,
                        milliseconds=(time.monotonic() - clock) * 1000,
                        fault=fault.kind if fault else None,
                    )
                )

        # Log before the last bytes are sent: a client with the response finds the call in the log.
        self._log = log
        try:
            self._answer(call, body, fault)
        except _Broken as broken:
            log(0, broken.sent)
            self._break_off()
        except (OSError, http.client.HTTPException):  # either end disconnected
            self._break_off()

    def _break_off(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    # http.server's names
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _answer(self, call: Call, body: bytes, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        if fault and fault.latency_seconds:
            time.sleep(fault.latency_seconds)
        if kind in STATUS_FAULTS:
            self._send(error_answer(*STATUS_FAULTS[kind]))
            return
        if kind == "kill_before":
            self.server.hooks.on_kill()
            raise _Broken
        limit = int(fault.parameters[kind]) if fault and kind == "cut_read_after_bytes" else None
        if call.reads_media and kind != "kill_after":
            flipped = int(fault.parameters[kind]) if fault and kind == "flip_bit_at_byte" else None
            self._send_media(call, limit, flipped)
            return
        with self.server.locks.holding(call.bucket, call.name) if call.writes else nullcontext():
            answer = refusal(call, self._generation) or self._forward(
                target_of(call, self.path), body, call
            )
        if answer.status < 300 and (created := finalized_object(call, answer.body)):
            self.server.hooks.finalized(created)
        if kind == "kill_after":
            self.server.hooks.on_kill()
            raise _Broken
        answer = at_our_port(answer, call, self.server.url, self.server.external_url)
        self._send(answer, limit)

    def _request(self, verb: str, target: str, body: bytes) -> http.client.HTTPResponse:
        self._backend.putrequest(verb, target, skip_host=True, skip_accept_encoding=True)
        for key, value in self.headers.items():
            if key.lower() not in _HOP_BY_HOP:
                self._backend.putheader(key, value)
        if body or verb in {"POST", "PUT", "PATCH"}:
            self._backend.putheader("Content-Length", str(len(body)))
        self._backend.endheaders(body or None)
        return self._backend.getresponse()

    def _forward(self, target: str, body: bytes, call: Call) -> Answer:
        response = self._request(self.command, target, body)
        content = response.read()
        headers = [(k, v) for k, v in response.getheaders() if k.lower() not in _NOT_PASSED_ON]
        return Answer(response.status, response.reason, headers, content)

    def _generation(self, call: Call) -> int | None:
        """The object's live generation, or None if the object does not exist."""
        path = f"/storage/v1/b/{quote(call.bucket, '')}/o/{quote(call.name, '')}"
        self._backend.request("GET", path)
        response = self._backend.getresponse()
        content = response.read()
        return int(json.loads(content)["generation"]) if response.status == 200 else None

    def _send_media(self, call: Call, limit: int | None, flipped: int | None) -> None:
        """Streams an object. A precondition selects the generation: check and read are atomic.

        One bit of the byte `flipped` of the object is wrong.
        """
        target = self.path
        if (wanted := call.query.get("ifGenerationMatch")) and "generation" not in call.query:
            target += f"&generation={wanted}"
        elif call.query.get("ifGenerationNotMatch") and (unmet := refusal(call, self._generation)):
            self._send(unmet)
            return
        response = self._request(self.command, target, b"")
        if response.status == 404 and wanted:
            response.read()
            gone = error_answer(404, "notFound", f"No such object: {call.bucket}/{call.name}")
            self._send(refusal(call, self._generation) or gone)
            return
        self._begin(response.status, response.reason)
        length = response.getheader("Content-Length")
        for key, value in response.getheaders():
            if key.lower() not in _NOT_PASSED_ON:
                self.send_header(key, value)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", length)
        self.end_headers()
        first = first_byte(self.headers.get("Range", ""))
        sent, block = 0, response.read(_BLOCK)
        while block:
            if limit is not None and sent + len(block) > limit:
                self._cut(block[: limit - sent], limit)
            following = response.read(_BLOCK)
            if flipped is not None:
                block = _with_flipped_bit(block, flipped - first - sent)
            sent += len(block)
            if not following:
                self._log(response.status, sent)
            self.wfile.write(block)
            block = following
        if not sent:
            self._log(response.status, 0)

    def _begin(self, status: int, reason: str) -> None:
        self.send_response_only(status, reason)
        self.send_header("Date", format_datetime(self.server.hooks.now(), usegmt=True))

    def _cut(self, block: bytes, limit: int) -> NoReturn:
        self.wfile.write(block)
        self.wfile.flush()
        raise _Broken(limit)

    def _send(self, answer: Answer, limit: int | None = None) -> None:
        self._begin(answer.status, answer.reason)
        for key, value in answer.headers:
            self.send_header(key, value)
        # 204 and 304 have no body and no length; HEAD has a length and no body.
        if answer.status not in {204, 304}:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = b"" if self.command == "HEAD" else answer.body
        if limit is not None and len(body) > limit:
            self._cut(body[:limit], limit)
        self._log(answer.status, len(body))
        self.wfile.write(body)
