"""Calls of the Google Ads API: one connection, paced and retried, with the request ID of each."""

from __future__ import annotations

import threading
from typing import Any, Final, NamedTuple

import grpc
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException

from lib.destinations.google_ads.errors import classify, defect_of, request_id_in
from lib.destinations.google_ads.upload_kinds import CLICKS
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


SEARCH: Final = "GoogleAdsService"
"""The service of queries."""

_NEARLY_ALWAYS_USED: Final = (CLICKS.service, SEARCH)


class Services:
    """The transports of one client. Each has its own channel. Thread-safe."""

    def __init__(self, client: GoogleAdsClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._transports: dict[str, Any] = {}
        for name in _NEARLY_ALWAYS_USED:
            self.transport(name)

    def transport(self, name: str) -> Any:
        """Return the transport of a service. Its channel is opened when it is first needed."""
        with self._lock:
            if name not in self._transports:
                self._transports[name] = self._client.get_service(name).transport
            return self._transports[name]


class Connection:
    """The services and the accounts that were read, kept while the instance runs."""

    def __init__(self, services: KeptConnection[Services], pacer: Pacer) -> None:
        self._services = services
        self._pacer = pacer
        self.accounts: dict[str, tuple[float, Account]] = {}

    def call(
        self,
        service: str,
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
            stub = getattr(services.transport(service), method)
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
