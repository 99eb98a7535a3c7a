"""What only REST can do: ask which events of a request have an error, and send calls.

Since v1.9, `ErrorCount.record_indices` names the events of an error, and `Event.call_info` has the
start of a call. The gRPC client library (google-ads-datamanager 0.9.4) does not have these fields.
When a release has them, a test fails: then replace this module by requests on the channel.

https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve
https://developers.google.com/data-manager/api/reference/rest/v1/events/ingest
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.protobuf.json_format import ParseDict
from google.rpc import error_details_pb2

from lib.destinations.connections import Defect, rest_error, trusted_roots
from lib.destinations.data_manager.failures import Refusal, Violation, violation_of
from lib.destinations.pacing import RequestFailure
from lib.destinations.redaction import without_personal_data

HOST = "datamanager.googleapis.com"
STATUS_PATH = "/v1/requestStatus:retrieve"
INGEST_PATH = "/v1/events:ingest"
_OK, _UNAUTHORIZED, _FORBIDDEN, _TOO_MANY_REQUESTS, _SERVER_ERROR = 200, 401, 403, 429, 500

_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")


class RestRefused(Exception):
    """Google answered with an error. `code` is its most specific reason.

    `reason` is the one of the whole request, if there is one. `error` is Google's
    `google.rpc.Status`, as JSON. Its texts may quote what was sent.
    """

    def __init__(
        self,
        status: int,
        code: str,
        quota_limit: str = "",
        delay: float = 0.0,
        reason: str = "",
        error: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.quota_limit = quota_limit
        self.retry_delay_seconds = delay
        self.reason = reason
        self.error: Mapping[str, Any] = error or {}

    @property
    def is_about_the_caller(self) -> bool:
        """Whether Google refuses the credentials or the project, and not this request."""
        return self.status in (_UNAUTHORIZED, _FORBIDDEN)


class RestSession:
    """An HTTP session, which keeps its connections open."""

    def __init__(self, credentials: Any, endpoint: str) -> None:
        self._session: Any = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        self._root = f"https://{endpoint or HOST}"
        self._verify = trusted_roots(endpoint)

    def retrieve(self, request_id: str, timeout_seconds: float) -> Mapping[str, Any]:
        """Return the JSON of a `RetrieveRequestStatusResponse`.

        Raises `RestRefused`, and what `requests` and google-auth raise (see `classify`).
        """
        parameters = {"requestId": request_id}
        return self._answer(self._session.get, STATUS_PATH, timeout_seconds, params=parameters)

    def ingest(self, body: Mapping[str, Any], timeout_seconds: float) -> Mapping[str, Any]:
        """Send the JSON of a request. Return that of an `IngestEventsResponse`.

        Raises as `retrieve`.
        """
        return self._answer(self._session.post, INGEST_PATH, timeout_seconds, json=body)

    def _answer(
        self, send: Callable[..., Any], path: str, timeout_seconds: float, **given: Any
    ) -> Mapping[str, Any]:
        url = self._root + path
        try:
            answer = send(url, timeout=timeout_seconds, verify=self._verify, **given)
        except RefreshError as error:
            if error.retryable:
                raise
            raise RestRefused(_UNAUTHORIZED, "CREDENTIALS_REFUSED") from None
        if answer.status_code != _OK:
            raise _refused(answer)
        response: Mapping[str, Any] = answer.json()
        return response


def classify(error: Exception) -> RequestFailure:
    """Decide what to do about a failed request."""
    if isinstance(error, RestRefused):
        if error.status == _TOO_MANY_REQUESTS and "PerDay" in error.quota_limit:
            return RequestFailure("daily_quota", error.quota_limit)
        if error.status == _TOO_MANY_REQUESTS:
            return RequestFailure("quota", error.code, error.retry_delay_seconds)
        if error.status >= _SERVER_ERROR:
            return RequestFailure("transient", error.code)
    elif isinstance(error, requests.RequestException | TransportError) or (
        isinstance(error, GoogleAuthError) and error.retryable
    ):
        return RequestFailure("transient", type(error).__name__)
    return RequestFailure("permanent", type(error).__name__)


def defect_of(error: Exception) -> Defect | None:
    """Return why the connection must not be used again, if a failed request shows that."""
    if isinstance(error, RestRefused) and error.status == _UNAUTHORIZED:
        return "UNAUTHENTICATED"
    return "NO_ANSWER" if isinstance(error, requests.Timeout) else None


def read_refusal(refused: RestRefused) -> Refusal:
    """Return why a request by REST was refused permanently."""
    error = refused.error
    name = error.get("status", "")
    status = getattr(grpc.StatusCode, name, grpc.StatusCode.UNKNOWN)
    if status is grpc.StatusCode.UNAUTHENTICATED or refused.code == "CREDENTIALS_REFUSED":
        return Refusal(grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_REFUSED", "")
    violations: list[Violation] = []
    for detail in error.get("details", ()):
        if detail.get("@type", "").endswith(".BadRequest"):
            given = {key: value for key, value in detail.items() if key != "@type"}
            bad = ParseDict(given, error_details_pb2.BadRequest(), ignore_unknown_fields=True)
            for each in bad.field_violations:
                each.field = _CAPITAL.sub(lambda found: f"_{found[0].lower()}", each.field)
                violations.append(violation_of(each))
    code = refused.reason or name or refused.code
    message = "" if violations else without_personal_data(str(error.get("message", "")))
    return Refusal(status, code, message, tuple(violations))


def _refused(answer: requests.Response) -> RestRefused:
    """Return the exception for a `google.rpc.Status` as JSON.

    Its code is the reason of a violation, else of the error, else its name.
    """
    error = rest_error(answer)
    code, limit, delay = error.get("status") or f"HTTP_{answer.status_code}", "", 0.0
    reason = ""
    for detail in error.get("details", ()):
        match detail.get("@type", "").rpartition(".")[2]:
            case "ErrorInfo":
                reason = detail.get("reason", "")
                code = reason or code
                limit = detail.get("metadata", {}).get("quota_limit", "")
            case "RetryInfo":
                delay = float(detail.get("retryDelay", "0s").removesuffix("s"))
    for detail in error.get("details", ()):
        for violation in detail.get("fieldViolations", ())[:1]:
            code = violation.get("reason", code)
    return RestRefused(answer.status_code, code, limit, delay, reason, error)
