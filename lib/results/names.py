"""The names of what the function writes into the output bucket."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from lib.state.store import StoredObject

OVERVIEW = "index.html"
RESULTS = ".results.json"
REPORT = ".results.html"


def results_name(object_name: str, generation: int) -> str:
    """Return the name of the results document in the output bucket.

    An object name can have at most 1,024 bytes. A longer name is shortened and made unique with a
    digest of the whole name.
    """
    name = f"{object_name}.{generation}{RESULTS}"
    if len(name.encode()) <= 1024:
        return name
    digest = hashlib.sha256(object_name.encode()).hexdigest()[:32]
    start = object_name.encode()[:900].decode("utf-8", "ignore")
    return f"{start}.{digest}.{generation}{RESULTS}"


def report_name(results: str) -> str:
    """Return the name of the report beside a results document. Both names have the same length."""
    return results.removesuffix(RESULTS) + REPORT


def report_path(source: StoredObject) -> str:
    """Return where a file's report is in the output bucket, for the end of an address."""
    return quote(report_name(results_name(source.name, source.generation)))
