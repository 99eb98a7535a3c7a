"""The part of the Google Ads API that an upload of offline conversions needs.

A request is checked in this order: access token and scope, customer, quota, the request as a
whole, each row (`ads_rules`), duplicates within the request and of earlier conversions. Errors
outside of the conversions end the RPC; errors in rows are returned as a partial failure.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any

import grpc

from sandbox import gaql
from sandbox.accounts import Account
from sandbox.ads_corrections import AdjustmentUploads, CallUploads
from sandbox.ads_duplicates import known_already, repeats_in_request
from sandbox.ads_errors import Problem, refuse, refuse_by_fault, refuse_for_quota
from sandbox.ads_rules import Judged, Rules, judge_row
from sandbox.ads_uploads import (
    CLICK_CONVERSIONS,
    bad_rows,
    check_request,
    chosen_errors,
    decoder,
    error_without_index,
    fill_response,
    parse,
    stray_error,
)
from sandbox.ads_version import PACKAGE, ads_module
from sandbox.rpc import Call, Refusal, Service
from sandbox.state import Accepted, State

SCOPE = "https://www.googleapis.com/auth/adwords"
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_upload_types = ads_module("services.types.conversion_upload_service")
_search_types = ads_module("services.types.google_ads_service")
_UploadRequest: Any = _upload_types.UploadClickConversionsRequest.pb()
_UploadResponse: Any = _upload_types.UploadClickConversionsResponse.pb()
_Conversion: Any = _upload_types.ClickConversion.pb()
_SearchRequest: Any = _search_types.SearchGoogleAdsRequest.pb()
_StreamRequest: Any = _search_types.SearchGoogleAdsStreamRequest.pb()
_SearchResponse: Any = _search_types.SearchGoogleAdsResponse.pb()
_StreamResponse: Any = _search_types.SearchGoogleAdsStreamResponse.pb()

_CUSTOMER_ID = re.compile(r"\d{1,10}").fullmatch
_NOT_PERMITTED = (
    "User doesn't have permission to access customer. Note: If you're accessing a client "
    "customer, the manager's customer id must be set in the 'login-customer-id' header."
)


decode_conversion = decoder(_Conversion)


class GoogleAds:
    """Uploads of conversions and adjustments, and `GoogleAdsService.Search[Stream]`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def services(self) -> list[Service]:
        adjustments = AdjustmentUploads(self._state, self._authorize)
        return [
            Service(
                f"{PACKAGE}.services.ConversionUploadService",
                "google_ads",
                {
                    "UploadClickConversions": self.upload,
                    "UploadCallConversions": CallUploads(self._state, self._authorize).upload,
                },
                refuse=refuse_by_fault,
            ),
            Service(
                f"{PACKAGE}.services.ConversionAdjustmentUploadService",
                "google_ads",
                {"UploadConversionAdjustments": adjustments.upload},
                refuse=refuse_by_fault,
            ),
            Service(
                f"{PACKAGE}.services.GoogleAdsService",
                "google_ads",
                {"Search": self.search},
                {"SearchStream": self.search_stream},
                refuse=refuse_by_fault,
            ),
        ]

    # The account

    def _authorize(self, call: Call, customer_id: str) -> Account:
        """The account of the request, if the caller may use it. Raises `Refusal`."""
        state = self._state
        call.request.customer_id = customer_id
        if state.check_tokens:
            if not call.scopes:
                text = "The OAuth access token is invalid."
                raise refuse("authentication_error.OAUTH_TOKEN_INVALID", text, call)
            if SCOPE not in call.scopes:
                text = "Request had insufficient authentication scopes."
                raise Refusal(grpc.StatusCode.PERMISSION_DENIED, text, label="SCOPE")
        login = call.metadata.get("login-customer-id", "")
        if login and (not login.isdigit() or len(login) != 10):
            text = "The login customer ID could not be validated."
            raise refuse("header_error.INVALID_LOGIN_CUSTOMER_ID", text, call)
        if _CUSTOMER_ID(customer_id) is None:
            text = f"Invalid customer ID '{customer_id}'."
            raise refuse("request_error.INVALID_CUSTOMER_ID", text, call)
        account = state.accounts.get(customer_id)
        if account is None or not account.exists:
            text = "No customer found for the provided customer id."
            raise refuse("authentication_error.CUSTOMER_NOT_FOUND", text, call)
        allowed = login in account.managers if login else account.direct_access
        if not account.accessible or not (allowed or login == customer_id):
            raise refuse("authorization_error.USER_PERMISSION_DENIED", _NOT_PERMITTED, call)
        if not account.cloud_project_approved:
            text = "The Google Cloud project is not approved for production accounts."
            code = "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION"
            raise refuse(code, text, call)
        wait = state.wait_for_quota(account)
        if wait is None or wait > 0:
            raise refuse_for_quota(call, wait)
        return account

    # Uploads

    def upload(self, body: bytes, call: Call) -> bytes:
        request = parse(_UploadRequest, body)
        call.request.conversions = len(request.conversions)
        account = self._authorize(call, request.customer_id)
        job_id = check_request(request, CLICK_CONVERSIONS, account, call)
        call.request.job_id = job_id
        problems = self._judge_and_commit(request, account, job_id, call)
        response = _UploadResponse(job_id=job_id)
        fill = None if request.validate_only else _copy_conversion
        return fill_response(response, request.conversions, problems, call, fill)

    def _judge_and_commit(
        self, request: Any, account: Account, job_id: int, call: Call
    ) -> list[Problem]:
        state = self._state
        if unnamed := error_without_index(call):
            return unnamed
        if not state.judge:
            judged = [Judged([])] * len(request.conversions)
        else:
            rules = Rules(account, state.clicks, state.now())
            judged = [judge_row(row, n, rules) for n, row in enumerate(request.conversions)]
        problems = [problem for one in judged for problem in one.problems]
        problems += chosen_errors(call, CLICK_CONVERSIONS)
        repeats = repeats_in_request(judged, state.repeats_in_request)
        with state.lock:
            problems += repeats
            problems += known_already(
                judged, state.click_keys, state.order_keys, state.known_conversions
            )
            if not request.validate_only:
                self._commit(request, account, job_id, call, judged, bad_rows(problems))
        return problems + stray_error(call)

    def _commit(
        self,
        request: Any,
        account: Account,
        job_id: int,
        call: Call,
        judged: list[Judged],
        bad: dict[int | None, str],
    ) -> None:
        state = self._state
        now = state.now()
        customer_id, request_id = account.customer_id, call.request_id
        good: Counter[str] = Counter()
        refused: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for index, (row, one) in enumerate(zip(request.conversions, judged, strict=True)):
            if index in bad:
                refused[row.conversion_action][bad[index]] += 1
                continue
            good[row.conversion_action] += 1
            if one.click_key is not None:
                state.click_keys.add(one.click_key)
            if one.order_key is not None:
                state.order_keys.add(one.order_key)
            state.accepted.append(
                Accepted(
                    customer_id,
                    one.action_id,
                    job_id,
                    request_id,
                    now,
                    "google_ads",
                    row.SerializeToString(),
                    decode_conversion,
                )
            )
        all_refused = sum(refused.values(), Counter[str]())
        state.count_job(customer_id, "", job_id, good.total(), all_refused)
        for name in {*good, *refused}:
            # Only the last part of the resource name matters, as in `ads_rules`.
            action = name.rpartition("/")[2]
            state.count_job(customer_id, action, job_id, good[name], refused[name])

    # Queries

    def search(self, body: bytes, call: Call) -> bytes:
        request = parse(_SearchRequest, body)
        account = self._authorize(call, request.customer_id)
        if request.page_size:
            text = "Setting the page size is not supported."
            raise refuse("request_error.PAGE_SIZE_NOT_SUPPORTED", text, call)
        rows, mask = self._query(request.query, account, call)
        serialized: bytes = _SearchResponse(
            results=rows, field_mask=mask, total_results_count=len(rows)
        ).SerializeToString()
        return serialized

    def search_stream(self, body: bytes, call: Call) -> bytes:
        request = parse(_StreamRequest, body)
        account = self._authorize(call, request.customer_id)
        rows, mask = self._query(request.query, account, call)
        serialized: bytes = _StreamResponse(
            results=rows, field_mask=mask, request_id=call.request_id
        ).SerializeToString()
        return serialized

    def _query(self, query: str, account: Account, call: Call) -> tuple[list[Any], Any]:
        if not account.readable:
            text = "The user can't perform this action on this account."
            raise refuse("authorization_error.ACTION_NOT_PERMITTED", text, call)
        try:
            return gaql.run(query, account, self._state)
        except gaql.QueryProblem as problem:
            raise refuse(f"query_error.{problem.code}", str(problem), call) from problem


def _copy_conversion(row: Any, result: Any) -> None:
    if row.gclid:
        result.gclid = row.gclid
    elif row.gbraid:
        result.gbraid = row.gbraid
    elif row.wbraid:
        result.wbraid = row.wbraid
    result.conversion_action = row.conversion_action
    result.conversion_date_time = row.conversion_date_time
    if row.user_identifiers:
        result.user_identifiers.MergeFrom(row.user_identifiers)
