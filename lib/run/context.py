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
from lib.rules.row_rules import RULES_VERSION
from lib.run.run_account import ConnectLookup
from lib.source.workbook import ReadSheet
from lib.state.claims import Claims, Lease
from lib.state.concerns import KnownConcerns
from lib.state.documents import Documents
from lib.state.generations import Generations
from lib.state.ledger import Ledger
from lib.state.newer_values import NewerValues
from lib.state.output import StoredResults
from lib.state.pending_runs import PendingRuns
from lib.state.run import Run
from lib.state.store import Store

Connect = Callable[[Profile, Log], Destination[Any]]
"""Connects the destination of a profile. Raises `PermanentError` or `RetryableError`."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Adapters, settings, time and randomness.

    `profiles` returns the profiles document, or raises `PermanentError` or `RetryableError`.
    `shutdown` tells whether the platform ends
    this instance. `unreleased` are the attempts of this instance that ended for a reason outside of
    the file, but could not write it into the claim. `look_up` connects what looks up accounts.
    """

    store: Store
    settings: Settings
    profiles: Callable[[], Mapping[str, Any]]
    connect: Connect
    utc_now: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_token: Callable[[], str]
    log: Log
    read_sheet: ReadSheet
    shutdown: Shutdown = field(default_factory=Shutdown)
    unreleased: set[str] = field(default_factory=set)
    look_up: ConnectLookup | None = None

    def deadline(self, limit: float) -> Deadline:
        """Return the deadline of an attempt with this time limit (monotonic seconds)."""
        return Deadline.before(limit, self.settings.deadline_margin_seconds, self.shutdown)

    def lease(self, run: Run) -> Lease:
        """Return the lease of a run that was just claimed."""
        seconds = self.settings.lease_seconds
        return Lease(self.claims, run, seconds, self.utc_now, self._must_release, self.log)

    def _must_release(self) -> bool:
        return self.shutdown.must_release(self.monotonic())

    @property
    def documents(self) -> Documents:
        """The state documents, in the bucket and below the prefix from the settings."""
        bucket, prefix = self.settings.ledger_bucket, self.settings.state_prefix
        return Documents(self.store, bucket, prefix, RULES_VERSION)

    @property
    def claims(self) -> Claims:
        """Which attempt works on a run."""
        return Claims(self.documents, self.settings.lease_seconds, self.unreleased)

    @property
    def generations(self) -> Generations:
        """How a run is claimed, and which generation of an object sends the rows."""
        return Generations(self.store, self.claims, self.pending_runs, self.output)

    @property
    def ledger(self) -> Ledger:
        """The chunk markers."""
        return Ledger(self.documents)

    @property
    def pending_runs(self) -> PendingRuns:
        """The runs that the sweep revisits."""
        return PendingRuns(self.documents)

    @property
    def newer_values(self) -> NewerValues:
        """The orders that got a newer value recently."""
        return NewerValues(self.documents)

    @property
    def lookup(self) -> ConnectLookup | None:
        """How accounts are looked up, if anything does."""
        return self.look_up if self.settings.look_up_accounts else None

    @property
    def known_concerns(self) -> KnownConcerns:
        """What people have been told, and since when files arrive."""
        return KnownConcerns(self.documents)

    @property
    def output(self) -> StoredResults:
        """The results of all runs."""
        return StoredResults(self.store, self.settings.output_bucket)
