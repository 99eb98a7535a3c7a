"""A sandbox with the deployed function, and the worker process that is measured."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import OUTPUT_BUCKET, Sandbox

ROOT = Path(__file__).parents[1]
UPLOAD = "google_ads.UploadClickConversions"
INGEST = "data_manager.IngestEvents"
PROFILES = f"gs://{OUTPUT_BUCKET}/config/profiles.json"

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """One file through the function: wall time from its event to the API's last response and the
    results document; CPU and peak memory of the worker."""

    wall_seconds: float
    cpu_seconds: float
    peak_mebibytes: float
    counts: dict[str, int]


class Bench:
    """A sandbox with the function, and the worker that is measured."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.state.check_rows = False
        sandbox.state.keep_bodies = False
        # Nothing reads the conversions, and a million of them would need a gigabyte.
        accepted: Any = deque(maxlen=0)
        sandbox.state.accepted = accepted
        self._files = 0

    def latency(self, milliseconds: int) -> None:
        """Make every upload take this long, as at Google."""
        self.sandbox.faults.set(
            [
                {"method": method, "kind": "latency_ms", "latency_ms": milliseconds}
                for method in (UPLOAD, INGEST)
                if milliseconds
            ]
        )

    def worker(self) -> int:
        """The process in which the function runs."""
        assert self.sandbox.function is not None
        (worker,) = self.sandbox.function.instances[0].workers()
        return worker

    def fresh_worker(self) -> None:
        """Kill the worker, and wait for a new one."""
        assert self.sandbox.function is not None
        instance = self.sandbox.function.instances[0]
        old = self.worker()
        self.sandbox.function.kill([instance])
        while self._worker_or_none() in (None, old) or not instance.answers():
            time.sleep(0.02)

    def _worker_or_none(self) -> int | None:
        assert self.sandbox.function is not None
        workers = self.sandbox.function.instances[0].workers()
        return workers[0] if len(workers) == 1 else None

    def run(self, content: bytes, folder: str = "") -> Run:
        """Run one file, from its upload to the bucket to its results. The folder is a profile."""
        worker = self.worker()
        before = cpu_seconds(worker)
        self._files += 1
        delivered = time.monotonic()
        name, generation = self.sandbox.drop(content, f"{folder}file-{self._files}.csv")
        document = self.sandbox.results(name, generation, timeout_seconds=600)
        ended = time.monotonic()
        if not self.sandbox.delivery.wait_until_idle(60):
            raise AssertionError("the delivery of a file did not end")
        (record,) = [each for each in self.sandbox.delivery.records() if each.name == name]
        if len(record.attempts) != 1 or document["status"] != "completed":
            raise AssertionError(f"{document['status']} after {len(record.attempts)} attempts")
        # Measured from the event, not from the upload of the file into the bucket.
        seconds = record.attempts[0].milliseconds / 1000 or ended - delivered
        return Run(
            seconds, cpu_seconds(worker) - before, peak_mebibytes(worker), document["counts"]
        )


def put_profiles(sandbox: Sandbox) -> None:
    """Upload the profiles document to a bucket, as terraform/ does."""
    bucket, _, name = PROFILES.removeprefix("gs://").partition("/")
    blob = sandbox.storage_client().bucket(bucket).blob(name)
    blob.upload_from_string(json.dumps(DEFAULT_PROFILES))


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used, in all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mebibytes(pid: int) -> float:
    """The peak memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM")
