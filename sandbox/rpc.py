"""One request to an API: who asks, a fault if a rule wants one, the response, the log.

No stubs: handlers get the serialized request (`Rpc.body`) and return the serialized response. So
the size of a message is known, and no time is lost in proto-plus.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import grpc

from sandbox.faults import Fault, Faults
from sandbox.state import Request, State

_HANG_SECONDS = 600.0
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class Refusal(Exception):
    """A response other than OK: status, message for people, and gRPC's trailing metadata."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        trailing: tuple[tuple[str, str | bytes], ...] = (),
        label: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.trailing = trailing
        self.label = label or code.name
        """The name in the request log: the API's own code, if there is one."""


@dataclass(slots=True)
class Rpc:
    """What a handler knows about the request that it answers, by gRPC or REST."""

    metadata: Mapping[str, str]
    request: Request
    body: bytes
    fault: Fault | None
    scopes: frozenset[str]

    @property
    def request_id(self) -> str:
        return self.request.request_id


class Connection(NamedTuple):
    """Where a request came from: the client's port, and whether it still waits."""

    port: int
    is_open: Callable[[], bool]


Handler = Callable[[Rpc], bytes]
RefuseByFault = Callable[[Fault, Rpc], Refusal | None]


@dataclass(frozen=True, slots=True)
class Service:
    """One gRPC service: `name` is for the wire, `label` for fault rules and the log."""

    name: str
    label: str
    handlers: Mapping[str, Handler]
    refuse: RefuseByFault = lambda fault, rpc: None
    """The API's own form of a fault; None: use the plain gRPC status."""


_PLAIN: dict[str, grpc.StatusCode] = {
    "unavailable": grpc.StatusCode.UNAVAILABLE,
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "resource_exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "resource_temporarily_exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "transient_error": grpc.StatusCode.UNAVAILABLE,
    "internal_before_commit": grpc.StatusCode.INTERNAL,
    "internal_after_commit": grpc.StatusCode.INTERNAL,
    "deadline_after_commit": grpc.StatusCode.DEADLINE_EXCEEDED,
}
_AFTER_COMMIT = frozenset({"internal_after_commit", "deadline_after_commit", "kill_after"})


def _token_scopes(state: State, metadata: Mapping[str, str]) -> frozenset[str]:
    """The scopes of the bearer token; empty if the token is not valid.

    Google's clients send a token from the token endpoint. If they have a service account's
    credentials directly, they send a JWT that they signed themselves and that holds the scopes.
    """
    scheme, _, token = metadata.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return frozenset()
    issued = state.tokens.get(token)
    if issued is not None:
        return issued
    with contextlib.suppress(ValueError, IndexError, AttributeError):
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return frozenset(str(claims.get("scope", "")).split())
    return frozenset()


def _reset_connection(port: int) -> None:
    """Shut down the TCP connection of the client at this port.

    gRPC offers no way to do this, so this searches the process's own file descriptors.
    """
    for name in os.listdir("/dev/fd"):
        try:
            duplicate = os.dup(int(name))
        except OSError:
            continue
        try:
            candidate = socket.socket(fileno=duplicate)
        except OSError:  # not a socket
            os.close(duplicate)
            continue
        with candidate, contextlib.suppress(OSError):
            ours, theirs = candidate.getsockname(), candidate.getpeername()
            # A client in this process has a socket with the same two ports, swapped.
            if candidate.family in _INTERNET and theirs[1] == port != ours[1]:
                candidate.shutdown(socket.SHUT_RDWR)
                return


class Responder:
    """Answers the requests to one service: the same steps around every handler."""

    def __init__(self, service: Service, state: State, faults: Faults) -> None:
        self._service = service
        self._state = state
        self._faults = faults

    def generic_handler(self) -> grpc.GenericRpcHandler:
        """The handler with which a `grpc.Server` serves the service."""
        handlers = {
            method: grpc.unary_unary_rpc_method_handler(functools.partial(self._unary, method))
            for method in self._service.handlers
        }
        return grpc.method_handlers_generic_handler(self._service.name, handlers)

    def _unary(self, method: str, body: bytes, context: grpc.ServicerContext) -> bytes:
        rpc = self.receive(method, body, dict(context.invocation_metadata() or ()))
        # Google sends the request ID in the initial and in the trailing metadata; the Ads client
        # logs the initial one (its response wrapper's trailing_metadata() returns that).
        shown = (("request-id", rpc.request_id),)
        context.send_initial_metadata(shown)
        port = int(context.peer().rpartition(":")[2])  # ipv4:127.0.0.1:50123
        try:
            handler = self._service.handlers[method]
            answer = self.answer(rpc, handler, Connection(port, context.is_active))
        except Refusal as refusal:
            context.set_trailing_metadata(shown + refusal.trailing)
            context.abort(refusal.code, str(refusal))
        context.set_trailing_metadata(shown)
        return answer

    def receive(self, method: str, body: bytes, metadata: Mapping[str, str]) -> Rpc:
        """Count a request for the fault rules, and find out who asks."""
        name = f"{self._service.label}.{method}"
        request = Request(
            name, self._state.new_request_id(name), self._state.now(), len(body), body
        )
        request.login_customer_id = metadata.get("login-customer-id", "")
        scopes = _token_scopes(self._state, metadata)
        return Rpc(metadata, request, body, self._faults.decide(name), scopes)

    def answer(self, rpc: Rpc, handler: Handler, connection: Connection) -> bytes:
        """The serialized response. Raises `Refusal`."""
        request, began = rpc.request, time.monotonic()
        request.fault = rpc.fault.kind if rpc.fault else None
        request.status = "BUG"  # of the sandbox, if the handler raises anything else
        try:
            answer = self._carry_out(handler, rpc, connection)
            request.status = "OK"
            return answer
        except Refusal as refusal:
            request.status = refusal.label
            raise
        finally:
            request.seconds = time.monotonic() - began
            self._state.log(request)

    def _carry_out(self, handler: Handler, rpc: Rpc, connection: Connection) -> bytes:
        fault = rpc.fault
        if fault is not None and fault.latency_seconds:
            time.sleep(fault.latency_seconds)
        if fault is None or fault.kind is None:
            return handler(rpc)
        kind = fault.kind
        if kind == "kill_before":
            self._faults.kill()
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "the caller was killed", label="KILLED")
        own = self._service.refuse(fault, rpc)
        if kind in ("hang", "drop_connection"):
            committed = bool(fault.parameters.get("committed", kind == "drop_connection"))
        elif kind in _AFTER_COMMIT:
            committed = True
        else:  # the handler itself carries out any other kind
            committed = own is None and kind not in _PLAIN
        answer = handler(rpc) if committed else b""
        if kind == "kill_after":
            self._faults.kill()
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "the caller was killed", label="KILLED")
        if kind == "hang":
            until = time.monotonic() + float(fault.parameters.get("seconds", _HANG_SECONDS))
            while connection.is_open() and time.monotonic() < until:
                time.sleep(0.02)
            raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "hung", label="HUNG")
        if kind == "drop_connection":
            _reset_connection(connection.port)
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "Socket closed", label="DROPPED")
        if own is not None:
            raise own
        if kind in _PLAIN:
            raise Refusal(_PLAIN[kind], f"{kind} (by a fault rule)")
        return answer
