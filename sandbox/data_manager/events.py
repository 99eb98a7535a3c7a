"""Google's rules for one Data Manager `Event`, in two stages.

1. `refuse_event`: the problems for which Google immediately refuses the whole request (fast-fail):
   required fields and formats. `warn_event`: the problems for which it only sends a field warning.
2. `problem_of`: the problems that appear later in the request's status, as counts per reason.

Sources: the proto comments of `google.ads.datamanager_v1` and its `ErrorReason`,
`ProcessingErrorReason` and `WarningReason` enums.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.ads import datamanager_v1 as dm

from sandbox.accounts import Account, ConversionAction
from sandbox.conversions import CLICK_ID, CURRENCY, TOO_RECENT, ClickKey, OrderKey
from sandbox.data_manager.destinations import Target
from sandbox.data_manager.errors import Finding, missing

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+").fullmatch
_REGION = re.compile(r"[A-Z]{2}").fullmatch
MAX_IDENTIFIERS = 10
_MAX_TRANSACTION_ID = 512
_BASE64 = int(dm.Encoding.BASE64)
UNNAMED = "refuse-unnamed"
"""If an event's transaction ID contains this, the whole request is refused with INVALID_ARGUMENT
and without a field violation. Use it to provoke a refusal that names no row."""


def refuse_event(event: Any, request: Any, now: datetime) -> Iterator[Finding]:
    """Every violation in this raw `Event` for which Google refuses the whole request."""
    yield from _check_time(event, now)
    yield from _check_event_source(event)
    yield from _check_identification(event, request)
    if event.currency and CURRENCY(event.currency) is None:
        yield Finding("currency", "INVALID_CURRENCY_CODE", "The currency code is not supported.")
    if not math.isfinite(event.conversion_value):
        yield Finding("conversion_value", "INVALID_NUMBER_FORMAT", "The number is not finite.")
    if len(event.transaction_id) > _MAX_TRANSACTION_ID:
        yield Finding("transaction_id", "FIELD_VALUE_TOO_LONG", "The value is too long.")
    if event.transaction_id.isdigit() and not request.validate_only:
        # Refused in live requests, although validate_only accepts it (reported by API users).
        yield Finding("transaction_id", "INVALID_FORMAT", "The transaction id is not valid.")


def _check_time(event: Any, now: datetime) -> Iterator[Finding]:
    if not event.HasField("event_timestamp"):
        yield missing("event_timestamp")
        return
    try:
        moment = event.event_timestamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        yield Finding("event_timestamp", "INVALID_FORMAT", "The timestamp is not valid.")
        return
    if moment > now:
        text = "The event did not occur within the acceptable time window."
        yield Finding("event_timestamp", "EVENT_TIME_INVALID", text)


def _check_event_source(event: Any) -> Iterator[Finding]:
    if not event.event_source:
        # "Optional" in the proto, but in practice required for Google Ads destinations.
        yield missing("event_source")
    elif event.event_source not in dm.EventSource.__members__.values():
        yield Finding("event_source", "INVALID_ENUM_VALUE", "The enum value is not valid.")


def _check_identification(event: Any, request: Any) -> Iterator[Finding]:
    """Check the user identifiers, and everything else by which Google could match the event."""
    identifiers = event.user_data.user_identifiers
    ads = event.ad_identifiers
    address = ads.landing_page_device_info.ip_address
    if not (identifiers or ads.gclid or ads.gbraid or ads.wbraid or ads.session_attributes
            or address):  # fmt: skip
        text = "The event contains no user identifiers or ad identifiers."
        yield Finding("", "NO_IDENTIFIERS_PROVIDED", text)
    if len(identifiers) > MAX_IDENTIFIERS:
        path, text = "user_data.user_identifiers", "At most 10 user identifiers are allowed."
        yield Finding(path, "TOO_MANY_USER_IDENTIFIERS", text)
    for number, identifier in enumerate(identifiers):
        path = f"user_data.user_identifiers[{number}]"
        yield from _check_identifier(identifier, path, request.encoding)
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            path = "ad_identifiers.landing_page_device_info.ip_address"
            yield Finding(path, "INVALID_FORMAT", "The IP address is not valid.")


def _check_identifier(identifier: Any, path: str, encoding: int) -> Iterator[Finding]:
    member = identifier.WhichOneof("identifier")
    if member is None:
        yield missing(path)
    elif member != "address":
        yield from _check_hash(getattr(identifier, member), f"{path}.{member}", encoding)
    else:
        parts = identifier.address
        for name in ("given_name", "family_name", "region_code", "postal_code"):
            if not getattr(parts, name):
                yield missing(f"{path}.address.{name}")
        for name in ("given_name", "family_name"):
            if getattr(parts, name):
                yield from _check_hash(getattr(parts, name), f"{path}.address.{name}", encoding)
        if parts.region_code and _REGION(parts.region_code) is None:
            text = "The region code is not valid."
            yield Finding(f"{path}.address.region_code", "INVALID_REGION_CODE", text)
        if parts.postal_code and len(parts.postal_code) > 16:
            text = "The postal code is not valid."
            yield Finding(f"{path}.address.postal_code", "INVALID_POSTAL_CODE", text)


def _check_hash(value: str, path: str, encoding: int) -> Iterator[Finding]:
    if encoding == _BASE64:
        try:
            size = len(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            yield Finding(path, "INVALID_BASE64_ENCODING", "The value is not base64 encoded.")
            return
    elif _HEX(value) is None:
        yield Finding(path, "INVALID_HEX_ENCODING", "The value is not hex encoded.")
        return
    else:
        size = len(value) // 2
    if size != 32:
        yield Finding(path, "INVALID_SHA256_FORMAT", "The value is not a SHA-256 digest.")


def refuse_for_targets(event: Any, targets: Sequence[Target]) -> Iterator[Finding]:
    """Every violation that depends on the destinations of the request."""
    for reference in event.destination_references:
        if reference not in {target.destination.reference for target in targets}:
            yield Finding("destination_references", "INVALID_DESTINATION", "No such reference.")
    for target in targets if event.custom_variables else ():
        known = {variable.name for variable in target.account.custom_variables}
        for number, variable in enumerate(event.custom_variables):
            path = f"custom_variables[{number}]"
            if variable.variable not in known:
                text = "The destination has no custom variable of this name."
                yield Finding(f"{path}.variable", "CUSTOM_VARIABLE_NOT_FOUND", text)
            if "@" in variable.value:
                text = "The custom variable value contains personally identifiable information."
                yield Finding(f"{path}.value", "CUSTOM_VARIABLE_VALUE_CONTAINS_PII", text)


def warn_event(event: Any, account: Account) -> Iterator[Finding]:
    """Every part of an event that Google ignores without refusing the event."""
    off = {one.name for one in account.custom_variables if one.status != "ENABLED"}
    for number, variable in enumerate(event.custom_variables):
        if variable.variable in off:
            path, text = f"custom_variables[{number}]", "The custom variable is not enabled."
            yield Finding(path, "WARNING_REASON_CUSTOM_VARIABLE_NOT_ENABLED", text)
    if not event.HasField("cart_data"):
        return
    cart = event.cart_data
    if event.ad_identifiers.gbraid or event.ad_identifiers.wbraid:
        text = "Cart data is not supported with gbraid or wbraid."
        reason = "WARNING_REASON_CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID"
        yield Finding("cart_data", reason, text)
    if cart.merchant_id and not cart.merchant_id.isdigit():
        text = "The merchant id is not valid."
        yield Finding("cart_data.merchant_id", "WARNING_REASON_INVALID_MERCHANT_ID", text)
    for number, item in enumerate(cart.items):
        path = f"cart_data.items[{number}]"
        if not item.merchant_product_id:
            reason = "WARNING_REASON_CART_DATA_ITEM_MERCHANT_PRODUCT_ID_MISSING"
            yield Finding(path, reason, "The merchant product id is missing.")
        if not item.unit_price:
            reason = "WARNING_REASON_CART_DATA_ITEM_UNIT_PRICE_MISSING"
            yield Finding(path, reason, "The unit price is missing.")


def keys_of(event: Any, action: ConversionAction) -> tuple[ClickKey | None, OrderKey | None]:
    """What makes an event a repeat of another one: click and time, or transaction ID."""
    ads = event.ad_identifiers
    click_id, transaction_id = ads.gclid or ads.gbraid or ads.wbraid, event.transaction_id
    moment = event.event_timestamp.ToDatetime(UTC).timestamp()
    click_key = (click_id, action.id, moment) if click_id else None
    return click_key, (transaction_id, action.id) if transaction_id else None


def problem_of(
    event: Any,
    action: ConversionAction,
    clicks: Mapping[str, datetime],
    no_click: Container[str],
    now: datetime,
) -> str:
    """The first problem that Google finds when it checks an event's click and age, or "".

    `no_click` has the click IDs and hashes that match no ad click.
    """
    ads = event.ad_identifiers
    for name in ("gclid", "gbraid", "wbraid"):
        value = getattr(ads, name)
        if value and CLICK_ID(value) is None:
            return f"INVALID_{name.upper()}"
    if action.counting_type == "ONE_PER_CLICK" and (ads.gbraid or ads.wbraid):
        return "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID"
    moment = event.event_timestamp.ToDatetime(UTC)
    click_id = ads.gclid or ads.gbraid or ads.wbraid
    hashes = [each.email_address or each.phone_number for each in event.user_data.user_identifiers]
    if click_id in no_click or (
        hashes and not click_id and all(each in no_click for each in hashes)
    ):
        return "CLICK_NOT_FOUND"
    clicked = clicks.get(click_id) if click_id else None
    if clicked is not None and now - clicked < TOO_RECENT:
        return "TOO_RECENT_CLICK"
    if clicked is not None and moment < clicked:
        return "CONVERSION_PRECEDES_CLICK"
    if clicked is not None and moment - clicked > timedelta(days=action.lookback_days):
        return "EXPIRED_CLICK"
    if now - moment > timedelta(days=action.lookback_days):
        return "EVENT_TOO_OLD"
    return ""
