"""When an attempt must end: at its time limit, or sooner if the platform ends the instance.

├─ requests start ───────────┤ no request starts; those in ├ outcomes are saved, ┤
│                            │ flight may be answered      │ the attempt ends    │
                        last_start                    last_answer        time limit (or SIGKILL)
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

SHUTDOWN_ANSWER_SECONDS = 5.0
"""How long requests in flight may take after the platform has announced the end of an instance. It
kills the instance 10 seconds after SIGTERM
(https://cloud.google.com/run/docs/container-contract#instance-shutdown)."""

SAVE_SECONDS = 8.0
"""The last answer may arrive this long before the time limit, so that it can be saved. (At most a
quarter of the margin.)"""


_WALL_CLOCK_AHEAD = time.time() - time.monotonic()


def elapsed_seconds() -> float:
    """Return the time by the clock that has advanced further, the monotonic or the wall clock.

    The monotonic clock of a process that was frozen may have stood still meanwhile, and the wall
    clock can be set back.
    """
    return max(time.monotonic(), time.time() - _WALL_CLOCK_AHEAD)


class Shutdown:
    """Whether the platform ends this instance, and since when (`elapsed_seconds`)."""

    def __init__(self) -> None:
        self.at = math.inf
        """When the platform has announced the end; infinity: it has not."""

    def begin(self, now: float) -> None:
        """Record that the platform has announced the end. Later calls change nothing."""
        self.at = min(self.at, now)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of an attempt: requests start until `starts_until`, and are answered until
    `answers_until` (both in `elapsed_seconds`), unless `shutdown` brings it forward."""

    starts_until: float
    answers_until: float
    shutdown: Shutdown = field(default_factory=Shutdown)

    @classmethod
    def for_limit(cls, limit: float, margin_seconds: float, shutdown: Shutdown) -> Deadline:
        """Return the deadline of an attempt that must end at `limit`. Requests stop this margin
        before."""
        save_seconds = min(SAVE_SECONDS, margin_seconds / 4)
        return cls(limit - margin_seconds, limit - save_seconds, shutdown)

    @property
    def last_start(self) -> float:
        """Until when a request may start."""
        return min(self.starts_until, self.shutdown.at)

    @property
    def last_answer(self) -> float:
        """Until when a request in flight may be answered."""
        return min(self.answers_until, self.shutdown.at + SHUTDOWN_ANSWER_SECONDS)

    @property
    def code(self) -> str:
        """Why nothing more starts after `last_start`."""
        return "SHUTDOWN" if self.shutdown.at < self.starts_until else "DEADLINE"
