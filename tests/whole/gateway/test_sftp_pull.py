"""The script that copies files from an SFTP server, against OpenSSH's server and a real storage.

Whatever happens at the server or to the script: every file arrives, and none twice without need.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from google.cloud import storage

from lib.config.settings import Settings
from sandbox.processes import Processes, free_port
from sandbox.storage import Storage
from sandbox.storage_proxy import Hooks
from tests.whole.gateway.conftest import ROOT, _wait_for, run

SCRIPT = ROOT / "terraform" / "sftp_pull.sh"
# Where Debian and macOS install the server, which is not in everybody's PATH.
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
HOUR = 3600.0
# An rclone that does something before a command, or kills the job after it.
RCLONE = """#!/bin/sh
if [ "$1" = "$BEFORE" ]; then eval "$HOOK"; fi
"$RCLONE_PROGRAM" "$@" || exit
if [ "$1" = "$KILL_AFTER" ]; then kill -9 0; fi
"""


@dataclass(slots=True)
class Vendor:
    """An SFTP server with a folder of exports, and the job that copies from it."""

    folder: Path
    env: dict[str, str]
    storage: Storage
    said: str = ""
    versions: list[str] = field(default_factory=list)

    def write(self, name: str, content: str, age: float = HOUR) -> Path:
        """Write a file as the vendor does, `age` seconds ago."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        then = time.time() - age
        os.utime(path, (then, then))
        return path

    def start(self, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", str(SCRIPT)],
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def pull(self, **env: str) -> int:
        """Run the job once. Return its exit code."""
        job = self.start(**env)
        self.said = job.communicate(timeout=60)[0]
        return job.returncode

    def arrived(self) -> dict[str, str]:
        """The content of each object that the input bucket got since it was last asked.

        The name has a number: each generation is one object.
        """
        blobs = self.bucket.list_blobs(versions=True)
        new = [blob for blob in blobs if f"{blob.name}#{blob.generation}" not in self.versions]
        self.versions += [f"{blob.name}#{blob.generation}" for blob in new]
        assert len({blob.name for blob in new}) == len(new)
        return {blob.name: blob.download_as_text() for blob in new}

    @property
    def bucket(self) -> storage.Bucket:
        return self.storage.client().bucket(self.env["INPUT_BUCKET"])

    def remaining(self) -> list[str]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.folder)) for path in files)


@pytest.fixture(scope="session")
def pulled_storage(_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A storage without a function."""
    log = tmp_path_factory.mktemp("storage") / "log"
    processes = Processes()
    running = Storage(processes, Hooks(), log)
    yield running
    running.close()
    processes.close()


@pytest.fixture(scope="session")
def server(_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An sshd that allows only SFTP with one key. Yields how the job reaches it."""
    if SSHD is None and os.environ.get("REQUIRE_FILE_CLIENTS"):
        pytest.fail("not installed: sshd")
    if SSHD is None:
        pytest.skip("not installed: sshd")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "client"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)])
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "client.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "Subsystem": "sftp internal-sftp",
        "ForceCommand": f"internal-sftp -d {folder}",
    }
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "config")], stdout=log, stderr=log
        )
    try:
        _wait_for(port, folder / "log")
        public = (folder / "host.pub").read_text(encoding="utf-8").rsplit(" ", 1)[0]
        yield {
            "KNOWN_HOSTS": f"[127.0.0.1]:{port} {public}",
            "RCLONE_CONFIG_VENDOR_HOST": "127.0.0.1",
            "RCLONE_CONFIG_VENDOR_PORT": str(port),
            "RCLONE_CONFIG_VENDOR_USER": getpass.getuser(),
            "RCLONE_CONFIG_VENDOR_KEY_FILE": str(folder / "client"),
            "LOGIN_FOLDER": str(folder),
        }
    finally:
        running.kill()
        running.wait()


