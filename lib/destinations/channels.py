"""gRPC channels: their limits, and what a failed call says about the connection.

A NAT gateway drops idle connections without telling either end. A request on such a connection gets
no answer until its own timeout, and the next one gets the same connection. So channels check their
connection while a request is in flight.
"""

from __future__ import annotations

from typing import Final

import grpc

MAX_REQUEST_BYTES: Final = 60 << 20
"""A message over 64 MB is refused with a 429 that looks like a quota error."""

TRANSIENT_STATUSES: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
    }
)
"""Failures, if the API gives no details. With some of them, Google may have processed the request.
It is safe to send it again because Google deduplicates conversions."""

KEEPALIVE_SECONDS = 30
"""How often a channel with a request in flight checks its connection. Google's own Pub/Sub client
uses the same value; more frequent checks could be refused (GOAWAY, too_many_pings)."""

KEEPALIVE_TIMEOUT_SECONDS = 10
"""A connection that does not answer a check for this long is closed, and the request is retried."""


def keepalive_options() -> list[tuple[str, int]]:
    """Return the channel options (https://grpc.io/docs/guides/keepalive)."""
    return [
        ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        # Without this, the check itself takes a minute to fail.
        ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        # By default, a new channel to the same host uses the connection of the old channel.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def is_silent(error: Exception) -> bool:
    """Whether a call timed out without a byte from the server, not even response headers."""
    return (
        isinstance(error, grpc.Call)
        and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        and not error.initial_metadata()
    )
