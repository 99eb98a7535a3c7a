"""The logging port: the events of a run, each with a severity."""

from __future__ import annotations

from typing import Any, Protocol


class Log(Protocol):
    """Structured log lines. `event` is one of `lib.adapters.logging.EVENTS`. Fields never contain
    a value of a row."""

    def bind(self, **fields: Any) -> Log:
        """Return the same log with more fields on every line."""
        ...

    def info(self, event: str, **fields: Any) -> None:
        """Log an expected event."""
        ...

    def warning(self, event: str, **fields: Any) -> None:
        """Log an error that is retried automatically, or what a person should see some day."""
        ...

    def alert(self, event: str, **fields: Any) -> None:
        """Log an error that a person must handle."""
        ...

    def unexpected(self, error: Exception) -> None:
        """Log a software error: its type and location, never its message."""
        ...


class SilentLog:
    """A log that writes nothing, for checks without a run."""

    def bind(self, **fields: Any) -> SilentLog:
        return self

    def info(self, event: str, **fields: Any) -> None:
        pass

    warning = alert = info

    def unexpected(self, error: Exception) -> None:
        pass
