"""Sends the rows of a chunk until each one is accepted, refused or deferred.

A request has partial failure, so Google accepts the valid rows of it. Rows with a transient error
are sent again after a short wait, and several orders of one click one by one (`orders`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import grpc

from lib.catalogue.codes import ABOUT_THE_ACTION, lookup
from lib.destinations.base import MaybeSent, RowResult
from lib.destinations.google_ads.answers import (
    SILENT,
    UploadRequestResult,
    read_named_rows,
    read_response,
)
from lib.destinations.google_ads.failures import errors_of_exception, refusal, request_id_in
from lib.destinations.google_ads.orders import settle_orders
from lib.destinations.google_ads.upload_request import CLICKS, UploadKind, UploadRequest
from lib.errors import PermanentError, RetryableError
from lib.model import retries
from lib.model.deadline import Deadline, elapsed_seconds
from lib.model.log import Log
from lib.model.outcomes import Problem


class GoogleAdsResponse(NamedTuple):
    """The serialized response to a request, and the ID of the request.

    `maybe_repeated`: Google may have carried out an earlier try of it whose answer was lost.
    """

    content: bytes
    request_id: str
    maybe_repeated: bool = False


@dataclass(slots=True)
class ChunkUpload:
    """The upload of one chunk.

    `refused` has the reasons why the account refuses all rows of a kind in this run; this class
    adds to it.
    """

    send_request: Callable[[UploadRequest], GoogleAdsResponse]
    refused: dict[UploadKind, Problem]
    deadline: Deadline
    log: Log
    maybe_sent: MaybeSent
    sleep: Callable[[float], None] = time.sleep
    request_ids: list[str] = field(default_factory=list)
    _orders_sent_again: set[str] = field(default_factory=set)
    _is_answered: bool = False

    def send(self, request: UploadRequest) -> UploadRequestResult:
        """Send a request until each of its rows was accepted, so that it has no result, or has one.

        A `SILENT` row stops the file: Google may have counted it.
        """
        result = self._send_rows(request)
        if request.kind is CLICKS and result.row_results:
            settle_orders(
                request.message,
                result.row_results,
                # Without its `stop`: what a few rows have in common says nothing of the others.
                lambda rows: self._send_apart(request, rows).row_results,
                self._maybe_sent_before,
            )
        if SILENT in result.row_results.values():
            return result._replace(stop=SILENT.errors[0])
        return result

    def _maybe_sent_before(self, order_id: str) -> bool:
        """Return whether Google may have got an order before the request that it has answered."""
        return order_id in self._orders_sent_again or self.maybe_sent(order_id)

    def _send_apart(self, request: UploadRequest, rows: Sequence[int]) -> UploadRequestResult:
        """Send some rows of a request, such as orders of one click, in one of their own. The
        results have the rows' positions in the request."""
        result = self._send_rows(request.subset(rows))
        return result._replace(
            row_results={rows[row]: each for row, each in result.row_results.items()}
        )

    def _send_rows(self, request: UploadRequest) -> UploadRequestResult:
        """Send a request, and the rows with a transient error again. Those that still have it after
        the last try are deferred."""
        refused = self.refused.get(request.kind)
        if refused is not None:
            return _all_refused(request, refused)
        row_results: dict[int, RowResult] = {}
        stop: Problem | None = None
        problem = Problem(
            "TRANSIENT_ERROR", "", "Google still refused the row after several tries."
        )
        pending = list(range(request.size))
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
            row_results.update({pending[row]: each for row, each in result.row_results.items()})
            if subset is request:
                # What all rows of a smaller request have may be no reason for those before them.
                stop = result.stop
            pending = [pending[row] for row in result.retry_rows]
            if not pending or tries == retries.API_ROWS.tries:
                break
            subset = request.subset(pending)
            self._note_orders(subset)
            self.log.warning("request_retry", code="ROWS_AGAIN", rows=len(pending), tries=tries)
            left = self.deadline.last_start - elapsed_seconds()
            self.sleep(min(retries.API_ROWS.seconds_after(tries), max(left, 0.0)))
        row_results.update(dict.fromkeys(pending, RowResult("deferred", (problem,))))
        return UploadRequestResult(row_results, [], stop)

    def _send_once(self, request: UploadRequest) -> UploadRequestResult:
        """Send a request. Return the results of its rows, also if Google refuses it as a whole.

        Raises `RetryableError` if it cannot be sent now.
        """
        try:
            answer = self.send_request(request)
        except PermanentError as error:
            # The credentials were refused, and so were those that are in the secret now.
            return self._refuse(request, Problem(error.code, "", error.detail))
        except grpc.RpcError as error:
            if request_id := request_id_in(error):
                self.request_ids.append(request_id)
            errors = errors_of_exception(error)
            if errors and all(each.row is not None for each in errors):
                # The error names rows: those fail, and the others are sent again.
                return read_named_rows(errors, request)
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
        """Return that Google took no row of the request. If the account is the reason, none of
        the requests of this kind that follow is sent."""
        if lookup(problem.code).scope == "account" and problem.code not in ABOUT_THE_ACTION:
            self.refused[request.kind] = problem
        return _all_refused(request, problem)


def _all_refused(request: UploadRequest, problem: Problem) -> UploadRequestResult:
    """Return that Google took no row of a request, and why."""
    refused = RowResult("not_attempted", (problem,))
    return UploadRequestResult(dict.fromkeys(range(request.size), refused), [], problem)
