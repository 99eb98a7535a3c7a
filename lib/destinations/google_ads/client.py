"""The Google Ads API: its connection, and uploads of conversions, adjustments and calls.

Request limits, partial failure and job ID:
https://developers.google.com/google-ads/api/docs/conversions/upload-offline
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import grpc

from lib.destinations.base import MaybeSent, UploadResult
from lib.destinations.channels import open_channel
from lib.destinations.connections import PacedConnection
from lib.destinations.credentials import Authorized
from lib.destinations.google_ads.api import HOST, PACKAGE
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.diagnostics import read_diagnostics
from lib.destinations.google_ads.failures import classify, request_id_in
from lib.destinations.google_ads.messages import encode
from lib.destinations.google_ads.upload import ChunkUpload, GoogleAdsResponse
from lib.destinations.google_ads.upload_request import UploadKind, UploadRequest
from lib.destinations.pacing import RequestFailure
from lib.destinations.preflight import Preflight
from lib.errors import PermanentError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.fields import RecordKind
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.sent_requests import UploadDiagnostics

_UPLOADS_WITHOUT_QUERIES: Final = frozenset(
    {"ACTION_NOT_PERMITTED", "CUSTOMER_NOT_ENABLED", "METRIC_ACCESS_DENIED"}
)
"""Refusals of a query although uploads to the account work."""


class AdsChannel(NamedTuple):
    """A channel, the metadata of each request, and the manager account in the secret, or ""."""

    grpc: grpc.Channel
    metadata: tuple[tuple[str, str], ...]
    manager_id: str


def open_ads_channel(authorized: Authorized, endpoint: str) -> AdsChannel:
    """Return a channel. `endpoint` replaces that of the secret and of Google, unless it is ""."""
    configuration = authorized.configuration
    return AdsChannel(
        open_channel(endpoint or configuration.endpoint or HOST, authorized.credentials),
        tuple(configuration.ads_headers.items()),
        configuration.login_customer_id,
    )


@dataclass(slots=True, kw_only=True)
class GoogleAds:
    """`lib.destinations.base.Destination` for one run.

    `manager_id` is the manager account that gives access to the others, or "".
    """

    capabilities = CAPABILITIES

    connection: PacedConnection[AdsChannel]
    preflight: Preflight
    log: Log
    manager_id: str
    timeout_seconds: float
    validate_only: bool
    refused: dict[UploadKind, Problem] = field(default_factory=dict)
    """Why the account refuses all rows of a kind in this run."""

    def account(self, customer_id: str, *, custom_variables: bool) -> Account:
        """See `Destination.account`."""
        account = self.preflight.account(
            customer_id, self.manager_id, self.log, custom_variables=custom_variables
        )
        unread = account.unread
        if unread is None or account.is_unreachable or unread.code in _UPLOADS_WITHOUT_QUERIES:
            return account
        # The same API would refuse the upload for the same reason.
        raise PermanentError(unread.code, f"customer {customer_id}")

    def upload_diagnostics(self, customer_id: str) -> UploadDiagnostics | None:
        """See `DiagnosingDestination.upload_diagnostics`."""
        return read_diagnostics(customer_id, self.preflight.make_search(self.manager_id, self.log))

    def encode(
        self, kind: RecordKind, records: Sequence[Any], customer_id: str, job_id: int
    ) -> Sequence[UploadRequest]:
        """See `Destination.encode`. It is one request, or none if there are no records."""
        return encode(kind, records, customer_id, job_id, validate_only=self.validate_only)

    def send(
        self, requests: Sequence[UploadRequest], deadline: Deadline, maybe_sent: MaybeSent
    ) -> UploadResult:
        """See `Destination.send`. `requests` is one request. If rows of it are sent again, that
        makes requests of their own, with their IDs in the result."""
        (request,) = requests
        upload = ChunkUpload(
            lambda request: self._send(request, deadline),
            self.refused,
            deadline,
            self.log,
            maybe_sent=maybe_sent,
        )
        row_results, _, stop = upload.send(request)
        by_position = {request.positions[row]: each for row, each in row_results.items()}
        return UploadResult(by_position, tuple(upload.request_ids), stop)

    def _send(self, request: UploadRequest, deadline: Deadline) -> GoogleAdsResponse:
        """Send one request, paced and retried.

        Raises `grpc.RpcError`; `RetryableError` if it cannot be sent now; and `PermanentError` if
        the credentials were refused and those that are in the secret now do not work either.
        """
        metadata = [("x-goog-request-params", f"customer_id={request.customer_id}")]
        if self.manager_id:
            metadata.append(("login-customer-id", self.manager_id))
        maybe_repeated = False

        def send(channel: AdsChannel, seconds: float) -> GoogleAdsResponse:
            stub = channel.grpc.unary_unary(f"/{PACKAGE}.services.{request.kind.method}")
            response, call = stub.with_call(
                request.content, timeout=seconds, metadata=(*metadata, *channel.metadata)
            )
            return GoogleAdsResponse(response, request_id_in(call), maybe_repeated)

        def classified(error: Exception) -> RequestFailure:
            nonlocal maybe_repeated
            failure = classify(error)
            if failure.kind == "transient":  # Google may have processed the request all the same
                maybe_repeated = True
            return failure

        return self.connection.send(
            send,
            classified,
            deadline=deadline,
            timeout_seconds=self.timeout_seconds,
            log=self.log,
        )
