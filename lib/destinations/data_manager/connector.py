"""Connects to the Data Manager API. All accounts share one connection."""

from __future__ import annotations

from collections.abc import Callable

from lib.destinations.connections import (
    CONNECTION_SECONDS,
    ConnectionSettings,
    ReadCredentials,
    UploadProfile,
)
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.data_manager.client import (
    Channels,
    Connection,
    DataManager,
    connect,
    new_pacer,
)
from lib.destinations.data_manager.conversion_event import EventDefaults
from lib.model.connection import KeptConnection
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
        channels = KeptConnection(self._connect, CONNECTION_SECONDS, clock)
        self._connection = Connection(channels, new_pacer(settings.window))

    def destination(self, profile: UploadProfile, log: Log) -> DataManager:
        """See `Connector.destination`."""
        self._connection.open()
        return DataManager(
            self._connection,
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            defaults=EventDefaults(
                login_customer_id=profile.login_customer_id,
                event_source=profile.event_source,
                ad_personalization=profile.ad_personalization,
                validate_only=profile.validate_only,
            ),
        )

    def _connect(self) -> Channels:
        return connect(self._read_credentials(), self._settings.endpoint(CAPABILITIES.name))