@pytest.fixture
def vendor(server: dict[str, str], pulled_storage: Storage, tmp_path: Path) -> Vendor:
    """An empty folder at the server, and empty buckets."""
    folder = tmp_path / "exports"
    folder.mkdir()
    bucket = f"pulled-{uuid.uuid4().hex}"
    pulled_storage.create_bucket(bucket, versioned=True)
    pulled_storage.create_bucket(f"{bucket}-sftp")
    program = tmp_path / "bin" / "rclone"
    program.parent.mkdir()
    program.write_text(RCLONE, encoding="utf-8")
    program.chmod(0o755)
    env = server | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "RCLONE_PROGRAM": str(shutil.which("rclone")),
        "BEFORE": "",
        "KILL_AFTER": "",
        "HOME": str(tmp_path),
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_VENDOR_TYPE": "sftp",
        "RCLONE_CONFIG_VENDOR_SHELL_TYPE": "none",
        "RCLONE_CONFIG_VENDOR_KNOWN_HOSTS_FILE": str(tmp_path / "known_hosts"),
        "RCLONE_CONFIG_INPUT_TYPE": "google cloud storage",
        "RCLONE_CONFIG_INPUT_ENDPOINT": f"{pulled_storage.quiet_url}/storage/v1/",
        "RCLONE_CONFIG_INPUT_ANONYMOUS": "true",
        "RCLONE_CONFIG_INPUT_BUCKET_POLICY_ONLY": "true",
        "RCLONE_CONFIG_INPUT_NO_CHECK_BUCKET": "true",
        "RCLONE_LOW_LEVEL_RETRIES": "1",
        "RCLONE_RETRIES": "1",
        "VENDOR_PATH": str(folder),
        "INPUT_BUCKET": bucket,
        "TAKEN_BUCKET": f"{bucket}-sftp",
        "FOLDER": "stores",
        "DONE_FOLDER": "",
        "SINCE": "",
        "MIN_AGE_MINUTES": "5",
        "SETTLE_SECONDS": "0",
    }
    return Vendor(folder, env, pulled_storage)


def test_new_files_are_copied_once(vendor: Vendor) -> None:
    """Each file arrives once, in the folder of its profile; a replaced file arrives again."""
    vendor.write("monday.csv", "gclid\na\n")
    vendor.write("a b/it's; 100%.csv", "gclid\nb\n")
    assert vendor.pull() == 0, vendor.said
    assert vendor.arrived() == {
        "stores/monday.csv": "gclid\na\n",
        "stores/a b/it's; 100%.csv": "gclid\nb\n",
    }
    assert vendor.pull() == 0
    assert vendor.arrived() == {}
    vendor.write("monday.csv", "gclid\nc\n", age=HOUR / 2)
    assert vendor.pull() == 0
    assert vendor.arrived() == {"stores/monday.csv": "gclid\nc\n"}
    # Retention deletes the copies, and the server keeps its files.
    for blob in vendor.bucket.list_blobs():
        blob.delete()
    assert vendor.pull() == 0
    assert vendor.arrived() == {}
    assert vendor.remaining() == ["a b/it's; 100%.csv", "monday.csv"]


def test_the_first_run_takes_everything_unless_a_day_is_given(vendor: Vendor) -> None:
    """Files from before `since` stay where they are, also those in the done folder."""
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 24 * HOUR))
    vendor.env["DONE_FOLDER"] = "done"
    vendor.write("new.csv", "gclid\na\n")
    vendor.write("old.csv", "gclid\nb\n", age=60 * HOUR)
    vendor.write("done/older.csv", "gclid\nc\n", age=90 * HOUR)
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 24 * HOUR))
    assert vendor.pull(SINCE=tomorrow) == 0, vendor.said
    assert vendor.arrived() == {}
    assert vendor.pull(SINCE=yesterday) == 0, vendor.said
    assert vendor.arrived() == {"stores/new.csv": "gclid\na\n"}
    assert vendor.remaining() == ["done/new.csv", "done/older.csv", "old.csv"]
    assert vendor.pull() == 0, vendor.said
    assert vendor.arrived() == {"stores/old.csv": "gclid\nb\n", "stores/older.csv": "gclid\nc\n"}


def test_a_file_that_is_still_written_waits(vendor: Vendor) -> None:
    """A young file, a temporary name, and a file that grows are not copied until they are whole."""
    vendor.write("young.csv", "gclid\n", age=60)
    for suffix in (".tmp", ".part", ".filepart", ".partial", ".crdownload"):
        assert suffix in Settings.model_fields["ignored_suffixes"].default
        vendor.write(f"whole.csv{suffix}", "gclid\n")
    hidden = vendor.write(".hidden.csv", "gclid\n")
    # The clock of the server is wrong, so a file that grows between two listings seems to be old.
    slow = vendor.write("slow.csv", "gclid\n")
    grow = f"echo a >>'{slow}'; touch -r '{hidden}' '{slow}'"
    assert vendor.pull(BEFORE="lsf", HOOK=grow) == 0
    assert vendor.arrived() == {}
    vendor.write("young.csv", "gclid\nb\n")
    assert vendor.pull() == 0
    assert vendor.arrived() == {
        "stores/slow.csv": slow.read_text(encoding="utf-8"),
        "stores/young.csv": "gclid\nb\n",
    }


