"""The peak memory of files that are made to need much of it, and that the limits admit.

Every cell of these files is used: hundreds of custom variables, carts of a thousand items, hundreds
of email addresses, and cells that are all refused. The API answers slowly, so that as many chunks
are in memory as there is room for. If MEMORY_GROUP names a cgroup, the function runs in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.bench import INGEST, PROFILES, ROOT, UPLOAD, Bench, peak_mebibytes, put_profiles
from benchmarks.figures import Figure
from sandbox.up import Sandbox

COLUMNS = 900
LATENCY_MILLISECONDS = 4_000

Cell = Callable[[int, int], str]


def table_of(names: Sequence[str], cell: Cell, size: int) -> bytes:
    """A file of at least `size` bytes: a click and a time, and `cell(row, column)` in each of the
    other columns."""
    when = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d %H:%M:%S}+00:00"
    lines = [",".join(("gclid", "conversion_date_time", *names))]
    written = row = 0
    while written < size:
        row += 1
        cells = [cell(row, column) for column in range(len(names))]
        lines.append(",".join((f"Cj0KCQiA{row:030d}", when, *cells)))
        written += len(lines[-1].encode())
    return ("\n".join(lines) + "\n").encode()


def variables(cell: Cell, size: int, count: int = COLUMNS) -> bytes:
    """A file of custom variables."""
    return table_of([f"custom_variable:{9_000 + each}" for each in range(count)], cell, size)


def emails(cell: Cell, size: int) -> bytes:
    """A file of email addresses."""
    return table_of(["email", *(f"email_{each}" for each in range(2, COLUMNS))], cell, size)


def carts(size: int, items: int) -> bytes:
    """A file of carts."""

    def cell(row: int, column: int) -> str:
        return ";".join(f"{(row + item) % 1_000}:1:1" for item in range(items))

    return table_of(["cart_items"], cell, size)


def emoji(size: int) -> bytes:
    """A file of custom variables whose characters need four bytes each."""
    return variables(lambda row, column: f"\U0001f600{column % 10}", size)


MIB = 1 << 20
FILES: dict[str, Callable[[], bytes]] = {
    "custom variables": lambda: variables(
        lambda row, column: f"{(row + column) % 100:02d}", 4 * MIB
    ),
    "emoji": lambda: emoji(6 * MIB),
    "large carts": lambda: carts(16 * MIB, 1_000),
    "small carts": lambda: carts(16 * MIB, 60),
    "email addresses": lambda: emails(lambda row, column: f"{column}@{row % 97}.example", 8 * MIB),
    "refused variables": lambda: variables(lambda row, column: "a@example.com", 10 * MIB, 60),
    "refused addresses": lambda: emails(lambda row, column: "x", 2 * MIB),
    "unused columns": lambda: table_of(
        [f"text {each}" for each in range(COLUMNS)], lambda row, column: "ab", 6 * MIB
    ),
    "long cells": lambda: table_of(
        [f"text {each}" for each in range(20)], lambda row, column: "x" * 32_000, 48 * MIB
    ),
}


def measure(quick: bool) -> Iterator[Figure]:
    """The highest peak of all processes of an instance, over the files and destinations.

    A quick run has one that needs most, a third as large, on the Google Ads API.
    """
    files = {"emoji": partial(emoji, 2 * MIB)} if quick else FILES
    folders = ("",) if quick else ("", "data_manager/")
    environment = {"WINDOW": "10", "MALLOC_ARENA_MAX": "1", "PROFILES": PROFILES}
    slow = {"kind": "latency_ms", "latency_ms": LATENCY_MILLISECONDS}
    peaks: dict[str, float] = {}
    group = Path(os.environ["MEMORY_GROUP"]) if "MEMORY_GROUP" in os.environ else None
    with Sandbox(source=ROOT, env=environment, memory_group=group) as sandbox:
        put_profiles(sandbox)
        bench = Bench(sandbox)
        sandbox.faults.set([{"method": method, **slow} for method in (UPLOAD, INGEST)])
        for name, make in files.items():
            content = make()
            for folder in folders:
                bench.fresh_worker()
                bench.run(content, folder)
                peaks[f"{name}, {folder or 'google_ads/'}"] = peak_of_instance(sandbox)
    highest = sorted(peaks, key=lambda each: -peaks[each])
    notes = "; ".join(f"{each} {peaks[each]:.0f} MiB" for each in highest[:4])
    yield Figure("memory_hostile", peaks[highest[0]], notes)


def peak_of_instance(sandbox: Sandbox) -> float:
    """The peaks of all processes of the instance, as if all were at the same time."""
    assert sandbox.function is not None
    instance = sandbox.function.instances[0]
    return sum(map(peak_mebibytes, {instance.process.pid, *instance.workers()}))
