"""The `processing` part of a results document: what an API reports later about accepted requests.

The answer to an upload only confirms that the records were accepted. Their final outcomes are known
later, as counts per reason and conversion action, not per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Any, Final

from lib.catalogue.codes import lookup
from lib.destinations.base import UNREADABLE, RequestStatus

Processing = Mapping[str, Any]
"""The `processing` part as it is written."""

Entry = Mapping[str, Any]
"""One of its requests, for one conversion action."""

FINAL: Final = frozenset({"SUCCESS", "FAILED", "PARTIAL_SUCCESS"})
"""The statuses of a request that the API has processed completely."""


def processing_of(
    request_ids: Iterable[str],
    statuses: Iterable[RequestStatus],
    asked_at: datetime | None,
    previous: Processing | None = None,
) -> dict[str, Any]:
    """Return the `processing` part: the `previous` one, updated with `statuses`.

    Right after the upload there are no statuses yet, and `asked_at` is None. `status` is `finished`
    when every request is final, else `processing`. `codes` has the API's reasons with our advice,
    most frequent first.

    `request_ids` are the newest requests. All other requests in `previous` are `superseded`,
    because their rows were sent again. They stay listed but are not counted, so that no row counts
    twice.
    """
    entries: dict[str, list[dict[str, Any]]] = {each: [] for each in request_ids}
    superseded: list[dict[str, Any]] = []
    for entry in (previous or {}).get("requests", ()):
        if entry["request_id"] in entries:
            entries[entry["request_id"]].append(dict(entry))
        else:
            superseded.append({**entry, "superseded": True})
    updated: dict[str, list[dict[str, Any]]] = {}
    for status in statuses:
        updated.setdefault(status.request_id, []).append(_entry(status))
    entries |= updated
    listed = [entry for found in entries.values() for entry in found]
    still_open = open_requests(entries, {"requests": listed})
    return {
        "status": "processing" if still_open else "finished",
        "asked_at": asked_at.isoformat() if asked_at else (previous or {}).get("asked_at"),
        "checks": (previous or {}).get("checks", 0) + (asked_at is not None),
        "resend_at": None,
        "counts": {
            "requests": len(entries),
            "requests_asked": sum(bool(found) for found in entries.values()),
            "requests_open": len(still_open),
            "requests_superseded": len({entry["request_id"] for entry in superseded}),
            **_counts(listed),
        },
        "codes": _advice(listed),
        "requests": superseded + listed,
    }


def _counts(listed: Iterable[Entry]) -> dict[str, int]:
    counts = {"records": 0, "errors": 0, "not_counted": 0, "warnings": 0}
    for entry in listed:
        counts["records"] += entry["record_count"]
        counts["errors"] += sum(entry["errors"].values())
        counts["not_counted"] += not_counted_in(entry)
        counts["warnings"] += sum(entry["warnings"].values())
    return counts


def open_requests(request_ids: Iterable[str], previous: Processing | None) -> list[str]:
    """Return the requests whose status is not final yet."""
    by_request: dict[str, list[str]] = {each: [] for each in request_ids}
    for entry in (previous or {}).get("requests", ()):
        if entry["request_id"] in by_request:
            by_request[entry["request_id"]].append(entry["status"])
    return [
        request_id
        for request_id, statuses in by_request.items()
        if not statuses or not all(each in FINAL or each == UNREADABLE for each in statuses)
    ]


def newest_entries(processing: Processing | None) -> list[Entry]:
    """Return its entries, without the requests whose rows were sent again."""
    entries = (processing or {}).get("requests", ())
    return [entry for entry in entries if not entry.get("superseded")]


def transient_requests(processing: Processing | None) -> Set[str]:
    """Return the requests with records that are not counted for a temporary reason."""
    return {each["request_id"] for each in newest_entries(processing) if transient_in(each)}


def not_counted_in(entry: Entry) -> int:
    """Return the number of records of a final request that the API does not count.

    Records that were counted before are not included: they count, once.
    """
    return sum(reasons_in(entry).values())


def transient_in(entry: Entry) -> int:
    """Return how many of them have a temporary reason: a click too recent, or an API error."""
    return sum(count for code, count in reasons_in(entry).items() if _is_transient(code))


def reasons_in(entry: Entry) -> dict[str, int]:
    """Return the reasons why records are not counted, with the number of records."""
    if entry["status"] not in FINAL:
        return {}
    errors = entry["errors"].items()
    return {code: count for code, count in errors if lookup(code).outcome != "duplicate"}


def _is_transient(code: str) -> bool:
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


def _advice(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
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
