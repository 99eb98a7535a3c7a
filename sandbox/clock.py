"""The time of the sandbox: the real time, and what tests have added to it.

The offset is in a file, because the function runs in other processes: the environment variable
`SANDBOX_CLOCK` names the file. The function does not read it; `sandbox.timed_function`, which
runs it, does. Answers of storage have this time, too. Tokens and waits keep to the real time.
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

VARIABLE = "SANDBOX_CLOCK"


class Clock:
    """Tells the time of the sandbox. `advance` moves it forward, also for the function."""

    def __init__(self) -> None:
        self._offset = timedelta(0)
        self._path: Path | None = None
        # A delivery that runs in another thread may let time pass, too.
        self._lock = threading.Lock()

    def publish(self, path: Path) -> None:
        """Let other processes read the offset in this file."""
        with self._lock:
            self._path = path
            self._write()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, hours: float) -> None:
        """Let this many hours pass, for Google and for the function."""
        with self._lock:
            self._offset += timedelta(hours=hours)
            self._write()

    def reset(self) -> None:
        """Return to the real time."""
        with self._lock:
            self._offset = timedelta(0)
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        new.write_text(repr(self._offset.total_seconds()), encoding="utf-8")
        os.replace(new, self._path)
