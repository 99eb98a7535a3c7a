"""Requests by REST: a session, its errors, and what to do about them.

Used for what a client library has no method for, and for queries about accounts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession

from lib.destinations.pacing import RequestFailure
from lib.errors import RestRefused


class RestSession:
    """An HTTP session with a server (`host`, or `host:port`), which keeps its connections open.

    `headers` are sent with each request.
    """

    def __init__(
        self, credentials: Any, server: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._session: Any = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        self._session.headers.update(headers or {})
        self._root = f"https://{server}"
        # A server that replaces Google's is trusted by the same file as over gRPC.
        self._verify = os.environ.get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") or True

    def send(
        self, method: str, path: str, timeout_seconds: float, **given: Any
    ) -> Mapping[str, Any]:
        """Return the JSON of an answer. `given` goes to `requests`, such as `params` or `json`.

        Raises `RestRefused`, and what `requests` and google-auth raise (see `classify`).
        """
        url = self._root + path
        try:
            answer = self._session.request(
                method, url, timeout=timeout_seconds, verify=self._verify, **given
            )
        except RefreshError as error:
            if error.retryable:
                raise
            raise RestRefused(HTTPStatus.UNAUTHORIZED, "CREDENTIALS_REFUSED") from None
        if not answer.ok:
            raise refusal_of(answer)
        response: Mapping[str, Any] = answer.json()
        return response


def refusal_of(answer: requests.Response) -> RestRefused:
    """Return the exception for a `google.rpc.Status` as JSON.

    Its code is the reason of a violation, else of the error, else its name. A proxy or load
    balancer answers with a page of its own: then it is the HTTP status.
    """
    try:
        error = dict(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        error = {}
    code = error.get("status") or f"HTTP_{answer.status_code}"
    is_daily, delay = False, 0.0
    details = error.get("details", ())
    for detail in details:
        match detail.get("@type", "").rpartition(".")[2]:
            case "ErrorInfo":
                code = detail.get("reason") or code
                if "PerDay" in detail.get("metadata", {}).get("quota_limit", ""):
                    is_daily = True
            case "RetryInfo":
                delay = _seconds(detail.get("retryDelay", ""))
    for detail in details:
        for violation in detail.get("fieldViolations", ())[:1]:
            code = violation.get("reason", code)
        for each in detail.get("errors", ())[:1]:  # of a GoogleAdsFailure
            code = next(iter(each.get("errorCode", {}).values()), code)
            if code == "RESOURCE_EXHAUSTED":  # the Google Ads API's name for the quota of a day
                is_daily = True
            quota = each.get("details", {}).get("quotaErrorDetails", {})
            delay = _seconds(quota.get("retryDelay", "")) or delay
    return RestRefused(
        answer.status_code, code, is_daily=is_daily, retry_delay_seconds=delay, error=error
    )


def _seconds(duration: str) -> float:
    """Return the seconds of a duration such as "1.5s"; 0 if there is none."""
    return float(duration.removesuffix("s") or 0)


def classify(error: Exception) -> RequestFailure:
    """Decide what to do about a failed request."""
    if isinstance(error, RestRefused):
        if error.status == HTTPStatus.UNAUTHORIZED:
            return RequestFailure("permanent", error.code, defect="UNAUTHENTICATED")
        if error.is_daily:
            return RequestFailure("daily_quota", error.code)
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            return RequestFailure("quota", error.code, error.retry_delay_seconds)
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return RequestFailure("transient", error.code)
        return RequestFailure("permanent", error.code)
    code = type(error).__name__
    if isinstance(error, requests.Timeout):
        return RequestFailure("transient", code, defect="NO_ANSWER")
    if isinstance(error, requests.RequestException | TransportError) or (
        isinstance(error, GoogleAuthError) and error.retryable
    ):
        return RequestFailure("transient", code)
    return RequestFailure("permanent", code)
