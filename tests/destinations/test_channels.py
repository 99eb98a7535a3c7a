"""Channels connect early, and notice that the network has forgotten their connection."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from lib.destinations import channels
from lib.destinations.channels import open_channel
from lib.destinations.credentials import (
    ADWORDS_SCOPE,
    DATA_MANAGER_SCOPE,
    authorize,
    read_secret,
)
from lib.destinations.data_manager.client import INGEST_METHOD
from lib.destinations.google_ads.api import PACKAGE
from lib.destinations.google_ads.upload_request import CLICKS
from sandbox.apis import Apis
from sandbox.network import Network

TIMEOUT_SECONDS = 60.0


def data_manager(apis: Apis, endpoint: str) -> Callable[[float], object]:
    """Return an upload of nothing, which the API refuses."""
    credentials = authorize(read_secret(apis.google_ads_key_yaml), DATA_MANAGER_SCOPE).credentials
    upload = open_channel(endpoint, credentials).unary_unary(INGEST_METHOD)
    return lambda seconds: upload(b"", timeout=seconds)


def google_ads(apis: Apis, endpoint: str) -> Callable[[float], object]:
    """Return an upload of nothing, which the API refuses."""
    credentials = authorize(read_secret(apis.google_ads_key_yaml), ADWORDS_SCOPE).credentials
    channel = open_channel(endpoint, credentials)
    upload = channel.unary_unary(f"/{PACKAGE}.services.{CLICKS.method}")
    request = CLICKS.message_class("Request")(customer_id="1234567890").SerializeToString()
    return lambda seconds: upload(request, timeout=seconds)


def test_a_channel_connects_before_its_first_request(apis: Apis) -> None:
    """The connection is there when the first chunk is prepared: nothing is sent on it before."""
    credentials = authorize(read_secret(apis.google_ads_key_yaml), ADWORDS_SCOPE).credentials
    with socket.create_server(("localhost", 0)) as server:
        server.settimeout(TIMEOUT_SECONDS)
        channel = open_channel(f"localhost:{server.getsockname()[1]}", credentials)
        connection, _ = server.accept()
        connection.close()
        channel.close()


@pytest.mark.parametrize("route", [data_manager, google_ads])
def test_a_forgotten_connection_is_closed_long_before_the_timeout(
    apis: Apis, route: Callable[..., Callable[[float], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request on it fails within seconds, and the next one uses a new connection."""
    monkeypatch.setattr(channels, "KEEPALIVE_SECONDS", 1)
    monkeypatch.setattr(channels, "KEEPALIVE_TIMEOUT_SECONDS", 1)
    endpoint = apis.endpoint if route is google_ads else apis.data_manager_endpoint
    network = Network(endpoint)
    upload = route(apis, f"localhost:{network.port}")

    def status() -> grpc.StatusCode:
        with pytest.raises(grpc.RpcError) as refused:
            upload(TIMEOUT_SECONDS)
        error: Any = refused.value
        code: grpc.StatusCode = error.code()
        return code

    def connect_again() -> None:
        # A busy machine may answer a check later than the second that it has here. Then the
        # channel closes a connection that works, which is not tested here.
        while (found := status()) is not grpc.StatusCode.INVALID_ARGUMENT:
            assert found is grpc.StatusCode.UNAVAILABLE

    def forget() -> grpc.StatusCode:
        connect_again()
        network.forget()
        return status()

    # Such a machine may also have closed the connection before the network could forget it.
    while (found := forget()) is grpc.StatusCode.INVALID_ARGUMENT:
        pass
    # It would be DEADLINE_EXCEEDED if the channel waited for the timeout.
    assert found is grpc.StatusCode.UNAVAILABLE
    connect_again()
    network.close()
