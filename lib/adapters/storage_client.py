"""The client of Cloud Storage: it tells the time, and notices that a connection is forgotten."""

from __future__ import annotations

import os
import socket
from typing import Any

import requests
from google.cloud import storage  # type: ignore[attr-defined]  # a namespace without types
from requests.adapters import HTTPAdapter

from lib.adapters.store_clock import StoreClock
from lib.state.store import Label

IDLE_SECONDS = 30
"""After this time without traffic, the system checks whether the other end still answers."""

SILENT_SECONDS = 15
"""A connection on which nothing is acknowledged for this long is closed."""


def _socket_options() -> list[tuple[int, int, int]]:
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    # Cloud Run is Linux; other systems lack some of these.
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_SECONDS),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", SILENT_SECONDS * 1000),
    ):
        if (option := getattr(socket, name, None)) is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options


class WatchedConnections(HTTPAdapter):
    """Keeps connections alive. After a request without an answer, it uses none of them again.

    `clock` learns the time from every answer.
    """

    def __init__(self, clock: StoreClock | None) -> None:
        self._clock = clock
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the pools (called by `HTTPAdapter`)."""
        super().init_poolmanager(*arguments, **options, socket_options=_socket_options())

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        """Send a request, as `requests.Session` asks for it."""
        sent = self._clock.reading() if self._clock is not None else None
        try:
            response = super().send(*arguments, **options)
        except requests.Timeout:
            self.poolmanager.clear()
            raise
        # An answer with an age comes from a cache, and so does its date.
        if self._clock is not None and sent is not None and "Age" not in response.headers:
            self._clock.observe(response.headers.get("Date"), sent)
        return response


def storage_client(clock: StoreClock | None = None) -> storage.Client:
    """Return a client with the function's credentials (or of the emulator, if configured).

    If there is a `clock`, it learns the time from every answer.
    """
    # Otherwise the client reads the metadata of every bucket, for traces that nobody uses: one more
    # call per bucket, and one more permission for the function (storage.buckets.get).
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    # Objects need no project, and credentials of a person often have none.
    client = storage.Client(project=None)
    for scheme in ("https://", "http://"):
        client._http.mount(scheme, WatchedConnections(clock))
    return client


def labelled(blob: storage.Blob, label: Label) -> storage.Blob:
    """Return an object that is about to be written, with what its label says."""
    blob.metadata = dict(label.metadata) or None
    blob.cache_control = label.cache_control or None
    return blob
