"""Everything that a run uses from outside. `main` provides the real parts, tests their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import Destination
from lib.model.log import Log
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRuns
from lib.state.store import Store

Connect = Callable[[Profile, Log], Destination[Any]]
"""Connects the destination of a profile. Raises `PermanentError` or `RetryableError`."""


def _no_announcement(message: Mapping[str, Any]) -> None:
    """Announce nothing."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Adapters, settings, time and randomness.

    `profiles` returns the profiles document, or raises `PermanentError` or `RetryableError`.
    `announce` publishes a message about a finished file.
    """

    store: Store
    settings: Settings
    profiles: Callable[[], Mapping[str, Any]]
    connect: Connect
    utc_now: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_token: Callable[[], str]
    log: Log
    announce: Callable[[Mapping[str, Any]], None] = _no_announcement

    @property
    def ledger(self) -> Ledger:
        """The ledger, in the bucket and below the prefix from the settings."""
        settings = self.settings
        return Ledger(
            self.store, settings.ledger_bucket, settings.state_prefix, settings.lease_seconds
        )

    @property
    def pending_runs(self) -> PendingRuns:
        """The runs that the sweep revisits."""
        return PendingRuns(self.store, self.settings.ledger_bucket, self.settings.state_prefix)
