"""The bytes of a fuzzer → a file to process, and the profile to process it with.

The first two bytes choose destination, account, header, number format, compression and profile. The
rest is the file below the chosen header. With header 0, the rest is the whole file.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any, Final

from lib.model.fields import CUSTOM_VARIABLE
from lib.rules.fields.table import FIELDS
from tests.cli.validating import CUSTOMER

DESTINATIONS: Final = ("google_ads", "data_manager")
DELIMITERS: Final = (",", ";", "\t", "|")

CONVERSIONS: Final = (
    *("gclid", "gbraid", "wbraid", "email", "phone", "conversion_action"),
    *("conversion_date_time", "conversion_value", "currency_code", "order_id", "ad_user_data"),
)
PEOPLE: Final = (
    *("email", "email_2", "hashed_email", "phone", "phone_2", "hashed_phone_number"),
    *("first_name", "last_name", "postal_code", "country_code"),
    *("conversion_date_time", "time_zone", "order_id", "conversion_value"),
)
ADJUSTMENTS: Final = (
    *("order_id", "gclid", "email", "conversion_action", "conversion_date_time"),
    *("conversion_value", "adjustment_date_time", "adjustment_type", "adjusted_value"),
    "adjusted_value_currency",
)
CALLS: Final = (
    *("caller_id", "call_start_date_time", "conversion_action", "conversion_date_time"),
    *("conversion_value", "currency_code", "ad_user_data", "custom_variable.plan"),
)
_ELSEWHERE: Final = {*CONVERSIONS, *PEOPLE, *ADJUSTMENTS, *CALLS, CUSTOM_VARIABLE}
OPTIONAL: Final = (
    *("gclid", "conversion_date_time", "conversion_value", "order_id", "custom_variable.plan"),
    *(field.name for field in FIELDS if field.name not in _ELSEWHERE),
)
REFUNDS: Final = (*CONVERSIONS, "Status", "adjustment_date_time", "adjusted_value")
HEADERS: Final = ((), CONVERSIONS, PEOPLE, OPTIONAL, ADJUSTMENTS, CALLS, REFUNDS)
"""The columns by number. 0: the file has its own header."""

VALID: Final[dict[str, str]] = {
    "gclid": "Cj0KCQiAexample0001",
    "email": "buyer@example.com",
    "phone": "+12125550101",
    "conversion_action": "1001",
    "conversion_date_time": "2026-11-20 10:00:00+00:00",
    "conversion_value": "12.50",
    "currency_code": "USD",
    "order_id": "order-1",
    "ad_user_data": "Granted",
    "adjustment_date_time": "2026-11-21 10:00:00+00:00",
    "adjustment_type": "RESTATE",
    "adjusted_value": "10.00",
    "caller_id": "+12125550101",
    "call_start_date_time": "2026-11-20 09:00:00+00:00",
    "Status": "refunded",
}
"""Cells with which a row can be sent."""

_DATA_MANAGER, _ACCOUNT, _COMMA, _GZIP = 1, 2, 4, 8  # the bits of the first byte
_HEADER_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Input:
    """A file, and what it is processed with. `has_account`: the account can be read."""

    content: bytes
    profile: dict[str, Any]
    has_account: bool
    small_chunks: bool


def encode(
    content: bytes, header: int = 0, *, data_manager: bool = False, account: bool = True
) -> bytes:
    """Return what `decode` decodes to a file with this header and content."""
    first = header << _HEADER_SHIFT | data_manager * _DATA_MANAGER | account * _ACCOUNT
    return bytes([first, 0]) + content


def decode(data: bytes) -> Input:
    """Return the file that some bytes stand for. Any bytes are valid."""
    first, second = data[:2] if len(data) > 1 else (0, 0)
    columns = HEADERS[(first >> _HEADER_SHIFT) % len(HEADERS)]
    delimiter = DELIMITERS[second & 3]
    content = data[2:]
    if columns:
        content = delimiter.join(columns).encode() + b"\n" + content
    if first & _GZIP:
        content = gzip.compress(content, 1, mtime=0)
    via_data_manager = bool(first & _DATA_MANAGER)
    profile: dict[str, Any] = {
        "customer_id": CUSTOMER,
        "destination": DESTINATIONS[via_data_manager],
        "action": "1001",
        "value": "action_default",
        "currency_code": "EUR",
        "phone_region": "DE" if second & 4 else None,
        "time_zone": "America/Chicago" if second & 8 else None,
        "derive_order_id": not second & 16,
        "order_ids": "integer" if second & 32 else "keep",
        "date_order": "DMY" if first & _COMMA else None,
        "decimal_sign": "," if first & _COMMA else ".",
    }
    if via_data_manager and (second & 64 or columns is REFUNDS):
        profile["adjustments_via"] = "google_ads"
    if columns is REFUNDS:
        refunds = {"rows": {"Status": ["refunded"]}, "send": "retraction"}
        profile["conversions"] = [refunds, {"rows": {"Status": ["*", ""]}}]
    if columns is CONVERSIONS and second & 64:
        named = {name: name for name in CONVERSIONS if name != "conversion_action"}
        profile |= {"columns": named, "optional": ["gclid", "email", "phone"]}
        profile["skip"] = {"gclid": ["skipped"]}
    return Input(content, profile, bool(first & _ACCOUNT), bool(second & 128))
