"""Connects to the Google Ads API: one connection per manager account, one pacer for all of them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from google.ads.googleads import client as sdk
from google.ads.googleads.client import GoogleAdsClient

from lib.destinations.connections import (
    CONNECTION_SECONDS,
    ConnectionSettings,
    Connector,
    KeptConnection,
    ReadCredentials,
    UploadProfile,
    keepalive_options,
)
from lib.destinations.credentials import ADWORDS_SCOPE, connect_with
from lib.destinations.google_ads.api import API_VERSION, LAZY_PACKAGES
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.lazy_imports import import_lazily, without_garbage_collection
from lib.destinations.pacing import Pacer, UnknownQuota
from lib.model.log import Log

if TYPE_CHECKING:
    from lib.destinations.google_ads.client import GoogleAds, GoogleAdsConnection


def build_client(text: str, login_customer_id: str | None, endpoint: str = "") -> GoogleAdsClient:
    """Return a client from the text of a google-ads.yaml (`lib.adapters.secrets`).

    `login_customer_id` comes from the profile. Without it, the one in the google-ads.yaml is used.
    Raises what `connect_with` raises.
    """
    configuration, credentials = connect_with(text, ADWORDS_SCOPE)
    # The library has no setting for the options of its channels. It also appends to this list.
    sdk._GRPC_CHANNEL_OPTIONS[:] = {
        **dict(sdk._GRPC_CHANNEL_OPTIONS),
        **dict(keepalive_options()),
    }.items()
    return GoogleAdsClient(
        credentials,
        developer_token=configuration.developer_token or None,
        endpoint=endpoint or configuration.endpoint or None,
        login_customer_id=login_customer_id or configuration.login_customer_id or None,
        linked_customer_id=configuration.linked_customer_id or None,
        version=API_VERSION,
        http_proxy=configuration.http_proxy or None,
        # Then the library leaves an answer as it is (bytes). The `logging` setting is left
        # out: it could print requests.
        use_proto_plus=True,
    )


def open_channel(client: GoogleAdsClient) -> Any:
    """Return a gRPC channel to the API, with the client's credentials and interceptors.

    Every service has the same host, so one channel is enough for all of them.
    """
    return client.get_service("ConversionUploadService").transport.grpc_channel


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
        manager = profile.login_customer_id
        with self._lock:
            new = KeptConnection(partial(self._connect, manager), CONNECTION_SECONDS, self._clock)
            kept = self._kept.setdefault(manager, new)
        kept.get()
        from lib.destinations.google_ads.client import GoogleAds, GoogleAdsConnection

        with self._lock:
            connection = self._connections.setdefault(
                manager, GoogleAdsConnection(kept, self._pacer)
            )
        return GoogleAds(
            connection,
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            validate_only=profile.validate_only,
        )

    def _client(self, manager: str | None) -> GoogleAdsClient:
        endpoint = self._settings.endpoint(CAPABILITIES.name)
        return build_client(self._read_credentials(), manager, endpoint)

    def _connect(self, manager: str | None) -> Any:
        with without_garbage_collection(), ThreadPoolExecutor(1, "connect") as connecting:
            client = connecting.submit(self._client, manager)
            # These imports take a third of a second; secret and token are fetched meanwhile.
            import_lazily(LAZY_PACKAGES)
            import_module("lib.destinations.google_ads.client")
            return open_channel(client.result())


CONNECTOR: Final[type[Connector]] = GoogleAdsConnector
