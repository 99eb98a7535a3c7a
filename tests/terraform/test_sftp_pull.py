"""The script that copies files from an SFTP server, with a fake rclone that knows two folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terraform.conftest import SFTP

HOUR = 3600.0

# What the script uses of rclone: `vendor:` and `input:` are folders. It dies after the command
# that KILL_AFTER names.
RCLONE = f"""#!{sys.executable}
import fnmatch, os, shutil, signal, sys, time
from pathlib import Path

command, *words = sys.argv[1:]
flags = {{}}
places = []
excluded = []
while words:
    word = words.pop(0)
    if word == "--exclude":
        start, brace, suffixes = words.pop(0).partition("{{")
        excluded += [start + suffix for suffix in suffixes.rstrip("}}").split(",")]
    elif word in ("--format", "--separator", "--min-age"):
        flags[word] = words.pop(0)
    elif not word.startswith("--"):
        remote, _, path = word.partition(":")
        places.append(Path(os.environ["FOLDERS"], remote, path))

def version(path):
    return path.stat().st_size, int(path.stat().st_mtime)

def described(path, name):
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(path.stat().st_mtime))
    parts = {{"t": moment, "s": str(path.stat().st_size), "p": name}}
    return ";".join(parts[letter] for letter in flags.get("--format", "p"))

def is_left_out(path, name):
    age = time.time() - path.stat().st_mtime
    return age < 60 * int(flags.get("--min-age", "0m")[:-1]) or any(
        fnmatch.fnmatch(f"/{{name}}" if pattern[0] == "/" else path.name, pattern)
        for pattern in excluded)

if command == "lsf":
    (place,) = places
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    for path in files:
        name = path.name if path == place else str(path.relative_to(place))
        if not is_left_out(path, name):
            print(described(path, name))
elif command == "mkdir":
    places[0].mkdir(parents=True, exist_ok=True)
elif command == "touch":
    places[0].parent.mkdir(parents=True, exist_ok=True)
    places[0].touch()
else:
    source, target = places
    target.parent.mkdir(parents=True, exist_ok=True)
    if command == "moveto":
        source.rename(target)
    elif not target.exists() or version(source) != version(target):
        shutil.copy2(source, target)
        with open(Path(os.environ["FOLDERS"], "copies"), "a") as copies:
            copies.write(target.name + "\\n")
if command == os.environ["KILL_AFTER"]:
    os.killpg(0, signal.SIGKILL)
"""


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """The folder with `vendor/exports`, `input/files` and `input/taken`."""
    for name in ("vendor/exports", "input/files", "input/taken", "bin"):
        (tmp_path / name).mkdir(parents=True)
    program = tmp_path / "bin" / "rclone"
    program.write_text(RCLONE, encoding="utf-8")
    program.chmod(0o755)
    return tmp_path


def pull(folders: Path, kill_after: str = "") -> int:
    """Run the job once. Return its exit code."""
    env = {
        **os.environ,
        "PATH": f"{folders / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "FOLDERS": str(folders),
        "KILL_AFTER": kill_after,
        "KNOWN_HOSTS": "sftp.example.com ssh-ed25519 AAAA",
        "RCLONE_CONFIG_VENDOR_KNOWN_HOSTS_FILE": str(folders / "known_hosts"),
        "VENDOR_PATH": "exports",
        "INPUT_BUCKET": "files",
        "TAKEN_BUCKET": "taken",
        "FOLDER": "stores",
        "DONE_FOLDER": "done",
        "SINCE": "2026-01-01",
        "MIN_AGE_MINUTES": "5",
        "SETTLE_SECONDS": "0",
    }
    command = ["sh", str(SFTP / "sftp_pull.sh")]
    return subprocess.run(command, env=env, check=False, start_new_session=True).returncode


def write(folders: Path, name: str, content: str, age: float = HOUR) -> None:
    """Write a file as the vendor does, `age` seconds ago."""
    path = folders / "vendor" / "exports" / name
    path.write_text(content, encoding="utf-8")
    then = time.time() - age
    os.utime(path, (then, then))


def files(folder: Path) -> dict[str, str]:
    """The content of each file in a folder, by its name there."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in found}


def test_each_version_of_a_file_is_copied_once_whenever_the_job_dies(folders: Path) -> None:
    """Young files and temporary names wait; a killed job goes on; a replaced file comes again."""
    write(folders, "it's; 100%.csv", "gclid\na\n")
    write(folders, "young.csv", "gclid\n", age=60)
    write(folders, "large.csv.part", "gclid\n")
    for step in ("copyto", "touch", "moveto"):
        assert pull(folders, kill_after=step) == -signal.SIGKILL
    assert pull(folders) == 0
    assert files(folders / "input" / "files") == {"stores/it's; 100%.csv": "gclid\na\n"}
    waiting = {"young.csv", "large.csv.part"}
    assert files(folders / "vendor" / "exports").keys() == {"done/it's; 100%.csv", *waiting}
    write(folders, "it's; 100%.csv", "gclid\nb\n", age=HOUR / 2)
    assert pull(folders) == 0
    assert pull(folders) == 0
    assert files(folders / "input" / "files") == {"stores/it's; 100%.csv": "gclid\nb\n"}
    assert (folders / "copies").read_text("utf-8").splitlines() == 2 * ["it's; 100%.csv"]
