"""Connects to the Google Ads API: one connection per manager account, one pacer for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc
from google.api_core import grpc_helpers

from lib.destinations.connections import (
    CONNECTION_SECONDS,
    KeptConnection,
    ReadCredentials,
    keepalive_options,
)
from lib.destinations.connectors import ConnectionSettings, Connector, UploadProfile
from lib.destinations.credentials import ADWORDS_SCOPE, connect_with
from lib.destinations.google_ads.api import LAZY_PACKAGES, QUERY_SERVICE
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.lazy_imports import import_lazily, without_garbage_collection
from lib.destinations.pacing import Pacer
from lib.destinations.preflight import Preflight
from lib.model.log import Log

if TYPE_CHECKING:
    from lib.destinations.google_ads.client import GoogleAds

_MAX_ANSWER_BYTES: Final = 64 << 20
_MAX_TRAILER_BYTES: Final = 16 << 20
"""The limits of Google's own client: gRPC's defaults are smaller than an answer that names all
rows."""

Metadata = tuple[tuple[str, str], ...]


class Channel(NamedTuple):
    """A gRPC channel, and the metadata that goes with each request."""

    grpc: grpc.Channel
    metadata: Metadata


def open_channel(text: str, login_customer_id: str | None, endpoint: str = "") -> Channel:
    """Return a channel for the text of a google-ads.yaml (`lib.adapters.secrets`).

    `login_customer_id` comes from the profile. Without it, the one in the google-ads.yaml is used.
    Google's own client would take no options, and it copies each request and answer. Raises what
    `connect_with` raises.
    """
    configuration, credentials = connect_with(text, ADWORDS_SCOPE)
    options: list[tuple[str, object]] = [
        *keepalive_options(),
        ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES),
        ("grpc.max_metadata_size", _MAX_TRAILER_BYTES),
    ]
    if configuration.http_proxy:
        options.append(("grpc.http_proxy", configuration.http_proxy))
    host = endpoint or configuration.endpoint or QUERY_SERVICE[0]
    channel = grpc_helpers.create_channel(
        host if ":" in host else f"{host}:443", credentials=credentials, options=options
    )
    metadata = {
        "developer-token": configuration.developer_token,
        "login-customer-id": login_customer_id or configuration.login_customer_id,
        "linked-customer-id": configuration.linked_customer_id,
    }
    return Channel(channel, tuple((name, value) for name, value in metadata.items() if value))


class GoogleAdsConnector:
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
        self._clock = clock
        self._lock = threading.Lock()
        self._pacer = Pacer(settings.window)
        self._kept: dict[str | None, KeptConnection[Channel]] = {}

    def destination(self, profile: UploadProfile, log: Log) -> GoogleAds:
        manager_id = profile.login_customer_id
        with self._lock:
            connect = partial(self._connect, manager_id)
            new = KeptConnection(connect, CONNECTION_SECONDS, self._clock)
            kept = self._kept.setdefault(manager_id, new)
        kept.get()
        from lib.destinations.google_ads.client import GoogleAds, GoogleAdsConnection

        return GoogleAds(
            GoogleAdsConnection(kept, self._pacer),
            self._preflight,
            log,
            manager_id=manager_id,
            timeout_seconds=self._settings.request_timeout_seconds,
            validate_only=profile.validate_only,
        )

    def _open_channel(self, manager_id: str | None) -> Channel:
        endpoint = self._settings.endpoint(CAPABILITIES.name)
        return open_channel(self._read_credentials(), manager_id, endpoint)

    def _connect(self, manager_id: str | None) -> Channel:
        with without_garbage_collection(), ThreadPoolExecutor(2, "connect") as connecting:
            channel = connecting.submit(self._open_channel, manager_id)
            connecting.submit(self._preflight.connect)
            # These imports take a third of a second; secrets and tokens are fetched meanwhile.
            import_lazily(LAZY_PACKAGES)
            import_module("lib.destinations.google_ads.client")
            return channel.result()


CONNECTOR: Final[type[Connector]] = GoogleAdsConnector
