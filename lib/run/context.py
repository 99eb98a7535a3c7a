"""Everything that a run uses from outside. `main` provides the real parts, tests their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lib.config.profile import Profile
from lib.config.settings import Settings
from lib.destinations.base import Destination
from lib.model.deadline import Deadline, Shutdown
from lib.model.log import Log
from lib.source.workbook import ReadSheet
from lib.state.corrections import KnownCorrections
from lib.state.documents import Documents
from lib.state.runs import Runs
from lib.state.store import Store

Connect = Callable[[Profile, Log], Destination[Any]]
"""Connects the destination of a profile. Raises `PermanentError` or `RetryableError`."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Adapters, settings, time and randomness.

    `profiles` returns the profiles document, or raises `PermanentError` or `RetryableError`;
    `profiles_changed_at` returns when it was written, or None if nothing says so. `revision` is
    that of the deployed function. `elapsed_seconds` is `lib.model.deadline.elapsed_seconds`: the
    monotonic or the wall clock, whichever has advanced further. `shutdown` tells whether the
    platform ends this instance, and `corrections` is what the instance has read of them.
    """

    store: Store
    settings: Settings
    profiles: Callable[[], Mapping[str, Any]]
    connect: Connect
    utc_now: Callable[[], datetime]
    elapsed_seconds: Callable[[], float]
    new_token: Callable[[], str]
    log: Log
    read_sheet: ReadSheet
    profiles_changed_at: Callable[[], datetime | None] = lambda: None
    revision: str = ""
    shutdown: Shutdown = field(default_factory=Shutdown)
    corrections: KnownCorrections = field(default_factory=KnownCorrections)

    def deadline(self, limit: float) -> Deadline:
        """Return the deadline of an attempt with this time limit (`elapsed_seconds`)."""
        return Deadline.for_limit(limit, self.settings.deadline_margin_seconds, self.shutdown)

    @property
    def documents(self) -> Documents:
        """The state documents, in the bucket and below the prefix from the settings."""
        return Documents(self.store, self.settings.bucket_of_state, self.settings.state_prefix)

    @property
    def runs(self) -> Runs:
        """The saved runs."""
        return Runs(self.documents)
