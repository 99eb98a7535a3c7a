"""Connects to the Data Manager API. All accounts share one connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Final

from lib.destinations.connections import CONNECTION_SECONDS, KeptConnection, ReadCredentials
from lib.destinations.connectors import ConnectionSettings, Connector, UploadProfile
from lib.destinations.credentials import DATA_MANAGER_SCOPE, connect_with
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.lazy_imports import import_lazily, without_garbage_collection
from lib.destinations.preflight import Preflight
from lib.model.log import Log

if TYPE_CHECKING:
    from lib.destinations.data_manager.client import Channels, DataManager, DataManagerConnection

_PACKAGE: Final = "google.ads.datamanager_v1"

LAZY_PACKAGES: Final = (
    _PACKAGE,
    f"{_PACKAGE}.types",
    f"{_PACKAGE}.services",
    f"{_PACKAGE}.services.ingestion_service",
    f"{_PACKAGE}.services.ingestion_service.transports",
)
"""The packages of which only the modules that are used are imported (`lazy_imports`)."""


class DataManagerConnector:
    """See `lib.destinations.connectors.Connector`."""

    def __init__(
        self,
        settings: ConnectionSettings,
        read_credentials: ReadCredentials,
        preflight: Preflight,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._read_credentials = read_credentials
        self._preflight = preflight
        self._channels = KeptConnection(self._connect, CONNECTION_SECONDS, clock)
        self._lock = threading.Lock()
        self._connection: DataManagerConnection | None = None

    def destination(self, profile: UploadProfile, log: Log) -> DataManager:
        manager_id = profile.login_customer_id or self._channels.get().manager_id
        from lib.destinations.data_manager.client import (
            DataManager,
            DataManagerConnection,
            new_pacer,
        )
        from lib.destinations.data_manager.messages import EventDefaults

        with self._lock:
            if self._connection is None:
                self._connection = DataManagerConnection(
                    self._channels, new_pacer(self._settings.window)
                )
        return DataManager(
            self._connection,
            self._preflight,
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            defaults=EventDefaults(
                login_customer_id=manager_id or None,
                event_source="WEB" if profile.source == "web" else profile.event_source,
                ad_personalization=profile.ad_personalization,
                validate_only=profile.validate_only,
                order_ids_of_tag=profile.source == "web",
            ),
        )

    def _connect(self) -> Channels:
        with without_garbage_collection(), ThreadPoolExecutor(2, "connect") as connecting:
            credentials = connecting.submit(
                lambda: connect_with(self._read_credentials(), DATA_MANAGER_SCOPE)
            )
            connecting.submit(self._preflight.connect)
            # Secrets and tokens are fetched during these imports.
            import_lazily(LAZY_PACKAGES)
            client = import_module("lib.destinations.data_manager.client")
            configuration, authorized = credentials.result()
            endpoint = self._settings.endpoint(CAPABILITIES.name)
            channels: Channels = client.open_channels(
                authorized, endpoint, configuration.login_customer_id
            )
            return channels


CONNECTOR: Final[type[Connector]] = DataManagerConnector
