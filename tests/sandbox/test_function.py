"""The function under functions-framework: started, killed and restarted."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.function import FunctionDidNotStart
from sandbox.processes import free_port
from sandbox.up import Sandbox
from tests.sandbox.conftest import STAND_IN


def _until(condition):
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_an_instance_that_dies_whole_is_started_again(sandbox):
    """The platform does the same. The URL does not change."""
    instance = sandbox.function.instances[0]
    before = instance.process.pid
    os.killpg(before, signal.SIGKILL)
    _until(lambda: instance.process.pid != before and instance.answers())
    name, generation = sandbox.drop(b"a\n1\n", "after.csv")
    assert sandbox.results(name, generation)["counts"]["rows"] == 1


def test_two_instances_work_at_once_and_two_sandboxes_side_by_side(sandbox, tmp_path):
    """Events are spread over the instances, each a process; sandboxes share nothing.

    The last instance can have settings of its own, and both can belong to a cgroup.
    """
    with Sandbox(
        source=STAND_IN,
        instances=2,
        env_of_last={"VERSION": "newer"},
        memory_group=tmp_path,
        directory=tmp_path,
    ) as other:
        pids = [each.process.pid for each in other.function.instances]
        assert int((tmp_path / "cgroup.procs").read_text()) in pids
        if sys.platform == "linux":
            settings = [Path(f"/proc/{pid}/environ").read_bytes() for pid in pids]
            assert [b"VERSION=newer" in each for each in settings] == [False, True]
        other.delivery.set(paused=True)  # so both events are due at once
        for number in range(2):
            other.drop(b"a\n1\n", f"{number}.csv")
        other.delivery.set(paused=False)
        assert other.delivery.wait_until_idle()
        attempts = [one.attempts[0] for one in other.delivery.records()]
        assert {attempt.instance for attempt in attempts} == {0, 1}
    assert sandbox.delivery.records() == []
    assert (tmp_path / "function.log").exists()


def test_nobody_takes_the_port_of_a_child_that_starts():
    """A process chooses each port once in a while, and none that the system gives to anybody."""
    ports = [free_port() for _ in range(30)]
    assert len(set(ports)) == 30
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(limits.read_text().split()[0]) if limits.exists() else 49152
    assert max(ports) < max(first, 32768)
    with socket.create_server(("127.0.0.1", free_port())) as server:
        taken = server.getsockname()[1]
        assert taken not in [free_port() for _ in range(120)]


def test_a_function_that_cannot_start_says_why(tmp_path):
    """The message contains the end of its output, and nothing keeps running."""
    (tmp_path / "main.py").write_text("raise RuntimeError('no settings')\n")
    with pytest.raises(FunctionDidNotStart, match="no settings"):
        Sandbox(source=tmp_path).start()


def test_a_directory_without_a_function_is_refused(tmp_path):
    """The message names the directory."""
    with pytest.raises(FunctionDidNotStart, match=r"no main\.py in"):
        Sandbox(source=tmp_path).start()


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def test_nothing_outlives_a_sandbox_that_was_killed():
    """After `kill -9` of the sandbox itself, no process and no temporary directory remain."""
    code = (
        "import json, time\n"
        "from sandbox.up import Sandbox\n"
        f"s = Sandbox(source={str(STAND_IN)!r}).start()\n"
        "pids = [i.process.pid for i in s.function.all()] + [s.storage._binary.pid]\n"
        "pids += [w for i in s.function.all() for w in i.workers()]\n"
        "print(json.dumps([pids, str(s.directory)]), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        pids, directory = json.loads(process.stdout.readline())
        assert all(_alive(pid) for pid in pids)
        process.kill()
    _until(lambda: not any(_alive(pid) for pid in pids) and not Path(directory).exists())
