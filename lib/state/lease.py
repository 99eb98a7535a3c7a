"""A lease that is kept while a run works, and noticed when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

from lib.errors import LeaseLost, RetryableError
from lib.state.ledger import Ledger
from lib.state.run import Run


class Lease:
    """Renews a run's lease every third of its length, in a thread of its own.

    A thread, because one slow answer of an API may take longer than the lease; if the platform
    freezes the process, the thread freezes with it, and the lease runs out as it should.
    """

    def __init__(
        self, ledger: Ledger, run: Run, lease_seconds: float, clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._interval = lease_seconds / 3
        self._clock = clock
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
        """Raise `LeaseLost` if another attempt has taken the run over.

        A lease that ran out (the process was frozen, storage was out of reach) is renewed before
        the run goes on: that write fails if somebody has taken over.
        """
        if self._lost:
            raise LeaseLost()
        if self._clock() >= self._run.expires:
            self.update(lambda run: self._ledger.renew(run, self._clock()))

    def update(self, change: Callable[[Run], Run]) -> Run:
        """Change the claim (finish it, say) without getting between a renewal."""
        with self._lock:
            self._run = change(self._run)
            return self._run

    @property
    def run(self) -> Run:
        """The claim as last written."""
        return self._run

    def _keep(self) -> None:
        while not self._done.wait(self._interval):
            try:
                self.update(lambda run: self._ledger.renew(run, self._clock()))
            except LeaseLost:
                self._lost = True
                return
            except RetryableError:
                # Storage is out of reach; the next round tries again, or the lease runs out.
                continue
