"""Profile → Google Ads API. All accounts share one connection and one pacer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lib.destinations.connections import KeptConnection, PacedConnection
from lib.destinations.credentials import ADWORDS_SCOPE, Authorized
from lib.destinations.google_ads.api import LAZY_PACKAGES
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.instance import Connector, Instance, UploadProfile
from lib.destinations.pacing import Pacer
from lib.model.log import Log

if TYPE_CHECKING:
    from lib.destinations.google_ads.client import AdsChannel, GoogleAds


class GoogleAdsConnector:
    """See `lib.destinations.instance.Connector`."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        client = "lib.destinations.google_ads.client"
        credentials = instance.begin(ADWORDS_SCOPE, LAZY_PACKAGES, client)
        pacer = Pacer(instance.settings.window)
        self._connection = PacedConnection(KeptConnection(credentials, self._connect), pacer)

    def destination(self, profile: UploadProfile, log: Log) -> GoogleAds:
        manager_id = self._connection.kept.get().manager_id
        from lib.destinations.google_ads.client import GoogleAds

        return GoogleAds(
            connection=self._connection,
            preflight=self._instance.preflight,
            log=log,
            manager_id=profile.login_customer_id or manager_id,
            timeout_seconds=self._instance.settings.request_timeout_seconds,
            validate_only=profile.validate_only,
        )

    def _connect(self, authorized: Authorized) -> AdsChannel:
        from lib.destinations.google_ads.client import open_ads_channel

        endpoint = self._instance.settings.endpoint(CAPABILITIES.name)
        return open_ads_channel(authorized, endpoint)


CONNECTOR: Final[type[Connector]] = GoogleAdsConnector
