"""Plays a history to its end, and judges it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tests.histories.oracle import Oracle
from tests.histories.platform import platform

APIS: Final[Mapping[str, Mapping[str, str]]] = {
    "google_ads": {"destination": "google_ads"},
    "data_manager": {"destination": "data_manager"},
    "both": {"destination": "data_manager", "adjustments_via": "google_ads"},
}
"""`both`: the Data Manager API gets the sales, the Google Ads API their corrections."""


@contextmanager
def played(apis: str, chunk_rows: int = 2, *, keeps_versions: bool = True) -> Iterator[Oracle]:
    """Return a history without files. When the block ends, it is played to its end, and judged."""
    with platform(**APIS[apis], chunk_rows=chunk_rows, keeps_versions=keeps_versions) as made:
        history = Oracle(made)
        yield history
        history.end()
        history.verify()
    assert not history.broken, "\n".join(history.broken)
