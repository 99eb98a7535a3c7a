"""The google-ads library's client, made from the credentials.

A module of its own because it needs none of the API's message types, whose import takes half a
second: secret and access token are fetched meanwhile (`lib.destinations.registry`).
"""

from __future__ import annotations

from google.ads.googleads.client import GoogleAdsClient

from lib.destinations.credentials import ADWORDS_SCOPE, connect_with

API_VERSION = "v26"


def build_client(text: str, login_customer_id: str | None) -> GoogleAdsClient:
    """A client from the text of a google-ads.yaml (`lib.adapters.secret_manager`).

    `login_customer_id` is the profile's; without it the file's counts. Raises as
    `credentials.connect_with` does.
    """
    configuration, credentials = connect_with(text, ADWORDS_SCOPE)
    manager = login_customer_id or configuration.get("login_customer_id")
    return GoogleAdsClient(
        credentials,
        developer_token=configuration.get("developer_token"),
        endpoint=configuration.get("endpoint"),
        login_customer_id=str(manager).replace("-", "") if manager else None,
        linked_customer_id=configuration.get("linked_customer_id"),
        version=API_VERSION,
        http_proxy=configuration.get("http_proxy"),
        # Raw protobuf on the hot path. A `logging` entry is left out: it could print requests.
        use_proto_plus=False,
    )
