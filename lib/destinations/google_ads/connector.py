"""Connects to the Google Ads API: one connection per manager account, one pacer for all of them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from lib.destinations.connections import (
    CONNECTION_SECONDS,
    ConnectionSettings,
    Connector,
    KeptConnection,
    ReadCredentials,
    UploadProfile,
)
from lib.destinations.google_ads.api import LAZY_PACKAGES
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.sdk_client import build_client
from lib.destinations.lazy_imports import import_lazily, without_garbage_collection
from lib.destinations.pacing import Pacer, UnknownQuota
from lib.model.log import Log

if TYPE_CHECKING:
    from google.ads.googleads.client import GoogleAdsClient

    from lib.destinations.google_ads.calls import GoogleAdsConnection
    from lib.destinations.google_ads.client import GoogleAds


class GoogleAdsConnector:
    """See `lib.destinations.connections.Connector`."""

    def __init__(
        self,
        settings: ConnectionSettings,
        read_credentials: ReadCredentials,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._read_credentials = read_credentials
        self._clock = clock
        self._lock = threading.Lock()
        self._pacer = Pacer(UnknownQuota(settings.window, random.Random()))
        self._kept: dict[str | None, KeptConnection[Any]] = {}
        self._connections: dict[str | None, GoogleAdsConnection] = {}

    def destination(self, profile: UploadProfile, log: Log) -> GoogleAds:
        """See `Connector.destination`."""
        manager = profile.login_customer_id
        with self._lock:
            kept = self._kept.get(manager)
            if kept is None:
                kept = KeptConnection(
                    lambda: self._connect(manager), CONNECTION_SECONDS, self._clock
                )
                self._kept[manager] = kept
        kept.get()
        from lib.destinations.google_ads.calls import GoogleAdsConnection
        from lib.destinations.google_ads.client import GoogleAds

        with self._lock:
            connection = self._connections.setdefault(
                manager, GoogleAdsConnection(kept, self._pacer)
            )
        return GoogleAds(
            connection,
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            validate_only=profile.validate_only,
            check_click_ownership=self._settings.check_click_ownership,
        )

    def _client(self, manager: str | None) -> GoogleAdsClient:
        endpoint = self._settings.endpoint(CAPABILITIES.name)
        return build_client(self._read_credentials(), manager, endpoint)

    def _connect(self, manager: str | None) -> Any:
        with without_garbage_collection(), ThreadPoolExecutor(1, "connect") as connecting:
            client = connecting.submit(lambda: self._client(manager))
            # These imports take a third of a second; secret and token are fetched meanwhile.
            import_lazily(LAZY_PACKAGES)
            import_module("lib.destinations.google_ads.client")
            from lib.destinations.google_ads.calls import open_channel

            return open_channel(client.result())


CONNECTOR: Final[type[Connector]] = GoogleAdsConnector
