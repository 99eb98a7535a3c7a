"""Sends the events of a chunk until each one is accepted, refused or deferred.

One invalid event makes this API refuse the whole request (fast-fail). Every event of it gets its
own outcome nevertheless:

- A refusal that names events: these events fail, and the rest is sent again immediately.
- A refusal that names no event: both halves are sent separately, until the event is found.
- A refusal that names some of several destinations: their events fail, and the rest is sent again.
- A reason that concerns the whole request: no event of it can be accepted, so it ends there.

Number of requests for n events: 1 if all are valid; 2 if Google names all invalid ones at once (1
more for each further round of names); 2·⌈log2 n⌉ more for each invalid event that it does not name.
A chunk never needs more than `MAX_RESENDS` requests in addition to the first ones.
Events without a result by then are deferred, not failed, because most of them are valid. The next
attempt then has fewer events to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lib.catalogue.codes import lookup
from lib.destinations.base import AcceptedRequest, RowResult
from lib.destinations.data_manager.answers import (
    field_warnings,
    named_row_results,
    only_row_result,
)
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.failures import Refusal
from lib.destinations.redaction import quotes_value
from lib.errors import RetryableError
from lib.model.outcomes import Problem

MAX_RESENDS: Final = 128
"""Maximum number of further requests for one chunk, not counting retries of transient errors."""


@dataclass(slots=True)
class EventUpload:
    """The upload of one chunk.

    `send_request` returns the raw `IngestEventsResponse`, or a `Refusal`. `row_results` are by
    position in the chunk: an event that was sent and has no result was accepted, in one of the
    `accepted` requests.
    """

    send_request: Callable[[EventRequest], Any]
    resends_left: int = MAX_RESENDS
    row_results: dict[int, RowResult] = field(default_factory=dict)
    accepted: list[AcceptedRequest] = field(default_factory=list)

    def send(self, request: EventRequest) -> Problem | None:
        """Send the events of a request until each of them has a result, or was accepted.

        Returns the reason if Google would refuse the next request too, as for a problem of the
        account; else None. Raises `RetryableError` if the attempt ends before any event of the
        chunk was accepted.
        """
        waiting = [request]
        while waiting:
            # The largest one first, to send as many valid events as possible within the limit.
            waiting.sort(key=lambda each: each.size)
            part = waiting.pop()
            if part is not request:
                if self.resends_left <= 0:
                    problem = Problem("REFUSAL_NOT_LOCATED")
                    self.set_all([part], RowResult("deferred", (problem,)))
                    continue
                self.resends_left -= 1
            try:
                answer = self.send_request(part)
            except RetryableError as error:
                if not self.accepted:
                    raise
                # What was accepted must be saved: events that are sent twice may count twice.
                problem = Problem(error.code, "", error.detail)
                self.set_all([part, *waiting], RowResult("deferred", (problem,)))
                break
            if not isinstance(answer, Refusal):
                self.accepted.append(AcceptedRequest(answer.request_id, part.positions))
                self._set_rows(part, field_warnings(answer, part))
                continue
            stop = answer.stop(len(part.message.destinations))
            if stop is not None:
                if any(quotes_value(stop.detail, event) for event in part.events):
                    stop = stop._replace(detail="")
                self.set_all([part, *waiting], RowResult("not_attempted", (stop,)))
                return stop
            waiting += self._without_refused(answer, part)
        return self._account_problem_of_all(request)

    def set_all(self, requests: Iterable[EventRequest], row_result: RowResult) -> None:
        """Give all events of these requests the same result."""
        for request in requests:
            self.row_results.update(dict.fromkeys(request.positions, row_result))

    def _set_rows(self, request: EventRequest, row_results: Mapping[int, RowResult]) -> None:
        """Record results that are keyed by the position in this request."""
        for row, row_result in row_results.items():
            self.row_results[request.positions[row]] = row_result

    def _without_refused(self, refused: Refusal, request: EventRequest) -> list[EventRequest]:
        """Record the events that a refusal names. Return the requests to send again."""
        named = named_row_results(refused, request)
        if not named and request.size == 1:
            named = {0: only_row_result(refused, request)}
        self._set_rows(request, named)
        if not named:
            middle = request.size // 2
            return [request.subset(range(middle)), request.subset(range(middle, request.size))]
        others = [row for row in range(request.size) if row not in named]
        return [request.subset(others)] if others else []

    def _account_problem_of_all(self, request: EventRequest) -> Problem | None:
        """Return a problem of the account if each event failed for one (the last one's, if they
        differ): the events of other requests would fail too."""
        problem: Problem | None = None
        for position in request.positions:
            result = self.row_results.get(position)
            if result is None or result.outcome != "failed":
                return None
            problem = next((p for p in result.errors if lookup(p.code).scope == "account"), None)
            if problem is None:
                return None
        return None if problem is None else problem._replace(field="")
