"""The outcomes of the rows of one chunk, as its marker has them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from lib.model.outcomes import RowOutcome, SavedTime
from lib.model.sent_requests import ClosedRequest, OpenRequest, Ranges, numbers_in
from lib.model.totals import NOT_SENT_AGAIN, Totals


class RecordLines(NamedTuple):
    """The lines on which the records of a chunk begin. The first of them is the file's
    `first_record`-th data row. Most chunks have one range: a record a line."""

    first_record: int
    lines: Ranges

    @property
    def size(self) -> int:
        """The number of records."""
        return sum(last - first + 1 for first, last in self.lines)

    def numbers(self) -> dict[int, int]:
        """Return the number of each record by its line."""
        return dict(zip(numbers_in(self.lines), itertools.count(self.first_record)))


@dataclass(frozen=True, slots=True)
class ChunkOutcomes:
    """The outcomes of the rows of one chunk: lines, codes and order IDs, never user data.

    Each row is in one of three places: in `listed` (in file order), in the totals of the `unlisted`
    rows, which were uploaded or skipped without a problem and are settled, or in one of
    `open_requests`. `request_ids` are the API's IDs of the requests that sent the chunk, the newest
    of which was answered at `sent_at`. If the API processes records later, the accepted requests
    are open, then closed. `records` tells which record begins on which line.
    """

    number: int
    listed: tuple[RowOutcome, ...]
    unlisted: Totals
    records: RecordLines
    request_ids: tuple[str, ...] = ()
    open_requests: tuple[OpenRequest, ...] = ()
    closed_requests: tuple[ClosedRequest, ...] = ()
    sent_at: SavedTime | None = None

    def totals(self) -> Totals:
        """Return the totals of all rows."""
        totals = Totals.of(self.listed)
        totals.add(self.unlisted)
        resent = Counter[str]()
        for request in self.open_requests:
            totals.add_open_request(request)
        for closed in self.closed_requests:
            totals.add_closed_request(closed)
            resent.update(closed.unnamed_resent)
        if resent:
            # They were to be sent again. Those that cannot be do not count after all.
            totals.add_unnamed(resent, most=totals.number_with(NOT_SENT_AGAIN))
        return totals

    @property
    def is_sound(self) -> bool:
        """Whether each record has one outcome, and the counts do not contradict each other."""
        totals = self.totals()
        return totals.is_sound and totals.all_rows == self.records.size

    def with_listed(self, change: Callable[[RowOutcome], RowOutcome]) -> ChunkOutcomes:
        """Return them with each listed row changed, or the same if no row has changed."""
        listed = tuple(change(row) for row in self.listed)
        return self if listed == self.listed else replace(self, listed=bounded(listed))


def bounded(rows: Iterable[RowOutcome]) -> tuple[RowOutcome, ...]:
    """Return the rows without the problems and texts that are beyond the limits."""
    return tuple(row.bounded() for row in rows)
