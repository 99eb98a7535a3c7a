"""One gRPC call to the sandbox: authorization, a fault if a rule asks for one, response, log.

No stubs: handlers get the serialized request and return the serialized response. So the size of a
message is known, and no time is lost in proto-plus.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc

from sandbox.faults import Fault, Faults
from sandbox.state import Request, State

_HANG_SECONDS = 600.0
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class Refusal(Exception):
    """A response other than OK: status, message for people, and binary trailing metadata."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        trailing: tuple[tuple[str, str | bytes], ...] = (),
        label: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.trailing = trailing
        self.label = label or code.name
        """The name in the request log: the API's own code, if there is one."""


@dataclass(slots=True)
class Call:
    """What a handler knows about the call that it answers."""

    metadata: Mapping[str, str]
    request: Request
    fault: Fault | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def request_id(self) -> str:
        return self.request.request_id


Context = Any
"""`grpc.ServicerContext`, or what stands for it in a REST call (`sandbox.rest`)."""

Handler = Callable[[bytes, Call], bytes]
RefuseByFault = Callable[[Fault, Call], Refusal | None]


@dataclass(frozen=True, slots=True)
class Service:
    """One gRPC service: `name` is for the wire, `label` for fault rules and the log."""

    name: str
    label: str
    unary: Mapping[str, Handler]
    streaming: Mapping[str, Handler] = field(default_factory=dict)
    refuse: RefuseByFault = lambda fault, call: None
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
        return frozenset(str(claims.get("scope", "")).split()) | {"self-signed"}
    return frozenset()


def _reset_connection(peer: str) -> bool:
    """Shut down the TCP connection of a peer such as `ipv4:127.0.0.1:50123`; False: not found.

    gRPC offers no way to do this, so this searches the process's own file descriptors.
    """
    port = int(peer.rpartition(":")[2])
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
                return True
    return False


class Caller:
    """Runs the handlers of one service, with the same steps for every call."""

    def __init__(self, service: Service, state: State, faults: Faults) -> None:
        self._service = service
        self._state = state
        self._faults = faults

    def answer(self, method: str, handler: Handler, body: bytes, context: Context) -> bytes:
        began = time.monotonic()
        metadata: dict[str, str] = dict(context.invocation_metadata() or ())
        name = f"{self._service.label}.{method}"
        request_id = self._state.new_request_id(name)
        request = Request(name, request_id, self._state.now(), len(body), body)
        request.login_customer_id = metadata.get("login-customer-id", "")
        call = Call(metadata, request, self._faults.decide(name))
        call.scopes = _token_scopes(self._state, metadata)
        # Google sends the request ID in the initial and in the trailing metadata; the Ads client
        # logs the initial one (its response wrapper's trailing_metadata() returns that).
        shown = (("request-id", call.request_id),)
        place = self._state.request_id_in
        context.send_initial_metadata(shown if place in ("both", "initial") else ())
        refusal: Refusal | None = None
        answer = b""
        try:
            answer = self._carry_out(handler, body, call, context)
        except Refusal as raised:
            refusal = raised
        except Exception as error:  # show a bug of the sandbox as a bug
            refusal = Refusal(grpc.StatusCode.UNKNOWN, f"sandbox bug: {error!r}", label="BUG")
            raise
        finally:
            request.fault = call.fault.kind if call.fault else None
            request.status = refusal.label if refusal else "OK"
            request.seconds = time.monotonic() - began
            self._state.log(request)
        trailing: tuple[tuple[str, str | bytes], ...] = ()
        if place in ("both", "trailing"):
            trailing = shown
        if refusal is not None:
            context.set_trailing_metadata(trailing + refusal.trailing)
            context.abort(refusal.code, refusal.message)
        context.set_trailing_metadata(trailing)
        return answer

    def _carry_out(self, handler: Handler, body: bytes, call: Call, context: Context) -> bytes:
        fault = call.fault
        if fault is not None and fault.latency_seconds:
            time.sleep(fault.latency_seconds)
        if fault is None or fault.kind is None:
            return handler(body, call)
        kind = fault.kind
        if kind == "kill_before":
            self._faults.kill()
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "the caller was killed", label="KILLED")
        own = self._service.refuse(fault, call)
        if kind in ("hang", "drop_connection"):
            committed = bool(fault.parameters.get("committed", kind == "drop_connection"))
        elif kind in _AFTER_COMMIT:
            committed = True
        else:  # the handler itself carries out any other kind
            committed = own is None and kind not in _PLAIN
        answer = handler(body, call) if committed else b""
        if kind == "kill_after":
            self._faults.kill()
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "the caller was killed", label="KILLED")
        if kind == "hang":
            until = time.monotonic() + float(fault.parameters.get("seconds", _HANG_SECONDS))
            while context.is_active() and time.monotonic() < until:
                time.sleep(0.02)
            raise Refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "hung", label="HUNG")
        if kind == "drop_connection":
            _reset_connection(context.peer())
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "Socket closed", label="DROPPED")
        if own is not None:
            raise own
        if kind in _PLAIN:
            raise Refusal(_PLAIN[kind], f"{kind} (by a fault rule)")
        return answer


def generic_handler(service: Service, state: State, faults: Faults) -> grpc.GenericRpcHandler:
    """The handler with which a `grpc.Server` serves `service`."""
    caller = Caller(service, state, faults)

    def unary(method: str, handler: Handler) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            lambda body, context: caller.answer(method, handler, body, context)
        )

    def streaming(method: str, handler: Handler) -> grpc.RpcMethodHandler:
        def one_message(body: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            yield caller.answer(method, handler, body, context)

        return grpc.unary_stream_rpc_method_handler(one_message)

    handlers = {name: unary(name, handler) for name, handler in service.unary.items()}
    handlers |= {name: streaming(name, handler) for name, handler in service.streaming.items()}
    return grpc.method_handlers_generic_handler(service.name, handlers)
