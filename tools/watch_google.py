"""Prints what is new in Google's newest packages: `python -m tools.watch_google`.

It compares what is installed with what this project knows: install the newest `google-ads`,
`google-ads-datamanager` and `google-api-python-client` before (.github/workflows/google.yml does,
every week). The last one has the discovery document of the Data Manager API, which is ahead of its
client library. Nothing is printed if nothing is new. `--all` also prints what is known already, but
is not in the client library.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from google.ads.datamanager_v1.types import ingestion_service

from lib.catalogue.codes import CATALOGUE
from lib.destinations import registry
from lib.destinations.google_ads.api import API_VERSION, SUNSET
from lib.destinations.google_ads.messages import (
    CallConversion,
    ClickConversion,
    conversion_adjustment,
)

SOON: Final = timedelta(days=180)

KNOWN_BY_REST: Final = {
    "Event.callInfo": "sent by REST (lib/destinations/data_manager/client.py)",
    "ErrorCount.recordIndices": "read by REST",
    "WarningCount.recordIndices": "read by REST",
    "AdIdentifiers.leadId": "not sent: no page says what it needs",
    "DataTypeCount.type": "not for events",
}
"""What the discovery document has and the client library lacks, and what we do about it."""

_MESSAGES: Final = ("IngestEventsRequest", "IngestEventsResponse", "RetrieveRequestStatusResponse")
_EVENT: Final = ingestion_service.IngestEventsRequest.pb().DESCRIPTOR.fields_by_name["events"]
MESSAGES: Final[dict[str, dict[str, Any]]] = {
    "google_ads": {
        "conversion": ClickConversion.DESCRIPTOR,
        "adjustment": conversion_adjustment().DESCRIPTOR,
        "call": CallConversion.DESCRIPTOR,
    },
    "data_manager": dict.fromkeys(("conversion", "adjustment", "call"), _EVENT.message_type),
}
"""Destination → kind of record → Google's message for it."""

WRITTEN_BY_US: Final = {"conversion_action", "destination_references"}
"""What no column has: which action a record is for, and constants of the profile."""

_DEVICE: Final = "ad_identifiers.landing_page_device_info"
_ADDRESS: Final = "user_data.user_identifiers.address"
NOT_SENT: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("Event", "few businesses know it; the value of a conversion says more"): (
        "user_properties.customer_value_bucket",
    ),
    ("Event", "no page says what it does for Google Ads"): ("last_updated_timestamp",),
    ("Event", "for Google Analytics only"): (
        *(f"{_ADDRESS}.{each}" for each in ("address_line", "city", "administrative_area")),
        *(f"{_DEVICE}.{each}" for each in ("category", "language_code", "model", "brand")),
        *(f"{_DEVICE}.{each}" for each in ("screen_height", "screen_width")),
        *(f"{_DEVICE}.{each}" for each in ("operating_system", "operating_system_version")),
        *(f"{_DEVICE}.{each}" for each in ("browser", "browser_version")),
        *("event_device_info", "event_name", "client_id", "user_id", "app_instance_id"),
        *("additional_event_parameters", "user_properties.additional_user_properties"),
        "cart_data.coupon_codes",
    ),
    ("Event", "for Floodlight (Campaign Manager 360) and publishers"): (
        *("ad_identifiers.dclid", "ad_identifiers.impression_id", "ad_identifiers.match_id"),
        *("ad_identifiers.mobile_device_id", "ad_identifiers.encrypted_user_ids"),
        *("ad_identifiers.ppid", "ad_identifiers.visitor_ppid", "conversion_count"),
    ),
    ("Event", "for store sales, which need an allowlist"): ("event_location",),
    ("Event", "for data partners"): ("third_party_user_data",),
    ("Event", "needs an agreement with Google"): ("experimental_fields",),
    ("ClickConversion", "for actions with external attribution, which few accounts have"): (
        "external_attribution_data",
    ),
    ("ClickConversion", "Google's texts contradict each other; Data Manager takes addresses"): (
        "user_identifiers.address_info",
    ),
    ("ClickConversion", "not for conversions"): (
        *("user_identifiers.mobile_id", "user_identifiers.third_party_user_id"),
    ),
    ("ConversionAdjustment", "for a tag's conversions, which the Data Manager API enhances"): (
        *("user_identifiers", "user_agent"),
    ),
}
"""A message of Google's and why we do not send these fields of it → the fields. What a
`capabilities.py` declares is sent all the same."""


