"""The platform's announcement that it ends this instance: SIGTERM, ten seconds before SIGKILL.

functions-framework runs the function in a gunicorn worker. The worker is forked after `main` was
imported, and it then installs its own signal handlers, so `main` cannot install one. Requests run
in threads, where `signal.signal` is not allowed. Therefore each forked worker blocks SIGTERM in all
of its threads and one thread waits for it; the signal is then sent again for gunicorn, which lets
requests in progress finish.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable


def on_termination(begin: Callable[[], None]) -> None:
    """Call `begin` in each forked process, in a separate thread, when it gets SIGTERM."""

    def watch() -> None:
        signal.sigwait({signal.SIGTERM})
        begin()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)

    def in_child() -> None:
        # Threads inherit the mask of the thread that starts them, and now there is only this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=watch, name="termination", daemon=True).start()

    os.register_at_fork(after_in_child=in_child)
