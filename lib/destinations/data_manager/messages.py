"""Records → the bytes of protobuf's `Event`, Data Manager API v1.

The fields are mapped as in
https://developers.google.com/data-manager/api/devguides/events/google-ads/offline/upgrade/field-mappings
The conversion environment, for which this API has no field, is not written; a note in the results
reports this (`lib.run.reading`).

A chunk is written as text that is sent as it is (`lib.destinations.wire_format`): no message object
is made unless an answer names events. For a common event, protobuf's own classes take 5 µs, with
one Python call per field and four messages in each event; the text takes 1.1 µs. What many events
share, rare fields and calls are written by raw message classes (`.pb()`). A test checks that both
ways give the same message for any record.

A restatement is its conversion again, with the new value: Google finds the conversion by its
transaction ID. A conversion that Google does not find would become a new one
(https://developers.google.com/data-manager/api/devguides/events/google-ads/conversion-adjustments).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from google.ads.datamanager_v1.types.event import Event as EventMessage

from lib.destinations.data_manager.capabilities import CAPABILITIES, transaction_id
from lib.destinations.data_manager.event_request import MAX_DESTINATIONS, EventRequest, Request
from lib.destinations.wire_format import (
    FIXED64,
    LENGTH,
    VARINT,
    VARINTS,
    double,
    latin,
    plain_paths,
    tag,
    varint,
    write_plain_values,
)
from lib.model.fields import RecordKind
from lib.model.records import Adjustment, Call, Conversion, OptionalFields

_CONSENT = {"GRANTED": 1, "DENIED": 2}
"""The numbers of the API's enum."""

Event = EventMessage.pb()


@dataclass(frozen=True, slots=True)
class EventDefaults:
    """Values from the profile, for everything that a row does not set.

    `login_customer_id` is the manager account of the profile, or else of the secret ("": none).
    """

    login_customer_id: str = ""
    event_source: str = "OTHER"
    ad_personalization: str | None = None
    validate_only: bool = False
    order_ids_of_tag: bool = False
    """Whether order IDs are those of a website's tag, which are sent as they are."""


def encode(
    kind: RecordKind, records: Sequence[Any], customer_id: str, defaults: EventDefaults
) -> list[EventRequest]:
    """Return the requests to an account with these records, which are of one kind: one for every
    ten conversion actions."""
    all_actions = [*dict.fromkeys([record.action_id for record in records])]
    requests = []
    for start in range(0, len(all_actions), MAX_DESTINATIONS):
        actions = all_actions[start : start + MAX_DESTINATIONS]
        positions = [n for n, record in enumerate(records) if record.action_id in actions]
        sent = [records[position] for position in positions]
        requests.append(_request(kind, sent, positions, customer_id, actions, defaults))
    return requests


def _request(
    kind: RecordKind,
    records: Sequence[Any],
    positions: Sequence[int],
    customer_id: str,
    actions: Sequence[str],
    defaults: EventDefaults,
) -> EventRequest:
    """Return the request with these records, which are those at `positions` in the chunk. `actions`
    are their conversion actions, at most `MAX_DESTINATIONS`."""
    head = Request(encoding="HEX", validate_only=defaults.validate_only)
    manager_id = defaults.login_customer_id
    for action_id in actions:
        head.destinations.add(
            reference=action_id,  # by which events name the destination
            product_destination_id=action_id,
            operating_account=_account(customer_id),
            login_account=_account(manager_id) if manager_id else None,
        )
    call_starts: list[str] | None = None
    if kind == "call":
        call_starts = [_rfc_3339(call.call_time) for call in records]
        texts = [_event_of_call(call, defaults) for call in records]
    else:
        sales = records if kind == "conversion" else map(restated, records)
        shared: _Shared = {}
        texts = [_event_of_sale(sale, defaults, shared) for sale in sales]
    # In protobuf, the bytes of two messages after each other are both messages in one.
    content = head.SerializeToString() + "".join(texts).encode("latin-1")
    return EventRequest(kind, content, positions, call_starts)


def restated(adjustment: Adjustment) -> Conversion:
    """Return the conversion that a restatement is sent as: with its new value, and with the order
    ID that was sent with it.

    Raises `ValueError` for an adjustment that the capabilities exclude. It would be counted as a
    new conversion.
    """
    original = adjustment.original
    can_be_sent = CAPABILITIES.adjusts(frozenset({adjustment.adjustment_type}))
    if original is None or adjustment.order_id is None or not can_be_sent:
        raise ValueError(adjustment.adjustment_type)
    return original._replace(
        order_id=adjustment.order_id,
        value=adjustment.value,
        currency_code=adjustment.currency_code,
    )


