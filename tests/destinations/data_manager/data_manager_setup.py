"""A Data Manager destination for the sandbox's API, and conversions to send with it."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.destinations.base import UploadResult
from lib.destinations.connections import KeptConnection
from lib.destinations.credentials import DATA_MANAGER_SCOPE, connect_with
from lib.destinations.data_manager.client import DataManager, DataManagerConnection, open_channels
from lib.destinations.data_manager.messages import EventDefaults
from lib.destinations.pacing import Pacer, UnknownQuota
from lib.model.deadline import Deadline
from lib.model.log import SilentLog
from lib.model.records import Conversion
from sandbox.apis import Apis

CUSTOMER = "1234567890"
MANAGER = "9999999999"
ACTION = "1001"
DIGEST = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"  # test@example.com


def ago(**delta: float) -> str:
    """A conversion time that long ago."""
    return f"{datetime.now(UTC) - timedelta(**delta):%Y-%m-%d %H:%M:%S}+00:00"


def conversion(**changes: Any) -> Conversion:
    """Return a valid conversion with a click ID, with some fields changed."""
    given: dict[str, Any] = {
        "customer_id": CUSTOMER,
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


def connected(credentials: str, apis: Apis) -> DataManagerConnection:
    """Return a connection without the pause between requests."""
    authorized = connect_with(credentials, DATA_MANAGER_SCOPE)[1]
    channels = KeptConnection(
        lambda: open_channels(authorized, apis.data_manager_endpoint), 900, time.monotonic
    )
    channels.get()
    pacers = [Pacer(UnknownQuota(8, random.Random(1))) for _ in range(2)]
    return DataManagerConnection(channels, *pacers)


def route(apis: Apis, *, timeout_seconds: float = 20.0, **defaults: Any) -> DataManager:
    """Return the destination as a run gets it, but without the pause between requests."""
    connection = connected(apis.google_ads_key_yaml, apis)
    given = {"event_source": "PHONE"} | defaults
    return DataManager(
        connection,
        SilentLog(),
        timeout_seconds=timeout_seconds,
        defaults=EventDefaults(**given),
    )


def send(destination: DataManager, *conversions: Conversion, seconds: float = 60.0) -> UploadResult:
    """Send conversions as one chunk."""
    batch = destination.batch(42, maybe_sent=False)
    for each in conversions:
        batch.add(each)
    return destination.send(batch, within(seconds))


def within(seconds: float) -> Deadline:
    """Return a deadline in some seconds."""
    ends = time.monotonic() + seconds
    return Deadline(ends, ends)
