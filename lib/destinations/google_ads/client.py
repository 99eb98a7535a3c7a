"""The Google Ads API: `UploadClickConversions`.

Request limits, partial failure and job ID:
https://developers.google.com/google-ads/api/docs/conversions/upload-offline
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import grpc
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException

from lib.catalogue.codes import ABOUT_THE_ACTION, lookup
from lib.destinations.base import RowResult, UploadResult
from lib.destinations.google_ads.account import read_account, read_custom_variables
from lib.destinations.google_ads.api import SUNSET, module
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.click_conversion import AdsBatch, new_request
from lib.destinations.google_ads.click_ownership import ROWS_PER_FILE, rows_to_check, with_ownership
from lib.destinations.google_ads.errors import (
    classify,
    errors_of_exception,
    refusal,
    request_id_of,
)
from lib.destinations.google_ads.partial_failure import (
    RequestResult,
    read_named_rows,
    read_response,
)
from lib.destinations.pacing import Pacer
from lib.errors import PermanentError, RetryableError
from lib.model.account import Account
from lib.model.log import Log
from lib.model.outcomes import Problem

MAX_REQUEST_BYTES = 60 << 20
"""Google refuses messages over 64 MB with a 429 that looks like a quota error."""

ACCOUNT_CACHE_SECONDS = 120.0
"""Long enough for a burst of files. Short, because somebody may be correcting the account."""

PREFLIGHT_SECONDS = 30.0
"""Maximum wait for an account's settings: less than the margin that a run keeps at its end."""

ROW_DELAY_SECONDS = 1.0
"""Wait before rows with a transient error are sent again. Doubled for the next time."""

ROW_TRIES = 3
"""How often rows with a transient error are sent within one attempt."""

CallError = (GoogleAdsException, grpc.RpcError)
"""What a call of the API raises. Any other exception is a bug, not an answer from Google."""

# Preflight queries can be refused with these although the upload works: warn and continue.
_QUERY_NOT_PERMITTED = {"ACTION_NOT_PERMITTED", "CUSTOMER_NOT_ENABLED", "METRIC_ACCESS_DENIED"}


class Connection:
    """A client and the accounts that it has read, kept while the instance runs."""

    def __init__(self, client: GoogleAdsClient, pacer: Pacer) -> None:
        self.pacer = pacer
        self.upload = client.get_service("ConversionUploadService").transport
        self.search = client.get_service("GoogleAdsService").transport
        self.accounts: dict[str, tuple[float, Account]] = {}


