"""The Google Ads API: uploads of click conversions, adjustments and calls.

Request limits, partial failure and job ID:
https://developers.google.com/google-ads/api/docs/conversions/upload-offline
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from lib.destinations.base import RowResult, UploadResult
from lib.destinations.google_ads.account import read_account, read_custom_variables
from lib.destinations.google_ads.api import SUNSET
from lib.destinations.google_ads.calls import CallError, GoogleAdsConnection, GoogleAdsResponse
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.chunk_upload import ChunkUpload
from lib.destinations.google_ads.click_conversion import AdsBatch
from lib.destinations.google_ads.click_ownership import ROWS_PER_FILE, rows_to_check, with_ownership
from lib.destinations.google_ads.diagnostics import read_diagnostics
from lib.destinations.google_ads.errors import refusal
from lib.destinations.google_ads.search import METHOD, search
from lib.destinations.google_ads.upload_kinds import ADJUSTMENTS, CLICKS, UploadKind, UploadRequest
from lib.errors import PermanentError, RetryableError
from lib.model.account import Account
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem
from lib.model.sent_requests import UploadDiagnostics

ACCOUNT_CACHE_SECONDS = 120.0
"""Long enough for a burst of files. Short, because somebody may be correcting the account."""

PREFLIGHT_SECONDS = 30.0
"""Maximum wait for an account's settings: less than the margin that a run keeps at its end."""

# Preflight queries can be refused with these although the upload works: warn and continue.
_QUERY_NOT_PERMITTED = {"ACTION_NOT_PERMITTED", "CUSTOMER_NOT_ENABLED", "METRIC_ACCESS_DENIED"}


class GoogleAds:
    """`lib.destinations.base.Destination` for one run."""

    capabilities = CAPABILITIES
    sunset: date | None = SUNSET

    def __init__(
        self,
        connection: GoogleAdsConnection,
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
        # Accounts that refuse all rows of a kind in this run.
        self._refused: dict[tuple[UploadKind, str], Problem] = {}

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
        ends = self._clock() + min(self._timeout, PREFLIGHT_SECONDS)

        def call(request: bytes) -> bytes:
            return self._call(METHOD, request, customer_id, Deadline(ends, ends)).content

        return search(customer_id, query, call)

    def upload_diagnostics(self, customer_id: str) -> Sequence[UploadDiagnostics]:
        """See `DiagnosingDestination`."""
        try:
            return read_diagnostics(customer_id, self._search)
        except CallError as error:
            problem = refusal(error, None)
            raise PermanentError(problem.code, f"customer {customer_id}") from None

    # ── the upload ───────────────────────────────────────────────────────────────────────────

    def batch(self, job_id: int, *, maybe_sent: bool, after: AdsBatch | None = None) -> AdsBatch:
        """See `Destination.batch`."""
        return AdsBatch(job_id, self._validate_only, maybe_sent, after)

    def send(self, batch: AdsBatch, deadline: Deadline) -> UploadResult:
        """See `Destination.send`. One request per account and kind of record; more to resend rows
        or to split it. Adjustments follow the conversions."""
        row_results: dict[int, RowResult] = {}
        requests = batch.take_requests()
        upload = ChunkUpload(
            lambda request: self._call(
                request.kind.method,
                request.content,
                request.customer_id,
                deadline,
            ),
            self._refused,
            deadline,
            self._log,
            maybe_sent=batch.maybe_sent,
            clock=self._clock,
            sleep=self._sleep,
        )
        sent = batch.sent_clicks
        stops = []
        for request in requests:
            result = upload.send(request)
            if request.kind.names_clicks and self._clicks_to_check and result.row_results:
                self._check_clicks(request.message, result.row_results, deadline)
            if request.kind is ADJUSTMENTS and sent:
                _wait_for_new_conversions(request, result.row_results, sent)
            if request.kind is CLICKS:
                sent.append((request, result.row_results))
            for row, row_result in result.row_results.items():
                row_results[request.positions[row]] = row_result
            stops.append(result.stop)
        # If the chunk has several accounts, a refusal by one does not stop the others.
        is_stopped = all(stops) and len({request.customer_id for request in requests}) == 1
        return UploadResult(
            row_results, tuple(upload.request_ids), stops[0] if is_stopped else None
        )

    def _check_clicks(
        self, request: Any, row_results: dict[int, RowResult], deadline: Deadline
    ) -> None:
        """Check for a few rows if the account has the click. Errors here do not affect the rows."""
        with self._lock:
            rows = rows_to_check(request, row_results, self._clicks_to_check)
            self._clicks_to_check -= len(rows)
        ends = min(deadline.last_start, self._clock() + PREFLIGHT_SECONDS)
        for row in rows:
            if self._clock() >= ends:
                return
            try:
                row_results[row] = with_ownership(
                    request.conversions[row], row_results[row], request.customer_id, self._search
                )
            except (RetryableError, *CallError) as error:
                self._log.warning("preflight_not_permitted", code=type(error).__name__)
                return

    def _call(
        self, method: str, request: bytes, customer_id: str, deadline: Deadline
    ) -> GoogleAdsResponse:
        return self._connection.call(
            method, request, customer_id, deadline, self._timeout, self._log
        )


def _wait_for_new_conversions(
    request: UploadRequest,
    row_results: dict[int, RowResult],
    sent: list[tuple[UploadRequest, dict[int, RowResult]]],
) -> None:
    # Imported here because few files have adjustments.
    from lib.destinations.google_ads.adjustment import wait_for_new_conversions

    wait_for_new_conversions(request, row_results, sent)
