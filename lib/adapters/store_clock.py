"""The time of Cloud Storage, so that instances with wrong clocks agree on it.

One instance writes a lease, and another one reads it. If a clock were an hour off, the lease would
never end, or end at once. "Now" also decides about rows. So the `Date` header of every answer of
Cloud Storage checks the time of the instance. This costs no request.

    sent ──────────── answered           the time at the answer is between these two:
                Date, whole seconds      Date  and  Date + 1 s + the time that the answer took

The clock of the instance counts as long as it agrees with this. Otherwise the middle counts, and
the clock only measures what has passed since.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

TOLERANCE: Final = timedelta(seconds=1)
"""The servers of Cloud Storage may differ by this much."""

_HEADER_STEP: Final = timedelta(seconds=1)


class ClockReading(NamedTuple):
    """What the two clocks of the instance say at the same time."""

    wall: datetime
    monotonic: float

    def passed_since(self, earlier: ClockReading) -> timedelta:
        """Return how much time has passed.

        The larger of both, because a lease may have ended meanwhile: the monotonic clock of a
        frozen instance stands still, and the other clock can be set back.
        """
        seconds = timedelta(seconds=self.monotonic - earlier.monotonic)
        return max(seconds, self.wall - earlier.wall)


class StoreClock:
    """Tells the time. `wall` and `monotonic` are the clocks of the instance. Thread-safe."""

    def __init__(self, wall: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._known: tuple[datetime, ClockReading] | None = None

    def reading(self) -> ClockReading:
        """Return the time by the clocks of the instance: when a request is sent."""
        return ClockReading(self._wall(), self._monotonic())

    def observe(self, date: str | None, sent: ClockReading) -> None:
        """Check the time by the `Date` header of the answer to a request that was sent then."""
        try:
            earliest = parsedate_to_datetime(date or "").replace(tzinfo=UTC)
        except ValueError:
            return
        here = self.reading()
        latest = earliest + _HEADER_STEP + here.passed_since(sent)
        for time in (self._at(here), here.wall):
            if earliest - TOLERANCE <= time <= latest + TOLERANCE:
                break
        else:
            time = earliest + (latest - earliest) / 2
        self._known = time, here

    def now(self) -> datetime:
        """Return the time. Before the first answer, it is that of the instance."""
        return self._at(self.reading())

    def _at(self, here: ClockReading) -> datetime:
        if self._known is None:
            return here.wall
        time, then = self._known
        return time + here.passed_since(then)
