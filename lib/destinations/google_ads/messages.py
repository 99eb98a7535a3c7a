"""Records → the bytes of upload requests.

A chunk of conversions is written as text that is sent as it is (`lib.destinations.wire_format`): no
message object is made unless an answer names rows. For a common conversion, protobuf's own classes
take 2.6 µs, with one Python call per field; the text takes 0.7 µs. What many conversions share,
rare fields, adjustments and calls are written by raw message classes (`.pb()`). A test checks that
both ways give the same message for any record.

Field rules: https://developers.google.com/google-ads/api/reference/rpc/latest/ClickConversion, and
the pages of `ConversionAdjustment` and `CallConversion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from lib.destinations.google_ads.api import module
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.upload_request import UPLOAD_KINDS, UploadRequest
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
from lib.model.adjustment_types import ADJUSTMENT_TYPES
from lib.model.fields import RecordKind
from lib.model.records import Adjustment, Call, Conversion, OptionalFields

_TYPES = module("services.types.conversion_upload_service")
ClickConversion = _TYPES.ClickConversion.pb()
CallConversion = _TYPES.CallConversion.pb()


@cache
def conversion_adjustment() -> Any:
    """Return the raw `ConversionAdjustment`. Imported when it is needed: few files have any."""
    types = module("services.types.conversion_adjustment_upload_service")
    return types.ConversionAdjustment.pb()


_FIRST_PARTY_SOURCE: Final = 2


def encode(
    kind: RecordKind,
    records: Sequence[Any],
    customer_id: str,
    job_id: int,
    *,
    validate_only: bool,
) -> list[UploadRequest]:
    """Return the request to an account with these records, which are of one kind; none, if there
    are none."""
    if not records:
        return []
    upload_kind = UPLOAD_KINDS[kind]
    # Without partial failure, the API refuses the request (PARTIAL_FAILURE_MODE_REQUIRED).
    request = upload_kind.message_class("Request")(
        customer_id=customer_id, partial_failure=True, validate_only=validate_only
    )
    if upload_kind.has_job_id:
        request.job_id = job_id
    positions: Sequence[int] = range(len(records))
    rows = b""
    if kind == "conversion":
        shared: _Shared = {}
        texts = [_conversion(each, customer_id, shared) for each in records]
        rows = "".join(texts).encode("latin-1")
    else:
        if kind == "adjustment":
            # Google accepts no adjustment after a final one, so retractions are the last ones.
            positions = sorted(positions, key=lambda each: _is_final(records[each]))
        write = _adjustment if kind == "adjustment" else _call
        getattr(request, upload_kind.rows).extend(
            write(records[each], customer_id) for each in positions
        )
    # In protobuf, the bytes of two messages after each other are both messages in one.
    content = request.SerializeToString() + rows
    return [UploadRequest(upload_kind, customer_id, validate_only, content, positions)]


def _is_final(adjustment: Adjustment) -> bool:
    return ADJUSTMENT_TYPES[adjustment.adjustment_type].is_final


_Shared = dict[tuple[str, str | None, str | None], str]
"""What many conversions of a chunk share, by action, currency and consent."""


def _conversion(record: Conversion, customer_id: str, shared: _Shared) -> str:
    """Return the bytes of a conversion in a request, as latin-1 text."""
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
        body = shared[key] = _shared_part(customer_id, action_id, currency_code, ad_user_data)
    # At most one click ID (the rules have chosen it): Google refuses or ignores two together.
    if gclid:
        body = f"{body}{time}{_GCLID}{VARINTS[len(gclid)]}{gclid}"
    elif gbraid:
        body = f"{body}{time}{_GBRAID}{VARINTS[len(gbraid)]}{gbraid}"
    elif wbraid:
        body = f"{body}{time}{_WBRAID}{VARINTS[len(wbraid)]}{wbraid}"
    else:
        body = f"{body}{time}"
    if value is not None:
        body = f"{body}{_VALUE}{double(value).decode('latin-1')}"
    if order_id is not None:
        order_id = latin(order_id)
        body = f"{body}{_ORDER_ID}{VARINTS[len(order_id)]}{order_id}"
    # A UserIdentifier has only one member (oneof), so every digest needs a separate one.
    if len(hashed_emails) == 1 == len(hashed_phones):
        body = f"{body}{_EMAIL}{hashed_emails[0]}{_PHONE}{hashed_phones[0]}"
    else:
        for digest in hashed_emails:
            body = f"{body}{_EMAIL}{digest}"
        for digest in hashed_phones:
            body = f"{body}{_PHONE}{digest}"
    if optional_fields is not None:
        message = ClickConversion()
        _write_optional_fields(message, customer_id, optional_fields)
        body += message.SerializeToString().decode("latin-1")
    size = len(body)
    length = VARINTS[size] if size < len(VARINTS) else varint(size)
    return f"{_CONVERSION}{length}{body}"


def _shared_part(
    customer_id: str, action_id: str, currency_code: str | None, consent: str | None
) -> str:
    """Return the action, the currency, the consent, and the tag of the time that follows."""
    message = ClickConversion(
        conversion_action=_action_name(customer_id, action_id),
        currency_code=currency_code,
        consent=_consent(consent),
    )
    common: str = message.SerializeToString().decode("latin-1") + _TIME
    return common


# ── tags of a conversion ─────────────────────────────────────────────────────────────────────────

_REQUEST = _TYPES.UploadClickConversionsRequest.pb().DESCRIPTOR
_FIELDS = ClickConversion.DESCRIPTOR
_IDENTIFIER = _FIELDS.fields_by_name["user_identifiers"].message_type

_CONVERSION = tag(_REQUEST, "conversions", LENGTH)
_GCLID = tag(_FIELDS, "gclid", LENGTH)
_GBRAID = tag(_FIELDS, "gbraid", LENGTH)
_WBRAID = tag(_FIELDS, "wbraid", LENGTH)
_VALUE = tag(_FIELDS, "conversion_value", FIXED64)
_ORDER_ID = tag(_FIELDS, "order_id", LENGTH)
# `yyyy-mm-dd HH:mm:ss+HH:mm` and hexadecimal SHA-256 have a fixed length, which is part of the tag.
_TIME = tag(_FIELDS, "conversion_date_time", LENGTH) + varint(25)
_FIRST_PARTY = tag(_IDENTIFIER, "user_identifier_source", VARINT) + varint(_FIRST_PARTY_SOURCE)
_DIGEST = varint(64)


def _identifier(field: str) -> str:
    """Return the bytes of a UserIdentifier up to its digest."""
    head = _FIRST_PARTY + tag(_IDENTIFIER, field, LENGTH) + _DIGEST
    return tag(_FIELDS, "user_identifiers", LENGTH) + varint(len(head) + 64) + head


_EMAIL = _identifier("hashed_email")
_PHONE = _identifier("hashed_phone_number")


# ── what is written by message classes ───────────────────────────────────────────────────────────

_SPECIAL = ("session_attributes_key_value_pairs", "items")
_PLAIN = plain_paths(CAPABILITIES.kinds["conversion"].fields, _SPECIAL)


def _consent(ad_user_data: str | None) -> dict[str, str] | None:
    return None if ad_user_data is None else {"ad_user_data": ad_user_data}


def _action_name(customer_id: str, action_id: str) -> str:
    return f"customers/{customer_id}/conversionActions/{action_id}"


def _write_optional_fields(message: Any, customer_id: str, optional: OptionalFields) -> None:
    write_plain_values(message, _PLAIN, optional)
    # The encoded form and the pairs are a oneof. The rules have rejected rows with both.
    for key, value in optional.get("session_attributes_key_value_pairs", ()):
        message.session_attributes_key_value_pairs.key_value_pairs.add(
            session_attribute_key=key, session_attribute_value=value
        )
    _write_custom_variables(message, customer_id, optional)
    if (cart := optional.get("cart")) is not None:
        write_plain_values(message, _PLAIN, cart)
        for item in cart["items"]:
            message.cart_data.items.add(
                product_id=item.product_id, quantity=item.quantity, unit_price=item.unit_price
            )


def _write_custom_variables(message: Any, customer_id: str, optional: OptionalFields) -> None:
    for variable_id, value in optional.get("custom_variables", ()):
        name = f"customers/{customer_id}/conversionCustomVariables/{variable_id}"
        message.custom_variables.add(conversion_custom_variable=name, value=value)


def _adjustment(adjustment: Adjustment, customer_id: str) -> Any:
    """Return the message. It names the conversion by its order ID, or else by gclid and time."""
    message = conversion_adjustment()(
        adjustment_type=adjustment.adjustment_type.upper(),  # the API has the same names
        conversion_action=_action_name(customer_id, adjustment.action_id),
        adjustment_date_time=adjustment.time,
    )
    if adjustment.order_id is not None:
        message.order_id = adjustment.order_id
    else:
        message.gclid_date_time_pair.gclid = adjustment.gclid
        message.gclid_date_time_pair.conversion_date_time = adjustment.conversion_time
    # Google refuses a value with any other type.
    if ADJUSTMENT_TYPES[adjustment.adjustment_type].has_value:
        if adjustment.value is not None:
            message.restatement_value.adjusted_value = adjustment.value
        if adjustment.currency_code is not None:
            message.restatement_value.currency_code = adjustment.currency_code
    return message


def _call(call: Call, customer_id: str) -> Any:
    """Return the message. Nothing else sends raw user data: Google finds a call by the plain number
    of the caller."""
    message = CallConversion(
        caller_id=call.caller_id,
        call_start_date_time=call.call_time,
        conversion_action=_action_name(customer_id, call.action_id),
        conversion_date_time=call.time,
        conversion_value=call.value,
        currency_code=call.currency_code,
        consent=_consent(call.ad_user_data),
    )
    if call.optional_fields is not None:
        _write_custom_variables(message, customer_id, call.optional_fields)
    return message
