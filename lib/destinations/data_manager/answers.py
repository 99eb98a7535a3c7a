"""Google's answers → outcomes of events: at once (`send_row_wise`), and later (`read_status`).

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

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lib.catalogue.codes import lookup
from lib.destinations.base import AcceptedRequest, RowResult
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.failures import Refusal, Violation, event_row, field_of
from lib.destinations.redaction import quotes_value, without_values
from lib.errors import RetryableError
from lib.model.fields import RecordKind
from lib.model.outcomes import Outcome, Problem
from lib.model.sent_requests import RequestStatus

MAX_RESENDS = 128
"""Maximum number of further requests for one chunk, not counting retries of transient errors."""

_PROBLEMS_SHOWN = 10


@dataclass(slots=True)
class ResendBudget:
    """The number of further requests that a chunk may still use.

    `is_accepted`: Google has accepted a request of the chunk, so its outcome must be saved.
    """

    left: int = MAX_RESENDS
    is_accepted: bool = False


@dataclass(slots=True)
class EventRequestResult:
    """The results of a request's events, by their positions in the chunk.

    Events without a result were accepted. `accepted` are the requests that Google accepted.
    """

    row_results: dict[int, RowResult] = field(default_factory=dict)
    accepted: list[AcceptedRequest] = field(default_factory=list)
    stop: Problem | None = None

    def set_all(self, requests: Iterable[EventRequest], row_result: RowResult) -> None:
        """Give all events of these requests the same result."""
        for request in requests:
            self.row_results.update(dict.fromkeys(request.positions, row_result))

    def set_rows(self, request: EventRequest, row_results: Mapping[int, RowResult]) -> None:
        """Add results of a request's events, by their rows in it."""
        for row, row_result in row_results.items():
            self.row_results[request.positions[row]] = row_result


def send_row_wise(
    request: EventRequest, send: Callable[[EventRequest], Any], budget: ResendBudget
) -> EventRequestResult:
    """Send the events of a request until each is accepted, refused or deferred.

    `send` returns the raw `IngestEventsResponse`, or `Refusal`.
    """
    result = EventRequestResult()
    waiting = [request]
    is_first = True
    while waiting:
        # The largest one first, to send as many valid events as possible within the budget.
        waiting.sort(key=lambda each: each.size)
        each = waiting.pop()
        if budget.left <= 0 and not is_first:
            problem = Problem("REFUSAL_NOT_LOCATED")
            result.set_all([each], RowResult("deferred", (problem,)))
            continue
        budget.left -= not is_first
        is_first = False
        try:
            answer = send(each)
        except RetryableError as error:
            if not budget.is_accepted:
                raise
            # What was accepted must be saved: events that are sent twice may count twice.
            problem = Problem(error.code, "", error.detail)
            result.set_all([each, *waiting], RowResult("deferred", (problem,)))
            break
        if not isinstance(answer, Refusal):
            budget.is_accepted = True
            result.accepted.append(AcceptedRequest(answer.request_id, each.positions))
            result.set_rows(each, field_warnings(answer, each))
            continue
        result.stop = answer.stop(each.destination_count)
        if result.stop is not None:
            if any(quotes_value(result.stop.detail, event) for event in each.events):
                result.stop = result.stop._replace(detail="")
            result.set_all([each, *waiting], RowResult("not_attempted", (result.stop,)))
            break
        waiting += _without_refused(answer, each, result)
    if result.stop is None:
        result.stop = _same_account_problem(result.row_results, request.size)
    return result


def _without_refused(
    refused: Refusal, request: EventRequest, result: EventRequestResult
) -> list[EventRequest]:
    """Record the events that a refusal names. Return the requests to send again."""
    named = named_row_results(refused, request)
    if named:
        result.set_rows(request, named)
        others = [row for row in range(request.size) if row not in named]
        return [request.subset(others)] if others else []
    if request.size > 1:
        return _halves(request)
    result.set_rows(request, {0: _row_result(_problems_of_only(refused, request))})
    return []


def _halves(request: EventRequest) -> list[EventRequest]:
    middle = request.size // 2
    return [request.subset(range(middle)), request.subset(range(middle, request.size))]


def named_row_results(refused: Refusal, request: EventRequest) -> dict[int, RowResult]:
    """Return the results of the events that a refusal's violations name, by row."""
    events = request.events
    by_row: dict[int, list[Violation]] = {}
    by_destination: dict[str, list[Violation]] = {}
    for violation in refused.violations:
        if violation.row is not None and violation.row < request.size:
            by_row.setdefault(violation.row, []).append(violation)
        elif violation.destination in range(request.destination_count):
            reference = request.destinations[violation.destination].reference
            by_destination.setdefault(reference, []).append(violation)
    if by_destination:
        for row, event in enumerate(events):
            for reference in event.destination_references:
                by_row.setdefault(row, []).extend(by_destination.get(reference, ()))
    return {
        row: _row_result(_problems(found, events[row], request.kind))
        for row, found in by_row.items()
        if found
    }


