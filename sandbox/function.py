"""The function, run with the `functions-framework` command as in production.

An instance consists of the framework's process and the gunicorn worker that it forks. The function
runs in the worker. `kill` sends SIGKILL to the worker, so everything in its memory is lost.
gunicorn forks a new worker at once, faster than the whole instance could restart. If the first
process of an instance dies, the instance is restarted, as on the platform.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.processes import Processes, free_port

_CHECK_SECONDS = 0.05
_START_SECONDS = 300.0  # on a busy machine, everything may take ten times as long
_TERMINATION_SECONDS = 10.0  # cloud.google.com/run/docs/container-contract#instance-shutdown
_THREADS = "16"  # the most requests that a test sends to one instance at a time


class FunctionDidNotStart(RuntimeError):
    """The function does not respond; the message contains the end of its log."""


@dataclass(frozen=True, slots=True)
class Target:
    """An entry point of main.py, with the signature type of functions-framework."""

    name: str
    signature: Literal["cloudevent", "http"]


INGEST = Target("ingest", "cloudevent")
SWEEP = Target("sweep", "http")


class Instance:
    """One running instance of a target. Its port changes only after `Function.terminate`."""

    def __init__(self, target: Target, start: Callable[[Target, int], subprocess.Popen[bytes]]):
        self._start = start
        self.target = target
        self.process: subprocess.Popen[bytes]
        self.replace()

    def answers(self) -> bool:
        """Whether the function is loaded and listens. Does not call it: robots.txt returns 404."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/robots.txt")
            return connection.getresponse().status in {404, 405}
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The IDs of the processes in which the function runs."""
        return children_of(self.process.pid) or [self.process.pid]

    def restart_if_dead(self) -> bool:
        if self.process.poll() is None:
            return False
        self.process = self._start(self.target, self.port)
        return True

    def replace(self) -> None:
        """Start a process at another port, because an old one may keep its port for a while."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self._start(self.target, self.port)


class Function:
    """`instances` of the ingest function and one of the sweep; all write to `log`."""

    def __init__(
        self,
        processes: Processes,
        *,
        directory: Path,
        env: Mapping[str, str],
        log: Path,
        instances: int,
        memory_group: Path | None,
        env_of_last: Mapping[str, str],
    ) -> None:
        """Starts `instances` and waits until they respond. Raises FunctionDidNotStart.

        memory_group: the cgroup in which the instances of `INGEST` run, all together.
        env_of_last: additions to the environment of the last instance of `INGEST`.
        """
        if not (directory / "main.py").is_file():
            raise FunctionDidNotStart(f"there is no main.py in {directory}")
        self._processes = processes
        self._directory, self._log, self._memory_group = directory, log, memory_group
        self._env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE_", "GRPC_"))},
            "PYTHONUNBUFFERED": "1",
            "THREADS": _THREADS,
            **env,
        }
        log.touch()
        self.instances = [
            Instance(INGEST, functools.partial(self._start, env_of_last if is_last else {}))
            for is_last in [False] * (instances - 1) + [True]
        ]
        self._sweeper: Instance | None = None
        self._first_sweep = threading.Lock()
        self._closed = threading.Event()
        self._restarting = threading.Lock()
        for instance in self.all():
            self._wait_for(instance)
        threading.Thread(target=self._keep_alive, name="keep-alive", daemon=True).start()

    @property
    def sweeper(self) -> Instance:
        """The instance of the sweep. It starts when it is first needed: most tests never sweep."""
        with self._first_sweep:
            if self._sweeper is None:
                instance = Instance(SWEEP, functools.partial(self._start, {}))
                self._wait_for(instance)
                self._sweeper = instance
            return self._sweeper

    def all(self) -> list[Instance]:
        """The instances that run."""
        return [*self.instances, *([self._sweeper] if self._sweeper else [])]

    def kill(self, instances: Sequence[Instance] | None = None) -> list[int]:
        """Sends SIGKILL to the workers of `instances` (default: all); returns their process IDs."""
        killed = []
        for instance in self.all() if instances is None else instances:
            for pid in instance.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
        return killed

    def terminate(self, instances: Sequence[Instance] | None = None) -> list[int]:
        """Ends `instances` (default: all) as Cloud Run does; returns the process IDs.

        They get SIGTERM, and SIGKILL 10 seconds later. New processes take their places at once.
        """
        terminated = []
        for instance in self.all() if instances is None else instances:
            with self._restarting:
                ending = instance.process
                os.kill(ending.pid, signal.SIGTERM)
                instance.replace()
            terminated.append(ending.pid)
            timer = threading.Timer(_TERMINATION_SECONDS, self._processes.kill, (ending,))
            timer.daemon = True
            timer.start()
        return terminated

    def output(self) -> str:
        """Everything that all instances wrote to stdout and stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        with self._restarting:
            self._closed.set()
        for instance in self.all():
            self._processes.kill(instance.process)

    def _start(
        self, extra: Mapping[str, str], target: Target, port: int
    ) -> subprocess.Popen[bytes]:
        command = [
            *(_in_group(self._memory_group) if target == INGEST else ()),
            *(str(Path(sys.executable).parent / "functions-framework"), "--source"),
            str(Path(__file__).parent / "timed_function.py"),
            *("--target", target.name, "--signature-type", target.signature),
            *("--host", "127.0.0.1", "--port", str(port)),
        ]
        # gunicorn puts a control socket here. Instances must not share it or put it in the home.
        runtime = self._log.parent / f"run-{port}"
        runtime.mkdir(exist_ok=True)
        env = {**self._env, **extra, "XDG_RUNTIME_DIR": str(runtime)}
        env["SANDBOX_SOURCE"] = str(self._directory)
        with self._log.open("ab") as output:
            return self._processes.start(command, output=output, env=env, directory=self._directory)

    def _wait_for(self, instance: Instance) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not instance.answers():
            if instance.process.poll() is not None or time.monotonic() > deadline:
                end = self.output()[-3000:]
                self.close()
                raise FunctionDidNotStart(f"{instance.target.name} did not start:\n{end}")
            time.sleep(_CHECK_SECONDS)

    def _keep_alive(self) -> None:
        while not self._closed.wait(_CHECK_SECONDS):
            for instance in self.all():
                with self._restarting:
                    if not self._closed.is_set():
                        instance.restart_if_dead()


def _in_group(group: Path | None) -> tuple[str, ...]:
    """What begins a command whose process, and all that it forks, belong to a cgroup."""
    if group is None:
        return ()
    return "/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")


def children_of(pid: int) -> list[int]:
    """Direct children of a process: from /proc on Linux, otherwise from `pgrep`."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    with contextlib.suppress(OSError):
        return [int(child) for child in listing.read_text().split()]
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]
