"""Turns fast-fail into outcomes per row: every event of a request gets its own outcome.

- A refusal that names events: these events fail, and the rest is sent again immediately.
- A refusal that names no event: both halves are sent separately, until the event is found.
- A refusal that names some of several destinations: their events fail, and the rest is sent again.
- A reason that concerns the whole request: no event of it can be accepted, so it ends there.

Number of requests for n events: 1 if all are valid; 2 if Google names all invalid ones at once (1
more for each further round of names); 2·⌈log2 n⌉ more for each invalid event that it does not name.
A chunk never needs more than `MAX_RESENDS` requests in addition to the first one of each part.
Events without a result by then are deferred, not failed, because most of them are valid. The next
attempt then has fewer events to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.catalogue.codes import lookup
from lib.destinations.base import AcceptedRequest, RowResult
from lib.destinations.connections import MAX_REQUEST_BYTES
from lib.destinations.data_manager.errors import (
    Refusal,
    Violation,
    event_row,
    field_of,
)
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.redaction import quotes_value, without_values
from lib.errors import RetryableError
from lib.model.fields import RecordKind
from lib.model.outcomes import Outcome, Problem

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
    """The results of a request's events, by position. Events without a result were accepted.

    `accepted` are the requests that Google accepted, with the positions of their events.
    """

    row_results: dict[int, RowResult] = field(default_factory=dict)
    accepted: list[AcceptedRequest] = field(default_factory=list)
    stop: Problem | None = None


def send_row_wise(
    request: EventRequest, send: Callable[[EventRequest], Any], budget: ResendBudget
) -> EventRequestResult:
    """Send the events of a request until each is accepted, refused or deferred.

    `send` returns the raw `IngestEventsResponse`, or `Refusal`.
    """
    result = EventRequestResult()
    size = request.size
    groups = [list(range(size))]
    first = True
    while groups:
        # The largest group first, to send as many valid events as possible within the budget.
        groups.sort(key=len)
        rows = groups.pop()
        if budget.left <= 0 and not first:
            problem = Problem("REFUSAL_NOT_LOCATED")
            result.row_results.update(dict.fromkeys(rows, RowResult("deferred", (problem,))))
            continue
        part = request if len(rows) == size else request.subset(rows)
        if len(part.content) > MAX_REQUEST_BYTES and len(rows) > 1:
            groups += _halves(rows)
            continue
        budget.left -= not first
        first = False
        try:
            answer = send(part)
        except RetryableError as error:
            if not budget.is_accepted:
                raise
            # What was accepted must be saved: events that are sent twice may count twice.
            problem = Problem(error.code, "", error.detail)
            _set_all(result, (rows, *groups), RowResult("deferred", (problem,)))
            break
        if not isinstance(answer, Refusal):
            budget.is_accepted = True
            result.accepted.append(AcceptedRequest(answer.request_id, rows))
            for place, row_result in field_warnings(answer, part).items():
                result.row_results[rows[place]] = row_result
            continue
        result.stop = answer.stop(part.destination_count)
        if result.stop is not None:
            if any(quotes_value(result.stop.detail, event) for event in part.events):
                result.stop = result.stop._replace(detail="")
            _set_all(result, (rows, *groups), RowResult("not_attempted", (result.stop,)))
            break
        groups += _without_refused(answer, part, rows, result)
    if result.stop is None:
        result.stop = _same_account_problem(result.row_results, size)
    return result


def _set_all(
    result: EventRequestResult, groups: Iterable[list[int]], row_result: RowResult
) -> None:
    for group in groups:
        result.row_results.update(dict.fromkeys(group, row_result))


def _without_refused(
    refused: Refusal, request: EventRequest, rows: list[int], result: EventRequestResult
) -> list[list[int]]:
    """Record the events that a refusal names. Return the groups of rows to send again."""
    named = named_row_results(refused, request)
    if named:
        result.row_results.update({rows[place]: row_result for place, row_result in named.items()})
        rest = [row for place, row in enumerate(rows) if place not in named]
        return [rest] if rest else []
    if len(rows) > 1:
        return _halves(rows)
    result.row_results[rows[0]] = _row_result(_problems_of_only(refused, request))
    return []


def _halves(rows: list[int]) -> list[list[int]]:
    middle = len(rows) // 2
    return [rows[:middle], rows[middle:]]


def named_row_results(refused: Refusal, request: EventRequest) -> dict[int, RowResult]:
    """Return the results of the events that a refusal's violations name, by position."""
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
        for place, event in enumerate(events):
            for reference in event.destination_references:
                by_row.setdefault(place, []).extend(by_destination.get(reference, ()))
    return {
        place: _row_result(_problems(found, events[place], request.kind))
        for place, found in by_row.items()
        if found
    }


def _problems(violations: Sequence[Violation], event: Any, kind: RecordKind) -> tuple[Problem, ...]:
    return tuple(each.problem(event, kind) for each in violations[:_PROBLEMS_SHOWN])


def _problems_of_only(refused: Refusal, request: EventRequest) -> tuple[Problem, ...]:
    """Return why a request with one event was refused. A reason without a name concerns it too."""
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
    """Return the events accepted with a warning. A warning without an event concerns them all."""
    by_row: dict[int, list[Problem]] = {}
    for warning in response.field_warnings:
        row = event_row(warning.field)
        places = range(request.size) if row is None else (row,)
        said = warning.description
        if row is None:
            said = without_values(said, request.message)  # it may quote any event
        for place in places:
            if place < request.size:
                message = said if row is None else without_values(said, request.events[place])
                column = field_of(warning.field, request.kind)
                problem = Problem(_reason(warning), column, message)
                by_row.setdefault(place, []).append(problem)
    return {
        place: RowResult("uploaded", (), tuple(found[:_PROBLEMS_SHOWN]))
        for place, found in by_row.items()
    }


def _reason(warning: Any) -> str:
    """Return the name of the warning's reason, or its number if the client library is older."""
    known = warning.DESCRIPTOR.fields_by_name["reason"].enum_type.values_by_number
    value = known.get(warning.reason)
    return value.name if value is not None else f"WARNING_REASON_{warning.reason}"