def _problems(violations: Sequence[Violation], event: Any, kind: RecordKind) -> tuple[Problem, ...]:
    return tuple(each.problem(event, kind) for each in violations[:_PROBLEMS_SHOWN])


def _problems_of_only(refused: Refusal, request: EventRequest) -> tuple[Problem, ...]:
    """Return why a request with one event was refused. A reason without a name concerns it."""
    event = request.events[0]
    if refused.violations:
        return _problems(refused.violations, event, request.kind)
    said = without_values(refused.message, event)
    return (Problem(refused.code, "", f"{said} (Google does not name the field.)".lstrip()),)


def _row_result(problems: tuple[Problem, ...]) -> RowResult:
    outcomes: set[Outcome | None] = {lookup(problem.code).outcome for problem in problems}
    for outcome in ("deferred", "duplicate"):
        if outcomes == {outcome}:
            return RowResult(outcome, problems)
    return RowResult("failed", problems)


def _same_account_problem(row_results: dict[int, RowResult], size: int) -> Problem | None:
    """Return the account's problem if it made every event fail: the next chunk would fail too."""
    if len(row_results) < size:
        return None
    found = None
    for row_result in row_results.values():
        found = next((p for p in row_result.errors if lookup(p.code).scope == "account"), None)
        if found is None or row_result.outcome != "failed":
            return None
    return Problem(found.code, "", found.detail) if found is not None else None


def field_warnings(response: Any, request: EventRequest) -> dict[int, RowResult]:
    """Return the events accepted with a warning, by row. A warning without an event concerns all of
    them."""
    by_row: dict[int, list[Problem]] = {}
    for warning in response.field_warnings:
        named = event_row(warning.field)
        said = warning.description
        if named is None:
            said = without_values(said, request.message)  # it may quote any event
        for row in range(request.size) if named is None else (named,):
            if row < request.size:
                message = said if named is None else without_values(said, request.events[row])
                column = field_of(warning.field, request.kind)
                by_row.setdefault(row, []).append(Problem(_warning_code(warning), column, message))
    return {
        row: RowResult("uploaded", (), tuple(found[:_PROBLEMS_SHOWN]))
        for row, found in by_row.items()
    }


def _warning_code(warning: Any) -> str:
    """Return the name of the warning's reason, or its number if the client library is older."""
    known = warning.DESCRIPTOR.fields_by_name["reason"].enum_type.values_by_number
    value = known.get(warning.reason)
    return value.name if value is not None else f"WARNING_REASON_{warning.reason}"


# ── the status of a request, later ────────────────────────────────────────────────────────────────

# https://developers.google.com/data-manager/api/devguides/diagnostics

_NO_REASON: Final = "PROCESSING_ERROR_REASON_UNSPECIFIED"

StatusJson = Mapping[str, Any]
"""A `RetrieveRequestStatusResponse`, or a piece of it, as JSON. An int64 is a string; empty fields
are absent."""


def read_status(request_id: str, answer: StatusJson) -> list[RequestStatus]:
    """Return the status of a request for each of its conversion actions."""
    destinations = answer.get("requestStatusPerDestination", ())
    found = []
    for each in destinations:
        errors = each.get("errorInfo", {}).get("errorCounts", ())
        warnings = each.get("warningInfo", {}).get("warningCounts", ())
        status = RequestStatus(
            request_id,
            each.get("requestStatus", ""),
            each.get("destination", {}).get("productDestinationId", ""),
            int(each.get("eventsIngestionStatus", {}).get("recordCount", 0)),
            _counts(errors),
            _counts(warnings),
            error_records=_records(errors),
            warning_records=_records(warnings),
        )
        found.append(_with_all_failed(status, is_only=len(destinations) == 1))
    return found


def _with_all_failed(status: RequestStatus, is_only: bool) -> RequestStatus:
    """Give a reason to the events of a FAILED status that have none: none of them counts.

    With several destinations, Google does not say which events are this one's.
    """
    without_reason = status.record_count - sum(status.errors.values())
    if status.status != "FAILED" or without_reason <= 0:
        return status
    errors = dict(Counter(status.errors) + Counter({_NO_REASON: without_reason}))
    named = {each for records in status.error_records.values() for each in records}
    others = tuple(each for each in range(status.record_count) if each not in named)
    if not is_only or len(others) != without_reason:
        return status._replace(errors=errors)
    return status._replace(
        errors=errors, error_records={**status.error_records, _NO_REASON: others}
    )


def _counts(counts: Iterable[StatusJson]) -> dict[str, int]:
    """Return the number of events by reason. Google may report one reason in several parts."""
    found: Counter[str] = Counter()
    for each in counts:
        found[_reason(each)] += int(each.get("recordCount", 0))
    return dict(found)


def _records(counts: Iterable[StatusJson]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for each in counts:
        if "recordIndices" in each:
            reason = _reason(each)
            found[reason] = (*found.get(reason, ()), *each["recordIndices"])
    return found


def _reason(count: StatusJson) -> str:
    reason: str = count.get("reason", _NO_REASON)
    return reason
