"""Profile → destination. Connections are kept while the instance runs, and renewed regularly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Protocol

from lib.destinations import registry
from lib.destinations.base import Destination
from lib.model.log import Log

CONNECTION_SECONDS = 900.0
"""How long a connection is used. After this time, a rotated secret is in use everywhere. (A refused
connection is replaced at once.)"""

MOST_SECONDS_AHEAD: Final = 30.0
"""A secret that was read this long before it is used is read again: it may have been rotated."""

ReadCredentials = Callable[[], str]
"""Returns the text of the google-ads.yaml. Raises `PermanentError` or `RetryableError`."""


class ConnectionSettings(Protocol):
    """The settings that connections need."""

    @property
    def window(self) -> int: ...
    @property
    def request_timeout_seconds(self) -> float: ...
    @property
    def check_click_ownership(self) -> bool: ...
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


class SecretAhead:
    """Reads the secret for the first connection while storage is asked for the file. Thread-safe.

    This saves a sixth of a cold start. Later connections read the secret when they are made.
    """

    def __init__(self, read: ReadCredentials, clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._has_begun = False
        self._ahead: tuple[float, Future[str]] | None = None

    def begin(self) -> None:
        """Begin to read, if this is the first call."""
        with self._lock:
            if self._has_begun:
                return
            self._has_begun = True
            reading = ThreadPoolExecutor(1, "secret")
            self._ahead = self._clock(), reading.submit(self._read)
            reading.shutdown(wait=False)

    def read(self) -> str:
        """Return what was read ahead, once; otherwise read now. See `ReadCredentials`."""
        with self._lock:
            ahead, self._ahead = self._ahead, None
        if ahead is not None and self._clock() - ahead[0] < MOST_SECONDS_AHEAD:
            return ahead[1].result()
        return self._read()


class Destinations:
    """The connectors of one instance. Thread-safe."""

    def __init__(
        self,
        settings: ConnectionSettings,
        read_credentials: ReadCredentials,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._secret = SecretAhead(read_credentials, clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._connectors: dict[str, Connector] = {}

    def expect(self) -> None:
        """Begin what the first connection needs, because a file has arrived."""
        self._secret.begin()

    def connect(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Return the destination of a profile. Raises what `Connector.destination` raises."""
        name = profile.destination
        with self._lock:
            if name not in self._connectors:
                make = registry.connector_class(name)
                self._connectors[name] = make(self._settings, self._secret.read, self._clock)
        return self._connectors[name].destination(profile, log)
