"""The connections to the APIs that an instance keeps and renews, and the options of gRPC channels.

A connector keeps its connections in `KeptConnection`, and opens its gRPC channels with
`keepalive_options`: a NAT gateway drops idle connections without telling either end. A request on
such a connection gets no answer until its own timeout, and the next one gets the same connection.
So channels check their connection while a request is in flight.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, Literal, TypeVar

import grpc

from lib.model.log import Log

C = TypeVar("C")
T = TypeVar("T")

CONNECTION_SECONDS = 900.0
"""How long a connection is used. After this time, a rotated secret is in use everywhere. (A refused
connection is replaced at once.)"""

ReadCredentials = Callable[[], str]
"""Returns the text of the google-ads.yaml. Raises `PermanentError` or `RetryableError`."""

Defect = Literal["UNAUTHENTICATED", "NO_ANSWER"]
"""Why a connection must not be used again. UNAUTHENTICATED: the server refuses its credentials.
NO_ANSWER: not one byte came back in time, so the network may have forgotten the connection."""


class KeptConnection(Generic[C]):
    """Made by `connect` when it is first needed; again when it is too old or has a defect.

    Thread-safe: if several requests notice the same defect, only one of them connects again.
    """

    def __init__(
        self, connect: Callable[[], C], max_age_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._max_age = max_age_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: C | None = None
        self._made = 0.0

    def get(self) -> C:
        """Return the connection. Raises what `connect` raises."""
        with self._lock:
            if self._connection is None or self._clock() - self._made >= self._max_age:
                self._connection = self._connect()
                self._made = self._clock()
            return self._connection

    def send(
        self,
        request: Callable[[C, float], T],
        timeout_seconds: float,
        defect_of: Callable[[Exception], Defect | None],
        log: Log,
    ) -> T:
        """Run `request(connection, timeout_seconds)`. If it is refused, connect and run it again.

        After NO_ANSWER, the exception is raised, but the next request gets a new connection.
        """
        connection = self.get()
        try:
            return request(connection, timeout_seconds)
        except Exception as error:
            defect = defect_of(error)
            if defect is None:
                raise
            with self._lock:
                if self._connection is connection:
                    self._connection = None
            log.warning("connection_renewed", code=defect)
            if defect != "UNAUTHENTICATED":
                raise
        return request(self.get(), timeout_seconds)


# ── gRPC channels ────────────────────────────────────────────────────────────────────────────────

MAX_REQUEST_BYTES: Final = 60 << 20
"""A message over 64 MB is refused with a 429 that looks like a quota error."""

TRANSIENT_STATUSES: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
    }
)
"""Statuses that are worth a retry, if the API gives no details. Google may have processed the
request all the same. Sending it again is safe, because Google deduplicates conversions."""

KEEPALIVE_SECONDS = 30
"""How often a channel with a request in flight checks its connection. Google's own Pub/Sub client
uses the same value; more frequent checks could be refused (GOAWAY, too_many_pings)."""

KEEPALIVE_TIMEOUT_SECONDS = 10
"""A connection that does not answer a check for this long is closed, and the request is retried."""


def keepalive_options() -> list[tuple[str, int]]:
    """Return the channel options (https://grpc.io/docs/guides/keepalive)."""
    return [
        ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        # Without this, the check itself takes a minute to fail.
        ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        # By default, a new channel to the same host uses the connection of the old channel.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def is_silent(error: Exception) -> bool:
    """Whether a request timed out without a byte from the server, not even response headers."""
    return (
        isinstance(error, grpc.Call)
        and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        and not error.initial_metadata()
    )
