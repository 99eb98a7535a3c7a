"""Which rows an accepted request sent, and what the API has reported about them since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from lib.model.request_status import RequestStatus

Ranges = tuple[tuple[int, int], ...]
"""Ascending numbers, as the first and the last number of each sequence without a gap."""


def ranges_of(numbers: Iterable[int]) -> Ranges:
    """`[2, 3, 4, 7]` → `((2, 4), (7, 7))`."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def numbers_in(ranges: Ranges) -> Iterator[int]:
    """Return the numbers in these ranges."""
    for first, last in ranges:
        yield from range(first, last + 1)


class SentRequest(NamedTuple):
    """An accepted request of an API that processes records later.

    While the request is open, `lines` are the lines of its records, in their order, and `unclicked`
    the lines of those without a click ID. Both are empty once the API has reported the final status
    for every conversion action (`statuses`). From then on:

    - `matchable` rows have no click ID, and either count or have no ad click (`unmatched`);
    - `not_counted` is the number of rows by the reason why they will never count. `unnamed` of them
      are rows that the API counted without naming them.
    """

    request_id: str
    lines: Ranges
    unclicked: Ranges = ()
    statuses: tuple[RequestStatus, ...] = ()
    matchable: int = 0
    unmatched: int = 0
    not_counted: Mapping[str, int] = {}
    unnamed: int = 0

    @property
    def is_open(self) -> bool:
        """Whether rows await the API's final status."""
        return bool(self.lines)

    @property
    def awaiting(self) -> int:
        """Number of rows that await the API's final status."""
        return sum(last - first + 1 for first, last in self.lines)
