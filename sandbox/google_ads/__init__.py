"""The part of the Google Ads API that an upload of offline conversions needs, and its version.

In reading order: `service` (who may do what), `uploads` (what the three upload methods have in
common), `rows` (the fields that their rows have in common), `clicks`, `calls`, `adjustments`,
`queries` (GAQL), `errors` (Google's format of errors).

No other module names the version: to change it, change `API_VERSION`.
"""

from __future__ import annotations

import importlib
from typing import Any

API_VERSION = "v26"
PACKAGE = f"google.ads.googleads.{API_VERSION}"
"""Google's package of this version, in Python and in protobuf."""


def ads_module(name: str) -> Any:
    """Import a module of this version, such as `services.types.google_ads_service`."""
    return importlib.import_module(f"{PACKAGE}.{name}")