def _account(customer_id: str) -> dict[str, str]:
    return {"account_type": "GOOGLE_ADS", "account_id": customer_id}


_Shared = dict[tuple[str, str | None, str | None], str]
"""What many events of a request share, by action, currency and consent."""


def _event_of_sale(record: Conversion, defaults: EventDefaults, shared: _Shared) -> str:
    """Return the bytes of a conversion in a request."""
    (
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
    ) = record
    key = action_id, currency_code, ad_user_data
    body = shared.get(key)
    if body is None:
        event = _new_event(*key, defaults.event_source, defaults)
        body = shared[key] = _serialized(event)
    body += event_timestamp(time)
    # At most one click ID: the rules have chosen it.
    click = ""
    if gclid:
        click = f"{_GCLID}{VARINTS[len(gclid)]}{gclid}"
    elif gbraid:
        click = f"{_GBRAID}{VARINTS[len(gbraid)]}{gbraid}"
    elif wbraid:
        click = f"{_WBRAID}{VARINTS[len(wbraid)]}{wbraid}"
    if click:
        body = f"{body}{_AD_IDENTIFIERS}{VARINTS[len(click)]}{click}"
    if value is not None:
        body = f"{body}{_VALUE}{double(value).decode('latin-1')}"
    if order_id is not None:
        if not defaults.order_ids_of_tag:
            order_id = transaction_id(order_id)
        order_id = latin(order_id)
        body = f"{body}{_TRANSACTION_ID}{VARINTS[len(order_id)]}{order_id}"
    if len(hashed_emails) == 1 == len(hashed_phones):
        body = f"{body}{_EMAIL_BEFORE_PHONE}{hashed_emails[0]}{_PHONE}{hashed_phones[0]}"
    elif hashed_emails or hashed_phones:
        body += user_data(hashed_emails, hashed_phones)
    if optional_fields is not None:
        event = Event.FromString(body.encode("latin-1"))
        _write_optional_fields(event, optional_fields)
        body = _serialized(event)
    return _with_tag_and_length(body)


def _event_of_call(call: Call, defaults: EventDefaults) -> str:
    """Return the bytes of a call in a request. The number of the caller is sent as a hash."""
    event = _new_event(call.action_id, call.currency_code, call.ad_user_data, "PHONE", defaults)
    event.event_timestamp.seconds = int(datetime.fromisoformat(call.time).timestamp())
    event.user_data.user_identifiers.add(
        phone_number=sha256(call.caller_id.encode("ascii")).hexdigest()
    )
    if call.value is not None:
        event.conversion_value = call.value
    if call.optional_fields is not None:
        _write_optional_fields(event, call.optional_fields)
    return _with_tag_and_length(_serialized(event))


def _with_tag_and_length(event: str) -> str:
    """Return the bytes of an event as one of the `events` of a request: tag, length, event."""
    size = len(event)
    return f"{_EVENT}{VARINTS[size] if size < len(VARINTS) else varint(size)}{event}"


def _new_event(
    action_id: str,
    currency_code: str | None,
    consent: str | None,
    source: str,
    defaults: EventDefaults,
) -> Any:
    """Return an event with what many events share. The consent to personalized ads is the
    profile's, which the plan leaves out if the file has a column of it."""
    event = Event(destination_references=[action_id], currency=currency_code, event_source=source)
    if consent is not None:
        event.consent.ad_user_data = _CONSENT[consent]
    if defaults.ad_personalization is not None:
        event.consent.ad_personalization = _CONSENT[defaults.ad_personalization]
    return event


# ── tags and bytes of an event ────────────────────────────────────────────────────────────────────

_REQUEST = Request.DESCRIPTOR
_FIELDS = _REQUEST.fields_by_name["events"].message_type
_TIMESTAMP = _FIELDS.fields_by_name["event_timestamp"].message_type
_CLICK_FIELDS = _FIELDS.fields_by_name["ad_identifiers"].message_type
_USER_FIELDS = _FIELDS.fields_by_name["user_data"].message_type
_IDENTIFIER_FIELDS = _USER_FIELDS.fields_by_name["user_identifiers"].message_type

_EVENT: Final = tag(_REQUEST, "events", LENGTH)
_AD_IDENTIFIERS: Final = tag(_FIELDS, "ad_identifiers", LENGTH)
_GCLID: Final = tag(_CLICK_FIELDS, "gclid", LENGTH)
_GBRAID: Final = tag(_CLICK_FIELDS, "gbraid", LENGTH)
_WBRAID: Final = tag(_CLICK_FIELDS, "wbraid", LENGTH)
_VALUE: Final = tag(_FIELDS, "conversion_value", FIXED64)
_TRANSACTION_ID: Final = tag(_FIELDS, "transaction_id", LENGTH)

