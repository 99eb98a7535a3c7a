"""Connects to the Data Manager API. All accounts share one connection."""

from __future__ import annotations

from collections.abc import Callable

from lib.destinations.connections import (
    ConnectionSettings,
    KeptConnection,
    ReadCredentials,
    UploadProfile,
)
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.data_manager.client import Connection, DataManager, connect, new_pacer
from lib.destinations.data_manager.conversion_event import EventDefaults
from lib.model.log import Log


class Connector:
    """See `lib.destinations.connections.Connector`."""

    def __init__(
        self,
        settings: ConnectionSettings,
        read_credentials: ReadCredentials,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._read_credentials = read_credentials
        self._kept: KeptConnection[Connection] = KeptConnection(clock)

    def destination(self, profile: UploadProfile, log: Log) -> DataManager:
        """See `Connector.destination`."""
        return DataManager(
            self._kept.get(self._connect),
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            defaults=EventDefaults(
                login_customer_id=profile.login_customer_id,
                event_source=profile.event_source,
                ad_personalization=profile.ad_personalization,
                validate_only=profile.validate_only,
            ),
        )

    def _connect(self, old: Connection | None) -> Connection:
        return connect(
            self._read_credentials(),
            self._settings.endpoint(CAPABILITIES.name),
            old.pacer if old else new_pacer(self._settings.window),
            old.status_pacer if old else None,
        )
