"""The services of the Google Ads API: who may use which account, and queries."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import MessageToJson, ParseDict

from sandbox.accounts import Account
from sandbox.google_ads import API_VERSION, PACKAGE, ads_module, queries
from sandbox.google_ads.adjustments import AdjustmentUploads
from sandbox.google_ads.calls import CallUploads
from sandbox.google_ads.clicks import ClickUploads
from sandbox.google_ads.errors import refuse, refuse_by_fault, refuse_for_quota, with_details
from sandbox.rest import Method
from sandbox.rpc import Refusal, Responder, Rpc, Service
from sandbox.state import State

SCOPE = "https://www.googleapis.com/auth/adwords"
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_types = ads_module("services.types.google_ads_service")
_SearchRequest: Any = _types.SearchGoogleAdsRequest.pb()
_SearchResponse: Any = _types.SearchGoogleAdsResponse.pb()
_CUSTOMER_ID = re.compile(r"\d{1,10}").fullmatch
_NOT_PERMITTED = (
    "User doesn't have permission to access customer. Note: If you're accessing a client "
    "customer, the manager's customer id must be set in the 'login-customer-id' header."
)


@dataclass(slots=True)
class _Bucket:
    """A token bucket. Times are in seconds of any monotonic clock."""

    per_second: float
    burst: float
    tokens: float
    filled_at: float

    def take(self, now: float) -> float:
        """Take one token and return 0.0, or return the seconds until the next token."""
        self.tokens = min(self.burst, self.tokens + (now - self.filled_at) * self.per_second)
        self.filled_at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.per_second


class GoogleAds:
    """Uploads of conversions and adjustments, and `GoogleAdsService.Search`."""

    def __init__(self, state: State) -> None:
        self._state = state
        # By account: one whose settings change begins with a full bucket.
        self._buckets: dict[Account, _Bucket] = {}
        state.on_clear.append(self._buckets.clear)

    def services(self) -> list[Service]:
        clicks = ClickUploads(self._state, self._authorize)
        calls = CallUploads(self._state, self._authorize)
        adjustments = AdjustmentUploads(self._state, self._authorize)
        methods = {
            "ConversionUploadService": {
                "UploadClickConversions": clicks.answer,
                "UploadCallConversions": calls.answer,
            },
            "ConversionAdjustmentUploadService": {
                "UploadConversionAdjustments": adjustments.answer
            },
            "GoogleAdsService": {"Search": self._search},
        }
        return [
            Service(f"{PACKAGE}.services.{name}", "google_ads", handlers, refuse_by_fault)
            for name, handlers in methods.items()
        ]

    def _authorize(self, rpc: Rpc, customer_id: str) -> Account:
        """The account of the request, if the caller may use it. Raises `Refusal`."""
        state = self._state
        rpc.request.customer_id = customer_id
        if state.check_tokens:
            if not rpc.scopes:
                text = "The OAuth access token is invalid."
                raise refuse("authentication_error.OAUTH_TOKEN_INVALID", text, rpc)
            if SCOPE not in rpc.scopes:
                text = "Request had insufficient authentication scopes."
                raise Refusal(grpc.StatusCode.PERMISSION_DENIED, text, label="SCOPE")
        login = rpc.metadata.get("login-customer-id", "")
        if _CUSTOMER_ID(customer_id) is None:
            text = f"Invalid customer ID '{customer_id}'."
            raise refuse("request_error.INVALID_CUSTOMER_ID", text, rpc)
        account = state.accounts.get(customer_id)
        if account is None:
            text = "No customer found for the provided customer id."
            raise refuse("authentication_error.CUSTOMER_NOT_FOUND", text, rpc)
        # Without a manager, or with the account itself in the header, a caller needs direct access.
        is_direct = login in ("", customer_id)
        allowed = account.direct_access if is_direct else login in account.managers
        if not account.accessible or not allowed:
            raise refuse("authorization_error.USER_PERMISSION_DENIED", _NOT_PERMITTED, rpc)
        if account.requests_per_second is not None:
            now, burst = time.monotonic(), account.burst
            new = _Bucket(account.requests_per_second, burst, burst, now)
            with state.lock:
                wait = self._buckets.setdefault(account, new).take(now)
            if wait:
                raise refuse_for_quota(rpc, wait)
        return account

    def rest_methods(self, responder: Responder) -> dict[str, Method]:
        """The methods of REST: verb and path → who answers."""
        path = f"POST /{API_VERSION}/customers/*/googleAds:search"
        return {path: (responder, "Search", self._rest_search)}

    def _rest_search(self, rpc: Rpc) -> bytes:
        """Answer a query by REST: the same in JSON."""
        request = ParseDict(json.loads(rpc.body), _SearchRequest())
        request.customer_id = rpc.metadata[":path"].split("/")[3]
        try:
            answer: str = MessageToJson(self._answer_search(request, rpc))
        except Refusal as refusal:
            raise with_details(refusal) from None
        return answer.encode()

    def _search(self, rpc: Rpc) -> bytes:
        response = self._answer_search(_SearchRequest.FromString(rpc.body), rpc)
        serialized: bytes = response.SerializeToString()
        return serialized

    def _answer_search(self, request: Any, rpc: Rpc) -> Any:
        account = self._authorize(rpc, request.customer_id)
        if request.page_size:
            text = "Setting the page size is not supported."
            raise refuse("request_error.PAGE_SIZE_NOT_SUPPORTED", text, rpc)
        if not account.readable:
            text = "The user can't perform this action on this account."
            raise refuse("authorization_error.ACTION_NOT_PERMITTED", text, rpc)
        try:
            rows, mask = queries.run(request.query, account, self._state)
        except queries.QueryProblem as problem:
            raise refuse(f"query_error.{problem.code}", str(problem), rpc) from problem
        return _SearchResponse(results=rows, field_mask=mask, total_results_count=len(rows))
