"""Profile → destination. Clients live as long as the instance; a route is imported when needed."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lib.adapters.logging import Log
from lib.adapters.secret_manager import read_credentials
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import Destination
from lib.destinations.pacing import Pacer

if TYPE_CHECKING:
    from lib.destinations.data_manager.client import Connection as EventsConnection
    from lib.destinations.google_ads.client import Connection


CONNECTION_SECONDS = 900.0
"""How long a connection is used: a rotated secret is in force everywhere after that."""


class Routes:
    """Makes destinations, and keeps their connections. Thread-safe."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._ads_pacer = Pacer(settings.window)
        self._ads: dict[str | None, tuple[float, Connection]] = {}
        self._events: tuple[float, EventsConnection] | None = None

    def destination(self, profile: Profile, log: Log) -> Destination[Any]:
        """The destination of a profile. Raises `PermanentError` or `RetryableError` for its credentials."""
        if profile.destination == "data_manager":
            return self._data_manager(profile, log)
        return self._google_ads(profile, log)

    def renew_processing(
        self,
        request_ids: Sequence[str],
        previous: Mapping[str, Any] | None,
        now: datetime,
        deadline: float,
        log: Log,
    ) -> dict[str, Any]:
        """Ask the Data Manager API what became of requests: the `processing` part, renewed."""
        from lib.destinations.data_manager.diagnostics import renew

        timeout = self._settings.request_timeout_seconds
        return renew(self._connection(), request_ids, previous, now, deadline, timeout, log)

    def _connection(self) -> EventsConnection:
        """The Data Manager connection: for uploads, and for the status of requests."""
        from lib.destinations.data_manager.client import connect, new_pacer

        settings = self._settings
        with self._lock:
            made, old = self._events or (-CONNECTION_SECONDS, None)
            if old is not None and self._clock() - made < CONNECTION_SECONDS:
                return old
            connection = connect(
                read_credentials(settings),
                settings.data_manager_endpoint,
                old.pacer if old else new_pacer(settings.window),
                old.status_pacer if old else None,
            )
            self._events = self._clock(), connection
            return connection

    def _data_manager(self, profile: Profile, log: Log) -> Destination[Any]:
        from lib.destinations.data_manager.client import DataManager
        from lib.destinations.data_manager.conversion_event import EventDefaults

        return DataManager(
            self._connection(),
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            defaults=EventDefaults(
                login_customer_id=profile.login_customer_id,
                event_source=profile.event_source,
                ad_personalization=profile.ad_personalization,
                validate_only=profile.validate_only,
            ),
        )

    def _ads_client(self, manager: str | None) -> Any:
        from lib.destinations.google_ads.sdk_client import build_client

        return build_client(read_credentials(self._settings), manager)

    def _google_ads(self, profile: Profile, log: Log) -> Destination[Any]:
        from lib.destinations.google_ads.lazy_imports import import_lazily
        from lib.destinations.google_ads.sdk_client import API_VERSION

        manager = profile.login_customer_id
        with self._lock:
            made, connection = self._ads.get(manager, (-CONNECTION_SECONDS, None))
            if connection is None or self._clock() - made >= CONNECTION_SECONDS:
                with _importing(), ThreadPoolExecutor(1, "connect") as connecting:
                    client = connecting.submit(self._ads_client, manager)
                    # A third of a second of imports, while secret and token are on their way.
                    import_lazily(API_VERSION)
                    from lib.destinations.google_ads.client import Connection

                    connection = Connection(client.result(), self._ads_pacer)
                self._ads[manager] = (self._clock(), connection)
        from lib.destinations.google_ads.client import GoogleAds

        return GoogleAds(
            connection,
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            validate_only=profile.validate_only,
            check_click_ownership=self._settings.check_click_ownership,
        )


@contextmanager
def _importing() -> Iterator[None]:
    """Imports make some hundred thousand objects that stay as long as the instance: looking
    through them for garbage, now and whenever rows have made some, is a tenth of all work."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
