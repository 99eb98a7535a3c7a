"""The Data Manager API: `IngestionService.IngestEvents`, v1, with gRPC, or by REST for calls.

Limits and quota: https://developers.google.com/data-manager/api/devguides/limits
This API has no queries, so the account cannot be checked before the upload.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import grpc
from google.ads.datamanager_v1.services.ingestion_service.transports.grpc import (
    IngestionServiceGrpcTransport,
)
from google.ads.datamanager_v1.types.ingestion_service import IngestEventsResponse
from google.protobuf.json_format import ParseDict

from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.destinations.base import AcceptedRequest, RowResult, UploadResult
from lib.destinations.connections import Defect, KeptConnection, keepalive_options
from lib.destinations.data_manager import failures, rest
from lib.destinations.data_manager.answers import ResendBudget, read_status, send_row_wise
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.failures import Refusal
from lib.destinations.data_manager.messages import EventBatch, EventDefaults
from lib.destinations.data_manager.rest import RestRefused, RestSession
from lib.destinations.pacing import Pacer, Quota, RequestFailure, SharedQuota
from lib.errors import PermanentError, RetryableError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.sent_requests import UNREADABLE, RequestStatus

Response = IngestEventsResponse.pb()

INGEST_METHOD = "/google.ads.datamanager.v1.IngestionService/IngestEvents"

MAX_IN_FLIGHT = 10
"""Maximum number of requests at the same time
(https://developers.google.com/data-manager/api/devguides/concepts/best-practices)."""

QUOTA = Quota(requests=300, seconds=60)
"""Requests per minute of a project, which all instances share. Reads have as much again
(https://developers.google.com/data-manager/api/devguides/limits)."""

# With gRPC's default of 16 kB, a refusal that names 2,000 events becomes RESOURCE_EXHAUSTED.
_MAX_TRAILER_BYTES = 16 << 20


def new_pacer(window: int) -> Pacer:
    """Return a pacer that respects this API's limits."""
    return Pacer(SharedQuota(QUOTA, min(window, MAX_IN_FLIGHT), random.Random()))


class Channels(NamedTuple):
    """A channel for gRPC, and a session for what only REST can do."""

    grpc: grpc.Channel
    rest: RestSession


def _ingest_with_grpc(request: EventRequest, channels: Channels, seconds: float) -> Any:
    # Uses the channel: the retry of the client method would hide failed requests from the pacer,
    # and it does not retry a 429 at all. The library's stub would copy the whole request into a
    # message, and serialize it again.
    response = channels.grpc.unary_unary(INGEST_METHOD)(request.content, timeout=seconds)
    return Response.FromString(response)


def _ingest_by_rest(request: EventRequest, channels: Channels, seconds: float) -> Any:
    answer = channels.rest.ingest(request.as_json(), seconds)
    return ParseDict(answer, Response(), ignore_unknown_fields=True)


@dataclass(frozen=True, slots=True)
class _Transport:
    """A way to send events, and how to read its errors."""

    ingest: Callable[[EventRequest, Channels, float], Any]
    classify: Callable[[Exception], RequestFailure]
    defect_of: Callable[[Exception], Defect | None]
    refused: type[Exception]
    read_refusal: Callable[[Any], Refusal]


_GRPC = _Transport(
    _ingest_with_grpc, failures.classify, failures.defect_of, grpc.RpcError, failures.read_refusal
)
_REST = _Transport(_ingest_by_rest, rest.classify, rest.defect_of, RestRefused, rest.read_refusal)


class DataManagerConnection:
    """The channels and their pacers, kept while the instance runs.

    Status requests have a separate quota, and therefore a separate pacer.
    """

    def __init__(
        self, channels: KeptConnection[Channels], pacer: Pacer, status_pacer: Pacer | None = None
    ) -> None:
        self.pacer = pacer
        self.status_pacer = status_pacer or new_pacer(MAX_IN_FLIGHT)
        self._channels = channels

    def ingest(
        self, request: EventRequest, deadline: Deadline, timeout: float, log: Log
    ) -> Any | Refusal:
        """Send a request. Return the raw `IngestEventsResponse`, or why it was refused."""
        transport = _GRPC if request.call_starts is None else _REST
        try:
            return self.pacer.send(
                lambda seconds: self._channels.send(
                    partial(transport.ingest, request), seconds, transport.defect_of, log
                ),
                transport.classify,
                deadline=deadline,
                timeout_seconds=timeout,
                log=log,
            )
        except PermanentError as error:
            # The credentials were refused, and so were those that are in the secret now.
            return Refusal(grpc.StatusCode.UNAUTHENTICATED, error.code, error.detail)
        except transport.refused as error:
            return transport.read_refusal(error)

    def status(
        self, request_id: str, deadline: Deadline, timeout: float, log: Log
    ) -> Mapping[str, Any]:
        """Return the status of a request. Raises `RestRefused` and `RetryableError`."""
        return self.status_pacer.send(
            lambda seconds: self._channels.send(
                lambda channels, seconds: channels.rest.retrieve(request_id, seconds),
                seconds,
                rest.defect_of,
                log,
            ),
            rest.classify,
            deadline=deadline,
            timeout_seconds=timeout,
            log=log,
        )


class DataManager:
    """`lib.destinations.base.Destination` for one run."""

    capabilities = CAPABILITIES
    sunset: date | None = None

    def __init__(
        self,
        connection: DataManagerConnection,
        log: Log,
        *,
        timeout_seconds: float,
        defaults: EventDefaults,
    ) -> None:
        self._connection = connection
        self._log = log
        self._timeout = timeout_seconds
        self._defaults = defaults
        self._refused: Problem | None = None

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        """Return the account unchecked. It must be the conversion customer. Actions need IDs."""
        return Account(customer_id, customer_id)

    def with_custom_variables(self, account: Account) -> Account:
        """Return the account unchanged: this API takes custom variables by name."""
        return account

    def batch(self, job_id: int, *, maybe_sent: bool) -> EventBatch:
        """See `Destination.batch`. This API has no job ID; each request has a separate ID."""
        return EventBatch(self._defaults)

    def send(self, batch: EventBatch, deadline: Deadline) -> UploadResult:
        """See `Destination.send`. The number of requests is limited (see `answers`)."""
        row_results: dict[int, RowResult] = {}
        accepted: list[AcceptedRequest] = []
        about_actions: list[Problem] = []
        budget = ResendBudget()
        requests = batch.take_requests()
        for request in requests:
            if self._refused is not None:
                # After the account was refused, no more rows are sent to it.
                row_result = RowResult("not_attempted", (self._refused,))
                row_results.update(dict.fromkeys(request.positions, row_result))
                continue
            result = send_row_wise(
                request,
                lambda each: self._connection.ingest(each, deadline, self._timeout, self._log),
                budget,
            )
            accepted += result.accepted
            row_results.update(result.row_results)
            problem = result.stop
            if problem is not None and problem.code in ABOUT_THE_ACTION:
                about_actions.append(problem)
            elif problem is not None:
                self._refused = problem
        stop = self._refused
        if stop is None and len(about_actions) == len(requests) > 0:
            stop = about_actions[0]
        request_ids = tuple(each.request_id for each in accepted)
        return UploadResult(row_results, request_ids, stop, tuple(accepted))

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        """See `PolledDestination.request_statuses`. A validate-only upload has no status."""
        found: list[RequestStatus] = []
        for request_id in request_ids:
            try:
                answer = self._connection.status(request_id, deadline, self._timeout, self._log)
            except RetryableError as error:
                if found or error.code in ("DEADLINE", "SHUTDOWN"):
                    break
                raise
            except RestRefused as refused:
                if refused.is_about_the_caller:
                    raise PermanentError(refused.code) from None
                found.append(RequestStatus(request_id, UNREADABLE, code=refused.code))
            else:
                found += read_status(request_id, answer)
        return found


def open_channels(credentials: Any, endpoint: str) -> Channels:
    """Return channels. `endpoint` (`host:port`) replaces Google's endpoint, unless it is empty."""
    transport = IngestionServiceGrpcTransport(
        host=endpoint or IngestionServiceGrpcTransport.DEFAULT_HOST,
        credentials=credentials,
        channel=_open_channel,
        always_use_jwt_access=True,  # as the library's client
    )
    return Channels(transport.grpc_channel, RestSession(credentials, endpoint))


def _open_channel(host: str, **given: Any) -> grpc.Channel:
    options = [
        *given.pop("options", ()),
        *keepalive_options(),
        ("grpc.max_metadata_size", _MAX_TRAILER_BYTES),
        ("grpc.absolute_max_metadata_size", _MAX_TRAILER_BYTES),
    ]
    return IngestionServiceGrpcTransport.create_channel(host, options=options, **given)
