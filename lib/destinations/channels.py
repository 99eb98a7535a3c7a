"""gRPC: how a channel to either API is opened, and what the status of a failed request means."""

from __future__ import annotations

from typing import Any, Final

import grpc
from google.api_core import grpc_helpers

from lib.destinations.pacing import RequestFailure

MAX_ANSWER_BYTES: Final = 64 << 20
MAX_TRAILER_BYTES = 16 << 20
"""The limits of Google's own clients. gRPC's defaults are smaller than an answer that names all
rows; a refusal that is too large becomes RESOURCE_EXHAUSTED."""

KEEPALIVE_SECONDS = 30
"""How often a channel with a request in flight checks its connection: a NAT gateway drops idle
connections without telling either end. A request on such a connection gets no answer until its own
timeout, and the next one gets the same connection. Google's own Pub/Sub client uses the same value;
more frequent checks could be refused (GOAWAY, too_many_pings)."""

KEEPALIVE_TIMEOUT_SECONDS = 10
"""A connection that does not answer a check for this long is closed, and the request is retried."""

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
"""Statuses that are worth a retry, if the API gives no details. Google may have processed the
request all the same. Sending it again is safe, because Google deduplicates conversions."""


def open_channel(endpoint: str, credentials: Any) -> grpc.Channel:
    """Return a channel to an endpoint (`host`, or `host:port`).

    Requests on it are bytes. Google's own clients would copy each request and each answer into
    message objects, and their retries would hide failed requests from the pacer.
    """
    options = [
        # https://grpc.io/docs/guides/keepalive
        ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        # Without this, the check itself takes a minute to fail.
        ("grpc.http2.ping_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        # By default, a new channel to the same host uses the connection of the old channel.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        ("grpc.max_metadata_size", MAX_TRAILER_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_TRAILER_BYTES),
    ]
    target = endpoint if ":" in endpoint else f"{endpoint}:443"
    channel: grpc.Channel = grpc_helpers.create_channel(
        target, credentials=credentials, options=options
    )
    # It connects while the account is looked at, and not only when the first request is sent.
    # `channel.subscribe` does it in a thread, which fails if the channel is dropped early.
    channel._channel.check_connectivity_state(True)
    return channel


def classify_by_status(error: grpc.Call) -> RequestFailure:
    """Decide what to do about a failed request without Google's details of the error."""
    status = error.code()
    details = error.details() or ""
    if "metadata from plugin failed" in details and "invalid_" in details:
        # The token could not be renewed (invalid_grant). gRPC reports this as UNAVAILABLE.
        return RequestFailure("permanent", "CREDENTIALS_REFUSED", defect="UNAUTHENTICATED")
    if status is grpc.StatusCode.UNAUTHENTICATED:
        return RequestFailure("permanent", "CREDENTIALS_REFUSED", defect="UNAUTHENTICATED")
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return RequestFailure("quota", status.name)
    if status in TRANSIENT_STATUSES:
        is_timeout = status is grpc.StatusCode.DEADLINE_EXCEEDED
        has_no_byte = is_timeout and not error.initial_metadata()  # not even response headers
        return RequestFailure("transient", status.name, defect="NO_ANSWER" if has_no_byte else None)
    return RequestFailure("permanent", status.name)
