"""Google's answers → outcomes of events: those of a request, and its status later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lib.catalogue.codes import lookup
from lib.destinations.base import RowResult
from lib.destinations.data_manager.event_request import EventRequest
from lib.destinations.data_manager.failures import Refusal, Violation, event_row, field_of
from lib.destinations.redaction import without_values
from lib.model.fields import RecordKind
from lib.model.outcomes import Problem
from lib.model.sent_requests import RequestStatus

_PROBLEMS_SHOWN = 10


def named_row_results(refused: Refusal, request: EventRequest) -> dict[int, RowResult]:
    """Return the results of the events that a refusal's violations name, or whose destination they
    name, by row."""
    events, destinations = request.events, request.message.destinations
    by_row: dict[int, list[Violation]] = {}
    by_destination: dict[str, list[Violation]] = {}
    for violation in refused.violations:
        if violation.row is not None and violation.row < request.size:
            by_row.setdefault(violation.row, []).append(violation)
        elif violation.destination in range(len(destinations)):
            reference = destinations[violation.destination].reference
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


def only_row_result(refused: Refusal, request: EventRequest) -> RowResult:
    """Return the result of the only event of a refused request: any reason concerns it."""
    event = request.events[0]
    if refused.violations:
        return _row_result(_problems(refused.violations, event, request.kind))
    message = without_values(refused.message, event)
    detail = f"{message} (Google does not name the field.)".lstrip()
    return _row_result((Problem(refused.code, "", detail),))


def _row_result(problems: tuple[Problem, ...]) -> RowResult:
    """Return the result of an event with these problems. It has failed, unless all of them say the
    same other outcome."""
    codes = [lookup(problem.code) for problem in problems]
    if all(code.is_temporary for code in codes):
        return RowResult("deferred", problems)
    if all(code.outcome == "duplicate" for code in codes):
        return RowResult("duplicate", problems)
    return RowResult("failed", problems)


def field_warnings(response: Any, request: EventRequest) -> dict[int, RowResult]:
    """Return the events accepted with a warning, by row. A warning without an event concerns all of
    them."""
    by_row: dict[int, list[Problem]] = {}
    for warning in response.field_warnings:
        row = event_row(warning.field)
        rows: Sequence[int] = range(request.size)
        sent = request.message  # of which the warning may quote any event
        if row is not None:
            if row >= request.size:
                continue
            rows, sent = (row,), request.events[row]
        column = field_of(warning.field, request.kind)
        detail = without_values(warning.description, sent)
        for row in rows:
            by_row.setdefault(row, []).append(Problem(_warning_code(warning), column, detail))
    return {
        row: RowResult("uploaded", (), tuple(problems[:_PROBLEMS_SHOWN]))
        for row, problems in by_row.items()
    }


def _warning_code(warning: Any) -> str:
    """Return the name of the warning's reason, or its number if the client library is older."""
    known = warning.DESCRIPTOR.fields_by_name["reason"].enum_type.values_by_number
    value = known.get(warning.reason)
    return value.name if value is not None else f"WARNING_REASON_{warning.reason}"


# ── the status of a request, later ────────────────────────────────────────────────────────────────

# https://developers.google.com/data-manager/api/devguides/diagnostics

_NO_REASON: Final = "PROCESSING_ERROR_REASON_UNSPECIFIED"
_NO_STATUS: Final = "REQUEST_STATUS_UNKNOWN"

StatusJson = Mapping[str, Any]
"""A `RetrieveRequestStatusResponse`, or a piece of it, as JSON. An int64 is a string; empty fields
are absent."""


def read_status(request_id: str, answer: StatusJson) -> list[RequestStatus]:
    """Return the status of a request for each of its conversion actions."""
    destinations = answer.get("requestStatusPerDestination", ())
    statuses = []
    for destination in destinations:
        errors, error_records = _by_reason(destination, "errorInfo", "errorCounts")
        warnings, warning_records = _by_reason(destination, "warningInfo", "warningCounts")
        status = RequestStatus(
            request_id,
            destination.get("requestStatus", _NO_STATUS),
            destination.get("destination", {}).get("productDestinationId", ""),
            int(destination.get("eventsIngestionStatus", {}).get("recordCount", 0)),
            errors,
            warnings,
            error_records=error_records,
            warning_records=warning_records,
        )
        statuses.append(_with_all_failed(status, is_only=len(destinations) == 1))
    return statuses


def _by_reason(
    destination: StatusJson, info: str, counts: str
) -> tuple[dict[str, int], dict[str, tuple[int, ...]]]:
    """Return the number of events by reason, and the rows of those that Google names.

    `destination[info][counts]` is a list such as `[{"reason": "...", "recordCount": "2",
    "recordIndices": [0, 3]}]`. Google may report one reason in several parts.
    """
    numbers: Counter[str] = Counter()
    records: dict[str, tuple[int, ...]] = {}
    for count in destination.get(info, {}).get(counts, ()):
        reason = count.get("reason", _NO_REASON)
        numbers[reason] += int(count.get("recordCount", 0))
        if "recordIndices" in count:
            records[reason] = (*records.get(reason, ()), *count["recordIndices"])
    # A record that Google names has the reason, whatever it counts.
    numbers |= Counter({reason: len({*named}) for reason, named in records.items()})
    return dict(numbers), records


def _with_all_failed(status: RequestStatus, is_only: bool) -> RequestStatus:
    """Give a reason to the events of a FAILED status that have none: none of them counts.

    With several destinations, Google does not say which events are this one's.
    """
    without_reason = status.record_count - sum(status.errors.values())
    if status.status != "FAILED" or without_reason <= 0:
        return status
    errors = dict(Counter(status.errors) + Counter({_NO_REASON: without_reason}))
    named = {row for rows in status.error_records.values() for row in rows}
    others = tuple(row for row in range(status.record_count) if row not in named)
    if not is_only or len(others) != without_reason:
        return status._replace(errors=errors)
    return status._replace(
        errors=errors, error_records={**status.error_records, _NO_REASON: others}
    )
