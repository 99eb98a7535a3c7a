"""Calls of the Google Ads API: one connection, paced and retried, with the request ID of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import grpc
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException

from lib.destinations.google_ads.errors import classify, defect_of, request_id_in
from lib.destinations.pacing import CallFailure, Pacer
from lib.model.account import Account
from lib.model.connection import KeptConnection
from lib.model.deadline import Deadline
from lib.model.log import Log

CallError = (GoogleAdsException, grpc.RpcError)
"""What a call of the API raises. Any other exception is a bug, not an answer from Google."""


class Answer(NamedTuple):
    """The raw response to a call, and its request ID.

    `maybe_repeated`: Google may have carried out an earlier try of the call whose answer was lost.
    """

    response: Any
    request_id: str
    maybe_repeated: bool = False


class Services(NamedTuple):
    """The transports of one client. Each has its own channel."""

    upload: Any
    search: Any


def services_of(client: GoogleAdsClient) -> Services:
    """Open the channels of the services that a run needs."""
    return Services(
        client.get_service("ConversionUploadService").transport,
        client.get_service("GoogleAdsService").transport,
    )


class Connection:
    """The services and the accounts that were read, kept while the instance runs."""

    def __init__(self, services: KeptConnection[Services], pacer: Pacer) -> None:
        self._services = services
        self._pacer = pacer
        self.accounts: dict[str, tuple[float, Account]] = {}

    def call(
        self,
        method: str,
        request: Any,
        customer_id: str,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> Answer:
        """Make one call, paced and retried.

        It uses the transport, because the service method drops the call object and with it the
        `request-id` that Google's support asks for. The service method also sets no timeout.

        Raises `CallError`; and `PermanentError` if the credentials were refused and those that are
        in the secret now do not work either.
        """
        routing = (("x-goog-request-params", f"customer_id={customer_id}"),)

        failures: list[CallFailure] = []

        def classified(error: Exception) -> CallFailure:
            failures.append(classify(error))
            return failures[-1]

        def call(services: Services, seconds: float) -> Answer:
            stub = getattr(services.search if method == "search" else services.upload, method)
            response, rpc = stub.with_call(request, timeout=seconds, metadata=routing)
            maybe_repeated = any(each.kind == "transient" for each in failures)
            return Answer(getattr(response, "_pb", response), request_id_in(rpc), maybe_repeated)

        return self._pacer.call(
            lambda seconds: self._services.call(
                lambda services: call(services, seconds), defect_of, log
            ),
            classified,
            deadline=deadline,
            timeout_seconds=timeout_seconds,
            log=log,
        )
