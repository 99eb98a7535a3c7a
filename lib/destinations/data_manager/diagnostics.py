"""What Google's processing made of the events: the `processing` part of a results document.

The upload's answer only says that the events were taken. What comes of them is known later, as
counts per reason and destination, not by row:
https://developers.google.com/data-manager/api/devguides/diagnostics
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from lib.adapters.logging import Log
from lib.catalogue.codes import lookup
from lib.errors import RetryableError

if TYPE_CHECKING:
    from lib.destinations.data_manager.client import Connection

# Google's own example of a schedule (the page above).
FIRST_WAIT = timedelta(minutes=30)
BACKOFF = 1.3
LONGEST_WAIT = timedelta(hours=1)
LAST_CHECK_AFTER = timedelta(hours=24)

FINAL = frozenset({"SUCCESS", "FAILED", "PARTIAL_SUCCESS"})
"""What Google says of a request that it has worked off."""

UNREADABLE = "UNREADABLE"
"""Ours: Google doesn't tell (more) of the request, see `code`."""


class RequestStatus(NamedTuple):
    """The status of one request for one destination (conversion action)."""

    request_id: str
    status: str
    conversion_action: str = ""
    record_count: int = 0
    errors: Mapping[str, int] = {}
    warnings: Mapping[str, int] = {}
    code: str = ""


def next_check(sent_at: datetime, checks: int) -> datetime | None:
    """When to ask again after `checks` rounds of asking; None: a day has passed, leave it.

    After 30 minutes, then 39, 50.7 and at last 60 minutes apart.
    """
    waited, wait = FIRST_WAIT, FIRST_WAIT
    for _ in range(checks):
        wait = min(wait * BACKOFF, LONGEST_WAIT)
        waited += wait
        if waited > LAST_CHECK_AFTER:
            return None
    return sent_at + waited


def fetch(
    connection: Connection,
    request_ids: Iterable[str],
    deadline: float,
    timeout_seconds: float,
    log: Log,
) -> list[RequestStatus]:
    """Ask for the status of each request; those that there was no time or quota for are left out.

    Uploads of a validate-only profile have no status: don't ask for them.
    """
    found: list[RequestStatus] = []
    for request_id in request_ids:
        try:
            answer = connection.status(request_id, deadline, timeout_seconds, log)
        except RetryableError:
            break
        found += read_status(request_id, answer)
    return found


def renew(
    connection: Connection,
    request_ids: Sequence[str],
    previous: Mapping[str, Any] | None,
    now: datetime,
    deadline: float,
    timeout_seconds: float,
    log: Log,
) -> dict[str, Any]:
    """The `processing` part after asking for every request that isn't final in `previous`."""
    asked = fetch(connection, to_ask(request_ids, previous), deadline, timeout_seconds, log)
    return processing_of(request_ids, asked, now, previous)


def read_status(request_id: str, answer: Any) -> list[RequestStatus]:
    """A raw `RetrieveRequestStatusResponse` (or `Refused`) → one status per destination."""
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
    """Name of an enum field's value; its number if it is newer than the client library."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return value.name if value is not None else f"{field.upper()}_{number}"


def to_ask(request_ids: Iterable[str], previous: Mapping[str, Any] | None) -> list[str]:
    """The requests whose status isn't final yet, given the `processing` written before."""
    by_request: dict[str, list[str]] = {each: [] for each in request_ids}
    for entry in (previous or {}).get("requests", ()):
        if entry["request_id"] in by_request:
            by_request[entry["request_id"]].append(entry["status"])
    return [
        request_id
        for request_id, statuses in by_request.items()
        if not statuses or not all(each in FINAL or each == UNREADABLE for each in statuses)
    ]


def processing_of(
    request_ids: Iterable[str],
    statuses: Iterable[RequestStatus],
    asked_at: datetime | None,
    previous: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The `processing` part: what was learned before, renewed by `statuses`.

    Right after the upload there are no statuses yet, and `asked_at` is None; without it nothing
    was asked this time. `status` is `finished` when every request is, else `processing`. Counts are
    of events per destination. `codes` has Google's reasons with our advice, most frequent first.

    `request_ids` are the newest requests. What `previous` has of others is `superseded`: their rows
    were sent again. It stays listed, but isn't summed up, so that no row is counted twice.
    """
    entries: dict[str, list[dict[str, Any]]] = {each: [] for each in request_ids}
    superseded: list[dict[str, Any]] = []
    for entry in (previous or {}).get("requests", ()):
        if entry["request_id"] in entries:
            entries[entry["request_id"]].append(dict(entry))
        else:
            superseded.append({**entry, "superseded": True})
    renewed: dict[str, list[dict[str, Any]]] = {}
    for status in statuses:
        renewed.setdefault(status.request_id, []).append(_entry(status))
    entries |= renewed
    listed = [entry for found in entries.values() for entry in found]
    open_ = to_ask(entries, {"requests": listed})
    asked_before = (previous or {}).get("asked_at")
    return {
        "status": "processing" if open_ else "finished",
        "asked_at": asked_at.isoformat() if asked_at is not None else asked_before,
        "checks": (previous or {}).get("checks", 0) + (asked_at is not None),
        "resend_at": None,
        "counts": {
            "requests": len(entries),
            "requests_asked": sum(bool(found) for found in entries.values()),
            "requests_open": len(open_),
            "requests_superseded": len({entry["request_id"] for entry in superseded}),
            "records": sum(entry["record_count"] for entry in listed),
            "errors": sum(sum(entry["errors"].values()) for entry in listed),
            "not_counted": sum(map(not_counted_in, listed)),
            "warnings": sum(sum(entry["warnings"].values()) for entry in listed),
        },
        "codes": _advice(listed),
        "requests": superseded + listed,
    }


def not_counted_in(entry: Mapping[str, Any]) -> int:
    """The events of a request that Google has worked off without counting them.

    One whose reason is that it was counted before isn't among them: it counts, once.
    """
    return sum(reasons_in(entry).values())


def transient_in(entry: Mapping[str, Any]) -> int:
    """Those of them whose reason passes: the click was too recent, or something broke at Google."""
    return sum(count for code, count in reasons_in(entry).items() if _passes(code))


def reasons_in(entry: Mapping[str, Any]) -> dict[str, int]:
    """Why, and how many for each reason."""
    if entry["status"] not in FINAL:
        return {}
    errors = entry["errors"].items()
    return {code: count for code, count in errors if lookup(code).outcome != "duplicate"}


def _passes(code: str) -> bool:
    entry = lookup(code)
    return entry.outcome == "deferred" or entry.scope == "transient"


def _entry(status: RequestStatus) -> dict[str, Any]:
    entry = {
        "request_id": status.request_id,
        "conversion_action": status.conversion_action,
        "status": status.status,
        "record_count": status.record_count,
        "errors": dict(status.errors),
        "warnings": dict(status.warnings),
    }
    return entry | {"code": status.code} if status.code else entry


def _advice(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    totals: dict[str, int] = {}
    for entry in entries:
        for code, count in (*entry["errors"].items(), *entry["warnings"].items()):
            totals[code] = totals.get(code, 0) + count
        if entry.get("code"):
            totals[entry["code"]] = totals.get(entry["code"], 0) + 1
    return {
        code: {"count": count, "meaning": lookup(code).meaning, "action": lookup(code).action}
        for code, count in sorted(totals.items(), key=lambda each: (-each[1], each[0]))
    }
