"""The deployed function with the sandbox: overlap, memory, CPU, calls, cost.

The function runs as in production (functions-framework, one gunicorn worker). Memory and CPU are
those of the worker, as Linux counts them. The sandbox accepts every well-formed request without
checking its rows, and stores no conversions.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import loop, row_path
from benchmarks.figures import Figure
from benchmarks.rows import file_of
from sandbox.profiles import DEFAULT_PROFILES
from sandbox.up import OUTPUT_BUCKET, Sandbox

ROOT = Path(__file__).parents[1]
UPLOAD = "google_ads.UploadClickConversions"
PROFILES = f"gs://{OUTPUT_BUCKET}/config/profiles.json"
CHUNK_ROWS = 2_000
LARGE = 400_000
WINDOW = 8

# What terraform/function.tf gives an instance, and the prices of tier 1
# (https://cloud.google.com/run/pricing: request-based billing).
VCPUS = 1.0
GIBIBYTES = 0.5
DOLLARS_PER_VCPU_SECOND = 0.000024
DOLLARS_PER_GIBIBYTE_SECOND = 0.0000025

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
        sandbox.state.judge = False
        sandbox.state.keep_bodies = False
        # Nothing reads the conversions, and a million of them would need a gigabyte.
        accepted: Any = deque(maxlen=0)
        sandbox.state.accepted = accepted
        self._files = 0

    def latency(self, milliseconds: int) -> None:
        """Make every upload take this long, as at Google."""
        self.sandbox.faults.set(
            [{"method": UPLOAD, "kind": "latency_ms", "latency_ms": milliseconds}]
            if milliseconds
            else []
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


def measure(quick: bool) -> Iterator[Figure]:
    """All figures of the whole path."""
    # All other settings are those of terraform/ (MALLOC_ARENA_MAX: docs/performance.md, memory).
    environment = {
        "WINDOW": str(WINDOW),
        "LEASE_SECONDS": "60",
        "MALLOC_ARENA_MAX": "1",
        "PROFILES": PROFILES,
    }
    with Sandbox(source=ROOT, env=environment) as sandbox:
        put_profiles(sandbox)
        bench = Bench(sandbox)
        yield calls_small_file(bench)
        yield burst(bench, 20 if quick else 200)
        yield whole_vs_loop(bench, 1 if quick else 3)
        yield overlap(bench)
        yield from large_files(bench, quick)


def put_profiles(sandbox: Sandbox) -> None:
    """Upload the profiles document to a bucket, as terraform/ does."""
    bucket, _, name = PROFILES.removeprefix("gs://").partition("/")
    blob = sandbox.storage_client().bucket(bucket).blob(name)
    blob.upload_from_string(json.dumps(DEFAULT_PROFILES))


def calls_small_file(bench: Bench) -> Figure:
    """Calls to storage and APIs for a file of one chunk, with a warm instance: the worse route."""
    routes = {}
    for folder in ("", "data_manager/"):
        bench.run(file_of(500, 100), folder)
        bench.sandbox.state.requests.clear()
        bench.run(file_of(500, 100, seed=2), folder)
        routes[folder] = [request.method for request in bench.sandbox.state.requests]
    most = max(routes.values(), key=len)
    each = " and ".join(str(len(methods)) for methods in routes.values())
    return Figure("calls_small_file", len(most), f"{each} on the two routes: {', '.join(most)}")


def burst(bench: Bench, files: int) -> Figure:
    """Files of one chunk that arrive at the same time, on one instance, which takes one at a time.

    Storage answers after 50 ms, the API after 200 ms.
    """
    bench.run(file_of(500, 100, seed=4))
    sandbox = bench.sandbox
    sandbox.faults.set(
        [
            {"method": "storage.*", "kind": "latency_ms", "latency_ms": 50},
            {"method": UPLOAD, "kind": "latency_ms", "latency_ms": 200},
        ]
    )
    sandbox.delivery.set(paused=True)
    names = set()
    for number in range(files):
        name, _ = sandbox.drop(file_of(500, 100, seed=100 + number), f"burst-{number}.csv")
        names.add(name)
    sandbox.state.requests.clear()
    sandbox.delivery.set(paused=False)
    if not sandbox.delivery.wait_until_idle(600):
        raise AssertionError("the burst did not end")
    sandbox.faults.set([])
    records = [each for each in sandbox.delivery.records() if each.name in names]
    attempts = [attempt for record in records for attempt in record.attempts]
    if [attempt.status for attempt in attempts] != [200] * files:
        raise AssertionError("an attempt failed")
    ends = max(attempt.at + attempt.milliseconds / 1000 for attempt in attempts)
    wall = ends - min(attempt.at for attempt in attempts)
    calls = sum(request.seconds for request in sandbox.state.requests)
    return Figure(
        "burst",
        wall / calls,
        f"{files} files in {wall:.1f} s, {calls:.1f} s of them in their calls",
    )


def whole_vs_loop(
    bench: Bench, turns: int, name: str = "whole_vs_loop", folder: str = ""
) -> Figure:
    """CPU a row of the whole function against the bare loop, which neither checks nor sends.

    The loop runs before and after each file, because the processor's speed changes.
    """
    content, for_loop = file_of(LARGE, 100), file_of(LARGE // 4, 100)
    bench.run(file_of(500, 100, seed=4), folder)
    bench.latency(200)
    mine, bare, ratios = [], [], []
    for _ in range(turns):
        before = row_path.cpu_seconds(loop.prepare, for_loop)
        mine.append(bench.run(content, folder).cpu_seconds / LARGE)
        after = row_path.cpu_seconds(loop.prepare, for_loop)
        bare.append((before + after) / 2 / (LARGE // 4))
        ratios.append(mine[-1] / bare[-1])
    bench.latency(0)
    notes = f"{median(mine) * 1e6:.1f} us a row, the loop {median(bare) * 1e6:.1f} us"
    return Figure(name, median(ratios), notes)


def overlap(bench: Bench) -> Figure:
    """200,000 rows, while every upload takes one second."""
    content = file_of(200_000, 100)
    bench.run(file_of(500, 100, seed=3))
    bench.latency(1_000)
    try:
        run = bench.run(content)
    finally:
        bench.latency(0)
    chunks = 200_000 / CHUNK_ROWS
    ideal = chunks / WINDOW
    uploads = [each for each in bench.sandbox.state.requests if each.method == UPLOAD][-100:]
    answers = sum(each.seconds for each in uploads) / len(uploads)
    return Figure(
        "overlap",
        run.wall_seconds / ideal,
        f"{run.wall_seconds:.1f} s, ideal {ideal:.1f} s; a response took {answers:.3f} s",
    )


def large_files(bench: Bench, quick: bool) -> Iterator[Figure]:
    """Small and large files with one invalid row in ten; each upload takes 200 ms."""
    bench.latency(200)
    peaks = []
    for seed in range(10, 13 if quick else 15):
        bench.fresh_worker()
        bench.run(file_of(500, 10, seed=seed))
        peaks.append(bench.run(file_of(20_000, 10, seed=seed + 10)).peak_mebibytes)
    small = median(peaks)
    content = file_of(1_000_000, 10, seed=99)
    bench.fresh_worker()
    bench.run(file_of(500, 10))
    # Some before and some after, because the processor's speed changes; the worker is warm.
    ten_thousands = [bench.run(file_of(10_000, 10, seed=seed)) for seed in range(30, 36)]
    large = bench.run(content)
    ten_thousands += [bench.run(file_of(10_000, 10, seed=seed)) for seed in range(36, 42)]
    per_row_small = sum(run.cpu_seconds for run in ten_thousands) / (10_000 * len(ten_thousands))
    if large.counts["rows"] != 1_000_000 or large.counts["rejected"] != 100_000:
        raise AssertionError(str(large.counts))
    per_row_large = large.cpu_seconds / 1_000_000

    sizes = f"{small:.0f} MiB and {large.peak_mebibytes:.0f} MiB"
    yield Figure("memory_growth", large.peak_mebibytes - small, sizes)
    yield Figure("memory_peak", large.peak_mebibytes, sizes)
    yield Figure(
        "cpu_scaling",
        per_row_large / per_row_small,
        f"{per_row_large * 1e6:.1f} us and {per_row_small * 1e6:.1f} us a row, all of the function",
    )
    seconds = large.wall_seconds
    dollars = seconds * (VCPUS * DOLLARS_PER_VCPU_SECOND + GIBIBYTES * DOLLARS_PER_GIBIBYTE_SECOND)
    yield Figure(
        "cost_per_million",
        dollars,
        f"{seconds:.1f} s of {VCPUS:g} vCPU and {GIBIBYTES:g} GiB, "
        f"{large.cpu_seconds:.1f} s of CPU used",
    )


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
