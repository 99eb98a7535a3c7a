"""The time of the sandbox: the real time, and what tests have added to it.

The offset is in a file, because the function runs in other processes: the environment variable
`SANDBOX_CLOCK` names the file. The function does not read it; `sandbox.timed_function`, which
runs it, does. The times of objects and events are of this clock too. Tokens and waits keep to the
real time.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

VARIABLE = "SANDBOX_CLOCK"
_UNMOVED = datetime.min.replace(tzinfo=UTC), timedelta(0)


class Clock:
    """Tells the time of the sandbox. `advance` moves it forward, also for the function."""

    def __init__(self) -> None:
        self._steps = [_UNMOVED]
        self._path: Path | None = None
        # A delivery that runs in another thread may let time pass, too.
        self._lock = threading.Lock()

    def publish(self, path: Path) -> None:
        """Let other processes read the offset in this file."""
        with self._lock:
            self._path = path
            self._write()

    def now(self) -> datetime:
        return self.moved(datetime.now(UTC))

    def moved(self, real: datetime) -> datetime:
        """What this clock told at a real time."""
        return real + next(offset for since, offset in reversed(self._steps) if since <= real)

    def advance(self, hours: float) -> datetime:
        """Let this many hours pass, for Google and for the function. Returns the new time."""
        with self._lock:
            offset = self._steps[-1][1] + timedelta(hours=hours)
            self._steps = [*self._steps, (datetime.now(UTC), offset)]
            self._write()
        return self.now()

    def reset(self) -> None:
        """Return to the real time."""
        with self._lock:
            self._steps = [_UNMOVED]
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        new.write_text(repr(self._steps[-1][1].total_seconds()), encoding="utf-8")
        os.replace(new, self._path)
