"""The status of requests: the results of Google's processing of accepted events.

https://developers.google.com/data-manager/api/devguides/diagnostics
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lib.destinations.base import UNREADABLE, RequestStatus
from lib.destinations.data_manager.rest import RestRefused
from lib.errors import PermanentError, RetryableError

_NO_REASON: Final = "PROCESSING_ERROR_REASON_UNSPECIFIED"

JsonObject = Mapping[str, Any]
"""JSON of the API: a `RetrieveRequestStatusResponse`, or a part of it. An int64 is a string; empty
fields are absent."""


def fetch_statuses(
    ask: Callable[[str], JsonObject], request_ids: Iterable[str]
) -> list[RequestStatus]:
    """Ask for the status of each request. Requests for which time or quota ran out are omitted.

    Do not ask for uploads of a validate-only profile: they have no status. Raises `PermanentError`
    if Google refuses the credentials or the project, and `RetryableError` if it answers nothing.
    """
    found: list[RequestStatus] = []
    for request_id in request_ids:
        try:
            found += read_status(request_id, ask(request_id))
        except RetryableError as error:
            if found or error.code in ("DEADLINE", "SHUTDOWN"):
                break
            raise
        except RestRefused as refused:
            if refused.is_about_the_caller:
                raise PermanentError(refused.code) from None
            found.append(RequestStatus(request_id, UNREADABLE, code=refused.code))
    return found


def read_status(request_id: str, answer: JsonObject) -> list[RequestStatus]:
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
    """Give the events of a FAILED status that have no reason one, because none of them counts.

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


def _counts(counts: Iterable[JsonObject]) -> dict[str, int]:
    """Return the number of events by reason. Google may report one reason in several parts."""
    found: Counter[str] = Counter()
    for each in counts:
        found[_reason(each)] += int(each.get("recordCount", 0))
    return dict(found)


def _records(counts: Iterable[JsonObject]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for each in counts:
        if "recordIndices" in each:
            reason = _reason(each)
            found[reason] = (*found.get(reason, ()), *each["recordIndices"])
    return found


def _reason(count: JsonObject) -> str:
    reason: str = count.get("reason", _NO_REASON)
    return reason
