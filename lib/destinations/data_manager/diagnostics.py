"""The status of requests: the results of Google's processing of accepted events.

https://developers.google.com/data-manager/api/devguides/diagnostics
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lib.destinations.base import UNREADABLE, RequestStatus
from lib.destinations.data_manager.request_status import StatusRefused
from lib.errors import PermanentError, RetryableError

Answer = Mapping[str, Any]
"""The JSON of a `RetrieveRequestStatusResponse`. An int64 is a string; empty fields are absent."""


def fetch_statuses(ask: Callable[[str], Answer], request_ids: Iterable[str]) -> list[RequestStatus]:
    """Ask for the status of each request. Requests for which time or quota ran out are omitted.

    Do not ask for uploads of a validate-only profile: they have no status. Raises `PermanentError`
    if Google refuses the credentials or the project.
    """
    found: list[RequestStatus] = []
    for request_id in request_ids:
        try:
            found += read_status(request_id, ask(request_id))
        except RetryableError:
            break
        except StatusRefused as refused:
            if refused.is_about_the_caller:
                raise PermanentError(refused.code) from None
            found.append(RequestStatus(request_id, UNREADABLE, code=refused.code))
    return found


def read_status(request_id: str, answer: Answer) -> list[RequestStatus]:
    """Return the status of a request for each of its conversion actions."""
    found = []
    for each in answer.get("requestStatusPerDestination", ()):
        errors = each.get("errorInfo", {}).get("errorCounts", ())
        warnings = each.get("warningInfo", {}).get("warningCounts", ())
        found.append(
            RequestStatus(
                request_id,
                each.get("requestStatus", ""),
                each.get("destination", {}).get("productDestinationId", ""),
                int(each.get("eventsIngestionStatus", {}).get("recordCount", 0)),
                _counts(errors),
                _counts(warnings),
                error_records=_records(errors),
                warning_records=_records(warnings),
            )
        )
    return found


def _counts(counts: Iterable[Answer]) -> dict[str, int]:
    return {_reason(each): int(each.get("recordCount", 0)) for each in counts}


def _records(counts: Iterable[Answer]) -> dict[str, tuple[int, ...]]:
    return {
        _reason(each): tuple(each["recordIndices"]) for each in counts if "recordIndices" in each
    }


def _reason(count: Answer) -> str:
    reason: str = count.get("reason", "PROCESSING_ERROR_REASON_UNSPECIFIED")
    return reason
