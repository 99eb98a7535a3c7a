"""Everything a run needs of the world. `main` wires it; tests wire their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.adapters.logging import Log
from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import Destination
from lib.state.ledger import Ledger
from lib.state.pending_runs import PendingRuns
from lib.state.store import Store

RenewProcessing = Callable[
    [Sequence[str], Mapping[str, Any] | None, datetime, float, Log], Mapping[str, Any]
]
"""(newest request ids, the `processing` part so far, now, deadline, log) → that part, renewed."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Adapters, settings, time and randomness.

    `profiles` gives the profiles document, `destination` a connected API for a profile (both may
    raise `PermanentError` or `RetryableError`), `announce` tells whoever subscribed of a finished file.
    """

    store: Store
    settings: Settings
    profiles: Callable[[], Mapping[str, Any]]
    destination: Callable[[Profile, Log], Destination[Any]]
    utc_now: Callable[[], datetime]
    monotonic: Callable[[], float]
    renew_processing: RenewProcessing
    new_token: Callable[[], str]
    log: Log
    announce: Callable[[Mapping[str, Any]], None] = lambda message: None

    @property
    def ledger(self) -> Ledger:
        """The ledger where the settings put it."""
        settings = self.settings
        return Ledger(
            self.store, settings.ledger_bucket, settings.state_prefix, settings.lease_seconds
        )

    @property
    def pending_runs(self) -> PendingRuns:
        """The runs that the sweep must look at again, beside the ledger."""
        return PendingRuns(self.store, self.settings.ledger_bucket, self.settings.state_prefix)
