"""The `processing` part of a results document: what an API reports later about accepted requests.

The answer to an upload only confirms that the records were accepted. What the API reports later
about single rows is in the rows; this part has its reports as they are, by request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lib.catalogue.codes import lookup
from lib.model.sent_requests import RequestStatus, SentRequest


@dataclass(slots=True)
class RequestSummary:
    """The accepted requests of a file. Its size depends on the number of requests, not of rows.

    `not_counted` is the number of rows by the reason why they will never count, and `unnamed` the
    number of those that the API did not name. `matchable` and `unmatched` are rows without a click
    ID (`SentRequest`).
    """

    requests: int = 0
    asked: int = 0
    open: int = 0
    unnamed: int = 0
    matchable: int = 0
    unmatched: int = 0
    not_counted: Counter[str] = field(default_factory=Counter)
    statuses: list[RequestStatus] = field(default_factory=list)

    def add(self, sent: Iterable[SentRequest]) -> None:
        """Add the requests of a chunk."""
        for request in sent:
            self.requests += 1
            self.asked += bool(request.statuses)
            self.open += request.is_open
            self.unnamed += request.unnamed
            self.matchable += request.matchable
            self.unmatched += request.unmatched
            self.not_counted.update(request.not_counted)
            self.statuses += request.statuses


def processing_of(
    summary: RequestSummary, asked_at: datetime | None, previous: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the `processing` part; `previous` is the one of the last document.

    `asked_at` is None if the API was not asked now. `status` is `finished` when every request is
    final, else `processing`. `codes` has the API's reasons with our advice, most frequent first.
    """
    before = previous or {}
    return {
        "status": "processing" if summary.open else "finished",
        "asked_at": asked_at.isoformat() if asked_at else before.get("asked_at"),
        "checks": before.get("checks", 0) + (asked_at is not None),
        "counts": {
            "requests": summary.requests,
            "requests_asked": summary.asked,
            "requests_open": summary.open,
            "not_counted": summary.not_counted.total(),
        },
        "codes": _advice(summary.statuses),
        "requests": [_entry(each) for each in summary.statuses],
    }


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


def _advice(statuses: Iterable[RequestStatus]) -> dict[str, dict[str, Any]]:
    totals: Counter[str] = Counter()
    for status in statuses:
        totals.update(status.errors)
        totals.update(status.warnings)
        if status.code:
            totals[status.code] += 1
    return {
        code: {"count": count, "meaning": lookup(code).meaning, "action": lookup(code).action}
        for code, count in sorted(totals.items(), key=lambda each: (-each[1], each[0]))
    }
