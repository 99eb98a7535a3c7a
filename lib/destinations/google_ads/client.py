"""The Google Ads API: its connection, and uploads of conversions, adjustments and calls.

Request limits, partial failure and job ID:
https://developers.google.com/google-ads/api/docs/conversions/upload-offline
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict

from lib.catalogue.codes import ABOUT_THE_ACTION, lookup
from lib.destinations.base import RowResult, UploadResult
from lib.destinations.connections import MAX_REQUEST_BYTES, KeptConnection
from lib.destinations.google_ads.account import (
    SEARCH_METHOD,
    read_custom_variables,
    read_diagnostics,
    search,
)
from lib.destinations.google_ads.answers import (
    UploadRequestResult,
    read_named_rows,
    read_response,
    resolve_orders,
    send_orders_apart,
)
from lib.destinations.google_ads.api import PACKAGE, SUNSET
from lib.destinations.google_ads.capabilities import CAPABILITIES
from lib.destinations.google_ads.failures import (
    RequestError,
    classify,
    defect_of,
    errors_of_exception,
    refusal,
    request_id_in,
    request_id_of,
)
from lib.destinations.google_ads.lookup import read_account
from lib.destinations.google_ads.messages import AdsBatch
from lib.destinations.google_ads.upload_request import (
    CLICKS,
    UploadKind,
    UploadRequest,
)
from lib.destinations.pacing import Pacer, RequestFailure
from lib.errors import PermanentError, RetryableError
from lib.model import retries
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


class GoogleAdsResponse(NamedTuple):
    """The serialized response to a request, and the ID of the request.

    `maybe_repeated`: Google may have carried out an earlier try of it whose answer was lost.
    """

    content: bytes
    request_id: str
    maybe_repeated: bool = False


class GoogleAdsConnection:
    """The channel and the accounts that were read, kept while the instance runs.

    Requests and responses are bytes. The library's own stubs would copy a request of 2,000 rows
    into a proto-plus message and serialize it again, and make an object of each result.
    """

    def __init__(self, channel: KeptConnection[Any], pacer: Pacer) -> None:
        self._channel = channel
        self._pacer = pacer
        self.accounts: dict[str, tuple[float, Account]] = {}

    def send(
        self,
        method: str,
        content: bytes,
        customer_id: str,
        deadline: Deadline,
        timeout_seconds: float,
        log: Log,
    ) -> GoogleAdsResponse:
        """Send one request, paced and retried. `method`: such as `GoogleAdsService/Search`.

        It uses the channel also because the client's method drops the gRPC call, and with it the
        `request-id` that Google's support asks for. The client's method also sets no timeout.

        Raises `RequestError`; and `PermanentError` if the credentials were refused and those that
        are in the secret now do not work either.
        """
        routing = (("x-goog-request-params", f"customer_id={customer_id}"),)
        failures: list[RequestFailure] = []

        def classified(error: Exception) -> RequestFailure:
            failures.append(classify(error))
            return failures[-1]

        def send(channel: Any, seconds: float) -> GoogleAdsResponse:
            stub = channel.unary_unary(f"/{PACKAGE}.services.{method}")
            response, rpc = stub.with_call(content, timeout=seconds, metadata=routing)
            maybe_repeated = any(each.kind == "transient" for each in failures)
            return GoogleAdsResponse(response, request_id_in(rpc), maybe_repeated)

        return self._pacer.send(
            lambda seconds: self._channel.send(send, seconds, defect_of, log),
            classified,
            deadline=deadline,
            timeout_seconds=timeout_seconds,
            log=log,
        )


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
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._send = partial(connection.send, timeout_seconds=timeout_seconds, log=log)
        self._log = log
        self._timeout = timeout_seconds
        self._validate_only = validate_only
        self._clock = clock
        self._sleep = sleep
        # Why the account refuses all rows of a kind in this run.
        self._refused: dict[UploadKind, Problem] = {}

    # ── the account ──────────────────────────────────────────────────────────────────────────

    def account(self, customer_id: str, *, fresh: bool = False) -> Account:
        cached = self._connection.accounts.get(customer_id)
        if cached is not None and not fresh and self._clock() - cached[0] < ACCOUNT_CACHE_SECONDS:
            return cached[1]
        return self._keep(self._ask(customer_id))

    def _keep(self, account: Account) -> Account:
        self._connection.accounts[account.customer_id] = (self._clock(), account)
        return account

    def _ask(self, customer_id: str) -> Account:
        try:
            return read_account(
                customer_id, lambda owner, query: map(MessageToDict, self._search(owner, query))
            )
        except RequestError as error:
            problem = refusal(error, None)
            if problem.code in _QUERY_NOT_PERMITTED:
                self._log.warning("preflight_not_permitted", code=problem.code)
                return Account(customer_id, customer_id)
            # The pacer turns transient errors into RetryableError, so this one is permanent.
            said = f": {problem.detail}" if problem.detail else ""
            raise PermanentError(problem.code, f"customer {customer_id}{said}") from None

    def with_custom_variables(self, account: Account) -> Account:
        if account.custom_variables is not None or not account.verified:
            return account
        variables: dict[str, str] = {}
        try:
            variables = read_custom_variables(account.conversion_customer_id, self._search)
        except RequestError as error:
            self._log.warning("preflight_not_permitted", code=refusal(error, None).code)
        return self._keep(replace(account, custom_variables=variables))

    def _search(self, customer_id: str, query: str) -> Iterable[Any]:
        ends = self._clock() + min(self._timeout, PREFLIGHT_SECONDS)

        def send(content: bytes) -> bytes:
            return self._send(SEARCH_METHOD, content, customer_id, Deadline(ends, ends)).content

        return search(customer_id, query, send)

    def upload_diagnostics(self, customer_id: str) -> Sequence[UploadDiagnostics]:
        try:
            return read_diagnostics(customer_id, self._search)
        except RequestError as error:
            problem = refusal(error, None)
            raise PermanentError(problem.code, f"customer {customer_id}") from None

    # ── the upload ───────────────────────────────────────────────────────────────────────────

    def batch(self, job_id: int, *, maybe_sent: bool) -> AdsBatch:
        return AdsBatch(job_id, self._validate_only, maybe_sent)

    def send(self, batch: AdsBatch, deadline: Deadline) -> UploadResult:
        """See `Destination.send`.

        Each kind of record has one request, and more if it is too large or if rows are sent again.
        """
        row_results: dict[int, RowResult] = {}
        requests = batch.take_requests()
        upload = ChunkUpload(
            lambda request: self._send(
                request.kind.method, request.content, request.customer_id, deadline
            ),
            self._refused,
            deadline,
            self._log,
            maybe_sent=batch.maybe_sent,
            clock=self._clock,
            sleep=self._sleep,
        )
        stops = []
        for request in requests:
            result = upload.send(request)
            for row, row_result in result.row_results.items():
                row_results[request.positions[row]] = row_result
            stops.append(result.stop)
        stop = stops[0] if stops and all(stops) else None
        return UploadResult(row_results, tuple(upload.request_ids), stop)


@dataclass(slots=True)
class ChunkUpload:
    """The upload of one chunk.

    `refused` says why the account refuses all rows of a kind in this run; this class adds to it.
    `maybe_sent`: an earlier attempt of the run may have sent the chunk.
    """

    send_request: Callable[[UploadRequest], GoogleAdsResponse]
    refused: dict[UploadKind, Problem]
    deadline: Deadline
    log: Log
    maybe_sent: bool
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    request_ids: list[str] = field(default_factory=list)
    _orders_sent_again: set[str] = field(default_factory=set)
    _is_answered: bool = False

    def send(self, request: UploadRequest) -> UploadRequestResult:
        """Send a request until each of its rows has a result."""
        result = self._send_rows(request)
        if request.kind is not CLICKS or not result.row_results:
            return result
        send_orders_apart(
            request.message,
            result.row_results,
            lambda rows: self._send_subset(request, rows).row_results,
        )
        resolve_orders(
            request.message,
            result.row_results,
            lambda order_id: self.maybe_sent or order_id in self._orders_sent_again,
        )
        return result

    def _send_subset(self, request: UploadRequest, rows: Sequence[int]) -> UploadRequestResult:
        """Send some rows of a request. The results have the rows' positions in the request."""
        result = self._send_rows(request.subset(rows))
        return result._replace(
            row_results={rows[row]: each for row, each in result.row_results.items()}
        )

    def _send_rows(self, request: UploadRequest) -> UploadRequestResult:
        size = request.size
        known = self.refused.get(request.kind)
        if known is not None:
            refused = RowResult("not_attempted", (known,))
            return UploadRequestResult(dict.fromkeys(range(size), refused), [], known)
        if len(request.content) > MAX_REQUEST_BYTES and size > 1:
            return self._send_halves(request)
        row_results: dict[int, RowResult] = {}
        stop: Problem | None = None
        problem = Problem(
            "TRANSIENT_ERROR", "", "Google still refused the row after several tries."
        )
        pending = list(range(size))
        subset = request
        for tries in range(1, retries.API_ROWS.tries + 1):
            try:
                result = self._send_once(subset)
            except RetryableError as error:
                if not self._is_answered:
                    raise
                # The answers so far must be saved: rows that are sent twice may count twice.
                problem = Problem(error.code, "", error.detail)
                break
            row_results.update(
                {pending[row]: row_result for row, row_result in result.row_results.items()}
            )
            if subset is request:
                stop = result.stop
            pending = [pending[row] for row in result.retry_rows]
            if not pending or tries == retries.API_ROWS.tries:
                break
            subset = request.subset(pending)
            self._note_orders(subset)
            self.log.warning("request_retry", code="ROWS_AGAIN", rows=len(pending), tries=tries)
            left = self.deadline.last_start - self.clock()
            self.sleep(min(retries.API_ROWS.seconds_after(tries), max(left, 0.0)))
        row_results.update(dict.fromkeys(pending, RowResult("deferred", (problem,))))
        return UploadRequestResult(row_results, [], stop)

    def _send_once(self, request: UploadRequest) -> UploadRequestResult:
        try:
            answer = self.send_request(request)
        except PermanentError as error:
            # The credentials were refused, and so were those that are in the secret now.
            return self._refuse(request, Problem(error.code, "", error.detail))
        except RequestError as error:
            if request_id := request_id_of(error):
                self.request_ids.append(request_id)
            found = errors_of_exception(error)
            if found and all(each.row is not None for each in found):
                # The error names rows: those fail, and the others are sent again.
                return read_named_rows(found, request)
            return self._refuse(request, refusal(error, request.message))
        self._is_answered = True
        if answer.request_id:
            self.request_ids.append(answer.request_id)
        if answer.maybe_repeated:
            self._note_orders(request)
        return read_response(answer.content, request)

    def _note_orders(self, request: UploadRequest) -> None:
        """Remember which orders Google may have got before it answers about them."""
        if request.kind is CLICKS:
            self._orders_sent_again.update(each.order_id for each in request.rows)

    def _refuse(self, request: UploadRequest, problem: Problem) -> UploadRequestResult:
        if lookup(problem.code).scope == "account" and problem.code not in ABOUT_THE_ACTION:
            self.refused[request.kind] = problem
        refused = RowResult("not_attempted", (problem,))
        return UploadRequestResult(dict.fromkeys(range(request.size), refused), [], problem)

    def _send_halves(self, request: UploadRequest) -> UploadRequestResult:
        size = request.size
        row_results: dict[int, RowResult] = {}
        stops = []
        for rows in (range(size // 2), range(size // 2, size)):
            result = self._send_subset(request, rows)
            row_results.update(result.row_results)
            stops.append(result.stop)
        both = all(stop is not None for stop in stops)
        return UploadRequestResult(row_results, [], stops[0] if both else None)
