"""`Conversion` → raw protobuf `ClickConversion`, Google Ads API v26.

Raw classes (`.pb()`), since building a conversion through proto-plus costs ten times as much.
Field rules: facts of https://developers.google.com/google-ads/api/reference/rpc/v26/ClickConversion
"""

from __future__ import annotations

from typing import Any

from google.ads.googleads.v26.services.types.conversion_upload_service import (
    UploadClickConversionsRequest,
)

from lib.rules.conversion import Conversion, Extras

Request = UploadClickConversionsRequest.pb()

# Enum numbers, as the raw classes want them (ConsentStatusEnum, UserIdentifierSourceEnum, ...).
_CONSENT = {"GRANTED": 2, "DENIED": 3}
_FIRST_PARTY = 2
_ENVIRONMENT = {"APP": 2, "WEB": 3}
_CUSTOMER_TYPE = {"NEW": 2, "RETURNING": 3}


class AdsBatch:
    """The conversions of one chunk as upload requests, one per account.

    `positions[customer_id][i]` is the place in the batch of that request's i-th conversion.
    """

    def __init__(self, job_id: int, validate_only: bool) -> None:
        self.requests: dict[str, Any] = {}
        self.positions: dict[str, list[int]] = {}
        self._job_id = job_id
        self._validate_only = validate_only
        self._size = 0
        self._customer_id = ""
        self._conversions: Any = None
        self._places: list[int] = []
        self._names: dict[str, str] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, conversion: Conversion, /) -> None:
        """Serialize one conversion into the request of its account."""
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
            extras,
            _,
        ) = conversion
        if customer_id != self._customer_id:
            self._switch(customer_id)
        message = self._conversions.add()
        message.conversion_action = self._names.get(action_id) or self._resource_name(action_id)
        message.conversion_date_time = time
        # Exactly one click id (the rules have chosen): two together are refused or ignored.
        if gclid:
            message.gclid = gclid
        elif gbraid:
            message.gbraid = gbraid
        elif wbraid:
            message.wbraid = wbraid
        if value is not None:
            message.conversion_value = value
        if currency_code is not None:
            message.currency_code = currency_code
        if order_id is not None:
            message.order_id = order_id
        if ad_user_data is not None:
            message.consent.ad_user_data = _CONSENT[ad_user_data]
        # A UserIdentifier holds one member (oneof), so every digest gets its own.
        for digest in hashed_emails:
            identifier = message.user_identifiers.add()
            identifier.hashed_email = digest
            identifier.user_identifier_source = _FIRST_PARTY
        for digest in hashed_phones:
            identifier = message.user_identifiers.add()
            identifier.hashed_phone_number = digest
            identifier.user_identifier_source = _FIRST_PARTY
        if extras is not None:
            _write_extras(message, customer_id, extras)
        self._places.append(self._size)
        self._size += 1

    def _switch(self, customer_id: str) -> None:
        request = self.requests.get(customer_id)
        if request is None:
            request = new_request(customer_id, self._job_id, self._validate_only)
            self.requests[customer_id] = request
            self.positions[customer_id] = []
        self._customer_id = customer_id
        self._conversions = request.conversions
        self._places = self.positions[customer_id]
        self._names = {}

    def _resource_name(self, action_id: str) -> str:
        name = f"customers/{self._customer_id}/conversionActions/{action_id}"
        self._names[action_id] = name
        return name


def new_request(customer_id: str, job_id: int, validate_only: bool) -> Any:
    """An empty upload request; partial failure must be on (PARTIAL_FAILURE_MODE_REQUIRED)."""
    return Request(
        customer_id=customer_id, partial_failure=True, job_id=job_id, validate_only=validate_only
    )


def _write_extras(message: Any, customer_id: str, extras: Extras) -> None:
    if extras.conversion_environment is not None:
        message.conversion_environment = _ENVIRONMENT[extras.conversion_environment]
    if extras.customer_type is not None:
        message.customer_type = _CUSTOMER_TYPE[extras.customer_type]
    if extras.user_ip_address is not None:
        message.user_ip_address = extras.user_ip_address
    # A oneof: encoded, or pairs; the rules have refused rows with both.
    if extras.session_attributes_encoded is not None:
        message.session_attributes_encoded = extras.session_attributes_encoded
    for key, value in extras.session_attributes:
        message.session_attributes_key_value_pairs.key_value_pairs.add(
            session_attribute_key=key, session_attribute_value=value
        )
    for variable_id, value in extras.custom_variables:
        message.custom_variables.add(
            conversion_custom_variable=(
                f"customers/{customer_id}/conversionCustomVariables/{variable_id}"
            ),
            value=value,
        )
    if extras.attribution_credit is not None:
        message.external_attribution_data.external_attribution_credit = extras.attribution_credit
    if extras.attribution_model is not None:
        message.external_attribution_data.external_attribution_model = extras.attribution_model
    if extras.cart is not None:
        _write_cart(message.cart_data, extras)


def _write_cart(message: Any, extras: Extras) -> None:
    cart = extras.cart
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