_TIME: Final = tag(_FIELDS, "event_timestamp", LENGTH)
_SECONDS: Final = tag(_TIMESTAMP, "seconds", VARINT)
_USER: Final = tag(_FIELDS, "user_data", LENGTH)


def _identifier(field: str) -> str:
    """Return the bytes of a UserIdentifier up to its digest, which has 64 characters."""
    head = tag(_IDENTIFIER_FIELDS, field, LENGTH) + varint(64)
    return tag(_USER_FIELDS, "user_identifiers", LENGTH) + varint(len(head) + 64) + head


_EMAIL: Final = _identifier("email_address")
_PHONE: Final = _identifier("phone_number")
_IDENTIFIER_BYTES: Final = len(_EMAIL) + 64

_EMAIL_BEFORE_PHONE: Final = f"{_USER}{varint(2 * _IDENTIFIER_BYTES)}{_EMAIL}"
"""The bytes of `user_data` up to the digest of the email, if one phone number follows."""


def user_data(hashed_emails: Iterable[str], hashed_phones: Iterable[str]) -> str:
    """Return the bytes of `user_data`."""
    identifiers = [_EMAIL + digest for digest in hashed_emails]
    identifiers += [_PHONE + digest for digest in hashed_phones]
    return f"{_USER}{varint(_IDENTIFIER_BYTES * len(identifiers))}{''.join(identifiers)}"


_SECONDS_OF_HOUR: Final = {
    f"{minute:02}:{second:02}": 60 * minute + second for minute in range(60) for second in range(60)
}
_FIVE_BYTES: Final = range(1 << 28, 1 << 35)
"""Unix seconds whose varint has five bytes: from 1978 to 3058."""


@lru_cache(4096)
def _start_of_hour(hour: str, offset: str) -> int:
    return int(datetime.fromisoformat(f"{hour}00:00{offset}").timestamp())


_TIME_BEFORE_FIVE_BYTES: Final = f"{_TIME}{varint(len(_SECONDS) + 5)}{_SECONDS}"


def event_timestamp(time: str) -> str:
    """Return the bytes of a time such as `2026-11-24 14:05:07-06:00`.

    Rows of the same hour differ only in minute and second, so each hour is read once.
    """
    seconds = _start_of_hour(time[:14], time[19:]) + _SECONDS_OF_HOUR[time[14:19]]
    if seconds in _FIVE_BYTES:
        # As `varint` writes it, without its loop.
        first, second = chr(seconds & 127 | 128), chr(seconds >> 7 & 127 | 128)
        third, fourth = chr(seconds >> 14 & 127 | 128), chr(seconds >> 21 & 127 | 128)
        return f"{_TIME_BEFORE_FIVE_BYTES}{first}{second}{third}{fourth}{chr(seconds >> 28)}"
    number = _SECONDS + varint(seconds % (1 << 64))  # two's complement
    return f"{_TIME}{varint(len(number))}{number}"


# ── what is written by message classes ────────────────────────────────────────────────────────────

_SPECIAL = ("ad_personalization", "session_attributes_key_value_pairs", "items")
_PLAIN = plain_paths(CAPABILITIES.kinds["conversion"].fields, _SPECIAL)


def _serialized(event: Any) -> str:
    return event.SerializeToString().decode("latin-1")  # type: ignore[no-any-return]


def _rfc_3339(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _write_optional_fields(event: Any, optional: OptionalFields) -> None:
    write_plain_values(event, _PLAIN, optional)
    if (consent := optional.get("ad_personalization")) is not None:
        event.consent.ad_personalization = _CONSENT[consent]
    if pairs := optional.get("session_attributes_key_value_pairs"):
        event.ad_identifiers.session_attributes = encoded_pairs(pairs)
    for name, value in optional.get("custom_variables", ()):
        event.custom_variables.add(variable=name, value=value)
    if (address := optional.get("address")) is not None:
        sent = event.user_data.user_identifiers.add().address
        sent.given_name = address.hashed_given_name
        sent.family_name = address.hashed_family_name
        sent.region_code = address.region_code
        sent.postal_code = address.postal_code
    if (cart := optional.get("cart")) is not None:
        write_plain_values(event, _PLAIN, cart)
        for item in cart["items"]:
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
