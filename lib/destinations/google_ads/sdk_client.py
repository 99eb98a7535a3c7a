"""The google-ads library's client, created from the credentials.

This is a separate module because it needs none of the API's message types. Their import takes half
a second, and the secret and the access token are fetched in the meantime
(`lib.destinations.google_ads.connector`).
"""

from __future__ import annotations

from google.ads.googleads import client as sdk
from google.ads.googleads.client import GoogleAdsClient

from lib.destinations.connections import keepalive_options
from lib.destinations.credentials import ADWORDS_SCOPE, connect_with
from lib.destinations.google_ads.api import API_VERSION


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
        # Then the library leaves an answer as it is (`calls`: bytes). The `logging` setting is left
        # out: it could print requests.
        use_proto_plus=True,
    )
