"""A Data Manager destination for the sandbox's API, and conversions to send with it."""

from __future__ import annotations

from typing import Any

from lib.destinations.connections import KeptConnection, PacedConnection, SignIns
from lib.destinations.credentials import ADWORDS_SCOPE, DATA_MANAGER_SCOPE
from lib.destinations.data_manager.client import DataManager, open_channels
from lib.destinations.data_manager.messages import EventDefaults
from lib.destinations.pacing import Pacer
from lib.destinations.preflight import Preflight
from lib.model.log import SilentLog
from lib.model.records import Conversion
from sandbox.apis import Apis
from tests.destinations.sending import ago

MANAGER = "9999999999"
ACTION = "1001"
DIGEST = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"  # test@example.com


def conversion(**changes: Any) -> Conversion:
    """Return a valid conversion with a click ID, with some fields changed."""
    given: dict[str, Any] = {
        "action_id": ACTION,
        "time": ago(days=2),
        "gclid": "EAIaIQobChMI_example-0001",
        "gbraid": "",
        "wbraid": "",
        "hashed_emails": (),
        "hashed_phones": (),
        "value": 12.5,
        "currency_code": "USD",
        "order_id": None,
        "ad_user_data": None,
        "optional_fields": None,
        "warnings": (),
    }
    return Conversion(**given | changes)


def numbered(number: int, **changes: Any) -> Conversion:
    """Return one of many conversions, each with a different click ID and order ID."""
    return conversion(gclid=f"EAIaIQobChMI_example-{number:06}", order_id=f"A-{number}", **changes)


def route(
    apis: Apis, *, timeout_seconds: float = 20.0, secret: str = "", **defaults: Any
) -> DataManager:
    """Return the destination as a run gets it, but without the pause between requests."""
    text = secret or apis.google_ads_key_yaml
    endpoint = apis.data_manager_endpoint
    sign_ins = SignIns(lambda: text)
    credentials = sign_ins.for_scope(DATA_MANAGER_SCOPE)
    kept = KeptConnection(credentials, lambda authorized: open_channels(authorized, endpoint))
    return DataManager(
        uploads=PacedConnection(kept, Pacer(8)),
        reads=PacedConnection(kept, Pacer(8)),
        preflight=Preflight(sign_ins.for_scope(ADWORDS_SCOPE), endpoint),
        log=SilentLog(),
        timeout_seconds=timeout_seconds,
        defaults=EventDefaults(**{"event_source": "PHONE"} | defaults),
    )
