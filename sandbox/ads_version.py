"""The version of the Google Ads API that the sandbox implements. No other module names it."""

from __future__ import annotations

import importlib
from typing import Any

API_VERSION = "v26"
PACKAGE = f"google.ads.googleads.{API_VERSION}"
"""Google's package of this version, in Python and in protobuf."""


def ads_module(name: str) -> Any:
    """Import a module of this version, such as `services.types.google_ads_service`."""
    return importlib.import_module(f"{PACKAGE}.{name}")
