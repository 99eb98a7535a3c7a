"""The HTTP proxy in front of fake-gcs-server: faults, request log, preconditions, new objects.

It adds what the binary lacks. Google honours `ifGenerationMatch` on every request for an object
(https://cloud.google.com/storage/docs/request-preconditions); the binary only on one-request
uploads. So the proxy checks it, under a lock per object if a check and a write must be atomic.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from sandbox.faults import Fault
from sandbox.storage_requests import Operation, StorageRequest, finalized_object, understand

_BLOCK = 1 << 18
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_NOT_PASSED_ON = _HOP_BY_HOP | {"date"}  # of an answer
# A time in the resource of an object.
_TIME = re.compile(
    rb'(?P<key>"(?:timeCreated|updated|timeDeleted)":\s*")(?P<time>[0-9T:.Z+-]+)(?=")'
)
_STATUS_FAULTS = {
    "status_503": (503, "backendError", "The service is unavailable (a fault of the sandbox)"),
    "status_429": (429, "rateLimitExceeded", "The rate limit was exceeded (a fault)"),
    "status_403": (403, "forbidden", "The caller does not have access to the object (a fault)"),
    "status_401": (401, "authError", "Invalid Credentials (a fault)"),
    "status_412": (412, "conditionNotMet", "A precondition did not hold (a fault)"),
}


@dataclass(frozen=True, slots=True)
class Hooks:
    """The callbacks of the proxy.

    `decide` chooses a fault for a method and object, or None. `moved`: a real time → that of the
    sandbox, which all answers have.
    """

    decide: Callable[[str, str], Fault | None] = lambda method, target: None
    log: Callable[[StorageRequest], None] = lambda request: None
    finalized: Callable[[dict[str, Any]], None] = lambda created: None
    on_kill: Callable[[], None] = lambda: None
    moved: Callable[[datetime], datetime] = lambda real: real


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
        """Print nothing: requests are in the sandbox's log."""

    def _serve(self) -> None:
        began, started = time.monotonic(), datetime.now(UTC)
        body = self._read_body()
        operation = understand(self.command, self.path, body, self.headers.get("Content-Type", ""))
        hooks, faulty = self.server.hooks, self.server.faulty
        fault = hooks.decide(operation.method, operation.path) if faulty else None

        def log(status: int, response_bytes: int) -> None:
            request = StorageRequest(operation.method, "", started, len(body), None)
            request.bucket, request.name = operation.bucket, operation.name
            request.status, request.response_bytes = str(status), response_bytes
            request.fault = fault.kind if fault else None
            request.seconds = time.monotonic() - began
            if faulty:
                hooks.log(request)

        # Log before the last bytes are sent: a client with the response finds it in the log.
        self._log = log
        try:
            self._answer(operation, body, fault)
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

    def _answer(self, operation: Operation, body: bytes, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        if fault and fault.latency_seconds:
            time.sleep(fault.latency_seconds)
        if kind in _STATUS_FAULTS:
            self._send(_error_answer(*_STATUS_FAULTS[kind]))
            return
        if kind == "kill_before":
            self.server.hooks.on_kill()
            raise _Broken
        limit = int(fault.parameters[kind]) if fault and kind == "cut_read_after_bytes" else None
        if operation.reads_media and kind != "kill_after":
            flipped = int(fault.parameters[kind]) if fault and kind == "flip_bit_at_byte" else None
            self._send_media(operation, limit, flipped)
            return
        lock = self.server.locks.holding(operation.bucket, operation.name)
        with lock if operation.writes else nullcontext():
            answer = _refusal(operation, self._generation) or self._forward(
                _target_of(operation, self.path), body, operation
            )
        if answer.status < 300 and (created := finalized_object(operation, answer.body)):
            self.server.hooks.finalized(created)
        if kind == "kill_after":
            self.server.hooks.on_kill()
            raise _Broken
        answer = _at_our_port(answer, operation, self.server.url, self.server.external_url)
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

    def _forward(self, target: str, body: bytes, operation: Operation) -> Answer:
        response = self._request(self.command, target, body)
        content = _TIME.sub(self._moved, response.read())
        headers = [(k, v) for k, v in response.getheaders() if k.lower() not in _NOT_PASSED_ON]
        return Answer(response.status, response.reason, headers, content)

    def _moved(self, found: re.Match[bytes]) -> bytes:
        moved = self.server.hooks.moved(datetime.fromisoformat(found["time"].decode()))
        return found["key"] + moved.isoformat().replace("+00:00", "Z").encode()

    def _generation(self, operation: Operation) -> int | None:
        """The object's live generation, or None if the object does not exist."""
        path = f"/storage/v1/b/{quote(operation.bucket, '')}/o/{quote(operation.name, '')}"
        self._backend.request("GET", path)
        response = self._backend.getresponse()
        content = response.read()
        return int(json.loads(content)["generation"]) if response.status == 200 else None

    def _send_media(self, operation: Operation, limit: int | None, flipped: int | None) -> None:
        """Streams an object. A precondition selects the generation: check and read are atomic.

        One bit of the byte `flipped` of the object is wrong.
        """
        target, query = self.path, operation.query
        wanted = query.get("ifGenerationMatch")
        if unmet := _refusal(operation, self._generation):
            self._send(unmet)
            return
        if wanted and "generation" not in query:
            target += f"&generation={wanted}"
        response = self._request(self.command, target, b"")
        if response.status == 404 and wanted:
            response.read()
            self._send(_refusal(operation, self._generation) or _not_found(operation))
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
        self._stream(response, limit, flipped)

    def _stream(
        self, response: http.client.HTTPResponse, limit: int | None, flipped: int | None
    ) -> None:
        first = _first_byte(self.headers.get("Range", ""))
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
        self.send_header("Date", format_datetime(self._now(), usegmt=True))

    def _now(self) -> datetime:
        return self.server.hooks.moved(datetime.now(UTC))

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


# Answers: errors in Google's format, preconditions, links to the proxy


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


def _first_byte(range_header: str) -> int:
    """The first byte that a `Range: bytes=5-9` header asks for; 0 without one."""
    start = range_header.removeprefix("bytes=").partition("-")[0]
    return int(start) if start.isdigit() else 0


def _error_answer(status: int, reason: str, message: str) -> Answer:
    """An error in the format of Google's JSON API."""
    error = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }
    body = json.dumps({"error": error}).encode()
    return Answer(status, reason, [("Content-Type", "application/json")], body)


