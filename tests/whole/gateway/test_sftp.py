"""Files that real SFTP clients write through a real gateway, as a person expects them.

rclone copies an object onto itself when a client sets the time of a file, and it makes an object of
what has arrived when a connection breaks. So one upload can have several generations: one document
has its rows, the others refer to it, nothing raises an alert, and every conversion counts once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.up import INPUT_BUCKET, OUTPUT_BUCKET, Sandbox
from tests.results_schema import check_results
from tests.rows import core_row, csv_bytes
from tests.whole.gateway.conftest import Gateway

THREE_DAYS = 3 * 86400

Upload = Callable[[Gateway, Path, str], None]


def sftp_put(gateway: Gateway, file: Path, name: str) -> None:
    gateway.sftp(f"put {file} {name}\n")


def sftp_put_with_time(gateway: Gateway, file: Path, name: str) -> None:
    gateway.sftp(f"put -p {file} {name}\n")


def sftp_put_and_rename(gateway: Gateway, file: Path, name: str) -> None:
    gateway.sftp(f"put {file} {name}.part\nrename {name}.part {name}\n")


def sftp_put_twice(gateway: Gateway, file: Path, name: str) -> None:
    gateway.sftp(f"put {file} {name}\nput {file} {name}\n")


def scp_with_time(gateway: Gateway, file: Path, name: str) -> None:
    gateway.scp("-p", source=file, name=name)


def lftp_put(gateway: Gateway, file: Path, name: str) -> None:
    gateway.lftp(f"put {file} -o {name}")


def lftp_put_with_temporary_name(gateway: Gateway, file: Path, name: str) -> None:
    temporary = "set xfer:use-temp-file yes; set xfer:temp-file-name .in.*"
    gateway.lftp(f"{temporary}; put {file} -o {name}")


UPLOADS: tuple[Upload, ...] = (
    sftp_put,
    sftp_put_with_time,
    sftp_put_and_rename,
    sftp_put_twice,
    lftp_put,
    lftp_put_with_temporary_name,
    scp_with_time,
)


@pytest.fixture(autouse=True)
def _no_alert(google: Sandbox) -> Iterator[None]:
    """No upload raises an alert."""
    before = google.function_output().count('"severity": "ERROR"')
    yield
    assert google.function_output().count('"severity": "ERROR"') == before


def export(path: Path, first: int, last: int, **cells: str) -> Path:
    """Write an export with these orders, as it was made three days ago."""
    path.write_bytes(csv_bytes(core_row(n, **cells) for n in range(first, last + 1)))
    then = time.time() - THREE_DAYS
    os.utime(path, (then, then))
    return path


def documents(google: Sandbox, name: str) -> list[dict[str, Any]]:
    """Return the documents of a name, oldest generation first, after all events were delivered."""
    bucket = google.storage_client().bucket(INPUT_BUCKET)
    deadline = time.monotonic() + 180
    while not (live := bucket.get_blob(name)) and time.monotonic() < deadline:
        time.sleep(0.05)
    google.results(name, live.generation)
    assert google.delivery.wait_until_idle()
    listed = google.storage_client().bucket(OUTPUT_BUCKET).list_blobs(prefix=f"{name}.")
    found = [json.loads(blob.download_as_bytes()) for blob in listed if blob.name.endswith(".json")]
    return sorted(map(check_results, found), key=lambda each: int(each["source"]["generation"]))


def counted(google: Sandbox, first: int, last: int) -> dict[str, list[float]]:
    """Return the values that Google has counted for these orders."""
    orders = {f"order-{n}" for n in range(first, last + 1)}
    found: dict[str, list[float]] = {}
    for each in google.state.accepted:
        conversion = each.as_json()["conversion"]
        if conversion["order_id"] in orders:
            found.setdefault(conversion["order_id"], []).append(conversion["conversion_value"])
    return found


def values(first: int, last: int, more: float = 0.5) -> dict[str, list[float]]:
    return {f"order-{n}": [n % 500 + more] for n in range(first, last + 1)}


@pytest.mark.parametrize("caching, versioned", [(False, True), (False, False), (True, False)])
def test_one_document_has_the_rows_of_an_upload(
    google: Sandbox,
    gateway: Gateway,
    caching_gateway: Gateway,
    tmp_path: Path,
    caching: bool,
    versioned: bool,
) -> None:
    """Whatever client writes the file: its rows are in one document and count once."""
    google.keep_versions(versioned)
    first = 1000 + 200 * versioned + 100 * caching
    for number, upload in enumerate(UPLOADS):
        name = f"{upload.__name__}-{first}.csv"
        start, end = first + 10 * number, first + 10 * number + 5
        file = export(tmp_path / name, start, end)
        upload(caching_gateway if caching else gateway, file, name)
    for number, upload in enumerate(UPLOADS):
        found = documents(google, f"{upload.__name__}-{first}.csv")
        statuses = Counter(each["status"] for each in found)
        assert statuses["completed"] == 1, (upload.__name__, statuses)
        assert statuses.keys() <= {"completed", "same_as", "superseded"}, upload.__name__
        (sent,) = (each for each in found if each["status"] == "completed")
        assert sent["counts"]["uploaded"] == sent["counts"]["rows"] == 6
        others = {each["other_generation"] for each in found if each is not sent}
        assert others <= {sent["source"]["generation"]}
        start, end = first + 10 * number, first + 10 * number + 5
        assert counted(google, start, end) == values(start, end)


@pytest.mark.parametrize("versioned", [True, False])
def test_an_upload_that_breaks_and_is_repeated(
    google: Sandbox, gateway: Gateway, tmp_path: Path, versioned: bool
) -> None:
    """The rows that arrived are sent, the cut one waits, and the repeated upload sends the rest."""
    google.keep_versions(versioned)
    name = f"broken-{versioned}.csv"
    first, last = (3000, 3199) if versioned else (3300, 3499)
    file = export(tmp_path / name, first, last)
    # 2,000 bytes per second, in blocks that do not end at the end of a line.
    slow = gateway.sftp_command("-l", "16", "-B", "994")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(slow, **pipes, text=True, start_new_session=True) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(f"put {file} {name}\n")
        client.stdin.close()
        assert client.stdout.readline() == f"sftp> put {file} {name}\n"
        while not re.search(rf" [1-9]\d* [A-Z].* {name}$", gateway.sftp("ls -l\n"), re.M):
            assert client.poll() is None
        os.killpg(client.pid, signal.SIGKILL)

    (partial,) = documents(google, name)
    assert 0 < partial["source"]["size"] < file.stat().st_size
    assert (partial["status"], partial["counts"]["deferred"]) == ("waiting", 1)

    gateway.sftp(f"put {file} {name}\n")
    whole = documents(google, name)[-1]
    assert (whole["status"], whole["counts"]["rows"]) == ("completed", last - first + 1)
    assert whole["counts"]["duplicate"] == partial["counts"]["uploaded"]
    assert counted(google, first, last) == values(first, last)


def test_a_file_that_is_overwritten_by_the_next_export(
    google: Sandbox, gateway: Gateway, tmp_path: Path
) -> None:
    """The next export of the same name is a file of its own, even seconds later."""
    google.keep_versions(True)
    for first in (4000, 4010):
        file = export(tmp_path / "daily.csv", first, first + 5)
        gateway.sftp(f"put -p {file} daily.csv\n")
    statuses = Counter(each["status"] for each in documents(google, "daily.csv"))
    assert statuses == {"completed": 2, "same_as": 2}
    assert counted(google, 4000, 4015) == values(4000, 4005) | values(4010, 4015)


def test_a_file_that_is_renamed_after_its_upload(
    google: Sandbox, gateway: Gateway, tmp_path: Path
) -> None:
    """A new name is another file, whose rows are duplicates; each conversion counts once."""
    file = export(tmp_path / "old-name.csv", 5000, 5005)
    gateway.sftp(f"put {file} old-name.csv\n")
    (old,) = documents(google, "old-name.csv")
    gateway.sftp("rename old-name.csv new-name.csv\n")
    (new,) = documents(google, "new-name.csv")
    assert (old["counts"]["uploaded"], new["counts"]["duplicate"]) == (6, 6)
    assert counted(google, 5000, 5005) == values(5000, 5005)