class GoogleAds:
    """`lib.destinations.base.Destination` for one run."""

    capabilities = CAPABILITIES
    sunset: date | None = SUNSET

    def __init__(
        self,
        connection: Connection,
        log: Log,
        *,
        timeout_seconds: float,
        validate_only: bool = False,
        check_click_ownership: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._log = log
        self._timeout = timeout_seconds
        self._validate_only = validate_only
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._clicks_to_check = ROWS_PER_FILE if check_click_ownership else 0
        self._refused: dict[str, Problem] = {}  # accounts of this run that refuse all rows

    # ── the account ──────────────────────────────────────────────────────────────────────────

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        """See `Destination.account`."""
        cached = self._connection.accounts.get(customer_id)
        if cached is not None and not fresh and self._clock() - cached[0] < ACCOUNT_CACHE_SECONDS:
            return cached[1]
        return self._keep(self._ask(customer_id))

    def _keep(self, account: Account) -> Account:
        self._connection.accounts[account.customer_id] = (self._clock(), account)
        return account

    def _ask(self, customer_id: str) -> Account:
        try:
            return read_account(customer_id, self._search)
        except StopIteration:
            raise PermanentError("CUSTOMER_NOT_FOUND", f"customer {customer_id}") from None
        except CallError as error:
            problem = refusal(error, None)
            if problem.code in _QUERY_NOT_PERMITTED:
                self._log.warning("preflight_not_permitted", code=problem.code)
                return Account(customer_id, customer_id)
            # The pacer turns transient errors into RetryableError, so this one is permanent.
            said = f": {problem.detail}" if problem.detail else ""
            raise PermanentError(problem.code, f"customer {customer_id}{said}") from None

    def with_custom_variables(self, account: Account) -> Account:
        """See `Destination.with_custom_variables`."""
        if account.custom_variables is not None or not account.verified:
            return account
        variables: dict[str, str] = {}
        try:
            variables = read_custom_variables(account.conversion_customer_id, self._search)
        except CallError as error:
            self._log.warning("preflight_not_permitted", code=refusal(error, None).code)
        return self._keep(replace(account, custom_variables=variables))

    def _search(self, customer_id: str, query: str) -> Iterable[Any]:
        request = _search_request()(customer_id=customer_id, query=query)
        deadline = self._clock() + min(self._timeout, PREFLIGHT_SECONDS)
        while True:
            page, _ = self._call("search", request, customer_id, deadline)
            yield from page.results
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    # ── the upload ───────────────────────────────────────────────────────────────────────────

    def batch(self, job_id: int) -> AdsBatch:
        """See `Destination.batch`."""
        return AdsBatch(job_id, self._validate_only)

    def send(self, batch: AdsBatch, deadline: float) -> UploadResult:
        """See `Destination.send`. One request per account; more to resend rows or to split it."""
        row_results: dict[int, RowResult] = {}
        request_ids: list[str] = []
        stop: Problem | None = None
        parts = batch.take_parts()
        for part in parts:
            result = self._send_request(part.request, deadline, request_ids)
            for index, row_result in result.row_results.items():
                row_results[part.places[index]] = row_result
            if len(parts) == 1:
                stop = result.stop
        return UploadResult(row_results, tuple(request_ids), stop)

    def _send_request(self, request: Any, deadline: float, request_ids: list[str]) -> RequestResult:
        size = len(request.conversions)
        known = self._refused.get(request.customer_id)
        if known is not None:
            refused = RowResult("not_attempted", (known,))
            return RequestResult(dict.fromkeys(range(size), refused), [], known)
        if request.ByteSize() > MAX_REQUEST_BYTES and size > 1:
            return self._send_halves(request, deadline, request_ids)
        row_results: dict[int, RowResult] = {}
        stop: Problem | None = None
        pending = list(range(size))
        part = request
        for tries in range(ROW_TRIES):
            result = self._send_once(part, deadline, request_ids)
            row_results.update(
                {pending[row]: row_result for row, row_result in result.row_results.items()}
            )
            if part is request:
                stop = result.stop
            pending = [pending[row] for row in result.retry_rows]
            if not pending:
                break
            if tries + 1 == ROW_TRIES:
                break
            part = _part(request, pending)
            self._log.warning(
                "request_retry", code="ROWS_AGAIN", rows=len(pending), tries=tries + 1
            )
            self._sleep(min(ROW_DELAY_SECONDS * 2**tries, max(deadline - self._clock(), 0.0)))
        problem = Problem(
            "TRANSIENT_ERROR", "", "Google still refused the row after several tries."
        )
        row_results.update(dict.fromkeys(pending, RowResult("deferred", (problem,))))
        if self._clicks_to_check:
            self._check_clicks(request, row_results, deadline)
        return RequestResult(row_results, [], stop)

    def _check_clicks(
        self, request: Any, row_results: dict[int, RowResult], deadline: float
    ) -> None:
        """Check for a few rows if the account has the click. Errors here do not affect the rows."""
        with self._lock:
            rows = rows_to_check(request, row_results, self._clicks_to_check)
            self._clicks_to_check -= len(rows)
        deadline = min(deadline, self._clock() + PREFLIGHT_SECONDS)
        for row in rows:
            if self._clock() >= deadline:
                return
            try:
                row_results[row] = with_ownership(
                    request.conversions[row], row_results[row], request.customer_id, self._search
                )
            except (RetryableError, *CallError) as error:
                self._log.warning("preflight_not_permitted", code=type(error).__name__)
                return

    def _send_once(self, request: Any, deadline: float, request_ids: list[str]) -> RequestResult:
        size = len(request.conversions)
        try:
            response, request_id = self._call(
                "upload_click_conversions", request, request.customer_id, deadline
            )
        except CallError as error:
            if request_id := request_id_of(error):
                request_ids.append(request_id)
            found = errors_of_exception(error)
            if found and all(each.row is not None for each in found):
                # The error names rows: those fail, and the others are sent again.
                return read_named_rows(found, request)
            problem = refusal(error, request)
            if lookup(problem.code).scope == "account" and problem.code not in ABOUT_THE_ACTION:
                self._refused[request.customer_id] = problem
            refused = RowResult("not_attempted", (problem,))
            return RequestResult(dict.fromkeys(range(size), refused), [], problem)
        request_ids.append(request_id)
        return read_response(response, request)

    def _send_halves(self, request: Any, deadline: float, request_ids: list[str]) -> RequestResult:
        size = len(request.conversions)
        row_results: dict[int, RowResult] = {}
        stops = []
        for rows in (range(size // 2), range(size // 2, size)):
            result = self._send_request(_part(request, rows), deadline, request_ids)
            row_results.update(
                {rows[row]: row_result for row, row_result in result.row_results.items()}
            )
            stops.append(result.stop)
        both = all(stop is not None for stop in stops)
        return RequestResult(row_results, [], stops[0] if both else None)

    def _call(
        self, method: str, request: Any, customer_id: str, deadline: float
    ) -> tuple[Any, str]:
        """Make one call, paced and retried. Return the raw response and its request ID.

        It uses the transport, because the service method drops the call object and with it the
        `request-id` that Google's support asks for. The service method also sets no timeout.
        """
        connection = self._connection
        stub = getattr(connection.search if method == "search" else connection.upload, method)
        routing = (("x-goog-request-params", f"customer_id={customer_id}"),)

        def call(timeout: float) -> tuple[Any, str]:
            response, rpc = stub.with_call(request, timeout=timeout, metadata=routing)
            found = dict(rpc.trailing_metadata() or ()).get("request-id", "")
            return getattr(response, "_pb", response), str(found)

        return connection.pacer.call(
            call, classify, deadline=deadline, timeout_seconds=self._timeout, log=self._log
        )


def _search_request() -> Any:
    return module("services.types.google_ads_service").SearchGoogleAdsRequest.pb()


def _part(request: Any, rows: Iterable[int]) -> Any:
    """Return the same request with only these conversions."""
    part = new_request(request.customer_id, request.job_id, request.validate_only)
    part.conversions.extend(request.conversions[row] for row in rows)
    return part
