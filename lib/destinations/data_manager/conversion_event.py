"""Records → raw protobuf `Event`, Data Manager API v1.

The fields are mapped as in
https://developers.google.com/data-manager/api/devguides/events/google-ads/offline/upgrade/field-mappings
This module uses raw classes (`.pb()`), because building an event through proto-plus takes ten times
as long. Values for which this API has no field (conversion environment, external attribution) are
not written; a note in the results reports this (`lib.run.notes`).

A restatement is its conversion again, with the new value: Google finds the conversion by its
transaction ID. A conversion that Google does not find would become a new one
(https://developers.google.com/data-manager/api/devguides/events/google-ads/conversion-adjustments).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.data_manager.event_request import Part
from lib.destinations.data_manager.order_ids import transaction_id
from lib.destinations.message_paths import plain_paths, write_plain_values
from lib.model.fields import RecordKind
from lib.model.records import Adjustment, Call, Cart, Conversion, OptionalFields

# Enum numbers, as the raw classes require.
_CONSENT = {"UNSPECIFIED": 0, "GRANTED": 1, "DENIED": 2}
_EVENT_SOURCE = {"WEB": 1, "APP": 2, "IN_STORE": 3, "PHONE": 4, "OTHER": 5, "MESSAGE": 6}

_ORDER: tuple[RecordKind, ...] = ("conversion", "call", "adjustment")
"""The order in which a chunk sends its records: an adjustment follows its conversion."""

_SPECIAL = ("ad_personalization", "session_attributes_key_value_pairs", "items")
_PLAIN = plain_paths(OptionalFields, CAPABILITIES.fields, _SPECIAL)
_PLAIN_OF_CART = plain_paths(Cart, CAPABILITIES.fields, _SPECIAL)


@dataclass(frozen=True, slots=True)
class EventDefaults:
    """Values from the profile, for everything that a row does not set."""

    login_customer_id: str | None = None
    event_source: str = "OTHER"
    ad_personalization: str | None = None
    validate_only: bool = False


class EventBatch:
    """The records of one chunk as requests: one per kind, account and ten conversion actions."""

    def __init__(self, defaults: EventDefaults) -> None:
        self._parts: list[Part] = []
        self._defaults = defaults
        self._source = _EVENT_SOURCE[defaults.event_source]
        self._ad_personalization = defaults.ad_personalization
        self._size = 0
        self._homes: dict[tuple[RecordKind, str, str], Part] = {}
        self._customer_id = self._action_id = ""
        self._home: Part
        self._events: Any = None
        self._places: list[int] = []

    def __len__(self) -> int:
        return self._size

    @property
    def parts(self) -> list[Part]:
        """The requests, in the order in which they must be sent."""
        return sorted(self._parts, key=lambda part: _ORDER.index(part.request.kind))

    def byte_size(self) -> int:
        """See `Batch.byte_size`."""
        return sum(part.request.message.ByteSize() for part in self._parts)

    def add_adjustment(self, adjustment: Adjustment, /) -> None:
        """Serialize a restatement: its conversion, with the order ID that was sent with it.

        Raises `ValueError` for an adjustment that the capabilities exclude. It would be counted as
        a new conversion.
        """
        original = adjustment.original
        is_restatement = adjustment.adjustment_type == "restatement"
        if original is None or adjustment.order_id is None or not is_restatement:
            raise ValueError(adjustment.adjustment_type)
        self._switch("adjustment", original.customer_id, original.action_id)
        self.add(original._replace(order_id=adjustment.order_id))
        self._customer_id = ""  # the next conversion belongs to another request

    def add_call(self, call: Call, /) -> None:
        """Serialize a call. The number of the caller is sent as a hash."""
        self._switch("call", call.customer_id, call.action_id)
        self._customer_id = ""
        event = self._events.add()
        event.destination_references.append(call.action_id)
        event.event_timestamp.seconds = int(datetime.fromisoformat(call.time).timestamp())
        event.event_source = _EVENT_SOURCE["PHONE"]
        event.user_data.user_identifiers.add(
            phone_number=sha256(call.caller_id.encode("ascii")).hexdigest()
        )
        if call.value is not None:
            event.conversion_value = call.value
        if call.currency_code is not None:
            event.currency = call.currency_code
        if call.ad_user_data is not None:
            event.consent.ad_user_data = _CONSENT[call.ad_user_data]
        if self._ad_personalization is not None:
            event.consent.ad_personalization = _CONSENT[self._ad_personalization]
        for name, value in call.custom_variables:
            event.custom_variables.add(variable=name, value=value)
        starts = self._home.request.call_starts
        assert starts is not None  # the part was made for calls
        starts.append(_rfc_3339(call.call_time))
        self._places.append(self._size)
        self._size += 1

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
            self._switch("conversion", customer_id, action_id)
        event = self._events.add()
        event.destination_references.append(action_id)
        event.event_timestamp.seconds = int(datetime.fromisoformat(time).timestamp())
        event.event_source = self._source
        # At most one click ID: the rules have chosen it.
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
        if hashed_emails or hashed_phones:
            _write_user_identifiers(event, hashed_emails, hashed_phones)
        if optional_fields is not None:
            _write_optional_fields(event, optional_fields)
        self._places.append(self._size)
        self._size += 1

    def _switch(self, kind: RecordKind, customer_id: str, action_id: str) -> None:
        home = self._homes.get((kind, customer_id, action_id))
        if home is None:
            home = self._part_with_room(kind, customer_id)
            home.add_destination(action_id)
            self._homes[kind, customer_id, action_id] = home
        self._customer_id, self._action_id = customer_id, action_id
        self._home = home
        self._events = home.request.events
        self._places = home.positions

    def _part_with_room(self, kind: RecordKind, customer_id: str) -> Part:
        for part in self._parts:
            if (part.request.kind, part.customer_id) == (kind, customer_id) and part.has_room():
                return part
        defaults = self._defaults
        manager_id, validate_only = defaults.login_customer_id, defaults.validate_only
        part = Part(kind, customer_id, manager_id, validate_only=validate_only)
        self._parts.append(part)
        return part


def _rfc_3339(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _write_user_identifiers(
    event: Any, hashed_emails: Iterable[str], hashed_phones: Iterable[str]
) -> None:
    add = event.user_data.user_identifiers.add
    for digest in hashed_emails:
        add(email_address=digest)
    for digest in hashed_phones:
        add(phone_number=digest)


def _write_optional_fields(event: Any, optional: OptionalFields) -> None:
    write_plain_values(event, _PLAIN, optional)
    if optional.ad_personalization is not None:
        # The row's value replaces the profile's, even if it is UNSPECIFIED.
        event.consent.ad_personalization = _CONSENT[optional.ad_personalization]
    if optional.session_attributes_key_value_pairs:
        pairs = encoded_pairs(optional.session_attributes_key_value_pairs)
        event.ad_identifiers.session_attributes = pairs
    for name, value in optional.custom_variables:
        event.custom_variables.add(variable=name, value=value)
    if optional.address is not None:
        address = event.user_data.user_identifiers.add().address
        address.given_name = optional.address.hashed_given_name
        address.family_name = optional.address.hashed_family_name
        address.region_code = optional.address.region_code
        address.postal_code = optional.address.postal_code
    if optional.cart is not None:
        write_plain_values(event, _PLAIN_OF_CART, optional.cart)
        for item in optional.cart.items:
            event.cart_data.items.add(
                merchant_product_id=item.product_id,
                quantity=item.quantity,
                unit_price=item.unit_price,
            )


def encoded_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Encode session attributes like Google's own script: base64 of a JSON object.

    This API has no field for single pairs
    (https://support.google.com/google-ads/answer/16194756).
    """
    return b64encode(json.dumps(dict(pairs), separators=(",", ":")).encode()).decode("ascii")
