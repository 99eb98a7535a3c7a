"""`Conversion` → raw protobuf `ClickConversion`, Google Ads API v26.

What every file has is written as bytes (`google_ads_wire`), what few have by raw message classes
(`.pb()`); building a conversion through proto-plus would cost ten times as much.
Field rules: https://developers.google.com/google-ads/api/reference/rpc/v26/ClickConversion
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from google.ads.googleads.v26.services.types.conversion_upload_service import (
    ClickConversion,
    UploadClickConversionsRequest,
)

from lib.destinations.google_ads.wire_format import (
    CONVERSION,
    GBRAID,
    GCLID,
    HASHED_EMAIL,
    HASHED_PHONE,
    ORDER_ID,
    TIME,
    VALUE,
    VARINTS,
    WBRAID,
    common_part,
    double,
    latin,
    varint,
)
from lib.model.records import Conversion, OptionalFields

Request = UploadClickConversionsRequest.pb()
Message = ClickConversion.pb()

# Enum numbers, as the raw classes want them (ConsentStatusEnum, ...).
_CONSENT = {"GRANTED": 2, "DENIED": 3}
_ENVIRONMENT = {"APP": 2, "WEB": 3}
_CUSTOMER_TYPE = {"NEW": 2, "RETURNING": 3}


class Part(NamedTuple):
    """The raw request of one account, and the places of its conversions in the batch."""

    customer_id: str
    request: Any
    places: list[int]


class AdsBatch:
    """The conversions of one chunk as upload requests, one per account."""

    def __init__(self, job_id: int, validate_only: bool) -> None:
        self._job_id = job_id
        self._validate_only = validate_only
        self._written: dict[str, list[str]] = {}
        # Where the account changes, since few files change it: (size of the batch then, account).
        self._turns: list[tuple[int, str]] = []
        self._customer_id = ""
        nowhere: list[str] = []
        self._append: Callable[[str], None] = nowhere.append
        self._common: dict[tuple[str, str | None, str | None], str] = {}

    def __len__(self) -> int:
        return sum(map(len, self._written.values()))

    def take_parts(self) -> list[Part]:
        """The requests, and nothing stays here: their text would double a waiting chunk."""
        places: dict[str, list[int]] = {}
        # An empty batch (every row was refused by the rules) has no turn, and no end either.
        ends = [*(start for start, _ in self._turns), len(self)][1:]
        for (start, customer_id), end in zip(self._turns, ends, strict=True):
            places.setdefault(customer_id, []).extend(range(start, end))
        parts = []
        for customer_id, pieces in self._written.items():
            request = new_request(customer_id, self._job_id, self._validate_only)
            request.MergeFromString("".join(pieces).encode("latin-1"))
            parts.append(Part(customer_id, request, places[customer_id]))
        self._written.clear()
        self._turns.clear()
        self._customer_id = ""
        return parts

    def add(self, conversion: Conversion, /) -> None:
        """Serialize one conversion for the request of its account (see `google_ads_wire`)."""
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
        if customer_id != self._customer_id:
            self._switch(customer_id)
        body = self._common.get((action_id, currency_code, ad_user_data))
        if body is None:
            body = self._common_part(action_id, currency_code, ad_user_data)
        # Exactly one click id (the rules have chosen): two together are refused or ignored.
        if gclid:
            body = f"{body}{TIME}{time}{GCLID}{VARINTS[len(gclid)]}{gclid}"
        elif gbraid:
            body = f"{body}{TIME}{time}{GBRAID}{VARINTS[len(gbraid)]}{gbraid}"
        elif wbraid:
            body = f"{body}{TIME}{time}{WBRAID}{VARINTS[len(wbraid)]}{wbraid}"
        else:
            body = f"{body}{TIME}{time}"
        if value is not None:
            body = f"{body}{VALUE}{double(value).decode('latin-1')}"
        if order_id is not None:
            order_id = latin(order_id)
            body = f"{body}{ORDER_ID}{VARINTS[len(order_id)]}{order_id}"
        # A UserIdentifier holds one member (oneof), so every digest gets its own.
        if len(hashed_emails) == 1 == len(hashed_phones):
            body = f"{body}{HASHED_EMAIL}{hashed_emails[0]}{HASHED_PHONE}{hashed_phones[0]}"
        else:
            for digest in hashed_emails:
                body = f"{body}{HASHED_EMAIL}{digest}"
            for digest in hashed_phones:
                body = f"{body}{HASHED_PHONE}{digest}"
        if optional_fields is not None:
            message = Message()
            _write_extras(message, customer_id, optional_fields)
            body += message.SerializeToString().decode("latin-1")
        size = len(body)
        length = VARINTS[size] if size < len(VARINTS) else varint(size)
        self._append(f"{CONVERSION}{length}{body}")

    def _switch(self, customer_id: str) -> None:
        self._turns.append((len(self), customer_id))
        self._customer_id = customer_id
        self._append = self._written.setdefault(customer_id, []).append
        self._common = {}

    def _common_part(self, action_id: str, currency_code: str | None, consent: str | None) -> str:
        part = common_part(
            f"customers/{self._customer_id}/conversionActions/{action_id}",
            currency_code,
            None if consent is None else _CONSENT[consent],
        )
        self._common[action_id, currency_code, consent] = part
        return part


def new_request(customer_id: str, job_id: int, validate_only: bool) -> Any:
    """An empty upload request; partial failure must be on (PARTIAL_FAILURE_MODE_REQUIRED)."""
    return Request(
        customer_id=customer_id, partial_failure=True, job_id=job_id, validate_only=validate_only
    )


def _write_extras(message: Any, customer_id: str, optional_fields: OptionalFields) -> None:
    if optional_fields.conversion_environment is not None:
        message.conversion_environment = _ENVIRONMENT[optional_fields.conversion_environment]
    if optional_fields.customer_type is not None:
        message.customer_type = _CUSTOMER_TYPE[optional_fields.customer_type]
    if optional_fields.user_ip_address is not None:
        message.user_ip_address = optional_fields.user_ip_address
    # A oneof: encoded, or pairs; the rules have refused rows with both.
    if optional_fields.session_attributes_encoded is not None:
        message.session_attributes_encoded = optional_fields.session_attributes_encoded
    for key, value in optional_fields.session_attributes:
        message.session_attributes_key_value_pairs.key_value_pairs.add(
            session_attribute_key=key, session_attribute_value=value
        )
    for variable_id, value in optional_fields.custom_variables:
        message.custom_variables.add(
            conversion_custom_variable=(
                f"customers/{customer_id}/conversionCustomVariables/{variable_id}"
            ),
            value=value,
        )
    if optional_fields.attribution_credit is not None:
        message.external_attribution_data.external_attribution_credit = (
            optional_fields.attribution_credit
        )
    if optional_fields.attribution_model is not None:
        message.external_attribution_data.external_attribution_model = (
            optional_fields.attribution_model
        )
    if optional_fields.cart is not None:
        _write_cart(message.cart_data, optional_fields)


def _write_cart(message: Any, optional_fields: OptionalFields) -> None:
    cart = optional_fields.cart
    assert cart is not None
    if cart.merchant_id is not None:
        message.merchant_id = cart.merchant_id
    if cart.feed_country_code is not None:
        message.feed_country_code = cart.feed_country_code
    if cart.feed_language_code is not None:
        message.feed_language_code = cart.feed_language_code
    if cart.local_transaction_cost is not None:
        message.local_transaction_cost = cart.local_transaction_cost
    for item in cart.items:
        message.items.add(
            product_id=item.product_id, quantity=item.quantity, unit_price=item.unit_price
        )
