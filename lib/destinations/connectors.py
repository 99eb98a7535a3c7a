"""Profile → destination: the connectors of an instance, one for each API."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from lib.destinations import registry
from lib.destinations.base import Destination
from lib.destinations.connections import ReadCredentials
from lib.destinations.credentials import GoogleAdsYaml, connect_with
from lib.destinations.lazy_imports import import_lazily, without_garbage_collection
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


@dataclass(frozen=True, slots=True)
class Instance:
    """What the connectors of an instance share."""

    settings: ConnectionSettings
    read_credentials: ReadCredentials
    preflight: Preflight

    def connect(
        self, scope: str, lazy_packages: Sequence[str], client: str
    ) -> tuple[GoogleAdsYaml, Any]:
        """Return the configuration in the secret, and its credentials with a token.

        Imports the module `client` meanwhile, which takes up to a third of a second, and connects
        the preflight. Raises what `connect_with` raises.
        """
        with without_garbage_collection(), ThreadPoolExecutor(2, "connect") as connecting:
            connected = connecting.submit(lambda: connect_with(self.read_credentials(), scope))
            connecting.submit(self.preflight.connect)
            import_lazily(lazy_packages)
            import_module(client)
            return connected.result()


class Connector(Protocol):
    """Creates the destinations of one API, and keeps what they share."""

    def __init__(self, instance: Instance) -> None: ...

    def destination(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Connect. Raises `PermanentError` or `RetryableError` if the credentials do not work."""
        ...


class Destinations:
    """The connectors of one instance, and the preflight that they share. Thread-safe."""

    def __init__(self, settings: ConnectionSettings, read_credentials: ReadCredentials) -> None:
        preflight = Preflight(read_credentials, settings.endpoint(registry.QUERY_ENDPOINT))
        self._instance = Instance(settings, read_credentials, preflight)
        self._lock = threading.Lock()
        self._connectors: dict[str, Connector] = {}

    def connect(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Return the destination of a profile. Raises what `Connector.destination` raises."""
        name = profile.destination
        with self._lock:
            if name not in self._connectors:
                self._connectors[name] = registry.connector_class(name)(self._instance)
        return self._connectors[name].destination(profile, log)