def test_a_file_that_changes_while_it_is_copied_is_copied_again(vendor: Vendor) -> None:
    """The bucket ends with the last content, although the first copy had no mark."""
    path = vendor.write("a.csv", "gclid\na\n")
    old = vendor.write(".old", "", age=2 * HOUR)
    grow = f"echo b >>'{path}'; touch -r '{old}' '{path}'"
    assert vendor.pull(BEFORE="copyto", HOOK=grow) == 0
    assert "a.csv has changed meanwhile" in vendor.said
    vendor.arrived()
    path.write_text("gclid\na\nb\nc\n", encoding="utf-8")
    os.utime(path, (time.time() - HOUR / 2,) * 2)
    assert vendor.pull() == 0
    assert vendor.arrived() == {"stores/a.csv": "gclid\na\nb\nc\n"}


def test_a_job_that_dies_copies_nothing_twice(vendor: Vendor) -> None:
    """After a crash at each step, the next run goes on with the file: one generation, one move."""
    vendor.env["DONE_FOLDER"] = "done"
    vendor.write("a.csv", "gclid\na\n")
    for step in ("copyto", "touch", "moveto"):
        assert vendor.pull(KILL_AFTER=step) == -signal.SIGKILL
    assert vendor.pull() == 0, vendor.said
    assert vendor.arrived() == {"stores/a.csv": "gclid\na\n"}
    assert vendor.remaining() == ["done/a.csv"]


def test_a_file_that_is_replaced_while_it_is_moved_arrives(vendor: Vendor) -> None:
    """The new file is moved instead of the old one; the next run finds it in the done folder."""
    vendor.env |= {"DONE_FOLDER": "done", "FOLDER": ""}
    path = vendor.write("a.csv", "gclid\na\n")
    new = vendor.write("a.csv.new.tmp", "gclid\nb\n", age=HOUR / 2)
    assert vendor.pull(BEFORE="moveto", HOOK=f"mv '{new}' '{path}'") == 0
    assert vendor.arrived() == {"a.csv": "gclid\na\n"}
    assert vendor.pull() == 0
    assert vendor.arrived() == {"a.csv": "gclid\nb\n"}
    assert vendor.remaining() == ["done/a.csv"]


def test_without_a_path_the_folder_of_the_login_is_read(
    vendor: Vendor, server: dict[str, str]
) -> None:
    """And files are moved inside of it."""
    vendor.folder = Path(server["LOGIN_FOLDER"])
    vendor.env |= {"VENDOR_PATH": "", "DONE_FOLDER": "done"}
    path = vendor.write("a.csv", "gclid\na\n")
    assert vendor.pull() == 0, vendor.said
    assert vendor.arrived()["stores/a.csv"] == "gclid\na\n"
    assert not path.exists()
    assert (vendor.folder / "done" / "a.csv").exists()


def test_one_bad_file_does_not_stop_the_others(vendor: Vendor) -> None:
    """The job ends with an error, which raises an alert, after it has copied the other files."""
    gone = vendor.write("a.csv", "gclid\na\n")
    vendor.write("b.csv", "gclid\nb\n")
    assert vendor.pull(BEFORE="copyto", HOOK=f"rm -f '{gone}'") == 1
    assert vendor.arrived() == {"stores/b.csv": "gclid\nb\n"}
    assert vendor.pull() == 0


def test_a_server_with_another_key_gets_nothing(vendor: Vendor) -> None:
    """The host key is pinned: another one, and a server without a pinned key, are refused."""
    vendor.write("a.csv", "gclid\na\n")
    address, _, key = vendor.env["KNOWN_HOSTS"].partition(" ")
    other = key[:-8] + "AAAAAAAA"
    for known in (f"{address} {other}", "example.com " + key, ""):
        assert vendor.pull(KNOWN_HOSTS=known) == 1
        assert vendor.arrived() == {}


def test_a_connection_that_breaks_leaves_no_part_of_a_file(vendor: Vendor) -> None:
    """The bucket gets no object; the next run copies the whole file."""
    # More than what can be on its way between server and client.
    content = "gclid\n" + 1_600_000 * "abcdefghi\n"
    path = vendor.write("a.csv", content)
    # The process that serves the connection ends as soon as it has opened the file.
    opened = f"find /proc/[0-9]*/fd -lname '{path}' 2>/dev/null | cut -d / -f 3 | grep ."
    hook = f"(until server=$({opened}); do sleep 0.05; done; kill $server) &"
    assert vendor.pull(BEFORE="copyto", HOOK=hook, RCLONE_BWLIMIT="1M") == 1
    assert vendor.arrived() == {}
    assert vendor.pull() == 0
    assert vendor.arrived() == {"stores/a.csv": content}
