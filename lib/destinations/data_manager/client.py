"""The Data Manager API: `IngestionService.IngestEvents`, v1, with gRPC, or by REST for calls.

Limits and quota: https://developers.google.com/data-manager/api/devguides/limits
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, NamedTuple

import grpc
from google.ads.datamanager_v1.services.ingestion_service.transports.grpc import (
    IngestionServiceGrpcTransport,
)
from google.ads.datamanager_v1.types.ingestion_service import IngestEventsResponse
from google.protobuf.json_format import ParseDict

from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.destinations import rest
from lib.destinations.base import AcceptedRequest, MaybeSent, RowResult, UploadResult
from lib.destinations.connections import Defect, KeptConnection, keepalive_options
from lib.destinations.data_manager import failures
from lib.destinations.data_manager.answers import ResendBudget, read_status, send_row_wise
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.failures import Refusal
from lib.destinations.data_manager.messages import EventDefaults, encode
from lib.destinations.data_manager.rest import HOST, INGEST_PATH, STATUS_PATH, read_refusal
from lib.destinations.pacing import Pacer, RequestFailure
from lib.destinations.preflight import Preflight
from lib.destinations.rest import RestRefused, RestSession
from lib.errors import PermanentError, RetryableError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.sent_requests import UNREADABLE, RequestStatus

Response = IngestEventsResponse.pb()

INGEST_METHOD = "/google.ads.datamanager.v1.IngestionService/IngestEvents"

MAX_IN_FLIGHT = 10
"""Maximum number of requests at the same time
(https://developers.google.com/data-manager/api/devguides/concepts/best-practices)."""

REQUEST_GAP_SECONDS: Final = 60 / 300
"""A project has 300 requests a minute, which all instances share. Reads have as much again
(https://developers.google.com/data-manager/api/devguides/limits)."""

# With gRPC's default of 16 kB, a refusal that names 2,000 events becomes RESOURCE_EXHAUSTED.
_MAX_TRAILER_BYTES = 16 << 20


def new_pacer(window: int) -> Pacer:
    """Return a pacer that respects this API's limits."""
    return Pacer(min(window, MAX_IN_FLIGHT), REQUEST_GAP_SECONDS)


class Channels(NamedTuple):
    """A channel for gRPC, a session for what only REST can do, and the manager account that the
    secret names ("": none)."""

    grpc: grpc.Channel
    rest: RestSession
    manager_id: str


def _ingest_with_grpc(request: EventRequest, channels: Channels, seconds: float) -> Any:
    # Uses the channel: the retry of the client method would hide failed requests from the pacer,
    # and it does not retry a 429 at all. The library's stub would copy the whole request into a
    # message, and serialize it again.
    response = channels.grpc.unary_unary(INGEST_METHOD)(request.content, timeout=seconds)
    return Response.FromString(response)


def _ingest_by_rest(request: EventRequest, channels: Channels, seconds: float) -> Any:
    answer = channels.rest.post(INGEST_PATH, seconds, json=request.as_json())
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
_REST = _Transport(_ingest_by_rest, rest.classify, rest.defect_of, RestRefused, read_refusal)


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

        def retrieve(channels: Channels, seconds: float) -> Mapping[str, Any]:
            asked = {"requestId": request_id}
            return channels.rest.get(STATUS_PATH, seconds, params=asked)

        return self.status_pacer.send(
            lambda seconds: self._channels.send(retrieve, seconds, rest.defect_of, log),
            rest.classify,
            deadline=deadline,
            timeout_seconds=timeout,
            log=log,
        )


class DataManager:
    """`lib.destinations.base.Destination` for one run.

    The account must be the one that owns the conversions.
    """

    capabilities = CAPABILITIES
    sunset: date | None = None

    def __init__(
        self,
        connection: DataManagerConnection,
        preflight: Preflight,
        log: Log,
        *,
        timeout_seconds: float,
        defaults: EventDefaults,
    ) -> None:
        self._connection = connection
        self._preflight = preflight
        self._log = log
        self._timeout = timeout_seconds
        self._defaults = defaults
        self._refused: Problem | None = None

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        """See `Destination.account`. This API takes custom variables by name."""
        manager_id = self._defaults.login_customer_id
        return self._preflight.account(customer_id, manager_id, self._log, custom_variables=False)

    def encode(
        self, kind: RecordKind, records: Sequence[Any], job_id: int
    ) -> Sequence[EventRequest]:
        """See `Destination.encode`. This API has no job ID; each request has a separate ID."""
        return encode(kind, records, self._defaults)

    def send(
        self, requests: Sequence[EventRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        """See `Destination.send`. The number of requests is limited (see `answers`).

        A sale that was sent before replaces itself, so `maybe_sent` changes nothing.
        """
        row_results: dict[int, RowResult] = {}
        accepted: list[AcceptedRequest] = []
        about_actions: list[Problem] = []
        budget = ResendBudget()
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


def open_channels(credentials: Any, endpoint: str, manager_id: str) -> Channels:
    """Return channels. `endpoint` (`host:port`) replaces Google's endpoint, unless it is empty."""
    transport = IngestionServiceGrpcTransport(
        host=endpoint or IngestionServiceGrpcTransport.DEFAULT_HOST,
        credentials=credentials,
        channel=_open_channel,
        always_use_jwt_access=True,  # as the library's client
    )
    rest_session = RestSession(credentials, HOST, endpoint)
    return Channels(transport.grpc_channel, rest_session, manager_id)


def _open_channel(host: str, **given: Any) -> grpc.Channel:
    options = [
        *given.pop("options", ()),
        *keepalive_options(),
        ("grpc.max_metadata_size", _MAX_TRAILER_BYTES),
        ("grpc.absolute_max_metadata_size", _MAX_TRAILER_BYTES),
    ]
    return IngestionServiceGrpcTransport.create_channel(host, options=options, **given)
