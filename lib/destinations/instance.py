"""Profile → destination: the connectors of an instance, one for each API."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from lib.destinations import registry
from lib.destinations.base import Destination
from lib.destinations.connections import Kept, ReadCredentials, SignIns, begin
from lib.destinations.credentials import ADWORDS_SCOPE, Authorized
from lib.destinations.lazy_imports import exempt_from_garbage_collection, import_lazily
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
    sign_ins: SignIns
    preflight: Preflight

    def begin(self, scope: str, lazy_packages: Sequence[str], client: str) -> Kept[Authorized]:
        """Return the credentials for a scope, and import the module `client`.

        The import takes up to a third of a second; meanwhile, a token is fetched.
        """
        credentials = self.sign_ins.for_scope(scope)
        begin(credentials)
        with exempt_from_garbage_collection():
            import_lazily(lazy_packages)
            import_module(client)
        return credentials


class Connector(Protocol):
    """Creates the destinations of one API, and keeps what they share."""

    def __init__(self, instance: Instance) -> None: ...

    def destination(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Return the API as a profile uses it. All profiles share its connection.

        Raises `PermanentError` or `RetryableError` if the credentials do not work.
        """
        ...


class Destinations:
    """The connectors of one instance, and the preflight that they share. Thread-safe."""

    def __init__(self, settings: ConnectionSettings, read_credentials: ReadCredentials) -> None:
        sign_ins = SignIns(read_credentials)
        self._looks = sign_ins.for_scope(ADWORDS_SCOPE)
        preflight = Preflight(self._looks, settings.endpoint(registry.QUERY_ENDPOINT))
        self._instance = Instance(settings, sign_ins, preflight)
        self._lock = threading.Lock()
        self._connectors: dict[str, Connector] = {}

    def begin(self) -> None:
        """Begin to read the secret and to fetch the token that every look at an account needs.

        Call it as early as possible; it does not wait, and may fail without harm.
        """
        begin(self._looks)

    def connect(self, profile: UploadProfile, log: Log) -> Destination[Any]:
        """Return the destination of a profile. Raises what `Connector.destination` raises."""
        name = profile.destination
        with self._lock:
            if name not in self._connectors:
                self._connectors[name] = registry.connector_class(name)(self._instance)
        return self._connectors[name].destination(profile, log)
