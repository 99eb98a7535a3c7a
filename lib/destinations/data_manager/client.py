"""The Data Manager API: `IngestionService.IngestEvents`, v1, with gRPC, or by REST for calls.

Limits and quota: https://developers.google.com/data-manager/api/devguides/limits
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import grpc
from google.ads.datamanager_v1.types.ingestion_service import IngestEventsResponse
from google.protobuf.json_format import ParseDict

from lib.catalogue.codes import ABOUT_THE_ACTION
from lib.destinations import rest
from lib.destinations.base import MaybeSent, RowResult, UploadResult
from lib.destinations.channels import open_channel
from lib.destinations.connections import PacedConnection
from lib.destinations.credentials import Authorized
from lib.destinations.data_manager.answers import read_status
from lib.destinations.data_manager.capabilities import CAPABILITIES
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.failures import Refusal, classify, read_refusal
from lib.destinations.data_manager.messages import EventDefaults, encode
from lib.destinations.data_manager.upload import EventUpload
from lib.destinations.preflight import Preflight
from lib.destinations.rest import RestSession
from lib.errors import PermanentError, RestRefused, RetryableError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.sent_requests import UNREADABLE, RequestStatus

Response = IngestEventsResponse.pb()

HOST: Final = "datamanager.googleapis.com"
INGEST_METHOD = "/google.ads.datamanager.v1.IngestionService/IngestEvents"

# What only REST can do: since v1.9, `ErrorCount.record_indices` names the events of an error, and
# `Event.call_info` has the start of a call. The client library (google-ads-datamanager 0.9.4) does
# not have these fields. When a release has them, a test fails: then send all requests with gRPC.
#
# https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve
# https://developers.google.com/data-manager/api/reference/rest/v1/events/ingest
STATUS_PATH: Final = "/v1/requestStatus:retrieve"
INGEST_PATH: Final = "/v1/events:ingest"


class Channels(NamedTuple):
    """A channel for gRPC, a session for what only REST can do, and the manager account in the
    secret, or ""."""

    grpc: grpc.Channel
    rest: RestSession
    manager_id: str


def open_channels(authorized: Authorized, endpoint: str) -> Channels:
    """Return channels. `endpoint` (`host:port`) replaces Google's, unless it is ""."""
    server, credentials = endpoint or HOST, authorized.credentials
    manager_id = authorized.configuration.login_customer_id
    return Channels(open_channel(server, credentials), RestSession(credentials, server), manager_id)


def _ingest_with_grpc(request: EventRequest, channels: Channels, seconds: float) -> Any:
    response = channels.grpc.unary_unary(INGEST_METHOD)(request.content, timeout=seconds)
    return Response.FromString(response)


def _ingest_by_rest(request: EventRequest, channels: Channels, seconds: float) -> Any:
    answer = channels.rest.send("POST", INGEST_PATH, seconds, json=request.as_json())
    return ParseDict(answer, Response(), ignore_unknown_fields=True)


@dataclass(slots=True, kw_only=True)
class DataManager:
    """`lib.destinations.base.Destination` for one run.

    The account must be the one that owns the conversions.
    """

    capabilities = CAPABILITIES

    uploads: PacedConnection[Channels]
    reads: PacedConnection[Channels]
    """The same channels. Reads have a quota of their own, and so a pacer of their own."""
    preflight: Preflight
    log: Log
    timeout_seconds: float
    defaults: EventDefaults
    refused: Problem | None = None
    """Why the account refuses all events of this run."""

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        """See `Destination.account`. This API takes custom variables by name."""
        manager_id = self.defaults.login_customer_id
        return self.preflight.account(customer_id, manager_id, self.log, custom_variables=False)

    def encode(
        self, kind: RecordKind, records: Sequence[Any], customer_id: str, job_id: int
    ) -> Sequence[EventRequest]:
        """See `Destination.encode`. This API has no job ID; each request has a separate ID."""
        return encode(kind, records, customer_id, self.defaults)

    def send(
        self, requests: Sequence[EventRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        """See `Destination.send`. The number of requests is limited (see `upload`).

        A sale that was sent before replaces itself, so `maybe_sent` changes nothing.
        """
        upload = EventUpload(lambda request: self._ingest(request, deadline))
        stops: list[Problem | None] = []
        for request in requests:
            if self.refused is not None:
                # After the account was refused, no more rows are sent to it.
                upload.set_all([request], RowResult("not_attempted", (self.refused,)))
                continue
            stop = upload.send(request)
            stops.append(stop)
            if stop is not None and stop.code not in ABOUT_THE_ACTION:
                self.refused = stop
        # A reason that concerns single actions stops the file only if all requests have one.
        stop = self.refused or (stops[0] if stops and all(stops) else None)
        request_ids = tuple(each.request_id for each in upload.accepted)
        return UploadResult(upload.row_results, request_ids, stop, tuple(upload.accepted))

    def _ingest(self, request: EventRequest, deadline: Deadline) -> Any | Refusal:
        """Send a request. Return the raw `IngestEventsResponse`, or why it was refused."""
        ingest = _ingest_with_grpc if request.call_starts is None else _ingest_by_rest
        try:
            return self.uploads.send(
                partial(ingest, request),
                classify,
                deadline=deadline,
                timeout_seconds=self.timeout_seconds,
                log=self.log,
            )
        except PermanentError as error:
            # The credentials were refused, and so were those that are in the secret now, or it has
            # none. That refuses each row, as any other problem of the account does.
            return Refusal("UNAUTHENTICATED", error.code, error.detail)
        except (grpc.RpcError, RestRefused) as error:
            return read_refusal(error)

    def request_statuses(
        self, request_ids: Sequence[str], deadline: Deadline
    ) -> Sequence[RequestStatus]:
        """See `PolledDestination.request_statuses`. A validate-only upload has no status."""
        found: list[RequestStatus] = []
        for request_id in request_ids:
            try:
                answer = self._status(request_id, deadline)
            except RetryableError as error:
                if found or error.code in ("DEADLINE", "SHUTDOWN"):
                    break  # the others are asked about in the next attempt
                raise
            except RestRefused as refused:
                if refused.is_about_the_caller:
                    raise PermanentError(refused.code) from None
                found.append(RequestStatus(request_id, UNREADABLE, code=refused.code))
            else:
                found += read_status(request_id, answer)
        return found

    def _status(self, request_id: str, deadline: Deadline) -> Mapping[str, Any]:
        """Return the status of a request. Raises `RestRefused` and `RetryableError`."""
        return self.reads.send(
            lambda channels, seconds: channels.rest.send(
                "GET", STATUS_PATH, seconds, params={"requestId": request_id}
            ),
            rest.classify,
            deadline=deadline,
            timeout_seconds=self.timeout_seconds,
            log=self.log,
        )