def _not_found(operation: Operation) -> Answer:
    return _error_answer(404, "notFound", f"No such object: {operation.path}")


def _refusal(
    operation: Operation, live_generation: Callable[[Operation], int | None]
) -> Answer | None:
    """The 412 or 404 with which Google answers an unmet precondition, or None."""
    query = operation.query
    match, differ = query.get("ifGenerationMatch"), query.get("ifGenerationNotMatch")
    by_generation = operation.method.endswith((".delete", ".patch"))
    pinned = query.get("generation") if by_generation else None
    if not operation.name or not (match or differ or pinned):
        return None
    live = live_generation(operation)
    if pinned and live != int(pinned):
        return _not_found(operation)
    if match and (live or 0) != int(match):
        return _error_answer(412, "conditionNotMet", "ifGenerationMatch did not hold")
    if differ and (live or 0) == int(differ):
        return _error_answer(412, "conditionNotMet", "ifGenerationNotMatch did not hold")
    return None


def _target_of(operation: Operation, target: str) -> str:
    """The target for the binary, which knows `versions=true` but not `True`, as Google's client."""
    if operation.method == "storage.objects.list":
        return target.replace("versions=True", "versions=true")
    return target


def _at_our_port(answer: Answer, operation: Operation, ours: str, theirs: str) -> Answer:
    """Changes the links in a response, so that they point at the port that got the request.

    A resumable upload keeps the precondition and the name of its first request in its link: the
    binary forgets the precondition, and a name in the body.
    """
    headers = [(key, value.replace(theirs, ours)) for key, value in answer.headers]
    if operation.begins_resumable:
        kept = {
            "ifGenerationMatch": operation.query.get("ifGenerationMatch"),
            "name": operation.name,
        }
        headers = [(k, _with(v, kept) if k == "Location" else v) for k, v in headers]
    body = answer.body if ours == theirs else answer.body.replace(theirs.encode(), ours.encode())
    return Answer(answer.status, answer.reason, headers, body)


def _with(url: str, parameters: dict[str, str | None]) -> str:
    missing = {k: v for k, v in parameters.items() if v is not None and f"{k}=" not in url}
    return f"{url}&{urlencode(missing)}" if missing else url