def discovery_document() -> dict[str, Any]:
    """Return Google's description of the Data Manager API's JSON."""
    folder = files("googleapiclient.discovery_cache") / "documents"
    document: dict[str, Any] = json.loads((folder / "datamanager.v1.json").read_text())
    return document


def beyond_the_client(schemas: dict[str, Any]) -> Iterator[str]:
    """Yield fields and words that the document has and the client library lacks."""
    seen = set[str]()

    def walk(message: Any, name: str) -> Iterator[str]:
        if name in seen:
            return
        seen.add(name)
        for key, value in schemas[name].get("properties", {}).items():
            inside = value.get("items", value)
            field = message.fields_by_name.get(_snake(key))
            if field is None:
                yield f"{name}.{key}"
            elif field.message_type is not None and "$ref" in inside:
                yield from walk(field.message_type, inside["$ref"])
            elif field.enum_type is not None:
                words = set(inside.get("enum", ())) - set(field.enum_type.values_by_name)
                yield from (f"{name}.{key}: {word}" for word in sorted(words))

    for name in _MESSAGES:
        yield from walk(getattr(ingestion_service, name).pb().DESCRIPTOR, name)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda found: f"_{found[0].lower()}", name)


def is_known(name: str) -> bool:
    """Whether we have decided about a field or a reason. Every reason to warn is a warning."""
    reason = name.rpartition(": ")[2]
    return name in KNOWN_BY_REST or reason in CATALOGUE or "WARNING_REASON_" in reason


def not_sent() -> set[tuple[str, str]]:
    """Return (message, field) of everything in the client libraries that nothing writes."""
    found = set[tuple[str, str]]()
    for api, kinds in MESSAGES.items():
        written: dict[Any, set[str]] = {}
        for kind, message in kinds.items():
            can = registry.capabilities_of(api).kinds[kind]  # type: ignore[index]
            written.setdefault(message, {*WRITTEN_BY_US}).update(can.fields.values())
        for message, paths in written.items():
            found.update((message.name, path) for path in _unwritten(message, paths))
    return found - {("ClickConversion", "user_identifiers.user_identifier_source")}  # always ours


def _unwritten(message: Any, written: set[str], above: str = "") -> Iterator[str]:
    for each in message.fields:
        path = f"{above}{each.name}"
        if any(one.startswith(f"{path}.") for one in written):
            yield from _unwritten(each.message_type, written, f"{path}.")
        elif path not in written:
            yield path


def news_of_google_ads(today: date, versions: Iterable[str]) -> Iterator[str]:
    """Yield newer versions of the Google Ads API, and the end of ours."""
    newest = max(versions, key=_number)
    if _number(newest) > _number(API_VERSION):
        yield f"Google Ads API {newest}: we use {API_VERSION}"
    if SUNSET - today < SOON:
        yield f"Google Ads API {API_VERSION} ends on {SUNSET}"


def installed_versions() -> list[str]:
    """Return the versions that the google-ads package has, such as v23."""
    folder = Path(import_module("google.ads.googleads").__path__[0])
    return [each.name for each in folder.glob("v*") if re.fullmatch(r"v\d+", each.name)]


def _number(version: str) -> int:
    return int(version[1:])


def main(arguments: list[str]) -> int:
    """Print what is new, as lines of Markdown."""
    everything = "--all" in arguments
    lines = [
        f"{name} ({KNOWN_BY_REST.get(name, 'new')})"
        for name in beyond_the_client(discovery_document()["schemas"])
        if everything or not is_known(name)
    ]
    decided = {(message, path) for (message, _), paths in NOT_SENT.items() for path in paths}
    lines += [
        f"{message}.{path} (not sent, no reason)" for message, path in sorted(not_sent() - decided)
    ]
    lines += news_of_google_ads(datetime.now(UTC).date(), installed_versions())
    for line in lines:
        print(f"- {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
