"""Profile → destination, and the connections to the APIs that an instance keeps and renews.

`Destinations` has the connectors of an instance. A connector keeps its connections in
`KeptConnection`, and opens its gRPC channels with `keepalive_options`: a NAT gateway drops idle
connections without telling either end. A request on such a connection gets no answer until its own
timeout, and the next one gets the same connection. So channels check their connection while a
request is in flight.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

import grpc

from lib.destinations import registry
from lib.destinations.base import AccountLookup, Destination
from lib.model.log import Log

C = TypeVar("C")
T = TypeVar("T")

CONNECTION_SECONDS = 900.0
"""How long a connection is used. After this time, a rotated secret is in use everywhere. (A refused
connection is replaced at once.)"""

ReadCredentials = Callable[[], str]
"""Returns the text of the google-ads.yaml. Raises `PermanentError` or `RetryableError`."""


class ConnectionSettings(Protocol):
    """The settings that connections need."""

    @property
    def window(self) -> int: ...
    @property
    def request_timeout_seconds(self) -> float: ...
    def endpoint(self, destination: str, /) -> str: ...


class UploadProfile(Protocol):
    """The parts of a profile that destinations need."""

    @property
    def destination(self) -> str: ...
    @property
    def login_customer_id(self) -> str | None: ...
    @property
    def validate_only(self) -> bool: ...
    @property
    def event_source(self) -> str: ...
    @property
    def source(self) -> str | None: ...
    @property
    def ad_personalization(self) -> str | None: ...


class Connector(Protocol):
    """Creates the destinations of one API, and keeps what they share."""

    def __init__(
        self,
        settings: ConnectionSettings,
        read_credentials: ReadCredentials,
        clock: Callable[[], float],
    ) -> None: ...

    def destination(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Connect. Raises `PermanentError` or `RetryableError` if the credentials do not work."""
        ...


class Destinations:
    """The connectors of one instance. Thread-safe."""

    def __init__(
        self,
        settings: ConnectionSettings,
        read_credentials: ReadCredentials,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._read_credentials = read_credentials
        self._clock = clock
        self._lock = threading.Lock()
        self._connectors: dict[str, Connector] = {}
        self._lookup: AccountLookup | None = None

    def connect(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Return the destination of a profile. Raises what `Connector.destination` raises."""
        name = profile.destination
        with self._lock:
            if name not in self._connectors:
                make = registry.connector_class(name)
                self._connectors[name] = make(self._settings, self._read_credentials, self._clock)
        return self._connectors[name].destination(profile, log)

    def look_up(self) -> AccountLookup:
        """Return what looks up accounts for APIs without queries."""
        with self._lock:
            if self._lookup is None:
                make = registry.lookup_class()
                endpoint = self._settings.endpoint(registry.LOOKUP_ENDPOINT)
                self._lookup = make(self._read_credentials, endpoint, self._clock)
            return self._lookup


# ── kept connections ─────────────────────────────────────────────────────────────────────────────

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


# ── REST ─────────────────────────────────────────────────────────────────────────────────────────


def trusted_roots(endpoint: str) -> str | bool:
    """Return what `requests` takes as `verify`.

    A server that replaces Google's is trusted by the same file as over gRPC.
    """
    roots = os.environ.get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") if endpoint else None
    return roots or True


def rest_error(answer: Any) -> Mapping[str, Any]:
    """Return Google's `google.rpc.Status` in an answer of `requests`, as JSON.

    Empty if the answer is not Google's: proxies and load balancers have error pages of their own.
    """
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
