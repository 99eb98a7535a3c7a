"""Profile → destination. Clients live as long as the instance; a route is imported when needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lib.destinations.pacing import Pacer
from lib.destinations.port import Destination
from lib.logs import Log
from lib.secrets import read_credentials
from lib.settings import Profile, Settings

if TYPE_CHECKING:
    from lib.destinations.google_ads import Connection


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

    def destination(self, profile: Profile, log: Log) -> Destination[Any]:
        """The destination of a profile. Raises `GiveUp` or `Redeliver` for its credentials."""
        return self._google_ads(profile, log)

    def _google_ads(self, profile: Profile, log: Log) -> Destination[Any]:
        from lib.destinations.google_ads import Connection, GoogleAds, build_client

        manager = profile.login_customer_id
        with self._lock:
            made, connection = self._ads.get(manager, (-CONNECTION_SECONDS, None))
            if connection is None or self._clock() - made >= CONNECTION_SECONDS:
                client = build_client(read_credentials(self._settings), manager)
                connection = Connection(client, self._ads_pacer)
                self._ads[manager] = (self._clock(), connection)
        return GoogleAds(
            connection,
            log,
            timeout_seconds=self._settings.request_timeout_seconds,
            validate_only=profile.validate_only,
            check_click_ownership=self._settings.check_click_ownership,
        )
