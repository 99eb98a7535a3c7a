"""The archive that Terraform uploads works with only `requirements.txt` installed."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.delivery import finalized_event
from sandbox.processes import free_port
from sandbox.up import INPUT_BUCKET, Sandbox
from tests.every_call import IN_BUILD, only_in_builds
from tests.terraform.conftest import ROOT


def export() -> bytes:
    """A file with two rows: a sale from two days ago, and a row with an invalid time."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(time.time() - 48 * 3600))
    return (
        "gclid,conversion_date_time,conversion_value\n"
        f"EAIaIQobChMIarchive0001,{moment},12.50\n"
        "EAIaIQobChMIarchive0002,yesterday,1\n"
    ).encode()


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """Python in an environment with only requirements.txt, rebuilt when that file changes.

    The runtime is Python 3.13; a machine without it uses its own version.
    """
    python = shutil.which("python3.13")
    if python is None or subprocess.run([python, "-c", ""], check=False).returncode != 0:
        python = sys.executable
    requirements = ROOT / "requirements.txt"
    version = subprocess.run([python, "--version"], capture_output=True, check=True).stdout
    key = hashlib.sha256(requirements.read_bytes() + version).hexdigest()[:12]
    home = ROOT / f".venv-deployed-{key}"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", home]
        # Compiling all that is installed would take half of the time, and most is never imported.
        install = ["install", "--quiet", "--no-compile", "--requirement", requirements]
        installed = subprocess.run(
            [*pip, *install],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode != 0:
            if IN_BUILD:
                pytest.fail(installed.stderr[-2000:])
            pytest.skip("requirements.txt cannot be installed here (no network?)")
        (home / "complete").touch()
    return home / "bin" / "python"


def unpacked(values: dict[str, list[Any]], folder: Path) -> Path:
    """The archive as archive_file creates it, unpacked into an empty folder."""
    archive = folder / "source.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        for source in values["archive_file"][0]["source"]:
            writing.writestr(source["filename"], source["content"])
    target = folder / "workspace"
    with zipfile.ZipFile(archive) as reading:
        reading.extractall(target)
    return target


@contextmanager
def serving(
    python: Path, folder: Path, target: str, signature: str, env: dict[str, str]
) -> Iterator[str]:
    """Run a function as the platform does: with its own interpreter, folder and variables."""
    port = free_port()
    command = [python.parent / "functions-framework", "--source", "main.py", "--target", target]
    command += ["--signature-type", signature, "--host", "127.0.0.1", "--port", str(port)]
    base = {"PATH": str(python.parent), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    log = folder / f"{target}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**base, **env}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 180
        while post(f"http://127.0.0.1:{port}/robots.txt", {}, b"", "GET") == 0:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{target} does not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def post(url: str, headers: dict[str, str], body: bytes, method: str = "POST") -> int:
    """Return the HTTP status of the answer, or 0 if there is no connection."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request(method, parts.path, body, headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@only_in_builds
def test_the_archive_serves_an_event(
    values: dict[str, list[Any]], interpreter: Path, tmp_path: Path
) -> None:
    """From the unpacked archive alone, both functions start and a file gets its results."""
    folder, content = unpacked(values, tmp_path), export()
    with Sandbox(function=False) as google:
        env = {key: str(value) for key, value in google.env.items()}
        name, generation = google.drop(content, "sales.csv")
        resource = {
            "bucket": INPUT_BUCKET,
            "name": name,
            "generation": str(generation),
            "size": str(len(content)),
            "timeCreated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        event = finalized_event(resource)
        with serving(interpreter, folder, "ingest", "cloudevent", env) as url:
            status = post(url, event.headers, event.body)
            assert status in (200, 204), (folder / "ingest.log").read_text()
        document = google.results(name, generation)
        assert document["counts"]["rows"] == 2
        assert document["counts"]["uploaded"] == 1
        assert document["counts"]["rejected"] == 1
        with serving(interpreter, folder, "sweep", "http", env) as url:
            assert post(url, {}, b"") == 200, (folder / "sweep.log").read_text()
