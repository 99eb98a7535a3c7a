"""`Conversion` → raw protobuf `Event`, Data Manager API v1.

Field by field as in
https://developers.google.com/data-manager/api/devguides/events/google-ads/offline/upgrade/field-mappings
Raw classes (`.pb()`), since building an event through proto-plus costs ten times as much. What this
API has no field for (conversion environment, external attribution) isn't written; the results say
so in a note (`lib.rules.optional_fields`).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.ads.datamanager_v1.types.ingestion_service import IngestEventsRequest

from lib.model.records import Conversion, OptionalFields

Request = IngestEventsRequest.pb()

MAX_DESTINATIONS = 10
"""Destinations of one request
(https://developers.google.com/data-manager/api/devguides/limits)."""

NUMERIC_ID_PREFIX = "order-"

# Enum numbers, as the raw classes want them.
_HEX = 1
_GOOGLE_ADS = 1
_CONSENT = {"UNSPECIFIED": 0, "GRANTED": 1, "DENIED": 2}
_EVENT_SOURCE = {"WEB": 1, "APP": 2, "IN_STORE": 3, "PHONE": 4, "OTHER": 5, "MESSAGE": 6}
_CUSTOMER_TYPE = {"NEW": 1, "RETURNING": 2}


@dataclass(frozen=True, slots=True)
class EventDefaults:
    """The profile's part of a request: what a row doesn't say itself."""

    login_customer_id: str | None = None
    event_source: str = "OTHER"
    ad_personalization: str | None = None
    validate_only: bool = False


def transaction_id(order_id: str) -> str:
    """The order id, with `order-` before one of digits alone.

    Google has refused purely numeric ones (and `validate_only` didn't say so). The same order id
    gives the same transaction id every time, so a resend is still recognized.
    """
    return NUMERIC_ID_PREFIX + order_id if order_id.isdigit() else order_id


class Part:
    """One request: events of one account, for at most ten conversion actions.

    `positions[i]` is the place in the batch of the i-th event.
    """

    def __init__(self, customer_id: str, defaults: EventDefaults) -> None:
        self.customer_id = customer_id
        self.request = Request(encoding=_HEX, validate_only=defaults.validate_only)
        self.positions: list[int] = []
        self._login_customer_id = defaults.login_customer_id

    def has_room(self) -> bool:
        """Whether another destination fits."""
        return len(self.request.destinations) < MAX_DESTINATIONS

    def add_destination(self, action_id: str) -> None:
        """Let events refer to a conversion action; its id is the reference too."""
        destination = self.request.destinations.add(
            reference=action_id, product_destination_id=action_id
        )
        destination.operating_account.account_type = _GOOGLE_ADS
        destination.operating_account.account_id = self.customer_id
        if self._login_customer_id is not None:
            destination.login_account.account_type = _GOOGLE_ADS
            destination.login_account.account_id = self._login_customer_id


class EventBatch:
    """The conversions of one chunk as requests: one per account and ten conversion actions."""

    def __init__(self, defaults: EventDefaults) -> None:
        self.parts: list[Part] = []
        self._defaults = defaults
        self._source = _EVENT_SOURCE[defaults.event_source]
        self._ad_personalization = defaults.ad_personalization
        self._size = 0
        self._homes: dict[tuple[str, str], Part] = {}
        self._customer_id = self._action_id = ""
        self._events: Any = None
        self._places: list[int] = []

    def __len__(self) -> int:
        return self._size

    def add(self, conversion: Conversion, /) -> None:
        """Serialize one conversion into a request of its account."""
        (
            customer_id,
            action_id,
            time,
            gclid,
            gbraid,
            wbraid,
            hashed_emails,
            hashed_phones,
            value,
            currency_code,
            order_id,
            ad_user_data,
            optional_fields,
            _,
        ) = conversion
        if action_id != self._action_id or customer_id != self._customer_id:
            self._switch(customer_id, action_id)
        event = self._events.add()
        event.destination_references.append(action_id)
        event.event_timestamp.seconds = int(datetime.fromisoformat(time).timestamp())
        event.event_source = self._source
        # Exactly one click id (the rules have chosen).
        if gclid:
            event.ad_identifiers.gclid = gclid
        elif gbraid:
            event.ad_identifiers.gbraid = gbraid
        elif wbraid:
            event.ad_identifiers.wbraid = wbraid
        if value is not None:
            event.conversion_value = value
        if currency_code is not None:
            event.currency = currency_code
        if order_id is not None:
            event.transaction_id = transaction_id(order_id)
        if ad_user_data is not None:
            event.consent.ad_user_data = _CONSENT[ad_user_data]
        if self._ad_personalization is not None:
            event.consent.ad_personalization = _CONSENT[self._ad_personalization]
        for digest in hashed_emails:
            event.user_data.user_identifiers.add(email_address=digest)
        for digest in hashed_phones:
            event.user_data.user_identifiers.add(phone_number=digest)
        if optional_fields is not None:
            _write_extras(event, optional_fields)
        self._places.append(self._size)
        self._size += 1

    def _switch(self, customer_id: str, action_id: str) -> None:
        home = self._homes.get((customer_id, action_id))
        if home is None:
            home = self._part_with_room(customer_id)
            home.add_destination(action_id)
            self._homes[customer_id, action_id] = home
        self._customer_id, self._action_id = customer_id, action_id
        self._events = home.request.events
        self._places = home.positions

    def _part_with_room(self, customer_id: str) -> Part:
        for part in self.parts:
            if part.customer_id == customer_id and part.has_room():
                return part
        part = Part(customer_id, self._defaults)
        self.parts.append(part)
        return part


def part_of(request: Any, rows: Iterable[int]) -> Any:
    """The same request with only those events, and the destinations that they refer to."""
    part = Request(encoding=request.encoding, validate_only=request.validate_only)
    part.events.extend(request.events[row] for row in rows)
    used = {reference for event in part.events for reference in event.destination_references}
    part.destinations.extend(each for each in request.destinations if each.reference in used)
    return part


def _write_extras(event: Any, optional_fields: OptionalFields) -> None:
    if optional_fields.event_source is not None:
        event.event_source = _EVENT_SOURCE[optional_fields.event_source]
    if optional_fields.ad_personalization is not None:
        # The row's own word, also if it is "not stated", wins over the profile's.
        event.consent.ad_personalization = _CONSENT[optional_fields.ad_personalization]
    if optional_fields.customer_type is not None:
        event.user_properties.customer_type = _CUSTOMER_TYPE[optional_fields.customer_type]
    if optional_fields.user_ip_address is not None:
        event.ad_identifiers.landing_page_device_info.ip_address = optional_fields.user_ip_address
    if optional_fields.session_attributes_encoded is not None:
        event.ad_identifiers.session_attributes = optional_fields.session_attributes_encoded.decode(
            "ascii"
        )
    elif optional_fields.session_attributes:
        event.ad_identifiers.session_attributes = encoded_pairs(optional_fields.session_attributes)
    for name, value in optional_fields.custom_variables:
        event.custom_variables.add(variable=name, value=value)
    if optional_fields.address is not None:
        address = event.user_data.user_identifiers.add().address
        address.given_name = optional_fields.address.hashed_given_name
        address.family_name = optional_fields.address.hashed_family_name
        address.region_code = optional_fields.address.region_code
        address.postal_code = optional_fields.address.postal_code
    if optional_fields.cart is not None:
        _write_cart(event.cart_data, optional_fields)


def encoded_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Session attributes as Google's own script encodes them: base64 of a JSON object.

    This API has no field for single pairs
    (https://support.google.com/google-ads/answer/16194756).
    """
    return b64encode(json.dumps(dict(pairs), separators=(",", ":")).encode()).decode("ascii")


def _write_cart(message: Any, optional_fields: OptionalFields) -> None:
    cart = optional_fields.cart
    assert cart is not None
    if cart.merchant_id is not None:
        message.merchant_id = str(cart.merchant_id)
    if cart.feed_country_code is not None:
        message.merchant_feed_label = cart.feed_country_code
    if cart.feed_language_code is not None:
        message.merchant_feed_language_code = cart.feed_language_code
    if cart.local_transaction_cost is not None:
        message.transaction_discount = cart.local_transaction_cost
    for item in cart.items:
        message.items.add(
            merchant_product_id=item.product_id, quantity=item.quantity, unit_price=item.unit_price
        )
