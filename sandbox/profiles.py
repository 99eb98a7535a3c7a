"""The default profiles of a sandbox: the same shop, once for each destination."""

from __future__ import annotations

from typing import Any

_SHOP = {
    "customer_id": "1234567890",
    "expect": "any time",
    "action": "1001",
    "value": "action_default",
    "time_zone": "America/Chicago",
    "currency_code": "USD",
    "phone_region": "US",
    "ad_user_data": "GRANTED",
}
DEFAULT_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"destination": "google_ads", **_SHOP},
    "data_manager": {"destination": "data_manager", **_SHOP},
}
