"""The requests that sent the rows, and what an API reports later about them.

An API that processes records later has a status for each request (`RequestStatus`). Another has
only counts and alerts by job (`UploadDiagnostics`).
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, NamedTuple

import msgspec

from lib.model.money import Count, Sum

UNREADABLE: Final = "UNREADABLE"
"""The API does not report the status of the request. Its `code` is the reason."""

_FINAL: Final = frozenset({"SUCCESS", "FAILED", "PARTIAL_SUCCESS", UNREADABLE})


class RequestStatus(NamedTuple):
    """The status of one request for one conversion action.

    SUCCESS, PARTIAL_SUCCESS and FAILED are final. So is UNREADABLE: the API does not report a
    status, or no longer does, and `code` is the reason. Any other `status` can still change. All
    counts are numbers of records.

    `error_records` and `warning_records` name records that have a reason by their position in the
    request. An API may name all, some or none of those that it counts.
    """

    request_id: str
    status: str
    conversion_action: str = ""
    record_count: int = 0
    errors: Mapping[str, int] = {}
    warnings: Mapping[str, int] = {}
    code: str = ""
    error_records: Mapping[str, tuple[int, ...]] = {}
    warning_records: Mapping[str, tuple[int, ...]] = {}

    @property
    def is_final(self) -> bool:
        """Whether the status cannot change any more."""
        return self.status in _FINAL


Ranges = tuple[tuple[int, int], ...]
"""Ascending numbers, as the first and the last number of each sequence without a gap."""


def ranges_of(numbers: Iterable[int]) -> Ranges:
    """`[2, 3, 4, 7]` → `((2, 4), (7, 7))`."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def numbers_in(ranges: Ranges) -> Iterator[int]:
    """Return the numbers in these ranges."""
    for first, last in ranges:
        yield from range(first, last + 1)


def packed_texts(texts: Iterable[str | None]) -> bytes:
    """Return texts for a marker, in a third of their space."""
    return zlib.compress(msgspec.msgpack.encode([*texts]), 1)


def unpacked_texts(content: bytes) -> list[str | None]:
    """Return what `packed_texts` has made of them."""
    return _TEXTS.decode(zlib.decompress(content)) if content else []


_TEXTS: Final = msgspec.msgpack.Decoder(list[str | None])
"""Made before there are threads (`lib.state.documents.decoder_of`)."""


def order_text(action_id: str, order_id: str | None) -> str | None:
    """Return an order as one text. None: the row has no order ID."""
    return f"{action_id} {order_id}" if order_id else None


def split_order_text(text: str) -> tuple[str, str]:
    """Return what `order_text` was made of: the ID of the conversion action, and the order ID."""
    action_id, _, order_id = text.partition(" ")
    return action_id, order_id


class OpenRequest(NamedTuple):
    """An accepted request whose rows await the final status of an API that processes records later.

    `sent_at` is when it was answered, and `customer_id` the account that got it. `lines` are the
    lines of its records, in their order, and `unclicked` those of records without a click ID. A row
    that fails later needs the `values` that were sent (`Amounts.packed`), and the conversion
    actions and order IDs (`orders`: `order_text`, `packed_texts`).

    `sums` are the sums of all its rows; `unlisted` of them are in no other place, with the sums
    `unlisted_sums`. `corrects`: its rows correct earlier conversions. `statuses` are those of
    conversion actions that have answered before others.
    """

    request_id: str
    lines: Ranges
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)]
    customer_id: str
    unclicked: Ranges = ()
    values: bytes = b""
    orders: bytes = b""
    sums: Mapping[str, Sum] = {}
    unlisted: Count = 0
    unlisted_sums: Mapping[str, Sum] = {}
    corrects: bool = False
    statuses: tuple[RequestStatus, ...] = ()

    @property
    def awaiting(self) -> int:
        """The number of its rows."""
        return sum(last - first + 1 for first, last in self.lines)


class ClosedRequest(NamedTuple):
    """A request that has the final `statuses` of all its conversion actions, or will get none.

    What became of single rows is in their outcomes. Of the others, there are only counts:

    - `matchable` rows have no click ID, and either count or have no ad click (`unmatched`);
    - `unnamed` is the number of rows that will never count by their reason, which the API counted
      without naming them. `unnamed_resent` is the same if its rows are sent again for that: it
      holds for those that cannot be (`ChunkOutcomes.totals`);
    - of `unknown` rows, the API never said whether it counts them.
    """

    request_id: str
    statuses: tuple[RequestStatus, ...] = ()
    matchable: Count = 0
    unmatched: Count = 0
    unnamed: Mapping[str, Count] = {}
    unnamed_resent: Mapping[str, Count] = {}
    unknown: Count = 0


@dataclass(slots=True)
class Requests:
    """The accepted requests of a file. Its size depends on the number of requests, not of rows.

    Of `number` requests, `polled` have a status, and `open` await their final one. `open_since` has
    the times at which these were sent.
    """

    number: int = 0
    polled: int = 0
    open: int = 0
    open_since: set[datetime] = field(default_factory=set)
    statuses: list[RequestStatus] = field(default_factory=list)

    def add(self, still_open: Collection[OpenRequest], closed: Iterable[ClosedRequest]) -> None:
        """Add the requests of a chunk."""
        requests: list[OpenRequest | ClosedRequest] = [*closed, *still_open]
        for request in requests:
            self.number += 1
            self.polled += bool(request.statuses)
            self.statuses += request.statuses
        for each in still_open:
            self.open += 1
            self.open_since.add(each.sent_at)


class JobCounts(NamedTuple):
    """The rows of one job, as the API counts them. `pending`: it is still processing them."""

    successful: int
    failed: int
    pending: int


class DiagnosticsAlert(NamedTuple):
    """An error or a warning of the API, and its share of the uploaded rows (0 to 1)."""

    code: str
    share: float


class UploadDiagnostics(NamedTuple):
    """The diagnostics of an account. `jobs` has the most recent jobs only, and `alerts` concern all
    uploads of the latest day, not one job."""

    status: str
    jobs: Mapping[int, JobCounts]
    alerts: tuple[DiagnosticsAlert, ...] = ()
