"""Sends one chunk: all of its requests, and rows with a transient error again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from lib.catalogue.codes import ABOUT_THE_ACTION, lookup
from lib.destinations.base import RowResult
from lib.destinations.connections import MAX_REQUEST_BYTES
from lib.destinations.google_ads.calls import CallError, GoogleAdsResponse
from lib.destinations.google_ads.errors import errors_of_exception, refusal, request_id_of
from lib.destinations.google_ads.orders_of_a_click import resolve_orders, send_orders_apart
from lib.destinations.google_ads.partial_failure import (
    UploadRequestResult,
    read_named_rows,
    read_response,
)
from lib.destinations.google_ads.upload_kinds import UploadKind, UploadRequest
from lib.errors import PermanentError, RetryableError
from lib.model import retries
from lib.model.deadline import Deadline
from lib.model.log import Log
from lib.model.outcomes import Problem


class ChunkUpload:
    """The upload of one chunk.

    `call` sends a request. `refused` has the accounts that refuse all rows of a kind in this run;
    this class adds to it. `maybe_sent`: an earlier attempt of the run may have sent the chunk.
    """

    def __init__(
        self,
        call: Callable[[UploadRequest], GoogleAdsResponse],
        refused: dict[tuple[UploadKind, str], Problem],
        deadline: Deadline,
        log: Log,
        *,
        maybe_sent: bool,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._call = call
        self._refused = refused
        self._deadline = deadline
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._maybe_sent = maybe_sent
        self._orders_sent_again: set[str] = set()
        self._is_answered = False
        self.request_ids: list[str] = []

    def send(self, request: UploadRequest) -> UploadRequestResult:
        """Send a request until each of its rows has a result."""
        result = self._send_rows(request)
        if not request.kind.names_clicks or not result.row_results:
            return result
        send_orders_apart(
            request.message,
            result.row_results,
            lambda rows: self._send_subset(request, rows).row_results,
        )
        resolve_orders(
            request.message,
            result.row_results,
            lambda order_id: self._maybe_sent or order_id in self._orders_sent_again,
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
        known = self._refused.get((request.kind, request.customer_id))
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
        part = request
        for tries in range(1, retries.API_ROWS.tries + 1):
            try:
                result = self._send_once(part)
            except RetryableError as error:
                if not self._is_answered:
                    raise
                # The answers so far must be saved: rows that are sent twice may count twice.
                problem = Problem(error.code, "", error.detail)
                break
            row_results.update(
                {pending[row]: row_result for row, row_result in result.row_results.items()}
            )
            if part is request:
                stop = result.stop
            pending = [pending[row] for row in result.retry_rows]
            if not pending or tries == retries.API_ROWS.tries:
                break
            part = request.subset(pending)
            self._note_orders(part)
            self._log.warning("request_retry", code="ROWS_AGAIN", rows=len(pending), tries=tries)
            left = self._deadline.last_start - self._clock()
            self._sleep(min(retries.API_ROWS.seconds_after(tries), max(left, 0.0)))
        row_results.update(dict.fromkeys(pending, RowResult("deferred", (problem,))))
        return UploadRequestResult(row_results, [], stop)

    def _send_once(self, request: UploadRequest) -> UploadRequestResult:
        try:
            answer = self._call(request)
        except PermanentError as error:
            # The credentials were refused, and so were those that are in the secret now.
            return self._refuse(request, Problem(error.code, "", error.detail))
        except CallError as error:
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
        if request.kind.names_clicks:
            self._orders_sent_again.update(each.order_id for each in request.rows)

    def _refuse(self, request: UploadRequest, problem: Problem) -> UploadRequestResult:
        if lookup(problem.code).scope == "account" and problem.code not in ABOUT_THE_ACTION:
            self._refused[request.kind, request.customer_id] = problem
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
