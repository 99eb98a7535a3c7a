"""Fast-fail made row-wise: every event of a request ends with its own outcome.

- Named events are taken out and fail; the rest is sent again at once.
- A refusal that names no event: both halves are sent, until the event is found alone.
- Named destinations (some of several): their events fail; the rest is sent again.
- A reason that is the request's as a whole ends it: nothing of it can be taken.

How many requests that costs, for n events: 1 when all are good; 2 when Google names all bad ones at
once (1 more for each further round of names); 2·⌈log2 n⌉ more for each bad event that it doesn't
name. Never more than `MAX_RESENDS` beyond the first of each part of a chunk: events still unsettled
then are deferred, not failed, since most of them are good, and the next attempt begins with that
many fewer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lib.catalogue.codes import lookup
from lib.destinations.base import RowResult
from lib.destinations.data_manager.conversion_event import part_of
from lib.destinations.data_manager.errors import (
    Refused,
    Violation,
    event_row,
    field_of,
)
from lib.destinations.messages import without_values
from lib.model.outcomes import Outcome, Problem

MAX_RESENDS = 128
"""Most further requests for one chunk, retries of passing trouble not counted."""

MAX_REQUEST_BYTES = 60 << 20
"""A larger message is refused by gRPC with a 429 that looks like a quota."""

_PROBLEMS_SHOWN = 10


@dataclass(slots=True)
class Budget:
    """The further requests that a chunk may still cost."""

    left: int = MAX_RESENDS


@dataclass(slots=True)
class Settled:
    """What became of the events of a request, by their place in it; unnamed ones were taken."""

    row_results: dict[int, RowResult] = field(default_factory=dict)
    request_ids: list[str] = field(default_factory=list)
    stop: Problem | None = None


def settle(request: Any, send: Callable[[Any], Any], budget: Budget) -> Settled:
    """Send the events of a request until each is taken, refused or deferred.

    `send` returns the raw `IngestEventsResponse`, or `Refused`.
    """
    settled = Settled()
    size = len(request.events)
    groups = [list(range(size))]
    first = True
    while groups:
        # The largest group first: if the budget ends, as many good events as can be are through.
        groups.sort(key=len)
        rows = groups.pop()
        if budget.left <= 0 and not first:
            problem = Problem("REFUSAL_NOT_LOCATED")
            settled.row_results.update(dict.fromkeys(rows, RowResult("deferred", (problem,))))
            continue
        part = request if len(rows) == size else part_of(request, rows)
        if part.ByteSize() > MAX_REQUEST_BYTES and len(rows) > 1:
            groups += _halves(rows)
            continue
        budget.left -= not first
        first = False
        answer = send(part)
        if not isinstance(answer, Refused):
            settled.request_ids.append(answer.request_id)
            for place, row_result in field_warnings(answer, part).items():
                settled.row_results[rows[place]] = row_result
            continue
        settled.stop = answer.stop(len(part.destinations))
        if settled.stop is not None:
            row_result = RowResult("not_attempted", (settled.stop,))
            for group in (rows, *groups):
                settled.row_results.update(dict.fromkeys(group, row_result))
            break
        named = judge(answer, part)
        if named:
            settled.row_results.update(
                {rows[place]: row_result for place, row_result in named.items()}
            )
            rest = [row for place, row in enumerate(rows) if place not in named]
            groups += [rest] if rest else []
        elif len(rows) > 1:
            groups += _halves(rows)
        else:
            settled.row_results[rows[0]] = _verdict(_problems_of_only(answer, part.events[0]))
    if settled.stop is None:
        settled.stop = _same_account_problem(settled.row_results, size)
    return settled


def _halves(rows: list[int]) -> list[list[int]]:
    middle = len(rows) // 2
    return [rows[:middle], rows[middle:]]


def judge(refused: Refused, request: Any) -> dict[int, RowResult]:
    """The events of a refused request that its violations name, by their place in it."""
    events = request.events
    by_row: dict[int, list[Violation]] = {}
    by_destination: dict[str, list[Violation]] = {}
    for violation in refused.violations:
        if violation.row is not None and violation.row < len(events):
            by_row.setdefault(violation.row, []).append(violation)
        elif violation.destination in range(len(request.destinations)):
            reference = request.destinations[violation.destination].reference
            by_destination.setdefault(reference, []).append(violation)
    if by_destination:
        for place, event in enumerate(events):
            for reference in event.destination_references:
                by_row.setdefault(place, []).extend(by_destination.get(reference, ()))
    return {
        place: _verdict(tuple(each.problem(events[place]) for each in found[:_PROBLEMS_SHOWN]))
        for place, found in by_row.items()
        if found
    }


def _problems_of_only(refused: Refused, event: Any) -> tuple[Problem, ...]:
    """Why a request of one event was refused: a reason that names nothing is about that event."""
    if refused.violations:
        return tuple(each.problem(event) for each in refused.violations[:_PROBLEMS_SHOWN])
    said = without_values(refused.message, event)
    return (Problem(refused.code, "", f"{said} (Google names no field.)".lstrip()),)


def _verdict(problems: tuple[Problem, ...]) -> RowResult:
    outcomes: set[Outcome | None] = {lookup(problem.code).outcome for problem in problems}
    for outcome in ("deferred", "duplicate"):
        if outcomes == {outcome}:
            return RowResult(outcome, problems)
    return RowResult("failed", problems)


def _same_account_problem(row_results: dict[int, RowResult], size: int) -> Problem | None:
    """The same kind of reason, the account's, for every event: the next chunk would meet it too."""
    if len(row_results) < size:
        return None
    found = None
    for row_result in row_results.values():
        found = next((p for p in row_result.errors if lookup(p.code).scope == "account"), None)
        if found is None or row_result.outcome != "failed":
            return None
    return Problem(found.code, "", found.detail) if found is not None else None


def field_warnings(response: Any, request: Any) -> dict[int, RowResult]:
    """Events that were taken with a warning. One that names no event is about all of them."""
    by_row: dict[int, list[Problem]] = {}
    for warning in response.field_warnings:
        row = event_row(warning.field)
        places = range(len(request.events)) if row is None else (row,)
        for place in places:
            if place < len(request.events):
                message = without_values(warning.description, request.events[place])
                problem = Problem(_reason(warning), field_of(warning.field), message)
                by_row.setdefault(place, []).append(problem)
    return {
        place: RowResult("uploaded", (), tuple(found[:_PROBLEMS_SHOWN]))
        for place, found in by_row.items()
    }


def _reason(warning: Any) -> str:
    """Name of the warning's reason; its number if it is newer than the client library."""
    known = warning.DESCRIPTOR.fields_by_name["reason"].enum_type.values_by_number
    value = known.get(warning.reason)
    return value.name if value is not None else f"WARNING_REASON_{warning.reason}"
