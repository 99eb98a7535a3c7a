"""Calls of the Google Ads API: one connection, paced and retried, with the request ID of each.

Requests and answers are bytes. The library's own stubs would copy a request of 2,000 rows into a
proto-plus message and serialize it again, and make an object of each result.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import grpc
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException

from lib.destinations.connections import KeptConnection
from lib.destinations.google_ads.api import PACKAGE
from lib.destinations.google_ads.errors import classify, defect_of, request_id_in
from lib.destinations.pacing import Pacer, RequestFailure
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.log import Log

CallError = (GoogleAdsException, grpc.RpcError)
"""What a call of the API raises. Any other exception is a bug, not an answer from Google."""


class GoogleAdsResponse(NamedTuple):
    """The serialized response to a call, and its request ID.

    `maybe_repeated`: Google may have carried out an earlier try of the call whose answer was lost.
    """

    content: bytes
    request_id: str
    maybe_repeated: bool = False


def open_channel(client: GoogleAdsClient) -> Any:
    """Return a gRPC channel to the API, with the client's credentials and interceptors.

    Every service has the same host, so one channel is enough for all of them.
    """
    return client.get_service("ConversionUploadService").transport.grpc_channel


class GoogleAdsConnection:
    """The channel and the accounts that were read, kept while the instance runs."""

    def __init__(self, channel: KeptConnection[Any], pacer: Pacer) -> None:
        self._channel = channel
        self._pacer = pacer
        self.accounts: dict[str, tuple[float, Account]] = {}

    def call(
        self,
        method: str,
        request: bytes,
        customer_id: str,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> GoogleAdsResponse:
        """Make one call, paced and retried. `method`: such as `GoogleAdsService/Search`.

        It uses the channel also because the client's method drops the call object, and with it the
        `request-id` that Google's support asks for. The client's method also sets no timeout.

        Raises `CallError`; and `PermanentError` if the credentials were refused and those that are
        in the secret now do not work either.
        """
        routing = (("x-goog-request-params", f"customer_id={customer_id}"),)

        failures: list[RequestFailure] = []

        def classified(error: Exception) -> RequestFailure:
            failures.append(classify(error))
            return failures[-1]

        def call(channel: Any, seconds: float) -> GoogleAdsResponse:
            stub = channel.unary_unary(f"/{PACKAGE}.services.{method}")
            response, rpc = stub.with_call(request, timeout=seconds, metadata=routing)
            maybe_repeated = any(each.kind == "transient" for each in failures)
            return GoogleAdsResponse(response, request_id_in(rpc), maybe_repeated)

        return self._pacer.send(
            lambda seconds: self._channel.send(
                lambda channel: call(channel, seconds), defect_of, log
            ),
            classified,
            deadline=deadline,
            timeout_seconds=timeout_seconds,
            log=log,
        )
