"""How long to wait before something is tried again, and how often.

    a request to an API            `destinations.pacing`; a quota's own delay counts if it is longer
    rows that an API refused       the destination, while it uploads their chunk
    a request to Cloud Storage     `adapters.storage`, `adapters.object_reader`
    deferred rows                  the sweep: after DEFER_HOURS (`config.settings`), or as below
    an attempt that died           the sweep, after a wait that grows (`wait_after_try`)
    a file whose attempt failed    its event comes again, or the sweep finds it

When to ask an API about what it reports later is one of its capabilities (`CheckSchedule`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple


class Backoff(NamedTuple):
    """Waits in seconds: `first`, then twice as long each time, up to `longest`; at most `tries`."""

    first: float
    longest: float
    tries: int

    def seconds_after(self, tries: int) -> float:
        """Return the wait after this many tries."""
        return min(self.first * 2.0 ** (tries - 1), self.longest)


API_REQUEST = Backoff(first=0.5, longest=30.0, tries=8)
"""A request with a transient error. Each wait is random, at most this long, so that instances do
not try again at the same moment."""

API_ROWS = Backoff(first=1.0, longest=2.0, tries=3)
"""Rows with a transient error in a request that was accepted. After the last try, they are
deferred."""

QUOTA = Backoff(first=2.0, longest=16.0, tries=0)
"""No request starts for this long after one was refused because of a quota, if the API names no
delay. Tries are unlimited; the time limit ends them. A longer wait would leave the quota unused
that has become free meanwhile."""

STORAGE_TIMEOUT_SECONDS = 30.0
"""Cloud Storage may stay silent for this long."""

STORAGE_SECONDS = 60.0
"""A request to Cloud Storage is tried again for this long. The client library waits up to 1, 2, 4,
... seconds."""

OUTAGE = timedelta(minutes=10)
"""A file whose attempt could not reach an API or storage."""

TRANSIENT_ROWS = timedelta(hours=1)
"""Rows that an API could not process just now."""

LAST_RESEND = timedelta(hours=1)
"""Deferred rows are sent for the last time when their time ends, but no sweep comes exactly then.
It, and those that follow while the API cannot be reached, may come so much later."""

LAST_LINE = timedelta(minutes=10)
"""An unterminated last line. A client that repeats a broken upload does it within this time."""

_TRIES: Final = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=16),
)

MAX_TRIES: Final = len(_TRIES) + 1
"""After so many attempts in a row that died, or ran out of time before they saved anything, the
file is at fault. A bad deployment or an outage of an hour needs fewer."""


def wait_after_try(tries: int) -> timedelta:
    """Return how long a file waits after this many such attempts, from 1."""
    return _TRIES[min(tries, len(_TRIES)) - 1]


ADJUSTMENT = timedelta(hours=24)
"""An adjustment whose conversion Google does not find yet. Afterwards every conversion can be
adjusted."""

LONGEST_WAIT = timedelta(days=14)
"""An adjustment of a conversion of its own file, and a sale whose newest value Google does not have
yet. All conversions are answered by then: after three days of resends, Google is asked for another
seven what became of them. A sale waits so long only in an outage."""
