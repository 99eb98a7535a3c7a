"""Profile → Data Manager API. All accounts share one connection and its pacers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lib.destinations.connections import KeptConnection, PacedConnection
from lib.destinations.credentials import DATA_MANAGER_SCOPE, Authorized
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.instance import Connector, Instance, UploadProfile
from lib.destinations.pacing import Pacer
from lib.model.log import Log

if TYPE_CHECKING:
    from lib.destinations.data_manager.client import Channels, DataManager

_PACKAGE: Final = "google.ads.datamanager_v1"

LAZY_PACKAGES: Final = (_PACKAGE, f"{_PACKAGE}.types")
"""The packages of which only the modules that are used are imported (`lazy_imports`)."""

MAX_IN_FLIGHT: Final = 10
"""Maximum number of requests at the same time
(https://developers.google.com/data-manager/api/devguides/concepts/best-practices)."""

REQUEST_GAP_SECONDS: Final = 60 / 300
"""A project has 300 requests a minute, which all instances share. Reads have as much again
(https://developers.google.com/data-manager/api/devguides/limits)."""


class DataManagerConnector:
    """See `lib.destinations.instance.Connector`."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        client = "lib.destinations.data_manager.client"
        credentials = instance.begin(DATA_MANAGER_SCOPE, LAZY_PACKAGES, client)
        self._kept = KeptConnection(credentials, self._connect)
        window = min(instance.settings.window, MAX_IN_FLIGHT)
        self._uploads = PacedConnection(self._kept, Pacer(window, REQUEST_GAP_SECONDS))
        self._reads = PacedConnection(self._kept, Pacer(MAX_IN_FLIGHT, REQUEST_GAP_SECONDS))

    def destination(self, profile: UploadProfile, log: Log) -> DataManager:
        manager_id = self._kept.get().manager_id
        from lib.destinations.data_manager.client import DataManager
        from lib.destinations.data_manager.messages import EventDefaults

        return DataManager(
            uploads=self._uploads,
            reads=self._reads,
            preflight=self._instance.preflight,
            log=log,
            timeout_seconds=self._instance.settings.request_timeout_seconds,
            defaults=EventDefaults(
                login_customer_id=profile.login_customer_id or manager_id,
                event_source="WEB" if profile.source == "web" else profile.event_source,
                ad_personalization=profile.ad_personalization,
                validate_only=profile.validate_only,
                order_ids_of_tag=profile.source == "web",
            ),
        )

    def _connect(self, authorized: Authorized) -> Channels:
        from lib.destinations.data_manager.client import open_channels

        endpoint = self._instance.settings.endpoint(CAPABILITIES.name)
        return open_channels(authorized, endpoint)


CONNECTOR: Final[type[Connector]] = DataManagerConnector
