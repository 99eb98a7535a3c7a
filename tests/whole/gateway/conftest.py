"""A real SFTP gateway (`rclone serve sftp`) in front of the sandbox's input bucket.

Its clients are OpenSSH's and lftp. A missing program skips the tests, or fails them if
REQUIRE_FILE_CLIENTS is set, as in `.ci/run`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.processes import free_port
from sandbox.up import INPUT_BUCKET, Sandbox

ROOT = Path(__file__).parents[3]
PROGRAMS = ("rclone", "sftp", "scp", "ssh", "ssh-keygen", "lftp")
NOBODY = "anyone@127.0.0.1"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's port, and the commands of its clients."""

    port: int

    @property
    def ssh_options(self) -> list[str]:
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        return [word for option in options for word in ("-o", option)]

    def sftp(self, commands: str, *options: str) -> str:
        """Run OpenSSH's sftp with a batch of commands, and return what it prints."""
        return run(self.sftp_command(*options), commands)

    def sftp_command(self, *options: str) -> list[str]:
        return ["sftp", "-P", str(self.port), *self.ssh_options, *options, "-b", "-", NOBODY]

    def scp(self, *options: str, source: Path, name: str) -> None:
        """Run OpenSSH's scp.

        It truncates the file that it has written. rclone 1.60 cannot do that, so scp reports an
        error (1), although the file has arrived.
        """
        address = f"{NOBODY}:{name}"
        command = ["scp", "-P", str(self.port), *self.ssh_options, *options, str(source), address]
        run(command, statuses=(0, 1))

    def lftp(self, commands: str) -> None:
        """Run lftp with its own commands, separated by semicolons."""
        ssh = " ".join(["ssh", "-a", "-x", *self.ssh_options])
        start = f"set sftp:auto-confirm yes; set sftp:connect-program '{ssh}'"
        server = f"open -p {self.port} sftp://anyone:none@127.0.0.1"
        run(["lftp", "--norc", "-c", f"{start}; {server}; {commands}"])


def run(command: Sequence[str], text: str = "", statuses: Sequence[int] = (0,)) -> str:
    """Run a client to its end, and return what it prints. It must end with one of the statuses."""
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in statuses, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="session")
def _programs() -> None:
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing and os.environ.get("REQUIRE_FILE_CLIENTS"):
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="session")
def google(_programs: None) -> Iterator[Sandbox]:
    """A sandbox with the real function. It is not emptied: every file has a new name."""
    with Sandbox(source=ROOT, env={"LEASE_SECONDS": "60"}, instances=2) as running:
        running.delivery.set(backoff_seconds=0.05, max_backoff_seconds=0.5)
        yield running


@pytest.fixture(scope="session")
def gateway(google: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that writes a file to the bucket while it arrives."""
    with serving(google, tmp_path_factory.mktemp("streaming")) as found:
        yield found


@pytest.fixture(scope="session")
def caching_gateway(google: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that writes a file to the bucket after it has arrived."""
    caching = ("--vfs-cache-mode", "writes", "--vfs-write-back", "50ms")
    with serving(google, tmp_path_factory.mktemp("caching"), *caching) as found:
        yield found


@contextmanager
def serving(google: Sandbox, folder: Path, *options: str) -> Iterator[Gateway]:
    """Run `rclone serve sftp` without authentication, on the input bucket."""
    key = folder / "host_key"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
    port = free_port()
    env = {
        **os.environ,
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CACHE_DIR": str(folder),
        "RCLONE_GCS_ENDPOINT": f"{google.storage.quiet_url}/storage/v1/",
        "RCLONE_GCS_ANONYMOUS": "true",
        "RCLONE_GCS_BUCKET_POLICY_ONLY": "true",
    }
    serve = ["rclone", "serve", "sftp", f":gcs:{INPUT_BUCKET}", "--no-auth", *options]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*serve, "--addr", f"127.0.0.1:{port}", "--key", str(key)],
            env=env,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(port, folder / "log")
        yield Gateway(port)
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(log.read_text(errors="replace"))
