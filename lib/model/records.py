"""The neutral record of one conversion, and what can become of a row.

Raw user data ends before this: a `Conversion` holds digests only. Both destinations serialize it
(`google_ads_message`, `data_manager_message` in `lib.destinations`); neither API's words appear
here.

`Conversion`, `Problem` and `RowOutcome` are NamedTuples, not dataclasses: they are made for every
row, and a frozen dataclass of this width costs six times as much to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from lib.model.outcomes import Problem


@dataclass(frozen=True, slots=True)
class Address:
    """A postal identity: names hashed, the rest plain (Data Manager takes all four or none)."""

    hashed_given_name: str
    hashed_family_name: str
    region_code: str
    postal_code: str


class CartItem(NamedTuple):
    """One product of a cart; `unit_price` in the currency of the conversion."""

    product_id: str
    quantity: int
    unit_price: float


@dataclass(frozen=True, slots=True)
class Cart:
    """What was in the shopping cart (conversions with cart data)."""

    merchant_id: int | None
    feed_country_code: str | None
    feed_language_code: str | None
    local_transaction_cost: float | None
    items: tuple[CartItem, ...]


@dataclass(frozen=True, slots=True)
class OptionalFields:
    """The fields that few files have; a row without any of them carries None instead."""

    ad_personalization: str | None = None
    """GRANTED, DENIED, or UNSPECIFIED where the row says that it isn't stated; None: no word."""
    conversion_environment: str | None = None
    customer_type: str | None = None
    user_ip_address: str | None = None
    session_attributes_encoded: bytes | None = None
    session_attributes: tuple[tuple[str, str], ...] = ()
    cart: Cart | None = None
    custom_variables: tuple[tuple[str, str], ...] = ()
    attribution_credit: float | None = None
    attribution_model: str | None = None
    address: Address | None = None
    event_source: str | None = None

    def identity(self) -> tuple[str, ...]:
        """What tells two people apart who have neither click id nor e-mail address nor phone."""
        pairs = tuple(f"{key}={value}" for key, value in self.session_attributes)
        encoded = self.session_attributes_encoded
        address = self.address
        return (
            *pairs,
            *((encoded.decode("latin-1"),) if encoded else ()),
            *((self.user_ip_address,) if self.user_ip_address else ()),
            *(
                (address.hashed_given_name, address.hashed_family_name, address.postal_code)
                if address
                else ()
            ),
        )


class Conversion(NamedTuple):
    """One conversion, checked and free of raw user data.

    `customer_id` is the account that the upload goes to (digits), `action_id` the conversion
    action's numeric id, `time` is `yyyy-mm-dd HH:mm:ss+HH:mm`, `ad_user_data` is GRANTED, DENIED
    or None.
    """

    customer_id: str
    action_id: str
    time: str
    gclid: str
    gbraid: str
    wbraid: str
    hashed_emails: tuple[str, ...]
    hashed_phones: tuple[str, ...]
    value: float | None
    currency_code: str | None
    order_id: str | None
    ad_user_data: str | None
    optional_fields: OptionalFields | None
    warnings: tuple[Problem, ...]


ORDER_ID: Final = 10
WARNINGS: Final = 13
"""Where they stand in a `Conversion`: the loop over all rows asks by place, in half the time."""
