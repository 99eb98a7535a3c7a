"""Keeps the lease of a run while it is processed, and detects when the lease is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

from lib.errors import LeaseLost, RetryableError
from lib.state.ledger import Ledger
from lib.state.run import Run

_CHECK_SECONDS = 0.5


class Lease:
    """Renews a run's lease every third of its length, in a separate thread.

    It needs a thread because one slow answer of an API can take longer than the lease. If the
    platform freezes the process, the thread freezes too, and the lease expires as it should.

    As soon as `is_ending` returns true, the thread gives the lease back, whatever the run waits
    for: the platform is about to kill the process, and the next delivery must not wait.
    """

    def __init__(
        self,
        ledger: Ledger,
        run: Run,
        lease_seconds: float,
        clock: Callable[[], datetime],
        is_ending: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._interval = lease_seconds / 3
        self._clock = clock
        self._is_ending = is_ending
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def check(self) -> None:
        """Raise `LeaseLost` if another attempt has taken over the run.

        A lease that has expired (the process was frozen, or storage could not be reached) is
        renewed before the run continues. This write fails if another attempt has taken over.
        """
        if self._lost:
            raise LeaseLost()
        if self._clock() >= self._run.expires:
            self.update(lambda run: self._ledger.renew(run, self._clock()))

    def update(self, change: Callable[[Run], Run]) -> Run:
        """Change the claim, for example to finish the run, without colliding with a renewal."""
        with self._lock:
            self._run = change(self._run)
            return self._run

    @property
    def run(self) -> Run:
        """The claim as it was last written."""
        return self._run

    def _keep(self) -> None:
        step = min(self._interval, _CHECK_SECONDS)
        since_renewal = 0.0
        while not self._done.wait(step):
            since_renewal += step
            try:
                if self._is_ending():
                    self.update(lambda run: self._ledger.release(run, self._clock(), "SHUTDOWN"))
                    raise LeaseLost()
                if since_renewal >= self._interval:
                    since_renewal = 0.0
                    self.update(lambda run: self._ledger.renew(run, self._clock()))
            except LeaseLost:
                self._lost = True
                return
            except RetryableError:
                # Storage cannot be reached: the next round tries again, or the lease expires.
                continue
