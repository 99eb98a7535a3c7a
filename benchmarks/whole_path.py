"""The deployed function with the sandbox: overlap, memory, CPU, calls, cost.

The function runs as in production (functions-framework, one gunicorn worker). Memory and CPU are
those of the worker, as Linux counts them. The sandbox accepts every well-formed request without
checking its rows, and stores no conversions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from statistics import median
from typing import NamedTuple

from benchmarks import loop, row_path
from benchmarks.bench import PROFILES, ROOT, UPLOAD, Bench, Run, put_profiles
from benchmarks.figures import Figure
from benchmarks.prices import cost_of
from benchmarks.rows import file_of
from lib.destinations.google_ads.capabilities import CAPABILITIES
from sandbox.up import Sandbox

LARGE = 400_000
WINDOW = 10


def measure(quick: bool) -> Iterator[Figure]:
    """All figures of the whole path."""
    # All other settings are those of terraform/ (MALLOC_ARENA_MAX: docs/performance.md, memory).
    environment = {
        "WINDOW": str(WINDOW),
        "MALLOC_ARENA_MAX": "1",
        "PROFILES": PROFILES,
    }
    with Sandbox(source=ROOT, env=environment) as sandbox:
        put_profiles(sandbox)
        bench = Bench(sandbox)
        yield calls_small_file(bench)
        yield burst(bench, 10 if quick else 200)
        google_ads = Route("whole_vs_loop", "", loop.prepare, LARGE // 2 if quick else LARGE)
        yield whole_vs_loop(bench, 1 if quick else 3, google_ads)
        yield overlap(bench)
        yield from large_files(bench, quick)
        yield from data_manager(bench, quick)


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


class Route(NamedTuple):
    """Which figure, profile (a folder), bare loop, and number of rows.

    `pause`: seconds after each request of the loop. Who waits for a quota finds cold caches after
    each wait, the loop as well as the function.
    """

    figure: str
    folder: str
    loop: Callable[[bytes], Iterator[bytes]]
    rows: int
    pause: float = 0.0


def whole_vs_loop(bench: Bench, turns: int, route: Route) -> Figure:
    """CPU a row of the whole function against the bare loop, which neither checks nor sends.

    The loop runs before and after each file, because the processor's speed changes.
    """

    def paced(content: bytes) -> Iterator[bytes]:
        for request in route.loop(content):
            yield request
            time.sleep(route.pause)

    content, for_loop = file_of(route.rows, 100), file_of(LARGE // 4, 100)
    bench.run(file_of(500, 100, seed=4), route.folder)
    bench.latency(200)
    mine, bare, ratios = [], [], []
    for _ in range(turns):
        before = row_path.cpu_seconds(paced, for_loop)
        mine.append(bench.run(content, route.folder).cpu_seconds / route.rows)
        after = row_path.cpu_seconds(paced, for_loop)
        bare.append((before + after) / 2 / (LARGE // 4))
        ratios.append(mine[-1] / bare[-1])
    bench.latency(0)
    notes = f"{median(mine) * 1e6:.1f} us a row, the loop {median(bare) * 1e6:.1f} us"
    return Figure(route.figure, median(ratios), notes)


def overlap(bench: Bench) -> Figure:
    """200,000 rows, while every upload takes one second."""
    content = file_of(200_000, 100)
    bench.run(file_of(500, 100, seed=3))
    bench.latency(1_000)
    try:
        run = bench.run(content)
    finally:
        bench.latency(0)
    chunks = 200_000 / CAPABILITIES.max_request_rows
    ideal = 1 + (chunks - 1) / WINDOW  # the first chunk goes alone
    uploads = [each for each in bench.sandbox.state.requests if each.method == UPLOAD][-100:]
    answers = sum(each.seconds for each in uploads) / len(uploads)
    return Figure(
        "overlap",
        run.wall_seconds / ideal,
        f"{run.wall_seconds:.1f} s, ideal {ideal:.1f} s; a response took {answers:.3f} s",
    )


def large_files(bench: Bench, quick: bool) -> Iterator[Figure]:
    """Small and large files with one invalid row in ten; each upload takes 200 ms.

    A quick run has a large file of 200,000 rows. The cost of a million is computed from it.
    """
    rows, turns = (200_000, 2) if quick else (1_000_000, 6)
    bench.latency(200)
    small = small_peak(bench, range(10, 11 if quick else 15))
    content = file_of(rows, 10, seed=99)
    bench.fresh_worker()
    bench.run(file_of(500, 10))
    # Some before and some after, because the processor's speed changes; the worker is warm.
    ten_thousands = [bench.run(file_of(10_000, 10, seed=seed)) for seed in range(30, 30 + turns)]
    bench.sandbox.state.requests.clear()
    logged = len(bench.sandbox.function_output())
    large = bench.run(content)
    logged = len(bench.sandbox.function_output()) - logged
    methods = [request.method for request in bench.sandbox.state.requests]
    ten_thousands += [bench.run(file_of(10_000, 10, seed=seed)) for seed in range(40, 40 + turns)]
    per_row_small = sum(run.cpu_seconds for run in ten_thousands) / (10_000 * len(ten_thousands))
    check_counts(large, rows)
    per_row_large = large.cpu_seconds / rows

    sizes = f"{small:.0f} MiB and {large.peak_mebibytes:.0f} MiB at {rows:,} rows"
    yield Figure("memory_growth", large.peak_mebibytes - small, sizes)
    yield Figure("memory_peak", large.peak_mebibytes, sizes)
    yield Figure(
        "cpu_scaling",
        per_row_large / per_row_small,
        f"{per_row_large * 1e6:.1f} us and {per_row_small * 1e6:.1f} us a row, all of the function",
    )
    cost = cost_of(large.wall_seconds, methods, logged)
    yield Figure(
        "cost_per_million", cost.dollars * 1_000_000 / rows, f"{rows:,} rows: {cost.parts}"
    )


def data_manager(bench: Bench, quick: bool) -> Iterator[Figure]:
    """CPU and memory on the Data Manager API.

    Its quota of 300 requests a minute admits 10,000 rows a second, so a quick run has fewer rows,
    most of which are sent at once.
    """
    folder = "data_manager/"
    turns = 1 if quick else 2
    rows = 60_000 if quick else LARGE
    pause = 0.0 if quick else 60 / 300
    route = Route("whole_vs_loop_dm", folder, loop.prepare_events, rows, pause)
    yield whole_vs_loop(bench, turns, route)
    bench.latency(200)
    small = small_peak(bench, range(50, 51 if quick else 55), folder)
    rows = 100_000 if quick else 1_000_000
    bench.fresh_worker()
    bench.run(file_of(500, 10), folder)
    large = bench.run(file_of(rows, 10, seed=98), folder)
    bench.latency(0)
    check_counts(large, rows)
    sizes = f"{small:.0f} MiB and {large.peak_mebibytes:.0f} MiB at {rows:,} rows"
    yield Figure("memory_growth_dm", large.peak_mebibytes - small, sizes)
    yield Figure("memory_peak_dm", large.peak_mebibytes, sizes)


def small_peak(bench: Bench, seeds: Iterable[int], folder: str = "") -> float:
    """The median of the peaks of fresh workers at 20,000 rows."""
    peaks = []
    for seed in seeds:
        bench.fresh_worker()
        bench.run(file_of(500, 10, seed=seed), folder)
        peaks.append(bench.run(file_of(20_000, 10, seed=seed + 10), folder).peak_mebibytes)
    return median(peaks)


def check_counts(run: Run, rows: int) -> None:
    """Raise AssertionError unless the run validated all rows, and rejected one in ten."""
    if run.counts["rows"] != rows or run.counts["rejected"] != rows // 10:
        raise AssertionError(str(run.counts))
