"""HTTP/1.1 and gRPC on one port, as Google serves them: REST methods here, all else at gRPC.

A client names the protocols that it speaks in the first message of TLS (ALPN). A connection that
names `http/1.1` is answered here; every other one is passed on, unread, to the gRPC server.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc import status_pb2

from sandbox.rpc import Connection, Handler, Refusal, Responder

_PEEKED_BYTES = 1 << 14
_HELLO_SECONDS = 5.0
_CUSTOMER = re.compile(r"/customers/[^/]+/")
# google/rpc/code.proto names the HTTP status of each code.
_HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}

Method = tuple[Responder, str, Handler]
"""Who carries out a REST method, its name for fault rules and the log, and the handler."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one write
    server: RestServer

    def do_GET(self) -> None:
        self._answer(json.dumps(dict(parse_qsl(urlsplit(self.path).query))).encode())

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        path = urlsplit(self.path).path
        found = self.server.methods.get(f"{self.command} {_CUSTOMER.sub('/customers/*/', path)}")
        if found is None:
            self._send(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "Not found"}})
            return
        responder, name, handler = found
        metadata = {key.lower(): value for key, value in self.headers.items()} | {":path": path}
        rpc = responder.receive(name, body, metadata)
        try:
            connection = Connection(self.client_address[1], lambda: True)
            self._send(200, json.loads(responder.answer(rpc, handler, connection)))
        except Refusal as refusal:
            code = _HTTP_STATUS.get(refusal.code, 500)
            error = {"code": code, "message": str(refusal), "status": refusal.code.name}
            self._send(code, {"error": {**error, "details": _details(refusal)}})

    def _send(self, status: int, content: Mapping[str, Any]) -> None:
        body = json.dumps(content).encode()
        with contextlib.suppress(OSError):  # the client, or a fault, has closed the connection
            self.send_response(status, HTTPStatus(status).phrase)
            self.send_header("content-type", "application/json; charset=UTF-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def _details(refusal: Refusal) -> list[dict[str, Any]]:
    """The details of the `google.rpc.Status` that gRPC has in its metadata."""
    packed = dict(refusal.trailing).get("grpc-status-details-bin")
    if not isinstance(packed, bytes):
        return []
    details: list[dict[str, Any]]
    details = MessageToDict(status_pb2.Status.FromString(packed)).get("details", [])
    return details


class RestServer(socketserver.ThreadingTCPServer):
    """Serves `methods` (`GET /path` → method), and passes other connections on to a gRPC port.

    In a path, `/customers/*/` stands for any account. A handler finds the path in the metadata.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, methods: Mapping[str, Method], tls: ssl.SSLContext, grpc_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.methods = methods
        self._tls = tls
        self._grpc_port = grpc_port
        self.port = int(self.server_address[1])
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError):
            if b"http/1.1" in _first_message(request):
                with self._tls.wrap_socket(request, server_side=True) as encrypted:
                    _Request(encrypted, client_address, self)
            else:
                _pass_on(request, self._grpc_port)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client may close its connection at any time."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


def _first_message(connection: socket.socket) -> bytes:
    """The TLS ClientHello, left in the socket for whoever answers it."""
    ends = time.monotonic() + _HELLO_SECONDS
    while True:
        start = connection.recv(_PEEKED_BYTES, socket.MSG_PEEK)
        complete = len(start) >= 5 and len(start) >= 5 + int.from_bytes(start[3:5], "big")
        if not start or complete or time.monotonic() > ends:
            return start
        time.sleep(0.005)


def _pass_on(connection: socket.socket, port: int) -> None:
    """Copy bytes in both directions until both sides have ended."""
    with socket.create_connection(("127.0.0.1", port)) as upstream:
        back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
        back.start()
        _copy(connection, upstream)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    read: Callable[[int], bytes] = source.recv
    with contextlib.suppress(OSError):
        while data := read(1 << 18):
            target.sendall(data)
    # One direction has ended: end the other one too. HTTP/2 has no half-closed connections.
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
