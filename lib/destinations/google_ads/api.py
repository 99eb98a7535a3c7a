"""The version of the Google Ads API (no other module names it)."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Any, Final

API_VERSION: Final = "v26"

SUNSET: Final = date(2027, 11, 1)
"""The day on which Google switches off this version
(https://developers.google.com/google-ads/api/docs/sunset-dates)."""

HOST: Final = "googleads.googleapis.com"

QUERY_PATH: Final = f"/{API_VERSION}/customers/{{customer_id}}/googleAds:search"
"""Where queries are answered by POST."""

PACKAGE: Final = f"google.ads.googleads.{API_VERSION}"

_PARTS: Final = ("actions", "common", "enums", "errors", "resources", "services")

LAZY_PACKAGES: Final = (
    PACKAGE,
    *(name for part in _PARTS for name in (f"{PACKAGE}.{part}", f"{PACKAGE}.{part}.types")),
    f"{PACKAGE}.services.services",
)
"""The packages of which only the modules that are used are imported (`lazy_imports`)."""


def module(name: str) -> Any:
    """Return a module of this version, such as `services.types.google_ads_service`."""
    return import_module(f"{PACKAGE}.{name}")
