"""Child processes that cannot outlive the sandbox, however it ends.

Each child leads its own process group (gunicorn forks workers, so a pid is not enough). A guardian,
a small shell script, reads the live groups from a pipe. The pipe closes when the sandbox ends in
any way, `kill -9` included. Then the guardian kills the remaining groups and removes the sandbox's
temporary directory. PR_SET_PDEATHSIG is not an alternative: it exists only on Linux, workers do not
inherit it, and it fires when the *thread* that started the child ends.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_FIRST_PORT = 10_000
_PORTS_OF_A_PROCESS = 60
_SETS_OF_PORTS = 370
_turns = itertools.count()

_GUARDIAN = """
trap '' INT TERM HUP
while read -r line; do groups=$line; done
for group in $groups; do kill -9 "-$group" 2>/dev/null; done
if [ -n "$1" ]; then rm -rf -- "$1"; fi
"""


def free_port() -> int:
    """A free TCP port for a child that takes seconds to listen. Raises RuntimeError without one.

    The system does not give these ports to connections or to servers that leave the choice to it:
    on Linux, its own begin at 32768. Each process chooses from ports of its own, in turn. So nobody
    takes the port first, also while many sandboxes start at a time.
    """
    first = _FIRST_PORT + os.getpid() % _SETS_OF_PORTS * _PORTS_OF_A_PROCESS
    for _ in range(_PORTS_OF_A_PROCESS):
        port = first + next(_turns) % _PORTS_OF_A_PROCESS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port from {first} on")


class Processes:
    """Starts and ends the sandbox's children."""

    def __init__(self, remove_at_end: Path | None = None) -> None:
        """`remove_at_end`: a directory to remove when the sandbox ends, in any way."""
        self._lock = threading.Lock()
        self._children: list[subprocess.Popen[bytes]] = []
        self._guardian = subprocess.Popen(
            ["/bin/sh", "-c", _GUARDIAN, "sandbox-guardian", str(remove_at_end or "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start(
        self,
        command: Sequence[str],
        *,
        output: IO[bytes],
        env: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts `command` in its own process group; stdout and stderr go to `output`."""
        with self._lock:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                cwd=directory,
                start_new_session=True,
            )
            self._children.append(child)
            self._tell_guardian()
        return child

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """Sends SIGKILL to the whole group of `child`; returns when `child` has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        with self._lock:
            if child in self._children:
                self._children.remove(child)
                self._tell_guardian()

    def close(self) -> None:
        """Ends every child, then the guardian."""
        for child in list(self._children):
            self.kill(child)
        if self._guardian.stdin is not None:
            self._guardian.stdin.close()
        self._guardian.wait()

    def _tell_guardian(self) -> None:
        line = " ".join(str(child.pid) for child in self._children)
        if self._guardian.stdin is not None:
            self._guardian.stdin.write(f"{line}\n".encode())
            self._guardian.stdin.flush()
