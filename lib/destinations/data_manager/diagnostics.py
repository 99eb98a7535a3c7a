"""The status of requests: the results of Google's processing of accepted events.

https://developers.google.com/data-manager/api/devguides/diagnostics
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lib.destinations.base import UNREADABLE, RequestStatus
from lib.errors import RetryableError


def fetch_statuses(ask: Callable[[str], Any], request_ids: Iterable[str]) -> list[RequestStatus]:
    """Ask for the status of each request. Requests for which time or quota ran out are omitted.

    `ask` returns the raw `RetrieveRequestStatusResponse` of a request, or `Refusal`. Do not ask for
    uploads of a validate-only profile: they have no status.
    """
    found: list[RequestStatus] = []
    for request_id in request_ids:
        try:
            answer = ask(request_id)
        except RetryableError:
            break
        found += read_status(request_id, answer)
    return found


def read_status(request_id: str, answer: Any) -> list[RequestStatus]:
    """A raw `RetrieveRequestStatusResponse` (or `Refusal`) → one status per conversion action."""
    code = getattr(answer, "code", None)
    if code is not None:
        reasons = [each.code for each in answer.violations]
        return [RequestStatus(request_id, UNREADABLE, code=reasons[0] if reasons else code)]
    return list(_destinations(request_id, answer))


def _destinations(request_id: str, response: Any) -> Iterator[RequestStatus]:
    for each in response.request_status_per_destination:
        yield RequestStatus(
            request_id,
            _enum_name(each, "request_status"),
            each.destination.product_destination_id,
            each.events_ingestion_status.record_count,
            _counts(each.error_info.error_counts),
            _counts(each.warning_info.warning_counts),
        )


def _counts(counts: Iterable[Any]) -> dict[str, int]:
    return {_enum_name(each, "reason"): each.record_count for each in counts}


def _enum_name(message: Any, field: str) -> str:
    """Return the name of an enum value, or its number if it is newer than the client library."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return value.name if value is not None else f"{field.upper()}_{number}"
