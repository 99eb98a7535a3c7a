"""Profile → destination: the connectors of an instance, one for each API."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from lib.destinations import registry
from lib.destinations.base import Destination
from lib.destinations.connections import ReadCredentials
from lib.destinations.preflight import Preflight
from lib.model.log import Log


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
        preflight: Preflight,
        clock: Callable[[], float],
    ) -> None: ...

    def destination(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Connect. Raises `PermanentError` or `RetryableError` if the credentials do not work."""
        ...


class Destinations:
    """The connectors of one instance, and the preflight that they share. Thread-safe."""

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
        endpoint = settings.endpoint(registry.QUERY_ENDPOINT)
        self._preflight = Preflight(registry.query_service(), read_credentials, endpoint, clock)

    def connect(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Return the destination of a profile. Raises what `Connector.destination` raises."""
        name = profile.destination
        with self._lock:
            if name not in self._connectors:
                self._connectors[name] = registry.connector_class(name)(
                    self._settings, self._read_credentials, self._preflight, self._clock
                )
        return self._connectors[name].destination(profile, log)
