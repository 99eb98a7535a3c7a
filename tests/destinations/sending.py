"""What tests of both APIs send records with, and how they look at what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lib.destinations.base import Destination, UploadResult
from lib.model.deadline import Deadline, elapsed_seconds
from lib.model.fields import RecordKind
from lib.model.records import Adjustment, Call, Record

CUSTOMER = "1234567890"


def ago(**delta: float) -> str:
    """A time that long ago."""
    return f"{datetime.now(UTC) - timedelta(**delta):%Y-%m-%d %H:%M:%S}+00:00"


def kind_of(record: Record) -> RecordKind:
    """Return the kind of a record."""
    match record:
        case Adjustment():
            return "adjustment"
        case Call():
            return "call"
        case _:
            return "conversion"


def within(seconds: float) -> Deadline:
    """Return a deadline in some seconds."""
    ends = elapsed_seconds() + seconds
    return Deadline(ends, ends)


def send(
    destination: Destination[Any],
    *records: Record,
    seconds: float = 60.0,
    customer_id: str = CUSTOMER,
) -> UploadResult:
    """Send records, which are of one kind, as one chunk."""
    requests = destination.encode(kind_of(records[0]), records, customer_id, 42)
    return destination.send(requests, within(seconds), lambda order_id: False)


def shown(result: UploadResult) -> dict[int, tuple[str, list[str], list[str]]]:
    """Return outcome, codes and columns by position."""
    return {
        position: (
            each.outcome,
            [problem.code for problem in each.errors],
            [problem.field for problem in each.errors],
        )
        for position, each in sorted(result.row_results.items())
    }
