"""The advertising APIs by name.

An API's package has `capabilities.py` with `CAPABILITIES`, which imports no client library, and
`connector.py` with `CONNECTOR`, its class of `lib.destinations.instance.Connector`. A connector
is imported only when a file needs it: Google's client libraries take half a second and 60 MB.

To add an API, add a package to `lib.destinations` and one line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

from lib.model.capabilities import Capabilities

PACKAGES: Final[dict[str, str]] = {
    "google_ads": "lib.destinations.google_ads",
    "data_manager": "lib.destinations.data_manager",
}

QUERY_ENDPOINT: Final = "lookup"
"""The name by which the endpoint of queries about accounts is set (`preflight`)."""


def names() -> Iterable[str]:
    """Return the names that a profile may use."""
    return PACKAGES.keys()


def capabilities_of(name: str) -> Capabilities:
    """Return what a destination can do. Raises `KeyError` for a name that is not registered."""
    found: Capabilities = import_module(f"{PACKAGES[name]}.capabilities").CAPABILITIES
    return found


def connector_class(name: str) -> Any:
    """Return the connector of a destination. Imports the API's client library."""
    return import_module(f"{PACKAGES[name]}.connector").CONNECTOR
